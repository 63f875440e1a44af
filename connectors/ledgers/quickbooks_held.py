"""A QuickBooks document read whole: what comparing, adopting and replacing look at. Pure.

Source: Intuit's API reference of Invoice, CreditMemo, Bill and PurchaseOrder. `Balance` is what is still open, so the
rest was taken off by payments and credits; `RemainingCredit` says the same of a credit memo. An order owes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.ledgers import quickbooks_records as records
from connectors.ledgers.base import Kind
from domain.held import Held, HeldLine, tracked_as

Json = Mapping[str, Any]
_SENT = "EmailSent"
_MONEY = frozenset({
    "Payment", "CreditMemo", "JournalEntry", "Deposit", "BillPaymentCheck", "BillPaymentCreditCard", "VendorCredit",
})


def held(body: Json, kind: Kind) -> Held | None:
    """None for what has no id, and for the tombstone of a deleted record."""
    done = records.done(body, kind, "")
    if done is None or body.get("status") == "Deleted":
        return None
    total = records.decimal(body.get("TotalAmt")) or Decimal(0)
    meta = body.get("MetaData")
    lines = body.get("Line")
    return Held(
        kind=kind.value, ledger_id=done.ledger_id, version=records.text(body.get("SyncToken")) or "0",
        number=done.number, date=_day(body.get("TxnDate")), due_date=_day(body.get("DueDate")),
        party_id=done.echo.party_id, party=_named(body.get("CustomerRef") or body.get("VendorRef")),
        currency=done.echo.currency,
        total=total, tax=_tax(body), applied=_applied(body, kind, total), note=done.echo.marker or "",
        message=_message(body.get("CustomerMemo")) or (records.text(body.get("Memo")) or ""),
        lines=tuple(_line(line) for line in lines if _sold(line)) if isinstance(lines, list) else (),
        email=_address(body.get("BillEmail")), mailed=body.get("EmailStatus") == _SENT,
        deposit=records.decimal(body.get("Deposit")) or Decimal(0), linked=_linked(body.get("LinkedTxn")),
        live=done.echo.live,
        changed_at=records.instant(meta.get("LastUpdatedTime")) if isinstance(meta, Mapping) else None,
        location=tracked_as(records.ref(body.get("DepartmentRef")), _named(body.get("DepartmentRef"))),
    )


def _applied(body: Json, kind: Kind, total: Decimal) -> Decimal:
    named = "RemainingCredit" if kind is Kind.CREDIT_MEMO and "RemainingCredit" in body else "Balance"
    open_ = records.decimal(body.get(named)) if kind is not Kind.PURCHASE_ORDER else None
    return Decimal(0) if open_ is None else total - open_


def _tax(body: Json) -> Decimal:
    detail = body.get("TxnTaxDetail")
    return (records.decimal(detail.get("TotalTax")) if isinstance(detail, Mapping) else None) or Decimal(0)


def _sold(line: object) -> bool:
    """QuickBooks appends a subtotal line by itself; it is no line of the document."""
    return isinstance(line, Mapping) and line.get("DetailType") != "SubTotalLineDetail"


def _line(line: Json) -> HeldLine:
    """A line on an account has neither quantity nor price: once its amount."""
    detail = records.detail_of(line) or {}
    account = detail.get("AccountRef")
    item = account or detail.get("ItemRef")
    amount = records.decimal(line.get("Amount")) or Decimal(0)
    quantity, price = records.decimal(detail.get("Qty")), records.decimal(detail.get("UnitPrice"))
    return HeldLine(
        records.ref(item), _named(item), records.text(line.get("Description")) or "",
        Decimal(1) if account else quantity, amount if account else price, amount,
        tracked_as(records.ref(detail.get("ClassRef")), _named(detail.get("ClassRef"))),
    )


def _named(reference: object) -> str:
    return records.text(reference.get("name")) or "" if isinstance(reference, Mapping) else ""


def _message(memo: object) -> str:
    return records.text(memo.get("value")) or "" if isinstance(memo, Mapping) else ""


def _address(email: object) -> str | None:
    return records.text(email.get("Address")) if isinstance(email, Mapping) else None


def _linked(links: object) -> tuple[str, ...]:
    """Payments and credits; a time entry, an estimate or an order behind the document is no money."""
    found = [link for link in links if isinstance(link, Mapping)] if isinstance(links, list) else []
    return tuple(
        f"{link.get('TxnType')} {link.get('TxnId')}" for link in found
        if link.get("TxnType") in _MONEY
    )


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None
