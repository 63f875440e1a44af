"""Running a parsed query against one company: filter, order, page, project, count.

Values compare without case; references by id; times as moments, whatever offset they are written with.
Only the properties of an entity's ``filters`` may be named in WHERE and ORDER BY (4001 otherwise).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from sandbox.qbo.entities import ENTITIES, Entity
from sandbox.qbo.errors import fault
from sandbox.qbo.query import Condition, Query, parse
from sandbox.qbo.realm import Realm

MOST_ROWS = 1000
Record = Mapping[str, Any]
Test = Callable[[Record], bool]
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_NUMBERS = ("TotalAmt", "Balance", "UnitPrice", "PurchaseCost", "CurrentBalance", "DueDays", "Rate")
_TIMES = {"MetaData.CreateTime": "born", "MetaData.LastUpdatedTime": "touched"}


def run(realm: Realm, statement: str) -> dict[str, Any]:
    """The ``QueryResponse`` member for a statement. Raises ``QboFault`` 4000 or 4001."""
    query = parse(statement)
    entity = ENTITIES.get(query.entity.lower())
    if entity is None:
        raise _invalid(f"Metadata not found for Entity: {query.entity}")
    if query.rows > MOST_ROWS and realm.switch("rows_over_1000_refused"):
        raise _invalid(f"value {query.rows} is too large. Max allowed value is {MOST_ROWS}")
    tests = [_test(realm, entity, condition) for condition in query.where]
    found = [record for record in _candidates(realm, entity, query) if all(test(record) for test in tests)]
    if query.count:
        return {"totalCount": len(found)}
    for prop, descending in reversed(query.order):
        name = _filterable(entity, prop)
        found.sort(key=partial(_sort_key, realm, name), reverse=descending)
    page = found[query.start - 1 : query.start - 1 + min(query.rows, MOST_ROWS)]
    if not page:
        return {}
    rows = [_project(entity, query, realm.present(record)) for record in page]
    return {entity.kind: rows, "startPosition": query.start, "maxResults": len(rows)}


def visible(realm: Realm, kind: str) -> Iterator[dict[str, Any]]:
    """Records a reader sees: not deleted, and created before the stale window if that fault is on."""
    horizon = stale_horizon(realm)
    for record in realm.records(kind):
        if record["state"] != "deleted" and (horizon is None or record["born"] <= horizon):
            yield record


def stale_horizon(realm: Realm) -> float | None:
    """UTC seconds after which creations are still invisible to readers, or None (fault ``stale_reads``)."""
    params = realm.world.faults.active("stale_reads", "qbo", realm.id)
    if params is None:
        return None
    return realm.now().timestamp() - float(params.get("seconds", 60))


def _invalid(text: str) -> Exception:
    return fault("4001", f"QueryValidationError: {text}")


def _candidates(realm: Realm, entity: Entity, query: Query) -> Iterator[dict[str, Any]]:
    """The records worth testing: by index where the statement names ids, numbers or display names."""
    names = {condition.prop.lower() for condition in query.where}
    only_active = entity.is_list and "active" not in names
    for record in _indexed(realm, entity, query, only_active):
        if not only_active or record["entity"].get("Active") is not False:
            yield record


def _indexed(realm: Realm, entity: Entity, query: Query, only_active: bool) -> Iterator[dict[str, Any]]:
    horizon = stale_horizon(realm)
    for condition in query.where:
        lookup = _lookup(realm, entity, condition, only_active)
        if lookup is None:
            continue
        for record in lookup:
            fresh = horizon is not None and record["born"] > horizon
            hidden = (entity.kind, record["id"]) in realm.hidden
            if record["state"] != "deleted" and not fresh and not hidden:
                yield record
        return
    yield from visible(realm, entity.kind)


def _lookup(realm: Realm, entity: Entity, condition: Condition, only_active: bool) -> list[dict[str, Any]] | None:
    """The records one equality condition can match, through the store's keys; None when it has no key."""
    if condition.op not in ("=", "IN"):
        return None
    prop = condition.prop.lower()
    values = list(dict.fromkeys(str(value).casefold() for value in condition.values))
    if prop == "id":
        found = [realm.store.get(realm.space, entity.kind, value) for value in values]
        return [record for record in found if record is not None]
    if prop == "docnumber" and all(value.strip() for value in values):
        return [record for value in values for record in realm.find(entity.kind, "number", value)]
    if prop == "displayname" and only_active and entity.kind in ("Customer", "Vendor", "Employee"):
        return [record for value in values for record in realm.find(entity.kind, "name", f"/{value}")]
    return None


def _filterable(entity: Entity, prop: str) -> str:
    """The property's own spelling. Raises ``QboFault`` 4001 when it cannot be filtered by."""
    for name in entity.filters:
        if name.lower() == prop.lower():
            return name
    raise _invalid(f"Property {prop} not found for Entity {entity.kind}")


def _test(realm: Realm, entity: Entity, condition: Condition) -> Test:
    name = _filterable(entity, condition.prop)
    if name == "Id" and condition.op not in ("=", "IN"):
        raise _invalid(f"Operator {condition.op} is not supported for property Id")
    if condition.op == "LIKE":
        pattern = re.compile(".*".join(re.escape(part) for part in str(condition.values[0]).split("%")), re.I | re.S)
        return lambda record: pattern.fullmatch(str(_value(realm, name, record) or "")) is not None
    wanted = [_wanted(realm, name, value) for value in condition.values]
    if condition.op == "IN":
        members = set(wanted)
        return lambda record: _comparable(realm, name, record) in members
    compare = _COMPARE[condition.op]
    value = wanted[0]

    def test(record: Record) -> bool:
        have = _comparable(realm, name, record)
        if have is None or have == "":
            return condition.op in ("=", "!=") and compare("", value if value != "" else "")
        return compare(have, value)

    return test


def _wanted(realm: Realm, name: str, value: str | bool) -> Any:
    """A literal of the statement in the form ``_comparable`` gives. Raises 4001 when it does not fit."""
    try:
        if name in _TIMES:
            moment = datetime.fromisoformat(str(value))
            moment = moment.replace(tzinfo=realm.zone) if moment.tzinfo is None else moment
            return int(moment.astimezone(UTC).timestamp())
        if name in _NUMBERS:
            return Decimal(str(value))
    except (ValueError, InvalidOperation):
        raise _invalid(f"value {value!r} does not fit property {name}") from None
    if isinstance(value, bool):
        return value
    if value == "CURRENT_DATE":
        return realm.today()
    return value.strip().casefold() if not value.strip() else value.casefold()


def _value(realm: Realm, name: str, record: Record) -> Any:
    if name in _TIMES:
        return int(record[_TIMES[name]])
    if name == "Id":
        return record["id"]
    if name == "Balance" and record["kind"] in ("Customer", "Vendor"):
        return realm.present(record)["Balance"]
    if name == "CurrentBalance":
        return realm.account_balance(record)
    value = record["entity"].get(name)
    if isinstance(value, dict):
        return value.get("value", value.get("Address"))
    return value


def _comparable(realm: Realm, name: str, record: Record) -> Any:
    value = _value(realm, name, record)
    if name in _NUMBERS:
        return Decimal(str(value or 0))
    if isinstance(value, str):
        return value.casefold()
    return value


def _sort_key(realm: Realm, name: str, record: Record) -> tuple[bool, Any]:
    value = _comparable(realm, name, record)
    if name == "Id":
        value = int(record["id"]) if record["id"].isdigit() else 0
    elif isinstance(value, bool):
        value = int(value)
    return (value is not None, value if value is not None else 0)


def _project(entity: Entity, query: Query, row: dict[str, Any]) -> dict[str, Any]:
    if not query.fields:
        return row
    known = {name.lower(): name for name in entity.fields}
    names = {"domain", "Id"}
    for prop in query.fields:
        name = known.get(prop.split(".")[0].lower())
        if name is None:
            raise _invalid(f"Property {prop} not found for Entity {entity.kind}")
        names.add(name)
    return {name: value for name, value in row.items() if name in names} | {"sparse": True}
