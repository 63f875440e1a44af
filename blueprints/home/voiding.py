"""What a document's page says of a void in the source: void the copy, correct it in an open period, or keep it."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import url_for

from blueprints.context import db
from blueprints.doors import ledger_page
from connectors.ledgers.base import Kind
from domain.formats import format_day
from domain.order_documents import ORDER
from domain.statuses import Flag
from models import Company, Document
from sync import voids


def note(row: Document, company: Company, short: str, *, staff: bool) -> dict[str, Any]:
    """Voided in the source: void the copy in the ledger, or keep it with a reason."""
    if row.kind == ORDER:
        return _purchase(row, short, staff)
    verb = "Delete" if row.ledger_kind == Kind.CREDIT_MEMO else "Void"
    label = f"{verb} in {short}" + (", set the payment free" if row.reason_code == "void_paid" else "")
    void = {"label": label, "url": url_for("home.void", document_id=row.id), "method": "post"}
    keep = {"label": "Keep it", "url": url_for("home.keep", document_id=row.id)}
    if row.reason_code in voids.CORRECTABLE:
        return _closed(row, keep, short, staff)
    text = f"{short} is asked once more before anything is done there."
    if verb == "Delete":
        text += f" {short} cannot void a credit memo through its interface: it is deleted."
    return {"kind": "warn", "text": text, "actions": [void, keep] if staff else []}


def _purchase(row: Document, short: str, staff: bool) -> dict[str, Any]:
    """A bill that is paid or in a closed period stays: a vendor credit is for a person to enter. Else it can be tried
    again."""
    keep = {"label": "Keep it", "url": url_for("home.keep", document_id=row.id)}
    again = {"label": f"Delete in {short}", "url": url_for("home.void", document_id=row.id), "method": "post"}
    if row.reason_code == "void_paid":
        text = f"Take the payment off it in {short} first, then delete it; or keep it and enter a vendor credit."
    elif row.reason_code in voids.CORRECTABLE:
        text = "Nothing in a closed period is deleted. Keep it, and enter a vendor credit there if it is not owed."
        return {"kind": "warn", "text": text, "actions": [keep] if staff else []}
    else:
        text = f"{short} is asked once more before anything is done there."
    return {"kind": "warn", "text": text, "actions": [again, keep] if staff else []}


def _closed(row: Document, keep: dict[str, Any], short: str, staff: bool) -> dict[str, Any]:
    """Nothing in a closed period is voided: the opposite document on the first open day is offered."""
    what = "An invoice" if row.ledger_kind == Kind.CREDIT_MEMO else "A {credit_memo}"
    label = f"Post {what[0].lower()}{what[1:]} on the first open day"
    correct = {"label": label, "url": url_for("home.correct", document_id=row.id), "method": "post"}
    text = (
        f"{what} over the same lines takes it back: the closed period stays as it was reported. It stays open in "
        f"{short} until somebody applies it. Its lines may then be billed again."
    )
    return {"kind": "warn", "text": text, "actions": [correct, keep] if staff else []}


def corrected(row: Document, company: Company, short: str) -> dict[str, Any] | None:
    """What took it back, with the way there."""
    posting = voids.correction(db(), row) if str(Flag.CORRECTED) in (row.flags or []) else None
    if posting is None or posting.ledger_id is None:
        return None
    kind = "{credit_memo}" if posting.ledger_kind == Kind.CREDIT_MEMO else "invoice"
    what = f"{kind} {posting.ledger_number or ''}".strip()
    day = format_day(date.fromisoformat(str(posting.draft["date"])))
    text = f"Voided in Autotask, in a closed period: taken back by {what} of {day}, open until somebody applies it."
    action = {"label": f"Open it in {short}", "url": ledger_page(company, posting.ledger_kind, posting.ledger_id)}
    return {"kind": "plain", "text": text, "actions": [action | {"new_tab": True}]}
