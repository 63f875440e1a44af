"""Writing and clearing `ERROR` in the source, one call at a time, under the company's lease.

The intent is committed first; the values are absolute, so whatever was lost is simply done again. Every write looks
first: a number that stands there is never overwritten, and only this word is ever taken away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.errors import BadAnswer, NeedsReconnect, NotAllowed, PlatformError, RetryLater
from connectors.sources.base import Mark, Source
from domain.statuses import PostingState
from models import Document, ErrorMark, ErrorMarkState, Posting
from sync import error_marks, todo_state
from sync.connection import needs_reconnect, succeeded
from sync.lease import Lease
from sync.runtime import Finished, Pool, Runtime
from sync.writeback import own_number

MAX_TRIES = 10
WRITTEN_STATES = (PostingState.CONFIRMED, PostingState.DONE)
WRITTEN, THERE, NUMBERED, CLEAR, INVISIBLE = "written", "there", "numbered", "clear", "invisible"
_KEPT = {
    NUMBERED: "A number stands there by now",
    THERE: "Another program had written it before",
    INVISIBLE: "Autotask does not show the document",
}


@dataclass(frozen=True, slots=True)
class Marking:
    document_id: int
    clears: bool


class ErrorMarkWork:
    """The `ERROR` marks' part of one turn of service."""

    def __init__(self, rt: Runtime, lease: Lease, company_id: int, source: Source, pool: Pool) -> None:
        self.rt, self.lease, self.company_id = rt, lease, company_id
        self.source, self.pool = source, pool
        self.running = 0
        self.free_at = 0.0
        self.failures = 0

    def owns(self, tag: Any) -> bool:
        return isinstance(tag, Marking)

    def adopt(self, db: Session) -> None:
        """What a dead or frozen process was writing is done again."""
        for row in db.scalars(select(ErrorMark).where(*error_marks.under_way(self.company_id, self.source.tenant))):
            row.next_action_at, row.fence = self.lease.now(), self.lease.fence

    def start(self) -> bool:
        """Compare, or start the next call; False when nothing is due or the source is not to be asked now."""
        if self.running or self.rt.clock.monotonic() < self.free_at:
            return False
        now = self.lease.now()
        with self.rt.sessions() as db:
            comparing = todo_state.comparing_due(db, self.company_id, ErrorMarkState)
            row = error_marks.next_row(db, self.company_id, self.source.tenant)
        if comparing is not None and comparing <= now:
            with self.lease.transaction("Comparing Faults with their marks") as db:
                error_marks.compare(
                    db, self.company_id, self.source.tenant, self.lease.fence, now, self.rt.times.quarantine
                )
            return True
        if row is None or row.next_action_at is None or row.next_action_at > now:
            return False
        return self._act(row.document_id)

    def _act(self, document_id: int) -> bool:
        try:
            wait = self.source.slot("mark")
        except PlatformError as error:
            self._trouble(error)
            return False
        if wait > 0:
            self.free_at = self.rt.clock.monotonic() + wait
            return False
        with self.lease.transaction("Marking a document in the source") as db:
            row, now = db.get_one(ErrorMark, document_id), self.lease.now()
            clears, kind, source_id = row.state == error_marks.CLEARING, row.kind, row.source_id
            posting = _posted(db, row)
            if clears and posting is not None and posting.state == PostingState.CONFIRMED and posting.next_action_at:
                row.next_action_at = now + error_marks.CLEAR_AFTER  # its own mark comes first, and may bring the number
                return True
            number = own_number(posting) if posting is not None else None
            row.next_action_at, row.fence = None, self.lease.fence
            if not clears:
                row.sends, row.last_sent_at = row.sends + 1, now
        self.rt.failpoint("after_error_mark_intent")
        call = partial(_clear, self.source, kind, source_id, number) if clears else partial(
            _write, self.source, kind, source_id)
        self.running += 1
        self.pool.submit(Marking(document_id, clears), partial(self._call, call))
        return True

    def _call(self, call: Callable[[], str]) -> str:
        """In a helper thread: HTTP only."""
        became = call()
        self.rt.failpoint("after_error_mark_sent")
        return became

    # ---- answers --------------------------------------------------------------------------------------------

    def harvest(self, finished: Sequence[Finished]) -> None:
        with self.lease.transaction() as db:
            for one in finished:
                self.running -= 1
                self._settle(db, db.get_one(ErrorMark, one.tag.document_id), one)
        for one in finished:
            if one.error is not None:
                self._trouble(one.error)

    def _settle(self, db: Session, row: ErrorMark, one: Finished) -> None:
        now = self.lease.now()
        row.fence = self.lease.fence
        if one.error is not None:
            self._postpone(row, one.error)
            return
        self.failures = 0
        succeeded(db, self.company_id, "source", now)
        if one.tag.clears:
            error_marks.cleared(db, row, now)
        elif one.value == WRITTEN or (one.value == THERE and row.sends > 1):
            error_marks.written(db, row, now)
        else:
            error_marks.left(row, _KEPT[one.value])

    def _postpone(self, row: ErrorMark, error: Exception) -> None:
        """Again, ever more slowly. Only refusals of this one are counted to the end; an outage ends nothing."""
        if isinstance(error, (BadAnswer, NotAllowed)):
            row.tries, row.problem = row.tries + 1, str(error)
        if row.tries >= MAX_TRIES:
            error_marks.left(row, str(error))
            return
        row.next_action_at = self.lease.now() + timedelta(seconds=min(5.0 * 2.0**row.tries, 3600.0))

    def _trouble(self, error: Exception) -> None:
        """Leave the source alone for a while. What it refuses of one document says nothing of the next call."""
        if isinstance(error, (BadAnswer, NotAllowed)):
            return
        self.failures += 1
        wait = min(2.0**self.failures, 60.0)
        if isinstance(error, RetryLater):
            wait = max(0.0, (error.until - self.rt.clock.now()).total_seconds())
        if isinstance(error, NeedsReconnect):
            wait = 60.0
            with self.lease.transaction() as db:
                needs_reconnect(db, self.company_id, "source", error, self.lease.now())
        self.free_at = self.rt.clock.monotonic() + wait


def _posted(db: Session, row: ErrorMark) -> Posting | None:
    """The document's posting once it is in the ledger: where the ledger numbers, its number takes the word's place."""
    document = db.get_one(Document, row.document_id)
    posting = db.get(Posting, document.posting_id) if document.posting_id else None
    return posting if posting is not None and posting.state in WRITTEN_STATES else None


# ---- in a helper thread -------------------------------------------------------------------------------------


def _held(source: Source, kind: str, id: str) -> Mark | None:
    return next(iter(source.marks(kind, [id])), None)


def _write(source: Source, kind: str, id: str) -> str:
    held = _held(source, kind, id)
    if held is None or held.failed or held.number is not None:
        return INVISIBLE if held is None else THERE if held.failed else NUMBERED
    source.set_error(kind, id)
    held = _held(source, kind, id)
    if held is None or not held.failed:
        raise BadAnswer("Autotask does not show the word ERROR after it was written.", platform="Autotask")
    return WRITTEN


def _clear(source: Source, kind: str, id: str, number: str | None) -> str:
    held = _held(source, kind, id)
    if held is None or not held.failed:
        return CLEAR
    source.clear_error(kind, id, number=number)
    held = _held(source, kind, id)
    if held is not None and held.failed:
        raise BadAnswer("Autotask still shows the word ERROR after it was cleared.", platform="Autotask")
    return CLEAR
