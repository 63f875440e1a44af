"""Vendor bills: item and account lines, their expense, the payable.

A bill debits each line's account and credits payables; outside the US the line's tax code is computed and
debited to the tax account. Bills have no void, only delete. Source: Intuit, Bill entity page.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from sandbox.double_entry import gather
from sandbox.qbo import ledger, transactions
from sandbox.qbo.accounts import by_role
from sandbox.qbo.agencies import payable
from sandbox.qbo.entities import Entity
from sandbox.qbo.errors import business, fault, required
from sandbox.qbo.fields import clean
from sandbox.qbo.properties import BILL_LINE
from sandbox.qbo.realm import Realm, money
from sandbox.qbo.tax import NO_TAX, Taxed, check_code, compute

Body = dict[str, Any]
DETAILS = ("ItemBasedExpenseLineDetail", "AccountBasedExpenseLineDetail")


def write(
    realm: Realm, entity: Entity, body: Mapping[str, Any], old: Mapping[str, Any] | None, options: Collection[str]
) -> Body:
    """Create or update a bill; returns the stored record. Raises ``QboFault`` before anything is written."""
    sent = clean(entity.kind, body, entity.fields, realm.rules)
    before = dict(old["entity"]) if old else {}
    kept = (
        before
        if body.get("sparse") is True
        else {name: before[name] for name in ("TxnDate", "CurrencyRef", "VendorRef", "LinkedTxn") if name in before}
    )
    draft = {name: value for name, value in {**kept, **sent}.items() if value is not None}
    if not draft.get("VendorRef"):
        raise required("VendorRef")
    vendor = realm.resolve("Vendor", draft["VendorRef"])
    draft["VendorRef"] = realm.ref("Vendor", draft["VendorRef"])
    draft.setdefault("TxnDate", realm.today())
    transactions.check_period(realm, draft["TxnDate"], before.get("TxnDate"))
    rate = transactions.settle_currency(realm, draft, vendor)
    _payable(realm, draft)
    _due(realm, draft, vendor)
    _number(realm, draft, old, options)
    lines, taxed = _lines(realm, draft.get("Line"))
    draft["Line"] = lines
    tax = compute(realm, [part for _, part in taxed], draft, {}) if realm.switch("tax_model") == "vat" else NO_TAX
    draft.pop("TxnTaxDetail", None)
    if tax.detail is not None:
        draft["TxnTaxDetail"] = tax.detail
    draft["TotalAmt"] = sum((part.net for _, part in taxed), Decimal(0)) + tax.total
    draft["Balance"] = draft["TotalAmt"]
    draft.setdefault("LinkedTxn", [])
    parts = [(account, money(part.net * rate), None) for account, part in taxed]
    parts += [(account, amount, None) for account, amount in payable(realm, tax.total, tax.detail, rate)]
    owed = -sum((amount for _, amount, _ in parts), Decimal(0))
    journal = gather([*parts, (draft["APAccountRef"]["value"], owed, draft["VendorRef"]["value"])])
    ledger.move(realm, old["journal"] if old else [], journal)
    keys = transactions.number_key(draft.get("DocNumber")) | {"vendor": draft["VendorRef"]["value"]}
    if old:
        return realm.replace(old, draft, keys, journal=journal)
    return realm.insert("Bill", draft, realm.new_id("transactions"), keys, journal=journal)


def _payable(realm: Realm, draft: Body) -> None:
    code = draft["CurrencyRef"]["value"]
    account = draft.get("APAccountRef") or {"value": by_role(realm, "payable", code)}
    found = realm.resolve("Account", account)
    if found["AccountType"] != "Accounts Payable":
        raise fault("6430", "You must select an account of type Accounts Payable", "APAccountRef")
    if found["CurrencyRef"]["value"] != code:
        raise business("The payable account has another currency than the bill.", "APAccountRef")
    draft["APAccountRef"] = realm.ref("Account", account)


def _due(realm: Realm, draft: Body, vendor: Mapping[str, Any]) -> None:
    term = draft.get("SalesTermRef") or vendor.get("TermRef")
    if term:
        draft["SalesTermRef"] = realm.ref("Term", term, inactive_ok=True)
    if not draft.get("DueDate"):
        found = realm.resolve("Term", term, inactive_ok=True) if term else None
        draft["DueDate"] = transactions.due_date(realm, draft["TxnDate"], found)


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


def _lines(realm: Realm, sent: Any) -> tuple[list[Body], list[tuple[str, Taxed]]]:
    """Lines as stored, and per line the account it posts to with its net amount."""
    if not isinstance(sent, list) or not sent:
        raise required("Line")
    lines: list[Body] = []
    taxed: list[tuple[str, Taxed]] = []
    for raw in sent:
        line = {name: value for name, value in clean("Line", raw, BILL_LINE, realm.rules).items() if value is not None}
        kind = line.get("DetailType") or next((name for name in DETAILS if line.get(name)), None)
        if kind not in DETAILS or not line.get(kind):
            raise fault("6440", "A line needs an item or an account", "DetailType")
        if line.get("Amount") is None:
            raise required("Line.Amount")
        amount, detail = money(line["Amount"]), dict(line[kind])
        account = _account(realm, kind, detail)
        if detail.get("BillableStatus") == "Billable" and not detail.get("CustomerRef"):
            raise fault("6310", "A billable line needs a customer", "CustomerRef")
        if detail.get("CustomerRef"):
            detail["CustomerRef"] = realm.ref("Customer", detail["CustomerRef"])
        code = (detail.get("TaxCodeRef") or {}).get("value")
        check_code(realm, code)
        taxed.append((account, Taxed(amount, code)))
        lines.append(
            {
                **line,
                "Id": str(len(lines) + 1),
                "LineNum": len(lines) + 1,
                "Amount": amount,
                "DetailType": kind,
                kind: detail,
            }
        )
    return lines, taxed


def _account(realm: Realm, kind: str, detail: Body) -> str:
    """The account a line posts to; completes the names of its references."""
    if kind == "AccountBasedExpenseLineDetail":
        if not detail.get("AccountRef"):
            raise required("AccountRef")
        detail["AccountRef"] = realm.ref("Account", detail["AccountRef"])
        return str(detail["AccountRef"]["value"])
    if not detail.get("ItemRef"):
        raise required("ItemRef")
    item = realm.resolve("Item", detail["ItemRef"])
    if not item.get("ExpenseAccountRef"):
        raise business("The item on this line is not a purchasable item.", "ItemRef")
    detail["ItemRef"] = realm.ref("Item", detail["ItemRef"])
    return str(item["ExpenseAccountRef"]["value"])


def delete(realm: Realm, old: Mapping[str, Any]) -> Body:
    """Take the bill out of the books; its number is free again."""
    transactions.check_period(realm, old["entity"]["TxnDate"])
    ledger.move(realm, old["journal"], [])
    return realm.replace(old, old["entity"], {"vendor": None}, "delete", journal=[], state="deleted")
