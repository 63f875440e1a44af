"""Writing back: number and sync mark go to the source last, resumable, and are read back in bulk before DONE.

Values are absolute, so writing twice is safe (I08). At most two calls in flight: the source frees a slot slightly
after it has answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.errors import BadAnswer, NeedsReconnect, NotAllowed, PlatformError, RetryLater
from connectors.sources.base import Mark, Source
from domain.order_documents import ORDER
from domain.statuses import PostingState
from models import Document, Posting
from sync.connection import needs_reconnect, succeeded
from sync.documents import step
from sync.lease import Lease
from sync.runtime import Finished, Pool, Runtime

IN_FLIGHT = 2
READ_BACK = 500
MAX_TRIES = 10


@dataclass(frozen=True, slots=True)
class Marking:
    posting_id: int


@dataclass(frozen=True, slots=True)
class ReadingBack:
    posting_ids: tuple[int, ...]


class WriteBack:
    """The source's half of one turn of service."""

    def __init__(self, rt: Runtime, lease: Lease, company_id: int, source: Source, pool: Pool) -> None:
        self.rt, self.lease, self.company_id = rt, lease, company_id
        self.source, self.pool = source, pool
        self.free_at = 0.0
        self.busy: set[int] = set()
        self.running = 0
        self.blocked = False
        self.failures = 0
        self._queue: list[tuple[int, str, str, str | None, datetime]] = []

    def owns(self, tag: Any) -> bool:
        return isinstance(tag, (Marking, ReadingBack))

    def start(self) -> bool:
        """Start the next mark or read-back; False when none is due or the source is not to be asked now."""
        if self.running >= IN_FLIGHT or self.rt.clock.monotonic() < self.free_at:
            return False
        if not self._queue:
            self._fill()
        if self._queue:
            return self._mark()
        return self.running == 0 and self._read_back()

    # ---- marking --------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        with self.rt.sessions() as db:
            rows = db.execute(
                select(Posting, Document).join(Document, Document.id == Posting.document_id)
                .where(Posting.company_id == self.company_id, Posting.state == PostingState.CONFIRMED)
                .where(Posting.source_tenant == self.source.tenant, Posting.written_back_at.is_(None))
                .where(Posting.next_action_at <= self.lease.now())
                .order_by(Posting.interactive.desc(), Posting.id).limit(50)
            ).all()
            self._queue = [
                (p.id, d.kind, d.source_id, own_number(p), p.marked_at)
                for p, d in rows if p.id not in self.busy and p.marked_at is not None
            ]

    def _mark(self) -> bool:
        try:
            wait = self.source.slot("mark")
        except PlatformError as error:
            self._trouble(error)
            return False
        if wait > 0:
            self.free_at = self.rt.clock.monotonic() + wait
            return False
        posting_id, kind, source_id, number, at = self._queue.pop(0)
        self.busy.add(posting_id)
        self.running += 1
        call = partial(self.source.mark_synced, kind, source_id, number=number, at=at)
        self.pool.submit(Marking(posting_id), partial(self._call, call))
        return True

    def _call(self, call: Any) -> Any:
        """In a helper thread: HTTP only."""
        value = call()
        self.rt.failpoint("after_write_back")
        return value

    def harvest(self, finished: Sequence[Finished]) -> None:
        with self.lease.transaction() as db:
            for one in finished:
                self.running -= 1
                if isinstance(one.tag, Marking):
                    self._marked(db, one.tag, one)
                else:
                    self._compared(db, one.tag, one)
        for one in finished:
            if one.error is not None:
                self._trouble(one.error)

    def _marked(self, db: Session, tag: Marking, finished: Finished) -> None:
        self.busy.discard(tag.posting_id)
        posting = db.get_one(Posting, tag.posting_id)
        now = self.lease.now()
        if posting.state != PostingState.CONFIRMED:
            return
        if finished.error is None:
            posting.written_back_at = now
            self.blocked, self.failures = False, 0
            succeeded(db, self.company_id, "source", now)
        else:
            refused = not isinstance(finished.error, PlatformError) or isinstance(finished.error, BadAnswer)
            self._postpone(db, posting, str(finished.error), now, refused=refused)

    def _postpone(self, db: Session, posting: Posting, why: str, now: datetime, *, refused: bool) -> None:
        """Try again ever more slowly. Only this mark's own refusals are counted to the end (then a person sees that
        it is missing; the books are right): an outage or a lost connection of the source ends no mark."""
        posting.written_back_at = None
        posting.write_back_tries += 1 if refused or posting.write_back_tries < MAX_TRIES - 1 else 0
        given_up = posting.write_back_tries >= MAX_TRIES
        wait = min(2.0 ** posting.write_back_tries, 300.0)
        posting.next_action_at = None if given_up else now + timedelta(seconds=wait)
        document = db.get(Document, posting.document_id) if posting.document_id else None
        if document is not None and (given_up or posting.write_back_tries == 1):
            step(db, document, now, "write-back", f"Could not be marked in Autotask: {why}")

    # ---- reading back ---------------------------------------------------------------------------------------

    def _read_back(self) -> bool:
        with self.rt.sessions() as db:
            rows = db.execute(
                select(Posting.id, Document.kind, Document.source_id)
                .join(Document, Document.id == Posting.document_id)
                .where(Posting.company_id == self.company_id, Posting.state == PostingState.CONFIRMED)
                .where(Posting.source_tenant == self.source.tenant, Posting.written_back_at.is_not(None))
                .where(Posting.next_action_at <= self.lease.now())
                .order_by(Posting.id).limit(READ_BACK)
            ).all()
        if not rows:
            return False
        rows = [row for row in rows if row[1] == rows[0][1]]  # one kind per call
        ids = tuple(row[0] for row in rows)
        self.running += 1
        self.pool.submit(ReadingBack(ids), partial(self.source.marks, rows[0][1], [row[2] for row in rows]))
        return True

    def _compared(self, db: Session, tag: ReadingBack, finished: Finished) -> None:
        now = self.lease.now()
        marks: dict[str, Mark] = {mark.id: mark for mark in finished.value or ()}
        rows = db.execute(
            select(Posting, Document).join(Document, Document.id == Posting.document_id)
            .where(Posting.id.in_(tag.posting_ids))
        ).all()
        for posting, document in rows:
            mark = marks.get(document.source_id)
            if posting.state != PostingState.CONFIRMED:
                continue  # Its copy was taken out of the ledger while the source was asked.
            if finished.error is not None:
                posting.next_action_at = now + timedelta(seconds=5)
            elif mark is not None and _same(mark, posting):
                posting.state, posting.next_action_at, posting.changed_at = PostingState.DONE, None, now
                posting.fence = self.lease.fence
                step(db, document, now, "marked", "Marked in Autotask and read back")
            else:
                self._postpone(db, posting, "Autotask does not show the mark yet", now, refused=True)
        if finished.error is None:
            self.rt.failpoint("before_done")

    def _trouble(self, error: Exception) -> None:
        self.failures += 1
        wait = min(2.0 ** self.failures, 60.0)
        if isinstance(error, RetryLater):
            wait = max(0.0, (error.until - self.rt.clock.now()).total_seconds())
        self.blocked = self.failures > 3
        if isinstance(error, (NeedsReconnect, NotAllowed)):
            self.blocked, wait = True, 60.0
            with self.lease.transaction() as db:
                needs_reconnect(db, self.company_id, "source", error, self.lease.now())
        self.free_at = self.rt.clock.monotonic() + wait


def _same(mark: Mark, posting: Posting) -> bool:
    """Autotask may keep the date only, or the time too (unconfirmed): the calendar day decides. Where the ledger
    numbers, its number must stand there too (I08). An order's mark is its number."""
    number = own_number(posting)
    if posting.kind == ORDER:
        return number is not None and mark.number == number
    if mark.marked_at is None or posting.marked_at is None:
        return False
    return abs(mark.marked_at - posting.marked_at) < timedelta(days=1) and number in (None, mark.number)


def own_number(posting: Posting) -> str | None:
    """What is written back: the ledger's number where the ledger numbered this posting, whatever the setting is now;
    for an order always the mark that was fixed when it was confirmed."""
    if posting.kind == ORDER:
        return str(posting.terms["mark"])
    return posting.ledger_number if posting.draft.get("number") is None else None
