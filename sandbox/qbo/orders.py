"""Purchase orders: they post nothing, and bills that link to their lines close them.

A bill's line names the order's line (``TxnLineId`` is mandatory); the order is closed when every line is taken up.
Source: Intuit, PurchaseOrder entity page and "Manage linked transactions". Numbers follow a preference of their own,
``VendorAndPurchasesPrefs.UseCustomTxnNumbers`` among the other preferences.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any

from sandbox.qbo import expenses, transactions
from sandbox.qbo.entities import Entity
from sandbox.qbo.errors import business, fault, required
from sandbox.qbo.fields import clean
from sandbox.qbo.realm import Realm, money
from sandbox.qbo.tax import compute

Body = dict[str, Any]
KIND = "PurchaseOrder"
_CUSTOM = "VendorAndPurchasesPrefs.UseCustomTxnNumbers"


def write(
    realm: Realm, entity: Entity, body: Mapping[str, Any], old: Mapping[str, Any] | None, options: Collection[str]
) -> Body:
    """Create or update an order; returns the stored record. Raises ``QboFault`` before anything is written."""
    expenses.check_edition(realm, KIND)
    sent = clean(entity.kind, body, entity.fields, realm.rules)
    sent.pop("LinkedTxn", None)
    before = dict(old["entity"]) if old else {}
    always = ("TxnDate", "CurrencyRef", "VendorRef", "LinkedTxn", "POStatus")
    sparse = body.get("sparse") is True
    kept = before if sparse else {name: before[name] for name in always if name in before}
    draft = {name: value for name, value in {**kept, **sent}.items() if value is not None}
    vendor = expenses.settle_vendor(realm, draft, before)
    if not draft.get("APAccountRef"):
        raise required("APAccountRef")
    draft.setdefault("TxnDate", realm.today())
    rate = transactions.settle_currency(realm, draft, vendor)
    expenses.settle_payable(realm, draft)
    _number(realm, draft, old, options)
    found = expenses.build(realm, draft.get("Line"), {str(line["Id"]) for line in before.get("Line", ())})
    draft["Line"] = found.lines
    vat = realm.switch("tax_model") == "vat"
    tax = compute(realm, found.taxed, draft, {}, purchases=True) if vat else None
    draft.pop("TxnTaxDetail", None)
    if tax is not None and tax.detail is not None:
        draft["TxnTaxDetail"] = tax.detail
    draft["TotalAmt"] = sum((part.net for part in found.taxed), tax.total if tax else Decimal(0))
    if draft["TotalAmt"] < 0:
        raise fault("2290", "Transaction amount must be zero or greater.", "TotalAmt")
    if "ExchangeRate" in draft:
        draft["HomeTotalAmt"] = money(draft["TotalAmt"] * rate)
    if not draft.get("POEmail") and vendor.get("PrimaryEmailAddr"):
        draft["POEmail"] = vendor["PrimaryEmailAddr"]
    draft.setdefault("POStatus", "Open")
    draft.setdefault("EmailStatus", "NotSet")
    draft.setdefault("LinkedTxn", [])
    return _store(realm, draft, old)


def _number(realm: Realm, draft: Body, old: Mapping[str, Any] | None, options: Collection[str]) -> None:
    """As for sales, under the preference of purchases; whether numbers are checked is a switch."""
    number = draft.get("DocNumber")
    custom = custom_numbers(realm)
    if not number:
        if not custom and old is None:
            draft["DocNumber"] = str(realm.store.next_id(realm.space, f"number:{KIND}", 1001))
        return
    if not (custom and realm.switch("order_numbers_checked")) or transactions.ALLOW_DUPLICATES in options:
        return
    for holder in realm.find(KIND, "number", number.casefold()):
        if old is None or holder["id"] != old["id"]:
            raise transactions.number_taken(KIND, number, holder["id"])


def custom_numbers(realm: Realm) -> bool:
    """Whether the company's orders take the numbers they are sent with."""
    pairs = realm.preference("OtherPrefs", "NameValue", [])
    return any(one.get("Name") == _CUSTOM and str(one.get("Value")).lower() == "true" for one in pairs)


def _store(realm: Realm, draft: Body, old: Mapping[str, Any] | None) -> Body:
    keys = transactions.number_key(draft.get("DocNumber")) | {"vendor": draft["VendorRef"]["value"]}
    if old:
        return realm.replace(old, draft, keys)
    return realm.insert(KIND, draft, realm.new_id("transactions"), keys)


def delete(realm: Realm, old: Mapping[str, Any]) -> Body:
    """Remove an order that no bill hangs on."""
    if old["entity"].get("LinkedTxn"):
        raise business("This transaction is linked to others. Unlink it before you delete it.", "LinkedTxn")
    return realm.replace(old, old["entity"], {"vendor": None}, "delete", state="deleted")


# ---- links from bills ----------------------------------------------------------------------------------------


def check_links(
    realm: Realm, bill: Mapping[str, Any], lines: Iterable[Body], old: Mapping[str, Any] | None
) -> list[Body]:
    """The header links of a bill with these lines. Raises ``QboFault`` 620 for a link that is none."""
    found: dict[str, Body] = {}
    for line in lines:
        for link in line.get("LinkedTxn") or ():
            if link.get("TxnType") != KIND:
                raise fault("620", f"{link.get('TxnType')} cannot be linked to a bill", "LinkedTxn")
            order = realm.record(KIND, str(link.get("TxnId")))
            if order is None or order["state"] != "live":
                raise fault("620", f"{KIND} {link.get('TxnId')} was not found", "LinkedTxn")
            entity = order["entity"]
            if not any(one["Id"] == str(link.get("TxnLineId")) for one in entity["Line"]):
                raise fault("620", f"{KIND} {link['TxnId']} has no line {link.get('TxnLineId')}", "LinkedTxn")
            if entity["VendorRef"]["value"] != bill["VendorRef"]["value"]:
                raise business("The purchase order belongs to another vendor.", "LinkedTxn")
            mine = old is not None and {"TxnId": old["id"], "TxnType": "Bill"} in entity["LinkedTxn"]
            if entity["POStatus"] == "Closed" and not mine:
                raise fault("620", f"{KIND} {link['TxnId']} is closed", "LinkedTxn")
            if realm.switch("bill_before_order_refused") and bill["TxnDate"] < entity["TxnDate"]:
                raise business("A bill can't be dated before the purchase order it is linked to.", "TxnDate")
            found[order["id"]] = {"TxnId": order["id"], "TxnType": KIND}
    return list(found.values())


def settle(realm: Realm, bill: str, before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]) -> None:
    """A bill's lines changed: the orders they name or named show it, and close or open."""
    taken: dict[tuple[str, str], Decimal] = {}
    now: set[str] = set()
    for sign, lines in ((-1, before), (1, after)):
        for line in lines:
            for link in line.get("LinkedTxn") or ():
                key = (str(link["TxnId"]), str(link["TxnLineId"]))
                taken[key] = taken.get(key, Decimal(0)) + sign * _size(line)
                if sign > 0:
                    now.add(key[0])
    for ident in {order for order, _ in taken}:
        _update(realm, ident, {line: size for (order, line), size in taken.items() if order == ident},
                bill, linked=ident in now)  # fmt: skip


def _size(line: Mapping[str, Any]) -> Decimal:
    """Quantity where the line has one, else its amount."""
    quantity = (line.get("ItemBasedExpenseLineDetail") or {}).get("Qty")
    return Decimal(str(line["Amount"] if quantity is None else quantity))


def _update(realm: Realm, ident: str, taken: Mapping[str, Decimal], bill: str, *, linked: bool) -> None:
    order = realm.record(KIND, ident)
    if order is None or order["state"] != "live":
        return
    lines = [
        {**line, "Received": Decimal(str(line.get("Received") or 0)) + taken.get(line["Id"], Decimal(0))}
        for line in order["entity"]["Line"]
    ]
    mine = {"TxnId": bill, "TxnType": "Bill"}
    links = [link for link in order["entity"]["LinkedTxn"] if link != mine]
    full = all(line["Received"] >= _size(line) for line in lines)
    entity = {
        **order["entity"],
        "Line": lines,
        "LinkedTxn": [*links, mine] if linked else links,
        "POStatus": "Closed" if full else "Open",
    }
    _store(realm, entity, order)
