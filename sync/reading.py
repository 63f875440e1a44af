"""The rules of reading: what is looked for, when a document counts as finished, how a header becomes a row.

Used by the passes of `gather`, by preparing and by previews. Reads at most; who stores what is decided there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.ledgers.base import Capabilities
from domain.documents import SourceHeader
from domain.money import plain
from domain.plan import Plan, marker, source_reason
from domain.reasons import Reason, Turn, reason
from domain.statuses import Flag, PostingState, Status
from models import Company, Document, Posting
from sync import codec, mirror
from sync.areas import INVOICES, area_of
from sync.documents import set_flag, set_status, step
from sync.lists import facts
from sync.runtime import Runtime

KIND = INVOICES.kind
MARKED = ("marked_elsewhere", "numbered_elsewhere", "order_marked_elsewhere")
SETTLED = timedelta(minutes=5)
"""How long after a mark was proven a page without it may still be an older look."""


def unfinished(rt: Runtime, row: Document, planned: Plan, now: datetime) -> Reason | None:
    """Why a document still counts as being built in the source; None when it does not (any more).

    Younger than two minutes: read twice. Figures that differ: waited for, ten minutes at most.
    """
    header = planned.document.header
    if planned.turn is Turn.SKIP or not area_of(header.kind).guarded:
        return None
    mismatch = source_reason(planned.document, row.currency)
    if mismatch is not None:
        row.unfinished_since = row.unfinished_since or now
        if now - row.unfinished_since < timedelta(seconds=rt.times.give_up):
            row.lines, row.reread_at = None, None
            found = sum((line.extended_price for line in planned.document.lines), header.tax_total)
            return reason(
                "still_building", found=plain(found, row.currency), total=plain(header.total, row.currency)
            )
        return None
    row.unfinished_since = None
    if now - header.created_at < timedelta(seconds=rt.times.young) and row.reason_code != "young":
        row.reread_at = now + timedelta(seconds=rt.times.reread)
    return reason("young") if row.reread_at is not None else None


def needs_reading(row: Document) -> bool:
    return row.lines is None or row.reread_at is not None


def status_of(planned: Plan) -> Status:
    return {Turn.SKIP: Status.SKIPPED, Turn.FAULT: Status.FAULT, Turn.WAIT: Status.PENDING, None: Status.PENDING}[
        planned.turn
    ]


def planned_party(planned: Plan, row: Document) -> str:
    return planned.draft.party.name if planned.draft is not None else row.party_name


def plans_for(
    db: Session, company_id: int, rows: Sequence[Document], capabilities: Capabilities, settings: Any
) -> list[Plan]:
    """Plan stored documents of one area against the mirror: the one way from rows to plans. Reads only."""
    if not rows:
        return []
    company = db.get_one(Company, company_id)
    the_facts = facts(mirror.profile_of(company), capabilities)
    markers = [marker_of(company, row) for row in rows]
    return area_of(rows[0].kind).plans(db, company, rows, the_facts, settings, markers)


def marker_of(company: Company, row: Document) -> str:
    part = (row.part,) if row.part else ()
    return marker(str(company.id), company.ledger_tenant, row.source_tenant, row.kind, row.source_id, *part)


def new_document(
    company: Company, tenant: str, header: SourceHeader, settings: Any, now: datetime
) -> Document:
    early = area_of(header.kind).early(header, settings, now)
    why = early or reason("waits_for_reading")
    return Document(
        company_id=company.id, source_tenant=tenant, kind=header.kind, source_id=header.id, number=header.number,
        party_id=header.party_id, document_date=header.document_date, source_created_at=header.created_at,
        total=storable(header.total), tax_total=storable(header.tax_total), currency=company.currency,
        status=Status.PENDING, reasons=[why.to_json()], reason_code=why.code, flags=[], header=codec.dump(header),
        header_hash=codec.digest(codec.dump(header)), seen_at=now, read_at=now, before_start=early is not None,
        changed_at=now, part="",
    )


def storable(amount: Decimal) -> Decimal:
    """Four decimals are kept in the row; the exact value stays in the snapshot, which rules read."""
    return amount.quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)


def refresh_header(
    db: Session, row: Document, header: SourceHeader, settings: Any, now: datetime
) -> None:
    """Unchanged headers keep their lines; a changed one is read again. What is posted is left alone."""
    row.read_at = now
    early = area_of(row.kind).early(header, settings, now) if row.included_at is None else None
    if row.before_start and early is None:
        row.before_start, row.reason_code = False, "waits_for_reading"
        row.reasons = [reason("waits_for_reading").to_json()]
    elif early is not None and not row.before_start and row.status == Status.PENDING and row.due_at is None:
        row.before_start, row.reason_code, row.reasons = True, early.code, [early.to_json()]
    stored = codec.dump(header)
    fresh = codec.digest(stored)
    _notice_cleared_mark(db, row, header, settings, now)
    if fresh == row.header_hash or row.status in (Status.COMPLETE, Status.PROCESSING):
        return
    posting = db.get(Posting, row.posting_id) if row.posting_id else None
    if posting is not None and posting.state in (PostingState.READY, PostingState.CONFIRMED, PostingState.DONE):
        return
    if posting is not None and posting.state == PostingState.NEW:
        posting.next_action_at, row.prepared = None, False
    if row.status == Status.SKIPPED and _asked_for_again(row, header, settings):
        set_status(db, row, Status.PENDING, [reason("waits_for_reading")], now)
    row.header, row.header_hash, row.lines = stored, fresh, None
    row.number, row.party_id, row.document_date = header.number, header.party_id, header.document_date
    row.total, row.tax_total = storable(header.total), storable(header.tax_total)


def _asked_for_again(row: Document, header: SourceHeader, settings: Any) -> bool:
    """It was set aside for its total, which changed, or for somebody's mark, which was taken off in the source."""
    code = row.reason_code or ""
    return code.startswith("zero_total") or (code in MARKED and area_of(row.kind).taken(header, settings) is None)


def _blank(header: SourceHeader, settings: Any) -> bool:
    """The field that means "synced" is blank."""
    return not header.voided and area_of(header.kind).taken(header, settings) is None


def _notice_cleared_mark(
    db: Session, row: Document, header: SourceHeader, settings: Any, now: datetime
) -> None:
    """A mark that was proven once and is blank now was cleared by somebody (R60): flagged, neither posted again nor
    written again by itself. A page read before the mark was written proves nothing, so young marks are left alone."""
    if row.status != Status.COMPLETE or header.voided:
        return
    blank = _blank(header, settings)
    flagged = str(Flag.MARK_CLEARED) in (row.flags or [])
    if not blank or flagged:
        if flagged and not blank:
            set_flag(row, Flag.MARK_CLEARED, False)
        return
    posting = db.get(Posting, row.posting_id) if row.posting_id else None
    if posting is not None and posting.state == PostingState.DONE and posting.changed_at < now - SETTLED:
        set_flag(row, Flag.MARK_CLEARED)
        step(db, row, now, "mark cleared", "The mark in Autotask was cleared; the document in the ledger stands")


def touchable(db: Session, row: Document) -> bool:
    """False once a posting of the document may have been sent: only the serving process changes it then."""
    if row.posting_id is None:
        return row.status not in (Status.COMPLETE, Status.PROCESSING)
    posting = db.get(Posting, row.posting_id)
    return posting is None or posting.state in (PostingState.NEW, PostingState.REJECTED, PostingState.SKIPPED)


def rows_of(
    db: Session, company_id: int, tenant: str, source_ids: Sequence[str], kind: str = KIND
) -> dict[str, Document]:
    """The documents themselves; what an order makes on receipt (its parts) is left out."""
    rows = db.scalars(select(Document).where(
        Document.company_id == company_id, Document.source_tenant == tenant, Document.kind == kind,
        Document.source_id.in_(source_ids), Document.part == "",
    ))
    return {row.source_id: row for row in rows}
