"""The batch endpoint: up to 30 independent items, each with its own outcome.

Items cannot see what other items of the same call create, share no transaction, and come back in an order of
their own. Remembered under (requestid, bId). Source: Intuit, "Batch operations".
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from sandbox import jsonio
from sandbox.qbo import metering, replay
from sandbox.qbo.errors import QboFault, business, fault
from sandbox.qbo.realm import Realm
from sandbox.qbo.select import run
from sandbox.qbo.writes import OPERATIONS, entity_named, perform

_ENVELOPE = ("bId", "operation", "optionsData", "Query", "resourceId")


def execute(realm: Realm, body: Any, request_id: str | None) -> tuple[list[str], int]:
    """The items' answers as JSON texts, and how many items there were. Raises for the request as a whole."""
    replay.check_id(request_id, batch=True)
    items = body.get("BatchItemRequest") if isinstance(body, Mapping) else None
    if not isinstance(items, list) or not items:
        raise fault("2020", "Required parameter BatchItemRequest is missing in the request")
    limit = int(realm.switch("batch_limit"))
    if len(items) > limit:
        raise fault("1040", f"Maximum {limit} items are allowed, {len(items)} were sent")
    answers = [_item(realm, item, request_id) for item in items]
    if realm.switch("shuffle_batch"):
        random.Random(f"{realm.id}/{request_id}/{len(items)}").shuffle(answers)
    return answers, len(items)


def _item(realm: Realm, item: Any, request_id: str | None) -> str:
    """One item: replayed, carried out in a transaction of its own, or refused."""
    ident = str(item.get("bId", "")) if isinstance(item, Mapping) else ""
    key = f"{request_id}/{ident}"
    if request_id is not None:
        known = replay.recall(realm, key)
        if known is not None:
            return known
    mark = len(realm.effects)
    try:
        with realm.store.transaction():
            if request_id is not None and (refused := replay.check_item_id(ident)):
                raise refused
            _injected(realm)
            text = jsonio.dumps({"bId": ident, **_perform(realm, item)})
            if request_id is not None:
                replay.keep(realm, key, text)
    except QboFault as problem:
        del realm.effects[mark:]
        text = jsonio.dumps({"bId": ident, "Fault": problem.as_json()})
        if request_id is not None and realm.switch("replay_faults"):
            replay.keep(realm, key, text)
        return text
    for effect in realm.effects[mark:]:
        if effect["action"] == "create":
            realm.hidden.add((effect["kind"], effect["id"]))
    return text


def _injected(realm: Realm) -> None:
    params = realm.world.faults.take("batch_item_fault", "qbo", realm.id, "batch")
    if params is None:
        return
    detail = params.get("detail") or (
        "An unexpected error occurred while accessing or saving your data. Please wait a few minutes and try again."
    )
    code = str(params.get("code", "6000"))
    raise business(detail) if code == "6000" else fault(code, detail)


def _perform(realm: Realm, item: Any) -> dict[str, Any]:
    if not isinstance(item, Mapping):
        raise fault("2010", "BatchItemRequest must hold objects")
    if "Query" in item:
        answer = run(realm, str(item["Query"]))
        metering.count(realm.world, core_plus=1)
        return {"QueryResponse": answer}
    names = [name for name in item if name not in _ENVELOPE]
    if len(names) != 1:
        raise fault("2020", "Required parameter: exactly one entity per batch item")
    operation = str(item.get("operation", "create")).lower()
    if operation not in OPERATIONS:
        raise fault("2170", f"operation {operation} is not one of {', '.join(OPERATIONS)}", "operation")
    entity = entity_named(names[0])
    options = [part.strip() for part in str(item.get("optionsData") or "").split(",")]
    answer = perform(realm, entity, operation, item[names[0]], options)
    metering.count(realm.world, core=1)
    return {entity.kind: answer}
