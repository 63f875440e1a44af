"""Setting documents aside by hand and taking that back. Effects: database only.

Only what was certainly not sent can be set aside: a document whose posting may be on its way stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from domain.reasons import reason
from domain.statuses import PostingState, Status
from models import Document, Posting
from sync.documents import set_status, step

SKIPPABLE = (Status.PENDING, Status.FAULT)
_NOT_SENT = (PostingState.NEW, PostingState.REJECTED, PostingState.SKIPPED)


def may_skip(db: Session, row: Document) -> bool:
    if row.status not in SKIPPABLE or row.due_at is not None:
        return False
    posting = db.get(Posting, row.posting_id) if row.posting_id else None
    return posting is None or posting.state in _NOT_SENT


def skip(db: Session, rows: Sequence[Document], *, now: datetime, who: str, why: str) -> int:
    """Set aside what may be; returns how many were."""
    done = 0
    for row in rows:
        if not may_skip(db, row):
            continue
        posting = db.get(Posting, row.posting_id) if row.posting_id else None
        if posting is not None and posting.state == PostingState.NEW:
            posting.state, posting.next_action_at, posting.changed_at = PostingState.SKIPPED, None, now
        set_status(db, row, Status.SKIPPED, [reason("skipped_by_person", who=who, why=why)], now)
        step(db, row, now, "skipped", f"Set aside: {why}", who=who)
        done += 1
    return done


def unskip(db: Session, row: Document, *, now: datetime, who: str) -> bool:
    """Bring a document back; it is read again with the next Sync."""
    if row.status != Status.SKIPPED:
        return False
    row.lines = None
    set_status(db, row, Status.PENDING, [reason("waits_for_reading")], now)
    step(db, row, now, "brought back", "Taken back: it goes with the next Sync", who=who)
    return True
