"""For how many months the services on billing items are billed at once.

An item names its service or bundle; the period stands there as a picklist (Monthly, Quarterly, Semi-Annually, Yearly).
Source: Autotask developer help, the entities BillingItems, Services and ServiceBundles. Other lines tell no period.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.errors import BadAnswer, NotAllowed
from connectors.sources.autotask_http import AutotaskClient
from connectors.sources.autotask_payloads import chunks, key, one_of

MONTHS = {"monthly": 1, "quarterly": 3, "semi-annually": 6, "semi-annual": 6, "yearly": 12, "annually": 12}
_ENTITIES = {"serviceID": "Services", "serviceBundleID": "ServiceBundles"}


class ServicePeriods:
    """Reads each service once per instance, and none while no item names one."""

    def __init__(self, client: AutotaskClient) -> None:
        self._client = client
        self._known: dict[str, dict[str, int | None]] = {entity: {} for entity in _ENTITIES.values()}

    def months(self, items: Sequence[Mapping[str, Any]]) -> dict[str, int]:
        """Months by item id, where a period is known. Two calls at most for every 500 services not seen before."""
        found: dict[str, int] = {}
        for field, entity in _ENTITIES.items():
            named = {str(item["id"]): id for item in items if (id := key(item.get(field))) is not None}
            self._learn(entity, sorted(set(named.values()) - set(self._known[entity])))
            found |= {item: months for item, id in named.items() if (months := self._known[entity].get(id))}
        return found

    def unreadable(self) -> tuple[str, ...]:
        """What this user may not see of them, by Autotask's names: then lines tell no period. Two small calls each."""
        found = []
        for entity in self._known:
            try:
                self._client.labels(entity, "periodType")
                self._client.rows(entity, [one_of("id", ["0"])], ("periodType",))
            except (NotAllowed, BadAnswer):
                found.append(entity)
        return tuple(found)

    def _learn(self, entity: str, ids: Sequence[str]) -> None:
        if not ids:
            return
        self._known[entity] |= dict.fromkeys(ids)
        try:
            words = self._client.labels(entity, "periodType")
            for some in chunks(ids):
                for row in self._client.rows(entity, [one_of("id", some)], ("periodType",)):
                    word = words.get(str(row.get("periodType")), "")
                    self._known[entity][str(row["id"])] = MONTHS.get(word.casefold())
        except (NotAllowed, BadAnswer):
            return  # their lines are booked as any other; `unreadable` says so in Settings
