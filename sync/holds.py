"""Holds: a person keeps a document, or everything of a customer, from being posted until somebody releases it.

A held document is Skipped Over with the reason `held`; reading and reserving ask here, so no tool posts one. What may
be on its way already is not stopped: then a hold comes too late and says so. Database only; the caller audits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from domain.formats import format_day
from domain.reasons import Reason, reason
from domain.statuses import PostingState, Status
from models import Document, Hold, Posting
from sync.documents import drop, set_status, step
from sync.lease import exclusive
from sync.looking import look_first, may_be_in_books
from sync.settings import load_invoices

DOCUMENT, PARTY = "document", "party"
MOVABLE = (PostingState.NEW, PostingState.REJECTED, PostingState.NEEDS_HUMAN, PostingState.SKIPPED)


@dataclass(frozen=True, slots=True)
class Held:
    """What a hold did: documents kept back now, and those for which it came too late."""

    kept: tuple[int, ...]
    too_late: tuple[int, ...]


def live(db: Session, company_id: int) -> Sequence[Hold]:
    """All holds that stand, the newest first."""
    return db.scalars(
        select(Hold).where(Hold.company_id == company_id, Hold.released_at.is_(None)).order_by(Hold.id.desc())
    ).all()


def of(db: Session, company_id: int, kind: str, key: str) -> Hold | None:
    return db.scalars(select(Hold).where(
        Hold.company_id == company_id, Hold.kind == kind, Hold.key == key, Hold.released_at.is_(None)
    )).one_or_none()


def reasons(db: Session, company_id: int, rows: Sequence[Document]) -> dict[int, Reason]:
    """Document id → why it is held, for those of these documents that are. One query."""
    if not rows:
        return {}
    found = {(hold.kind, hold.key): hold for hold in live(db, company_id)}
    kept: dict[int, Reason] = {}
    for row in rows if found else ():
        hold = found.get((DOCUMENT, str(row.id))) or found.get((PARTY, row.party_id or ""))
        if hold is not None:
            kept[row.id] = told(hold)
    return kept


def told(hold: Hold) -> Reason:
    return reason("held", who=hold.placed_by, when=format_day(hold.placed_at.date()), why=hold.why, what=(
        "this document" if hold.kind == DOCUMENT else f"everything of customer {hold.name}"
    ))


def hold_document(db: Session, document: Document, *, why: str, now: datetime, who: str) -> bool:
    """Keep one document back. False when it is in the books or may be on its way: the hold came too late.

    Holding what is held already changes nothing; a document that is set aside stays so, and is held when it is
    brought back.
    """
    exclusive(db, document.company_id)
    db.expire(document)
    if _on_its_way(db, document):
        return False
    hold = _place(db, document.company_id, DOCUMENT, str(document.id), document.number or document.source_id,
                  why=why, now=now, who=who)
    keep_back(db, document, told(hold), now, who=who)
    return True


def hold_party(db: Session, company_id: int, party_id: str, name: str, *, why: str, now: datetime, who: str) -> Held:
    """Keep back everything of a customer: what is open now, and what is found while the hold stands."""
    exclusive(db, company_id)
    hold = _place(db, company_id, PARTY, party_id, name, why=why, now=now, who=who)
    rows = db.scalars(select(Document).where(
        Document.company_id == company_id, Document.party_id == party_id,
        Document.status.in_((Status.PENDING, Status.PROCESSING, Status.FAULT)),
    ).order_by(Document.id)).all()
    kept, late = [], []
    for row in rows:
        db.expire(row)
        if _on_its_way(db, row):
            late.append(row.id)
        else:
            keep_back(db, row, told(hold), now, who=who)
            kept.append(row.id)
    return Held(tuple(kept), tuple(late))


def release(db: Session, hold: Hold, *, now: datetime, who: str) -> list[Document]:
    """End a hold. Its documents are read again and go on as if just found, unless another hold keeps them."""
    exclusive(db, hold.company_id)
    db.refresh(hold)
    if hold.released_at is not None:
        return []
    hold.released_by, hold.released_at = who, now
    db.flush()
    rows = db.scalars(select(Document).where(
        Document.company_id == hold.company_id, Document.status == Status.SKIPPED, Document.reason_code == "held",
        _of(hold),
    ).order_by(Document.id)).all()
    still = reasons(db, hold.company_id, rows)
    freed = []
    for row in rows:
        if row.id in still:
            row.reasons = [still[row.id].to_json()]
            continue
        row.lines, row.reviewed = None, None
        posting = db.get(Posting, row.posting_id) if row.posting_id else None
        if posting is not None and may_be_in_books(posting):
            look_first(db, posting, row, now)
        else:
            set_status(db, row, Status.PENDING, [_next(db, row)], now)
        step(db, row, now, "released", "The hold was released", who=who)
        freed.append(row)
    return freed


def keep_back(db: Session, document: Document, why: Reason, now: datetime, *, who: str = "") -> None:
    """Give a document the status of a held one; a posting that was reserved and never sent ends."""
    posting = db.get(Posting, document.posting_id) if document.posting_id else None
    if posting is not None and posting.state == PostingState.NEW:
        drop(db, posting, PostingState.SKIPPED, [why], now)
    elif posting is not None and posting.state == PostingState.NEEDS_HUMAN:
        # It may be in the books: its billing items stay taken, and the ledger is looked at when the hold ends.
        posting.state, posting.next_action_at, posting.changed_at = PostingState.SKIPPED, None, now
    set_status(db, document, Status.SKIPPED, [why], now)
    step(db, document, now, "held", why.sentence(), who=who)


def _next(db: Session, row: Document) -> Reason:
    if row.before_start:
        return reason("before_start", date=row.document_date, start=load_invoices(db, row.company_id).start_date)
    return reason("waits_for_reading")


def _on_its_way(db: Session, document: Document) -> bool:
    posting = db.get(Posting, document.posting_id) if document.posting_id else None
    return document.status in (Status.COMPLETE, Status.PROCESSING) or (
        posting is not None and posting.state not in MOVABLE
    )


def _place(
    db: Session, company_id: int, kind: str, key: str, name: str, *, why: str, now: datetime, who: str
) -> Hold:
    hold = of(db, company_id, kind, key)
    if hold is None:
        hold = Hold(company_id=company_id, kind=kind, key=key, name=name, why=why, placed_by=who, placed_at=now)
        db.add(hold)
        db.flush()
    return hold


def count(db: Session, hold: Hold) -> int:
    """How many documents this hold keeps back now."""
    return db.execute(
        select(func.count()).select_from(Document)
        .where(Document.company_id == hold.company_id, Document.status == Status.SKIPPED)
        .where(Document.reason_code == "held", _of(hold))
    ).scalar_one()


def _of(hold: Hold) -> ColumnElement[bool]:
    return Document.id == int(hold.key) if hold.kind == DOCUMENT else Document.party_id == hold.key
