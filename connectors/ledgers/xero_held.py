"""A Xero document read whole: what comparing, adopting and replacing look at. Pure.

Source: Xero's API reference of Invoices, CreditNotes and PurchaseOrders. Xero keeps no private note and no memo on a
sales document; where ours stands on a bill or an order says `xero_purchases`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.ledgers import xero_purchases as purchases
from connectors.ledgers import xero_records as records
from connectors.ledgers.base import Kind
from connectors.ledgers.xero_spelling import PURCHASES
from domain.documents import Reference
from domain.held import Held, HeldLine, tracked_as

Json = Mapping[str, Any]


def held(body: Json, kind: Kind) -> Held | None:
    """None for what has no id or is of another kind, and for what was deleted."""
    done = records.done(body, kind, "") if records.is_of(body, kind) else None
    if done is None or str(body.get("Status")) == "DELETED":
        return None
    total = records.decimal(body.get("Total")) or Decimal(0)
    left = records.balance(body, kind)
    contact = records.section(body, "Contact")
    return Held(
        kind=kind.value, ledger_id=done.ledger_id, version=done.echo.version or "", number=done.number,
        date=done.echo.date, due_date=records.day(body.get("DueDate"), body.get("DueDateString")),
        party_id=done.echo.party_id, party=records.text(contact.get("Name")) or "", currency=done.echo.currency,
        total=total, tax=done.echo.tax or Decimal(0),
        applied=total - left if left is not None and done.echo.live else Decimal(0),
        lines=tuple(_line(line) for line in records.booked_lines(body, kind)), note=_note(body, kind, done.echo.marker),
        keeps_notes=kind in PURCHASES, message=records.text(body.get("DeliveryInstructions")) or "", email=None,
        mailed=done.echo.mailed, linked=_linked(body), live=done.echo.live,
        changed_at=records.instant(body.get("UpdatedDateUTC")), located_by_line=True,
    )  # fmt: skip


def _note(body: Json, kind: Kind, marks: str | None) -> str:
    return purchases.note(body) or marks or "" if kind is Kind.BILL else marks or ""


def _line(line: Json) -> HeldLine:
    item = records.text(line.get("ItemCode"))
    account = records.text(line.get("AccountID"))
    return HeldLine(
        item or account, item or records.text(line.get("AccountCode")) or "",
        records.text(line.get("Description")) or "", records.decimal(line.get("Quantity")),
        records.decimal(line.get("UnitAmount")), records.decimal(line.get("LineAmount")) or Decimal(0),
        _tracked(line),
    )  # fmt: skip


def _tracked(line: Json) -> tuple[Reference, ...]:
    return tuple(
        one for row in records.rows_of(line, "Tracking")
        for one in tracked_as(records.ident(row.get("TrackingOptionID")), records.text(row.get("Option")) or "")
    )


def _linked(body: Json) -> tuple[str, ...]:
    """Payments and credits that were applied."""
    found = [f"Payment {row.get('PaymentID')}" for row in records.rows_of(body, "Payments")]
    for name, number in (("CreditNotes", "CreditNoteNumber"), ("Prepayments", "PrepaymentID"),
                         ("Overpayments", "OverpaymentID")):  # fmt: skip
        found += [f"{name[:-1]} {row.get(number)}" for row in records.rows_of(body, name)]
    for row in records.rows_of(body, "Allocations"):
        found.append(f"Invoice {records.section(row, 'Invoice').get('InvoiceNumber')}")
    return tuple(found)
