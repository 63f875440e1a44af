"""Vendor bills: their expense, the payable, and the purchase orders they close.

A bill debits each line's account and credits payables; outside the US the line's purchase tax is computed and
debited to the tax account. Bills have no void, only delete. Source: Intuit, Bill entity page.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from sandbox.double_entry import gather
from sandbox.qbo import expenses, ledger, orders, transactions
from sandbox.qbo.agencies import payable
from sandbox.qbo.entities import Entity
from sandbox.qbo.errors import business, fault
from sandbox.qbo.fields import clean
from sandbox.qbo.realm import Realm, money
from sandbox.qbo.tax import NO_TAX, TaxResult, compute

Body = dict[str, Any]


def write(
    realm: Realm, entity: Entity, body: Mapping[str, Any], old: Mapping[str, Any] | None, options: Collection[str]
) -> Body:
    """Create or update a bill; returns the stored record. Raises ``QboFault`` before anything is written."""
    expenses.check_edition(realm, "Bill")
    sent = clean(entity.kind, body, entity.fields, realm.rules)
    sent.pop("LinkedTxn", None)  # the header's links follow from the lines and from payments
    before = dict(old["entity"]) if old else {}
    draft = _merge(sent, before, sparse=body.get("sparse") is True)
    vendor = expenses.settle_vendor(realm, draft, before)
    draft.setdefault("TxnDate", realm.today())
    transactions.check_period(realm, draft["TxnDate"], before.get("TxnDate"))
    rate = transactions.settle_currency(realm, draft, vendor)
    expenses.settle_payable(realm, draft)
    expenses.settle_due(realm, draft, vendor)
    _number(realm, draft, old, options)
    found = expenses.build(realm, draft.get("Line"), {str(line["Id"]) for line in before.get("Line", ())})
    linked = orders.check_links(realm, draft, found.lines, old)
    draft["Line"] = found.lines
    vat = realm.switch("tax_model") == "vat"
    tax = compute(realm, found.taxed, draft, {}, purchases=True) if vat else NO_TAX
    _totals(realm, draft, found, tax, rate, before)
    parts = [(account, money(part.net * rate), None) for account, part in found.booked]
    parts += [(account, amount, None) for account, amount in payable(realm, tax.total, tax.detail, rate)]
    owed = -sum((amount for _, amount, _ in parts), Decimal(0))
    journal = gather([*parts, (draft["APAccountRef"]["value"], owed, draft["VendorRef"]["value"])])
    ledger.move(realm, old["journal"] if old else [], journal)
    expenses.move_stock(realm, old.get("stock", {}) if old else {}, found.stock)
    ident = old["id"] if old else realm.new_id("transactions")
    draft["LinkedTxn"] = [*linked, *(one for one in before.get("LinkedTxn", ()) if one["TxnType"] != orders.KIND)]
    keys = transactions.number_key(draft.get("DocNumber")) | {"vendor": draft["VendorRef"]["value"]}
    extra: Body = {"journal": journal, "stock": found.stock}
    record = realm.replace(old, draft, keys, **extra) if old else realm.insert("Bill", draft, ident, keys, **extra)
    orders.settle(realm, ident, before.get("Line", ()), draft["Line"])
    return record


def _merge(sent: Body, before: Mapping[str, Any], *, sparse: bool) -> Body:
    always = ("TxnDate", "CurrencyRef", "VendorRef")
    kept = dict(before) if sparse else {name: before[name] for name in always if name in before}
    if "DueDate" not in sent and ("TxnDate" in sent or "SalesTermRef" in sent):
        kept.pop("DueDate", None)
    return {name: value for name, value in {**kept, **sent}.items() if value is not None}


def _totals(
    realm: Realm, draft: Body, found: expenses.ExpenseLines, tax: TaxResult, rate: Decimal, before: Mapping[str, Any]
) -> None:
    draft.pop("TxnTaxDetail", None)
    if tax.detail is not None:
        draft["TxnTaxDetail"] = tax.detail
    if realm.country == "US":
        draft.pop("GlobalTaxCalculation", None)
    draft["TotalAmt"] = sum((part.net for part in found.taxed), Decimal(0)) + tax.total
    if draft["TotalAmt"] < 0:
        raise fault("2290", "Transaction amount must be zero or greater.", "TotalAmt")
    paid = Decimal(str(before.get("TotalAmt", 0))) - Decimal(str(before.get("Balance", 0)))
    if draft["TotalAmt"] < paid:
        raise business("The total is less than the amount already paid on this bill.", "TotalAmt")
    draft["Balance"] = draft["TotalAmt"] - paid
    if "ExchangeRate" in draft:
        draft["HomeTotalAmt"] = money(draft["TotalAmt"] * rate)
        draft["HomeBalance"] = money(draft["Balance"] * rate)


def _number(realm: Realm, draft: Body, old: Mapping[str, Any] | None, options: Collection[str]) -> None:
    """The vendor's own number; whether it is unique per vendor, per company or not at all is a switch."""
    number, scope = draft.get("DocNumber"), realm.switch("bill_numbers_checked")
    if not number or not scope or transactions.ALLOW_DUPLICATES in options:
        return
    for holder in realm.find("Bill", "number", number.casefold()):
        own = old is not None and holder["id"] == old["id"]
        same_vendor = holder["entity"]["VendorRef"]["value"] == draft["VendorRef"]["value"]
        if not own and (same_vendor or scope == "company"):
            raise transactions.number_taken("Bill", number, holder["id"])


def delete(realm: Realm, old: Mapping[str, Any]) -> Body:
    """Take the bill out of the books; its number is free again. One with links must be unlinked first, by switch."""
    transactions.check_period(realm, old["entity"]["TxnDate"])
    kinds = {str(link["TxnType"]) for link in old["entity"].get("LinkedTxn", ())}
    if kinds - {orders.KIND} or (kinds and realm.switch("linked_bill_delete_refused")):
        raise business("This transaction is linked to others. Unlink it before you delete it.", "LinkedTxn")
    ledger.move(realm, old["journal"], [])
    expenses.move_stock(realm, old.get("stock", {}), {})
    orders.settle(realm, old["id"], old["entity"]["Line"], ())
    return realm.replace(old, old["entity"], {"vendor": None}, "delete", journal=[], stock={}, state="deleted")
