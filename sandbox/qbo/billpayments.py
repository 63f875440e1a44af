"""Payments of bills: what is paid leaves the bank and the payable, and the bill shows it.

Source: Intuit, BillPayment entity page. A bill's ``LinkedTxn`` names a payment by check ``BillPaymentCheck``, one by
card ``BillPaymentCreditCard``. A void gives the bills their amounts back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from sandbox.double_entry import gather
from sandbox.qbo import ledger, transactions
from sandbox.qbo.accounts import by_role
from sandbox.qbo.entities import Entity
from sandbox.qbo.errors import business, fault, required
from sandbox.qbo.fields import clean
from sandbox.qbo.realm import Realm, money

Body = dict[str, Any]
_MEANS = {"Check": ("CheckPayment", "BankAccountRef"), "CreditCard": ("CreditCardPayment", "CCAccountRef")}


def write(
    realm: Realm, entity: Entity, body: Mapping[str, Any], old: Mapping[str, Any] | None, options: Collection[str]
) -> Body:
    """Create one payment of bills; a change of one is not imitated (500)."""
    if old is not None:
        raise fault("500", "Operation update on BillPayment is not supported by this simulator")
    sent = clean(entity.kind, body, entity.fields, realm.rules)
    draft = {name: value for name, value in sent.items() if value is not None}
    if not draft.get("VendorRef"):
        raise required("VendorRef")
    vendor = realm.resolve("Vendor", draft["VendorRef"])
    draft["VendorRef"] = realm.ref("Vendor", draft["VendorRef"])
    draft.setdefault("TxnDate", realm.today())
    transactions.check_period(realm, draft["TxnDate"])
    rate = transactions.settle_currency(realm, draft, vendor)
    if draft.get("TotalAmt") is None or draft.get("PayType") not in _MEANS:
        raise required("TotalAmt" if draft.get("TotalAmt") is None else "PayType")
    draft["TotalAmt"] = money(draft["TotalAmt"])
    group, member = _MEANS[draft["PayType"]]
    account = (draft.get(group) or {}).get(member)
    if not account:
        raise required(f"{group}.{member}")
    paid_from = realm.ref("Account", account)
    ident = realm.new_id("transactions")
    links = [(str(line["LinkedTxn"][0]["TxnId"]), money(line["Amount"])) for line in draft.get("Line") or ()]
    if sum((amount for _, amount in links), Decimal(0)) != draft["TotalAmt"]:
        raise business("The lines of a bill payment must add up to its total.", "TotalAmt")
    owed = money(draft["TotalAmt"] * rate)
    for bill, amount in links:
        _apply(realm, bill, amount, {"TxnId": ident, "TxnType": f"BillPayment{draft['PayType']}"}, draft)
    payables = by_role(realm, "payable", draft["CurrencyRef"]["value"])
    vendor_id = draft["VendorRef"]["value"]
    journal = gather([(payables, owed, vendor_id), (paid_from["value"], -owed, None)])
    ledger.move(realm, [], journal)
    return realm.insert("BillPayment", draft, ident, {"vendor": vendor_id}, journal=journal)


def _apply(realm: Realm, bill: str, amount: Decimal, link: Body, draft: Mapping[str, Any]) -> None:
    target = realm.record("Bill", bill)
    if target is None or target["state"] != "live":
        raise fault("620", f"Bill {bill} was not found", "LinkedTxn")
    if target["entity"]["VendorRef"]["value"] != draft["VendorRef"]["value"]:
        raise business("The bill belongs to another vendor.", "LinkedTxn")
    left = Decimal(str(target["entity"]["Balance"])) - amount
    if left < 0 or amount < 0:
        raise business("The amount applied is more than the open balance.", "Amount")
    _save(realm, target, left, [*target["entity"]["LinkedTxn"], link])


def _save(realm: Realm, bill: Mapping[str, Any], balance: Decimal, links: list[Body]) -> None:
    entity = {**bill["entity"], "Balance": balance, "LinkedTxn": links}
    keys = transactions.number_key(entity.get("DocNumber")) | {"vendor": entity["VendorRef"]["value"]}
    realm.replace(bill, entity, keys)


def _release(realm: Realm, payment: Mapping[str, Any]) -> None:
    for line in payment["entity"].get("Line", ()):
        bill = realm.record("Bill", str(line["LinkedTxn"][0]["TxnId"]))
        if bill is None or bill["state"] != "live":
            continue
        links = [link for link in bill["entity"]["LinkedTxn"] if link["TxnId"] != payment["id"]]
        _save(realm, bill, Decimal(str(bill["entity"]["Balance"])) + Decimal(str(line["Amount"])), links)
    ledger.move(realm, payment["journal"], [])


def void(realm: Realm, old: Mapping[str, Any]) -> Body:
    """Amounts to zero; the bills are open again."""
    transactions.check_period(realm, old["entity"]["TxnDate"])
    _release(realm, old)
    entity = {**old["entity"], "TotalAmt": Decimal(0), "Line": [], "PrivateNote": "Voided"}
    return realm.replace(old, entity, {"vendor": None}, "void", journal=[], state="voided")


def delete(realm: Realm, old: Mapping[str, Any]) -> Body:
    """Take the payment out of the books; what it paid is open again."""
    transactions.check_period(realm, old["entity"]["TxnDate"])
    _release(realm, old)
    return realm.replace(old, old["entity"], {"vendor": None}, "delete", journal=[], state="deleted")
