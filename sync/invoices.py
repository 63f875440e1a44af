"""Invoices for the engine: what is looked for, what a mark means, the plans of stored documents. Database only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.documents import SourceHeader, Window
from domain.known import Facts
from domain.plan import Plan, marker, plan
from domain.reasons import Reason, reason
from domain.settings import InvoiceSettings, Numbering
from models import Company, Document, Posting
from sync import mirror, reissues
from sync.lists import prefetch, source_document

KIND = "invoice"


def window(settings: InvoiceSettings, now: datetime) -> Window:
    """Whole calendar days in the company's zone, both ends included, from the day the source created the document."""
    zone = ZoneInfo(settings.time_zone)
    first = now.astimezone(zone).date() - timedelta(days=settings.look_back_days)
    since = datetime.combine(first, time(), zone).astimezone(UTC)
    return Window(since, number_blank=settings.numbering is Numbering.LEDGER)


def taken(header: SourceHeader, settings: InvoiceSettings) -> Reason | None:
    """Void, or done by somebody else: told by the field that means "synced" in this numbering."""
    if header.voided:
        return reason("voided_in_source")
    if settings.numbering is Numbering.LEDGER:
        return reason("numbered_elsewhere", number=header.number) if header.number else None
    if header.marked_at is None:
        return None
    return reason("marked_elsewhere", when=f"{header.marked_at:%d %b %Y, %H:%M} UTC")


def marked_by_us(db: Session, row: Document, header: SourceHeader) -> bool:
    """The mark is of a copy of ours: taken out of the ledger to be posted anew, or seen there by the reconciliation
    although nothing is known of it (the database was restored)."""
    company = db.get_one(Company, row.company_id)
    who = (str(company.id), company.ledger_tenant, row.source_tenant, row.kind, row.source_id)
    if marker(*who) in mirror.unknown_of(db, company.id):
        return True
    former = db.scalars(select(Posting).where(
        Posting.document_id == row.id, Posting.operation == "create", Posting.marked_at.is_not(None),
    ).order_by(Posting.id.desc()).limit(1)).first()
    if former is None or former.marked_at is None or header.marked_at is None:
        return False
    renumbered = former.draft.get("number") is None and header.number != former.ledger_number
    return not renumbered and abs(header.marked_at - former.marked_at) < timedelta(days=1)


def early(header: SourceHeader, settings: InvoiceSettings, now: datetime) -> Reason | None:
    """Dated before the start date."""
    if header.document_date >= settings.start_date:
        return None
    return reason("before_start", date=header.document_date, start=settings.start_date)


def plans(
    db: Session, company: Company, rows: Sequence[Document], facts: Facts, settings: InvoiceSettings,
    markers: Sequence[str],
) -> list[Plan]:
    """Plan stored invoices against the mirror. Reads only, but for what rows show of their customer and re-issue."""
    documents = [source_document(row) for row in rows]
    lists = prefetch(db, company.id, documents, mirror.catalog_of(db, company.id), settings, facts)
    for row in rows:
        party = lists.parties.get(row.party_id or "")
        if party is not None:
            row.party_name = party.name
            row.currency = party.currency or facts.currency
    if lists.voided:
        for row, document in zip(rows, documents, strict=True):
            reissues.note(row, document, lists, settings)
    return [
        plan(document, settings, lists, facts, marker=marker)
        for document, marker in zip(documents, markers, strict=True)
    ]


def claims(planned: Plan) -> list[str]:
    """Billing items: each is in at most one live document (I21)."""
    return list(dict.fromkeys(line.id for line in planned.document.lines))
