"""Change data capture: what changed since a moment, by entity, with tombstones of what was deleted.

Look-back 30 days, at most 1000 objects in one answer, no paging. Source: Intuit, "Change data capture".
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.qbo.errors import fault, required
from sandbox.qbo.realm import Realm
from sandbox.qbo.select import stale_horizon
from sandbox.qbo.writes import entity_named

MOST_OBJECTS = 1000
LOOK_BACK = timedelta(days=30)


def changes(realm: Realm, entities: str, changed_since: str) -> dict[str, Any]:
    """The ``CDCResponse`` member. Raises ``QboFault`` for a missing argument, a bad moment or entity."""
    names = [name.strip() for name in entities.split(",") if name.strip()]
    if not names:
        raise required("entities")
    if not changed_since:
        raise required("changedSince")
    since = _moment(realm, changed_since)
    if realm.now() - since > LOOK_BACK:
        raise fault("4001", "changedSince must not lie more than 30 days back", "changedSince")
    left = MOST_OBJECTS
    responses = []
    for name in names:
        answer = _of_kind(realm, name, since.timestamp(), left)
        left -= int(answer.get("maxResults", 0))
        responses.append(answer)
    return {"CDCResponse": [{"QueryResponse": responses}]}


def _moment(realm: Realm, text: str) -> datetime:
    try:
        # A "+" of the offset that was not URL-encoded arrives as a blank.
        moment = datetime.fromisoformat(text.strip().replace(" ", "+"))
    except ValueError:
        raise fault("2180", f"changedSince is not a date and time: {text}", "changedSince") from None
    return (moment.replace(tzinfo=realm.zone) if moment.tzinfo is None else moment).astimezone(UTC)


def _of_kind(realm: Realm, name: str, since: float, most: int) -> dict[str, Any]:
    entity = entity_named(name)
    if not entity.cdc:
        raise fault("4001", f"Entity {entity.kind} is not supported by change data capture", "entities")
    horizon = stale_horizon(realm)
    changed = [
        record
        for record in realm.store.all(realm.space, entity.kind)
        if int(record["touched"]) >= int(since) and (horizon is None or record["born"] <= horizon)
    ]
    changed.sort(key=lambda record: (record["state"] == "deleted", record["touched"]))
    rows = [_row(realm, record) for record in changed[:most]]
    if not rows:
        return {}
    return {entity.kind: rows, "startPosition": 1, "maxResults": len(rows), "totalCount": len(rows)}


def _row(realm: Realm, record: dict[str, Any]) -> dict[str, Any]:
    if record["state"] != "deleted":
        return realm.present(record)
    changed = {"LastUpdatedTime": realm.stamp(record["touched"])}
    return {"domain": "QBO", "status": "Deleted", "Id": record["id"], "MetaData": changed}
