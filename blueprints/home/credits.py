"""What a document's page says of a credit memo: how much of it is open, at whom, and who applies it."""

from __future__ import annotations

from typing import Any

from flask import url_for

from blueprints.context import db
from domain.formats import format_day, format_money
from domain.statuses import Flag, Status
from models import Company, Document
from sync.corrected import posted_under
from sync.lists import source_document

KIND = "credit_memo"


def note(row: Document, company: Company, ledger: str) -> dict[str, Any] | None:
    """The box of a credit memo that is in the books; None for everything else."""
    if row.status != Status.COMPLETE or row.ledger_kind != KIND or str(Flag.VOIDED) in (row.flags or []):
        return None
    left = row.ledger_open if row.ledger_open is not None else abs(row.total)
    whole = row.ledger_total if row.ledger_total is not None else abs(row.total)
    by_itself = bool((company.profile or {}).get("applies_credits"))
    text = f"{format_money(left, row.currency)} open credit at {row.party_name} when it was posted. "
    if left < whole:
        text += f"{ledger} applied {format_money(whole - left, row.currency)} of it by itself. "
    if by_itself:
        text += f"{ledger} applies credits by itself: the credit memo there shows to which invoices."
    else:
        text += f"It stays open until somebody applies it in {ledger}."
    named = posted_under(db(), company.id, [source_document(row)])[:3]
    if named:
        text += f" It names {', '.join(number for _, number in named)} as what it corrects."
    there = [(number, url_for("home.document", document_id=one.id)) for one, number in named]
    actions = [{"label": f"Open {number}", "url": url} for number, url in there]
    return {"kind": "plain", "text": text, "actions": actions}


def promises(kind: str, ledger: str) -> list[str]:
    """What the preview says of a document that will be a credit memo."""
    if kind != KIND:
        return []
    return [f"Goes as a credit memo: no due date, no terms, no mail. It stays open until it is applied in {ledger}."]


def dates(row: Document) -> list[tuple[str, str]]:
    """The day it stands on in the ledger, where a closed period moved it."""
    if row.ledger_date is None:
        return []
    return [("Dated", f"{format_day(row.ledger_date)}, in Autotask {format_day(row.document_date)}")]
