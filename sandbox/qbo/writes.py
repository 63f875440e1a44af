"""One door to every write: create, update, delete, void, by entity and body. Used by single calls and batch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sandbox.qbo import billpayments, bills, files, lists, orders, payments, preferences, sales
from sandbox.qbo.entities import ENTITIES, Entity
from sandbox.qbo.errors import fault, not_found
from sandbox.qbo.realm import Realm

# Kinds with rules of their own: how one is written, voided and deleted.
_WRITERS: dict[str, tuple[Any, Any, Any]] = {
    "Invoice": (sales.write, sales.void, sales.delete),
    "CreditMemo": (sales.write, sales.void, sales.delete),
    "Payment": (payments.write, payments.void, payments.delete),
    "Bill": (bills.write, None, bills.delete),
    "BillPayment": (billpayments.write, billpayments.void, billpayments.delete),
    "PurchaseOrder": (orders.write, None, orders.delete),
    "Attachable": (files.write, None, files.delete),
}
OPERATIONS = ("create", "update", "delete", "void")
_LETTER = {"create": "C", "update": "U", "delete": "D", "void": "V"}


def entity_named(name: str) -> Entity:
    """The row of the entity table, any case. Raises ``QboFault`` 500 for an entity there is not."""
    entity = ENTITIES.get(name.lower())
    if entity is None:
        raise fault("500", f"Operation on entity {name} is not supported.")
    return entity


def perform(
    realm: Realm, entity: Entity, operation: str, body: Mapping[str, Any], options: Collection[str] = ()
) -> dict[str, Any]:
    """Carry out one write and return the entity as the answer shows it.

    ``operation`` is one of ``OPERATIONS``; a create whose body has an Id is an update, as on the real service.
    Raises ``QboFault``; the caller's transaction then leaves nothing behind.
    """
    if not isinstance(body, Mapping):
        raise fault("2010", "The request body must be an object")
    if realm.switch("subscription_lapsed"):
        raise fault(
            "6190",
            "Subscription period has ended or canceled or there was a billing problem : You can't add "
            "data to QuickBooks Online because your trial or subscription period ended",
        )
    if operation == "create" and body.get("Id") not in (None, "", 0):
        operation = "update"
    if operation == "update" and "void" in options:
        operation = "void"
    if _LETTER[operation] not in entity.can:
        raise fault("500", f"Operation {operation} on {entity.kind} is not supported.")
    if operation == "create":
        return realm.present(_write(realm, entity, body, None, options))
    old = _current(realm, entity, body)
    sales.check_token(old, body)
    if operation == "update":
        return realm.present(_write(realm, entity, body, old, options))
    _, void, delete = _WRITERS[entity.kind]
    if operation == "void":
        return realm.present(void(realm, old))
    delete(realm, old)
    return {"domain": "QBO", "status": "Deleted", "Id": old["id"]}


def _current(realm: Realm, entity: Entity, body: Mapping[str, Any]) -> Mapping[str, Any]:
    ident = str(body.get("Id") or "")
    if not ident and entity.kind == "Preferences":
        ident = "1"
    old = realm.record(entity.kind, ident)
    if old is None or old["state"] == "deleted":
        raise not_found(entity.kind, ident)
    return old


def _write(
    realm: Realm, entity: Entity, body: Mapping[str, Any], old: Mapping[str, Any] | None, options: Collection[str]
) -> dict[str, Any]:
    if entity.kind == "Preferences" and old:
        return preferences.update(realm, body, old)
    if entity.is_list:
        return lists.write(realm, entity, body, old)
    writer: dict[str, Any] = _WRITERS[entity.kind][0](realm, entity, body, old, options)
    return writer
