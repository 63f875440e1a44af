"""Which documents shall bear `ERROR` where the source keeps the other system's number: Faults compared with the rows.

Off unless a company chose it. The word only goes where the number is blank and nothing of the document is in the
ledger: a number is never overwritten. Called under the company's lease; `sync/error_mark_work.py` does the calls.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import BindParameter, ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from domain.order_documents import ORDER
from domain.statuses import Status
from models import Document, ErrorMark, ErrorMarkState
from sync import areas
from sync.documents import step
from sync.todo_state import AREA_OF, comparing_due

MARK_AFTER = timedelta(seconds=20)
"""A Fault that is settled at once leaves no trace in the source."""
CLEAR_AFTER = timedelta(seconds=30)
"""A retry that fails again must not take the word away and write it anew."""

WANTED, MARKED, CLEARING, LEFT = "wanted", "marked", "clearing", "left"


def chosen(db: Session, company_id: int, area: str) -> bool:
    """What Settings say for one product area."""
    return bool(areas.named(area).load(db, company_id).mark_errors)


def compare(db: Session, company_id: int, tenant: str, fence: int, now: datetime, quarantine: float) -> None:
    """Bring the rows in line with the Faults of every area. A source that was exchanged is left alone."""
    for state in db.scalars(select(ErrorMarkState).where(ErrorMarkState.company_id == company_id)):
        state.wanted, state.dirty_at, state.checked_at = chosen(db, company_id, state.area), None, now
        faults = _faults(db, company_id, tenant, state.area) if state.wanted else {}
        known = {row.document_id: row for row in db.scalars(select(ErrorMark).where(
            ErrorMark.company_id == company_id, ErrorMark.area == state.area, ErrorMark.source_tenant == tenant
        ))}
        for document_id, document in faults.items():
            row = known.pop(document_id, None)
            if row is None:
                db.add(_new(document, state.area, fence, now))
            elif row.state == CLEARING:
                row.state, row.next_action_at, row.fence = WANTED, now + MARK_AFTER, fence
        for row in known.values():
            _clear(db, row, fence, now, timedelta(seconds=quarantine))


def _faults(db: Session, company_id: int, tenant: str, area: str) -> dict[int, Document]:
    """The Faults that shall bear the word. Bills of one order share its field: the first Fault speaks for them."""
    kinds = [kind for kind, of in AREA_OF.items() if of == area]
    rows = db.scalars(select(Document).where(
        Document.company_id == company_id, Document.source_tenant == tenant, Document.kind.in_(kinds), *_eligible()
    ).order_by(Document.id.desc()))
    return {row.id: row for row in {(row.kind, row.source_id): row for row in rows}.values()}


def _eligible() -> tuple[ColumnElement[bool], ...]:
    """A Fault whose field is blank: an order's `number` is not what stands there, and a bill of it may be posted."""
    bill = aliased(Document)
    posted = exists().where(
        bill.company_id == Document.company_id, bill.source_tenant == Document.source_tenant,
        bill.kind == ORDER, bill.source_id == Document.source_id, bill.ledger_id.is_not(None),
    )
    blank = or_(Document.number.is_(None), and_(Document.kind == ORDER, ~posted))
    return (Document.status == Status.FAULT, blank, Document.ledger_id.is_(None))


def _new(document: Document, area: str, fence: int, now: datetime) -> ErrorMark:
    return ErrorMark(
        document_id=document.id, company_id=document.company_id, source_tenant=document.source_tenant, area=area,
        kind=document.kind, source_id=document.source_id, state=WANTED, sends=0, tries=0,
        next_action_at=now + MARK_AFTER, fence=fence,
    )


def _clear(db: Session, row: ErrorMark, fence: int, now: datetime, quarantine: timedelta) -> None:
    """It is no Fault any more: the word goes after a moment; one that certainly was never written is dropped."""
    if row.state == LEFT or (row.state == WANTED and not row.sends):
        db.delete(row)
    elif row.state != CLEARING:
        due = now + CLEAR_AFTER
        if row.state == WANTED and row.last_sent_at is not None:  # it may still be on its way
            due = max(due, row.last_sent_at + quarantine)
        row.state, row.next_action_at, row.tries, row.fence = CLEARING, due, 0, fence


# ---- what became of a call -----------------------------------------------------------------------------------


def written(db: Session, row: ErrorMark, now: datetime) -> None:
    row.state, row.problem, row.tries, row.marked_at, row.next_action_at = MARKED, None, 0, now, None
    text = "ERROR stands in Autotask where its number would"
    step(db, db.get_one(Document, row.document_id), now, "error mark", text)


def cleared(db: Session, row: ErrorMark, now: datetime) -> None:
    step(db, db.get_one(Document, row.document_id), now, "error mark", "ERROR in Autotask was cleared")
    db.delete(row)


def left(row: ErrorMark, why: str) -> None:
    row.state, row.problem, row.next_action_at = LEFT, why, None


# ---- what is due --------------------------------------------------------------------------------------------


def next_row(db: Session, company_id: int, tenant: str) -> ErrorMark | None:
    """The row whose time comes first."""
    return db.scalars(
        select(ErrorMark).where(
            ErrorMark.company_id == company_id, ErrorMark.source_tenant == tenant,
            ErrorMark.next_action_at.is_not(None),
        ).order_by(ErrorMark.next_action_at, ErrorMark.document_id).limit(1)
    ).first()


def under_way(
    company_id: int | BindParameter[int], tenant: str | BindParameter[str]
) -> tuple[ColumnElement[bool], ...]:
    """Conditions of rows whose call was begun and not answered."""
    return (
        ErrorMark.company_id == company_id, ErrorMark.source_tenant == tenant,
        ErrorMark.state.in_((WANTED, CLEARING)), ErrorMark.next_action_at.is_(None),
    )


def next_wake(db: Session, company_id: int, tenant: str, not_before: datetime) -> datetime | None:
    """When marks need the serving process; None: not before Faults change."""
    row = next_row(db, company_id, tenant)
    moments = (comparing_due(db, company_id, ErrorMarkState), row.next_action_at if row else None)
    due = [at for at in moments if at is not None]
    abandoned = db.execute(select(ErrorMark.document_id).where(*under_way(company_id, tenant)).limit(1)).first()
    due += [not_before] if abandoned else []
    return max(min(due), not_before) if due else None
