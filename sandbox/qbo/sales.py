"""Writing invoices and credit memos: everything the server computes, and their double entry.

An invoice debits receivables with its total and credits each item's income account and the tax account; a
credit memo does the reverse. Amounts post in home currency; the receivable takes the rounding of a foreign
document, so that every entry balances.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from sandbox.double_entry import Entry, gather
from sandbox.qbo import ledger, payments, transactions
from sandbox.qbo.accounts import by_role
from sandbox.qbo.agencies import payable
from sandbox.qbo.entities import Entity
from sandbox.qbo.errors import business, fault, required, stale
from sandbox.qbo.fields import clean
from sandbox.qbo.lines import SalesLines, build
from sandbox.qbo.realm import Realm, money
from sandbox.qbo.tax import TaxResult, compute

Body = dict[str, Any]
SUBTOTALS = ("SubTotalLineDetail",)


def write(
    realm: Realm, entity: Entity, body: Mapping[str, Any], old: Mapping[str, Any] | None, options: Collection[str]
) -> Body:
    """Create (``old`` None) or update one sales document; returns the stored record.

    A sparse update keeps the members it does not name; a sent ``Line`` always replaces all lines.
    Raises ``QboFault`` before anything is written.
    """
    sent = clean(entity.kind, body, entity.fields, realm.rules)
    sent.pop("LinkedTxn", None)  # links belong to the payments that make them
    draft = _merge(entity, sent, old, sparse=body.get("sparse") is True)
    customer = _customer(realm, draft, old)
    draft.setdefault("TxnDate", realm.today())
    transactions.check_period(realm, draft["TxnDate"], old["entity"]["TxnDate"] if old else None)
    transactions.check_custom_fields(draft)
    rate = transactions.settle_currency(realm, draft, customer)
    _references(realm, draft, old)
    transactions.settle_number(realm, entity.kind, draft, old, options)
    known = {str(line["Id"]) for line in old["entity"]["Line"] if "Id" in line} if old else set()
    lines = build(realm, draft.get("Line"), known)
    tax = compute(realm, lines.taxed, draft, customer)
    _totals(realm, draft, lines, tax, rate)
    _fill_in(realm, entity.kind, draft, customer)
    applied = _applied(old)
    if draft["TotalAmt"] < applied:
        raise business("The total is less than the amount already applied to this transaction.", "TotalAmt")
    draft["Balance"] = draft["TotalAmt"] - applied
    if entity.kind == "CreditMemo":
        draft["RemainingCredit"] = draft["Balance"]
    journal = _journal(realm, entity.kind, draft, lines, tax, rate)
    return _store(realm, entity.kind, draft, old, journal)


def _merge(entity: Entity, sent: Body, old: Mapping[str, Any] | None, *, sparse: bool) -> Body:
    before = dict(old["entity"]) if old else {}
    kept = {
        name: value
        for name, value in before.items()
        if sparse or name in ("CustomerRef", "LinkedTxn", "CurrencyRef", "TxnDate", "DeliveryInfo")
    }
    if old and sparse and "Line" in sent and "TxnTaxDetail" not in sent:
        kept.pop("TxnTaxDetail", None)  # new lines: tax is computed anew unless it is sent again
    if entity.kind == "Invoice" and "DueDate" not in sent and ("TxnDate" in sent or "SalesTermRef" in sent):
        kept.pop("DueDate", None)
    merged = {**kept, **sent}
    return {name: value for name, value in merged.items() if value is not None}


def _customer(realm: Realm, draft: Body, old: Mapping[str, Any] | None) -> Body:
    if not draft.get("CustomerRef"):
        raise required("CustomerRef")
    unchanged = old is not None and old["entity"]["CustomerRef"]["value"] == draft["CustomerRef"]["value"]
    customer = realm.resolve("Customer", draft["CustomerRef"], inactive_ok=unchanged)
    draft["CustomerRef"] = {"value": draft["CustomerRef"]["value"], "name": customer["FullyQualifiedName"]}
    return customer


def _references(realm: Realm, draft: Body, old: Mapping[str, Any] | None) -> None:
    before = old["entity"] if old else {}
    targets = (
        ("SalesTermRef", "Term"),
        ("ClassRef", "Class"),
        ("DepartmentRef", "Department"),
        ("PaymentMethodRef", "PaymentMethod"),
        ("DepositToAccountRef", "Account"),
    )
    for name, target in targets:
        if draft.get(name):
            draft[name] = realm.ref(target, draft[name], inactive_ok=before.get(name) == draft[name])


def _totals(realm: Realm, draft: Body, lines: SalesLines, tax: TaxResult, rate: Decimal) -> None:
    net = sum((part.net for part in lines.taxed), Decimal(0)) - lines.discount
    if net + tax.total < 0:
        raise fault("2290", "Transaction amount must be zero or greater.", "TotalAmt")
    draft["Line"] = lines.lines
    draft.pop("TxnTaxDetail", None)
    if tax.detail is not None:
        draft["TxnTaxDetail"] = tax.detail
    if realm.country == "US":
        draft.pop("GlobalTaxCalculation", None)
    draft["TotalAmt"] = net + tax.total
    if "ExchangeRate" in draft:
        draft["HomeTotalAmt"] = money(draft["TotalAmt"] * rate)


def _fill_in(realm: Realm, kind: str, draft: Body, customer: Mapping[str, Any]) -> None:
    """Members the server takes from the customer, the term or its own defaults."""
    for name in ("BillAddr", "ShipAddr"):
        if not draft.get(name) and customer.get(name):
            draft[name] = customer[name]
    if not draft.get("BillEmail") and customer.get("PrimaryEmailAddr"):
        draft["BillEmail"] = customer["PrimaryEmailAddr"]
    if draft.get("EmailStatus") == "NeedToSend" and not draft.get("BillEmail"):
        raise required("BillEmail")
    draft.setdefault("EmailStatus", "NotSet")
    draft.setdefault("PrintStatus", "NeedToPrint")
    draft.setdefault("CustomField", [])
    draft.setdefault("LinkedTxn", [])
    draft.setdefault("ApplyTaxAfterDiscount", False)
    if kind == "Invoice":
        if not draft.get("SalesTermRef") and customer.get("SalesTermRef") and not draft.get("DueDate"):
            draft["SalesTermRef"] = realm.ref("Term", customer["SalesTermRef"], inactive_ok=True)
        if not draft.get("DueDate"):
            term = draft.get("SalesTermRef")
            found = realm.resolve("Term", term, inactive_ok=True) if term else None
            draft["DueDate"] = transactions.due_date(realm, draft["TxnDate"], found)
        if realm.switch("early_due_refused") and draft["DueDate"] < draft["TxnDate"]:
            raise business("The due date can't be before the transaction date.", "DueDate")
        for name in ("AllowIPNPayment", "AllowOnlinePayment", "AllowOnlineCreditCardPayment", "AllowOnlineACHPayment"):
            draft[name] = False  # QuickBooks Payments is not connected in the sandbox


def _applied(old: Mapping[str, Any] | None) -> Decimal:
    """What payments and credits have taken off the document so far, in its own currency."""
    if old is None:
        return Decimal(0)
    return Decimal(str(old["entity"]["TotalAmt"])) - Decimal(str(old["entity"]["Balance"]))


def _journal(realm: Realm, kind: str, draft: Body, lines: SalesLines, tax: TaxResult, rate: Decimal) -> list[Entry]:
    sign = Decimal(-1 if kind == "Invoice" else 1)  # income is a credit on an invoice
    parts: list[tuple[str, Decimal, str | None]] = [
        (account, sign * money(part.net * rate), None) for account, part in lines.income
    ]
    if lines.discount and lines.discount_account:
        parts.append((lines.discount_account, -sign * money(lines.discount * rate), None))
    parts += [(account, sign * amount, None) for account, amount in payable(realm, tax.total, tax.detail, rate)]
    receivable = by_role(realm, "receivable", draft["CurrencyRef"]["value"])
    counter = -sum((amount for _, amount, _ in parts), Decimal(0))
    parts.append((receivable, counter, draft["CustomerRef"]["value"]))
    return gather(parts)


def _store(realm: Realm, kind: str, draft: Body, old: Mapping[str, Any] | None, journal: list[Entry]) -> Body:
    keys = transactions.number_key(draft.get("DocNumber")) | {"customer": draft["CustomerRef"]["value"]}
    ledger.move(realm, old["journal"] if old else [], journal)
    if old:
        return realm.replace(old, draft, keys, journal=journal)
    return realm.insert(kind, draft, realm.new_id("transactions"), keys, journal=journal)


def void(realm: Realm, old: Mapping[str, Any]) -> Body:
    """Turn every amount and quantity to zero and take the entries out of the books. Number and id stay."""
    entity = dict(old["entity"])
    transactions.check_period(realm, entity["TxnDate"])
    if old["state"] == "voided":
        raise business("This transaction has already been voided.")
    entity["Line"] = [_zero_line(line) for line in entity["Line"]]
    note = entity.get("PrivateNote")
    entity |= {
        "TotalAmt": Decimal(0),
        "Balance": Decimal(0),
        "LinkedTxn": [],
        "PrivateNote": f"Voided - {note}" if note else "Voided",
    }
    if "HomeTotalAmt" in entity:
        entity["HomeTotalAmt"] = Decimal(0)
    if entity.get("TxnTaxDetail"):
        entity["TxnTaxDetail"] = {"TotalTax": Decimal(0)}
    payments.detach(realm, old)
    ledger.move(realm, old["journal"], [])
    keys = transactions.number_key(entity.get("DocNumber")) | {"customer": entity["CustomerRef"]["value"]}
    return realm.replace(old, entity, keys, "void", journal=[], state="voided")


def _zero_line(line: Mapping[str, Any]) -> Body:
    zeroed = dict(line)
    if "Amount" in zeroed:
        zeroed["Amount"] = Decimal(0)
    detail = zeroed.get("SalesItemLineDetail")
    if detail:
        zeroed["SalesItemLineDetail"] = {
            name: Decimal(0) if name in ("Qty", "UnitPrice") else value for name, value in detail.items()
        }
    return zeroed


def delete(realm: Realm, old: Mapping[str, Any]) -> Body:
    """Take the document out of the books; a tombstone stays for change data capture. Frees its number."""
    transactions.check_period(realm, old["entity"]["TxnDate"])
    payments.detach(realm, old)
    ledger.move(realm, old["journal"], [])
    return realm.replace(old, old["entity"], {"customer": None}, "delete", journal=[], state="deleted")


def check_token(old: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    """Optimistic locking: the body must carry the current SyncToken (5010 otherwise)."""
    token = body.get("SyncToken")
    if token is None:
        raise required("SyncToken")
    if str(token) != old["entity"]["SyncToken"]:
        raise stale()
