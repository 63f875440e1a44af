"""What a changed start date does to documents that are known already. Effects: database only."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.reasons import reason
from domain.statuses import Status
from models import Document
from sync.documents import set_status, step
from sync.lease import exclusive


def apply(db: Session, company_id: int, start: date, now: datetime) -> tuple[int, int]:
    """Let documents from `start` on in, set earlier ones aside; what is on its way stays. Returns (in, aside)."""
    exclusive(db, company_id)
    entering = db.scalars(select(Document).where(
        Document.company_id == company_id, Document.before_start.is_(True), Document.document_date >= start
    )).all()
    for row in entering:
        row.before_start = False
        set_status(db, row, Status.PENDING, [reason("waits_for_reading")], now)
        step(db, row, now, "included", f"The start date was set to {start:%d %b %Y}")
    leaving = db.scalars(select(Document).where(
        Document.company_id == company_id, Document.before_start.is_(False), Document.document_date < start,
        Document.status == Status.PENDING, Document.due_at.is_(None), Document.included_at.is_(None),
        Document.posting_id.is_(None),
    )).all()
    for row in leaving:
        row.before_start = True
        set_status(db, row, Status.PENDING, [reason("before_start", date=row.document_date, start=start)], now)
    return len(entering), len(leaving)
