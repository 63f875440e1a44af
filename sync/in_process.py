"""Clear In-Process Status: what is being worked on, whether it still moves, and freeing it when it does not.

Alive means progress, not heartbeat: a process that renews its lease and does nothing else is stuck. Clearing takes
the lease away and schedules recovery; postings keep their states, so nothing is ever sent again unseen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from domain.statuses import PostingState
from models import Attempt, BatchRow, CompanyLease, Document, Posting, Run, Step
from sync.lease import exclusive, lease_row, take_away

STILL = timedelta(minutes=5)
"""Without any progress for this long, work counts as stuck."""
UNSETTLED = (PostingState.SENDING, PostingState.UNKNOWN)


LISTED = 50
"""Most documents that are named one by one."""


@dataclass(frozen=True, slots=True)
class Doing:
    """One document whose answer is open: since when, its last step, and the ledger id that an answer named, if any."""

    document: Document
    state: str
    sent_at: datetime | None
    step: str
    step_at: datetime | None
    seen_id: str | None


@dataclass(frozen=True, slots=True)
class InProcess:
    """`heartbeat_at` is the holder's last renewal, `progress_at` the last thing that changed because of it."""

    held: bool
    holder: str
    step: str
    heartbeat_at: datetime | None
    progress_at: datetime | None
    runs: Sequence[Run]
    unsettled: int
    """Sent to the ledger, the answer not known yet: looked up there before anything else."""

    def busy(self) -> bool:
        return self.held or bool(self.runs)

    def alive(self, now: datetime) -> bool:
        """Something moved within the last five minutes."""
        return self.progress_at is not None and now - self.progress_at < STILL

    def clearable(self, now: datetime) -> bool:
        return self.busy() and not self.alive(now)


def look(db: Session, company_id: int, leave_out: int | None = None) -> InProcess:
    """What is in process now. Reads only. `leave_out`: the run that asks."""
    lease = lease_row(db, company_id)
    runs = [run for run in db.scalars(
        select(Run).where(Run.company_id == company_id, Run.finished_at.is_(None)).order_by(Run.id)
    ) if run.id != leave_out]
    unsettled = db.execute(
        select(func.count()).select_from(Posting)
        .where(Posting.company_id == company_id, Posting.state.in_(UNSETTLED))
    ).scalar_one()
    return InProcess(
        held=lease is not None and lease.holder is not None, holder=(lease.holder if lease else None) or "",
        step=lease.step if lease else "", heartbeat_at=lease.heartbeat_at if lease else None,
        progress_at=_progress(db, company_id, runs, lease), runs=runs, unsettled=unsettled,
    )


def _progress(db: Session, company_id: int, runs: Sequence[Run], lease: CompanyLease | None) -> datetime | None:
    posting = db.execute(select(func.max(Posting.changed_at)).where(Posting.company_id == company_id)).scalar()
    answer = db.execute(select(func.max(Attempt.finished_at)).where(Attempt.company_id == company_id)).scalar()
    found = [posting, answer, *(run.heartbeat_at for run in runs)]
    if lease is not None and lease.rung_at is not None:
        found.append(lease.rung_at)  # its bell was rung just now: whoever answers it has not had the time to move
    return max((instant for instant in found if instant is not None), default=None)


def documents(db: Session, company_id: int) -> list[Doing]:
    """The documents that were sent and not settled, oldest first. Reads only."""
    rows = db.execute(
        select(Posting, Document).join(Document, Document.id == Posting.document_id)
        .where(Posting.company_id == company_id, Posting.state.in_(UNSETTLED))
        .order_by(Posting.last_sent_at, Posting.id).limit(LISTED)
    ).all()
    seen = _seen(db, company_id, [posting for posting, _ in rows])
    last = _last_steps(db, [document.id for _, document in rows])
    return [
        Doing(document, posting.state, posting.last_sent_at, *last.get(document.id, ("", None)), seen.get(posting.id))
        for posting, document in rows
    ]


def _last_steps(db: Session, ids: Sequence[int]) -> dict[int, tuple[str, datetime | None]]:
    newest = select(func.max(Step.id)).where(Step.document_id.in_(ids)).group_by(Step.document_id)
    return {row.document_id: (row.text, row.at) for row in db.scalars(select(Step).where(Step.id.in_(newest)))}


def _seen(db: Session, company_id: int, postings: Sequence[Posting]) -> dict[int, str]:
    """Ids that answers named although nobody could settle by them: they are kept even when a lease was lost."""
    keys = {posting.batch_key for posting in postings}
    attempts = db.scalars(
        select(Attempt).join(BatchRow, BatchRow.id == Attempt.batch_id)
        .where(BatchRow.company_id == company_id, BatchRow.key.in_(keys), Attempt.seen.is_not(None))
    )
    return {
        int(posting_id): told["ledger_id"]
        for attempt in attempts for posting_id, told in (attempt.seen or {}).items() if told.get("ledger_id")
    }


def clear(db: Session, company_id: int, now: datetime) -> InProcess | None:
    """Free what is stuck; returns what was in process, None when it moves or nothing is. Repeating is safe."""
    exclusive(db, company_id)
    found = look(db, company_id)
    if not found.clearable(now):
        return None
    take_away(db, company_id, now)
    lease = db.get_one(CompanyLease, company_id, populate_existing=True)
    lease.wake_at, lease.rung_at = now, now
    for run in found.runs:
        run.heartbeat_at = now
    return found
