"""Items: codes with a sales and a purchase side. POST changes an item of the same code, PUT refuses one.

Source: Xero, api/accounting/items; the wording of refusals is not confirmed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.xero import taxes, wire
from sandbox.xero.elements import Call, Element
from sandbox.xero.errors import CallRefused, Invalid, Problems, not_found
from sandbox.xero.organisation import Organisation

KIND = "Item"
MOST = 500
_TEXTS = {"Code": 30, "Name": 50, "Description": 4000, "PurchaseDescription": 4000}


def write(call: Call, element: Element) -> Element:
    """Create or update one item; the item as it is answered."""
    if call.items > MOST:
        raise CallRefused(400, {"ErrorNumber": 10, "Type": "ValidationException", "Message": f"More than {MOST} items"})
    return present(store(call.org, element, creating=call.creating, decimals=call.decimals))


def store(org: Organisation, element: Mapping[str, Any], *, creating: bool, decimals: int = 4) -> dict[str, Any]:
    """Create or update one item by the rules of PUT (``creating``) or POST. Raises ``Invalid``."""
    old = None if creating else _matching(org, element)
    problems = Problems()
    draft = dict(old["entity"]) if old else {"IsSold": True, "IsPurchased": True, "IsTrackedAsInventory": False}
    for name, limit in _TEXTS.items():
        if name in element:
            draft[name] = str(element[name])
            if len(draft[name]) > limit:
                problems.add(f"The {name} field cannot exceed {limit} characters.")  # inferred
    for name in ("IsSold", "IsPurchased"):
        if name in element:
            draft[name] = bool(element[name])
    for side in ("SalesDetails", "PurchaseDetails"):
        if side in element:
            draft[side] = _side(org, element[side] or {}, side, decimals, problems)
    code = str(draft.get("Code") or "").strip()
    if not code:
        problems.add("Price List Item Code must be supplied.")  # inferred
    held = [each for each in by_code(org, code) if old is None or each["id"] != old["id"]] if code else []
    if held:
        problems.add(f"Price List Item with Code '{code}' already exists")
    problems.check()
    draft["Code"] = code
    draft.setdefault("Name", code[:50])
    keys = {"code": _folded(org, code)}
    return org.replace(old, draft, keys) if old else org.insert(KIND, draft, keys)


def _side(org: Organisation, sent: Mapping[str, Any], side: str, decimals: int, problems: Problems) -> dict[str, Any]:
    details: dict[str, Any] = {}
    if "UnitPrice" in sent:
        details["UnitPrice"] = taxes.price(wire.read_number(sent["UnitPrice"], f"Items[0].{side}.UnitPrice"), decimals)
    code = sent.get("AccountCode") or sent.get("COGSAccountCode")
    if code:
        account = org.account(str(code))
        if account is None or account["entity"]["Status"] != "ACTIVE":
            problems.add(f"Account code '{code}' is not a valid code for this document.")
        details["AccountCode"] = str(code)
    if sent.get("TaxType"):
        rate = taxes.rate(org, str(sent["TaxType"]))
        if rate is None or rate["Status"] != "ACTIVE":
            problems.add("Tax Rate must be active")
        details["TaxType"] = str(sent["TaxType"])
    return details


def _matching(org: Organisation, element: Mapping[str, Any]) -> dict[str, Any] | None:
    ident = element.get("ItemID")
    if ident and ident != wire.ZERO_GUID:
        found = org.record(KIND, str(ident))
        if found is None:
            raise not_found()
        return found
    return next(iter(by_code(org, str(element.get("Code") or "").strip())), None)


def _folded(org: Organisation, code: str) -> str:
    return code.casefold() if org.switch("item_codes_fold") else code


def by_code(org: Organisation, code: str) -> list[dict[str, Any]]:
    """The items of a code: one or none."""
    return org.find(KIND, "code", _folded(org, code))


def delete(org: Organisation, ident: str) -> None:
    """Remove an item that no document uses. Raises 404, ``Invalid``."""
    found = org.record(KIND, ident)
    if found is None:
        raise not_found()
    code = found["entity"]["Code"]
    for kind in ("Invoice", "CreditNote", "PurchaseOrder"):
        for document in org.records(kind):
            if any(line.get("ItemCode") == code for line in document["entity"]["LineItems"]):
                raise Invalid(["The item is used on a transaction and cannot be deleted."])  # inferred
    org.store.delete(org.space, KIND, found["id"])
    org.note(KIND, found["id"], "delete")


def present(record: Mapping[str, Any]) -> dict[str, Any]:
    """The item as an answer shows it; its time of change carries no offset."""
    entity = record["entity"]
    shown = {
        "ItemID": record["id"],
        "Code": entity["Code"],
        "UpdatedDateUTC": wire.ms(wire.moment(record["touched"]), ""),
    }
    for name in ("Description", "PurchaseDescription"):
        if entity.get(name):
            shown[name] = entity[name]
    for side in ("PurchaseDetails", "SalesDetails"):
        shown[side] = {
            name: wire.number(value) if name == "UnitPrice" else value for name, value in entity.get(side, {}).items()
        }
    shown["Name"] = entity["Name"]
    for name in ("IsTrackedAsInventory", "IsSold", "IsPurchased"):
        shown[name] = entity[name]
    return {**shown, "ValidationErrors": []}
