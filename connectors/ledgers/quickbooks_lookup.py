"""Looking up in QuickBooks what exists: one query per kind and way of asking, whatever the number of records.

By id, by number, by name, else everything made since an instant: PrivateNote cannot be filtered, so the caller
compares the marker. Source: Intuit "Query operations and syntax".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.ledgers import quickbooks_held
from connectors.ledgers import quickbooks_records as records
from connectors.ledgers.base import Alike, Done, Kind, Sought, is_alike
from connectors.ledgers.quickbooks_payloads import ENTITY
from domain.held import Held

Rows = Callable[[str, str], list[Mapping[str, Any]]]
_IN_MAX = 100
_VENDORS_MAX = 5
"""Up to so many vendors are asked one by one; for more, everything dated in the span is read at once."""
_NAMED = {Kind.CUSTOMER: "DisplayName", Kind.VENDOR: "DisplayName"}
_LISTS = (Kind.CUSTOMER, Kind.VENDOR, Kind.ITEM, Kind.ACCOUNT, Kind.TERM)


def quote(value: str) -> str:
    """A text for a query. Apostrophe and backslash are escaped with a backslash."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


class Lookup:
    """Bound to one realm. `rows(entity, statement)` runs a query whole."""

    def __init__(self, rows: Rows, tenant: str) -> None:
        self._rows = rows
        self._tenant = tenant

    def find(self, sought: Sequence[Sought]) -> dict[str, Sequence[Done]]:
        found: dict[str, Sequence[Done]] = {one.key: () for one in sought}
        for kind in dict.fromkeys(one.kind for one in sought):
            group = [one for one in sought if one.kind is kind]
            by_id = [one for one in group if one.ledger_id is not None]
            rest = [one for one in group if one.ledger_id is None]
            by_number = [one for one in rest if one.number is not None]
            by_name = [one for one in rest if one.number is None and one.name is not None]
            by_time = [one for one in rest if one.number is None and one.name is None]
            found |= self._by(kind, "Id", {one.key: str(one.ledger_id) for one in by_id}, lambda done: done.ledger_id)
            found |= self._by(kind, "DocNumber", {one.key: str(one.number) for one in by_number}, lambda d: d.number)
            names = {one.key: str(one.name) for one in by_name}
            found |= self._by(kind, _NAMED.get(kind, "Name"), names, lambda done: done.echo.name)
            found |= self._since(kind, by_time)
        return found

    def read(self, kind: Kind, ids: Sequence[str]) -> dict[str, Held]:
        """Whole documents by id."""
        entity, found = ENTITY[kind], {}
        wanted = list(dict.fromkeys(ids))
        for start in range(0, len(wanted), _IN_MAX):
            listed = ", ".join(quote(value) for value in wanted[start : start + _IN_MAX])
            for row in self._rows(entity, f"SELECT * FROM {entity} WHERE Id IN ({listed})"):  # noqa: S608 (quoted)
                held = quickbooks_held.held(row, kind)
                if held is not None:
                    found[held.ledger_id] = held
        return found

    def alike(self, sought: Sequence[Alike]) -> dict[str, Sequence[Held]]:
        """By number whatever the date, and by vendor in the span; the amount is compared here, net of tax."""
        found: dict[str, Sequence[Held]] = {one.key: () for one in sought}
        for kind in dict.fromkeys(one.kind for one in sought):
            group = [one for one in sought if one.kind is kind]
            seen: dict[str, Held] = {}
            for condition in _conditions(group):
                entity = ENTITY[kind]
                for row in self._rows(entity, f"SELECT * FROM {entity} WHERE {condition}"):  # noqa: S608 (quoted)
                    held = quickbooks_held.held(row, kind)
                    if held is not None and held.live:
                        seen[held.ledger_id] = held
            for one in group:
                found[one.key] = tuple(held for held in seen.values() if is_alike(one, held))
        return found

    def _by(
        self, kind: Kind, field: str, values: Mapping[str, str], told: Callable[[Done], str | None]
    ) -> dict[str, Sequence[Done]]:
        """QuickBooks compares without regard to case, and so do we when an answer is matched to its question."""
        wanted = sorted(set(values.values()))
        by_value: dict[str, list[Done]] = {}
        for start in range(0, len(wanted), _IN_MAX):
            listed = ", ".join(quote(value) for value in wanted[start : start + _IN_MAX])
            for done in self._asked(kind, f"{field} IN ({listed})"):
                by_value.setdefault((told(done) or "").casefold(), []).append(done)
        return {key: tuple(by_value.get(value.strip().casefold(), ())) for key, value in values.items()}

    def _since(self, kind: Kind, sought: Sequence[Sought]) -> dict[str, Sequence[Done]]:
        """Everything of the kind made since the earliest instant asked; each key gets what is young enough for it."""
        if not sought:
            return {}
        starts = {one.key: one.since for one in sought}
        instants = [start for start in starts.values() if start is not None]
        if len(instants) < len(starts):
            raise ValueError("a look-up needs an id, a number, a name or an instant")
        stamp = min(instants).astimezone(UTC).isoformat(timespec="seconds")
        made = self._asked(kind, f"MetaData.CreateTime >= {quote(stamp)}")
        return {key: tuple(one for one in made if _young(one, start)) for key, start in starts.items()}

    def _asked(self, kind: Kind, condition: str) -> list[Done]:
        entity = ENTITY[kind]
        if kind in _LISTS:
            condition += " AND Active IN (true, false)"
        rows = self._rows(entity, f"SELECT * FROM {entity} WHERE {condition}")  # noqa: S608 (quoted above)
        return [done for row in rows if (done := records.done(row, kind, self._tenant)) is not None]


def _conditions(sought: Sequence[Alike]) -> list[str]:
    numbers = sorted({one.number for one in sought if one.number})
    conditions = [
        f"DocNumber IN ({', '.join(map(quote, numbers[start : start + _IN_MAX]))})"
        for start in range(0, len(numbers), _IN_MAX)
    ]
    since, until = min(one.since for one in sought), max(one.until for one in sought)
    span = f"TxnDate >= {quote(since.isoformat())} AND TxnDate <= {quote(until.isoformat())}"
    vendors = sorted({one.party_id for one in sought})
    if len(vendors) > _VENDORS_MAX:
        return [*conditions, span]
    return [*conditions, *(f"VendorRef = {quote(vendor)} AND {span}" for vendor in vendors)]


def _young(done: Done, start: datetime | None) -> bool:
    """Creation times have whole seconds: one that is missing or equal counts as young, so nothing is overlooked."""
    made = done.echo.created_at
    return made is None or start is None or made >= start.replace(microsecond=0)
