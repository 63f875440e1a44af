"""Documents and run items as rows of a list, each with links that open the record on either side."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import url_for

from blueprints.causes import sentence
from blueprints.context import company, now
from blueprints.papers import kind_word
from blueprints.shell import ledger_names
from domain.formats import format_age
from domain.statuses import Status
from models import Document, RunItem


def document_row(row: Document) -> dict[str, Any]:
    """A row of the lists of documents and of Error Logs."""
    _long, short = ledger_names(company())
    due = (row.header or {}).get("due_date")
    waiting = row.status in (Status.PENDING, Status.FAULT, Status.PROCESSING)
    return {
        "id": row.id,
        "number": number_of(row),
        "kind": kind_word(row.ledger_kind, row.total, row.kind),
        "customer": row.party_name or "(no customer)",
        "day": row.document_date,
        "due": date.fromisoformat(due) if due else None,
        "amount": row.total,
        "currency": row.currency or "USD",
        "status": row.status,
        "reason": sentence(row.reasons, short),
        "flags": row.flags or [],
        "waits": format_age(now() - row.seen_at) if waiting else "",
        **links(row.id, row.source_id, row.ledger_id),
    }


def item_row(item: RunItem) -> dict[str, Any]:
    """A record of a run, as it was when the run ended (or stands now)."""
    _long, short = ledger_names(company())
    return {
        "number": item.number or item.source_id,
        "kind": kind_word(item.ledger_kind, item.amount, item.kind),
        "customer": item.party_name or "(no customer)",
        "amount": item.amount,
        "currency": item.currency or "USD",
        "status": item.status,
        "reason": sentence(item.reasons, short),
        "flags": item.flags or [],
        "ledger_id": item.ledger_id or "",
        **links(item.document_id, item.source_id, item.ledger_id),
    }


def number_of(row: Document) -> str:
    """The number people know it by: the source's, else its id."""
    return row.number or row.source_id


def links(document_id: int, source_id: str, ledger_id: str | None) -> dict[str, str]:
    _long, short = ledger_names(company())
    return {
        "document_url": url_for("home.document", document_id=document_id),
        "source_url": url_for("home.open_in", document_id=document_id, side="source") if source_id else "",
        "ledger_url": url_for("home.open_in", document_id=document_id, side="ledger") if ledger_id else "",
        "ledger_name": short,
    }
