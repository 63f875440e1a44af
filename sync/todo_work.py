"""Writing to-dos into the source, each exactly once although the source has no key against a second copy.

The row is committed before the first byte is sent, the marker in the text proves origin, and whatever may have been
written is looked up before it is written again: at the earliest when no earlier request can still arrive. One call at
a time, under the company's lease; changes and completions are absolute values and may be repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.errors import BadAnswer, NeedsReconnect, NotAllowed, NotSent, PlatformError, RetryLater
from connectors.sources.base import Source, Todo
from domain.todos import TodoDraft, due, solved
from models import TodoRow, TodoState
from sync import todo_state, todos
from sync.areas import named
from sync.connection import needs_reconnect, succeeded
from sync.lease import Lease
from sync.runtime import Finished, Pool, Runtime

MAX_TRIES = 10
HOUR = 3600.0
WRITTEN, ENDED_THERE = "written", "ended"


@dataclass(frozen=True, slots=True)
class Creating:
    row_id: int


@dataclass(frozen=True, slots=True)
class Finding:
    row_id: int


@dataclass(frozen=True, slots=True)
class Changing:
    row_id: int
    digest: str
    completes: bool


class TodoWork:
    """The to-dos' part of one turn of service."""

    def __init__(
        self, rt: Runtime, lease: Lease, company_id: int, source: Source, pool: Pool, ledger: str
    ) -> None:
        self.rt, self.lease, self.company_id = rt, lease, company_id
        self.source, self.pool, self.ledger = source, pool, ledger
        self.running = 0
        self.free_at = 0.0
        self.failures = 0

    def owns(self, tag: Any) -> bool:
        return isinstance(tag, (Creating, Finding, Changing))

    def adopt(self, db: Session) -> None:
        """What a dead or frozen process was writing may or may not be there: it is looked up."""
        for row in db.scalars(select(TodoRow).where(
            TodoRow.company_id == self.company_id, TodoRow.state == todos.SENDING,
            TodoRow.source_tenant == self.source.tenant,
        )):
            row.state, row.next_action_at, row.fence = todos.CHECKING, self.lease.now(), self.lease.fence

    def start(self) -> bool:
        """Compare, or start the next call; False when nothing is due or the source is not to be asked now."""
        if self.running or self.rt.clock.monotonic() < self.free_at:
            return False
        now = self.lease.now()
        with self.rt.sessions() as db:
            comparing = todo_state.comparing_due(db, self.company_id, TodoState)
            row = todos.next_row(db, self.company_id, self.source.tenant)
        if comparing is not None and comparing <= now:
            with self.lease.transaction("Comparing Faults with their to-dos") as db:
                todos.compare(db, self.company_id, self._writer(), now)
            return True
        if row is None or row.next_action_at is None or row.next_action_at > now:
            return False
        return self._act(row)

    def _writer(self) -> todos.Writer:
        return todos.Writer(
            self.rt.new_key, self.ledger, self.rt.public_url, self.source.tenant, self.lease.fence
        )

    # ---- calls ----------------------------------------------------------------------------------------------

    def _act(self, row: TodoRow) -> bool:
        if row.state == todos.CHECKING:
            self._submit(Finding(row.id), partial(self.source.find_todos, row.marker))
            return True
        try:
            wait = self.source.slot("mark")
        except PlatformError as error:
            self._trouble(error)
            return False
        if wait > 0:
            self.free_at = self.rt.clock.monotonic() + wait
            return False
        if row.state == todos.WANTED:
            return self._create(row.id)
        completes = row.cleared_at is not None
        said = solved(row.marker, row.title) if completes else row.text
        at = self.lease.now().replace(microsecond=0) if completes else None
        tag = Changing(row.id, row.digest, completes)
        self._submit(tag, partial(_change, self.source, row.marker, row.todo_id or "", said, at))
        return True

    def _create(self, row_id: int) -> bool:
        """The intent is committed first; then the one call that must not be made twice."""
        with self.lease.transaction("Writing a to-do") as db:
            row = db.get_one(TodoRow, row_id)
            zone = named(row.area).load(db, self.company_id).source_time_zone
            now = self.lease.now()
            row.state, row.sends, row.last_sent_at = todos.SENDING, row.sends + 1, now
            row.written_digest, row.next_action_at, row.fence = row.digest, None, self.lease.fence
            start, end = due(now, zone)
            draft = TodoDraft(row.marker, row.text, row.action_type or "", row.resource or "", start, end)
        self.rt.failpoint("after_todo_intent")
        if self.lease.remaining() < self.rt.times.write_timeout + self.rt.times.margin:
            with self.lease.transaction():
                pass
        self._submit(Creating(row_id), partial(self._call, partial(self.source.create_todo, draft)))
        return True

    def _call(self, call: Callable[[], str]) -> str:
        """In a helper thread: HTTP only."""
        made = call()
        self.rt.failpoint("after_todo_sent")
        return made

    def _submit(self, tag: Any, call: Callable[[], Any]) -> None:
        self.running += 1
        self.pool.submit(tag, call)

    # ---- answers --------------------------------------------------------------------------------------------

    def harvest(self, finished: Sequence[Finished]) -> None:
        with self.lease.transaction() as db:
            for one in finished:
                self.running -= 1
                row = db.get_one(TodoRow, one.tag.row_id)
                row.fence = self.lease.fence
                self._settle(row, one)
                if one.error is None:
                    self.failures = 0
                    succeeded(db, self.company_id, "source", self.lease.now())
        for one in finished:
            if one.error is not None:
                self._trouble(one.error)

    def _settle(self, row: TodoRow, one: Finished) -> None:
        now = self.lease.now()
        if isinstance(one.tag, Creating):
            self._created(row, one, now)
        elif isinstance(one.tag, Finding):
            self._looked_up(row, one, now)
        else:
            self._changed(row, one.tag, one, now)

    def _created(self, row: TodoRow, one: Finished, now: datetime) -> None:
        error = one.error
        if error is None:
            self._exists(row, str(one.value), now)
        elif isinstance(error, (NotSent, RetryLater, NeedsReconnect, NotAllowed)):
            # A definite no. Only an earlier send, if there was one, was looked up before this one.
            row.state, row.written_digest = todos.WANTED, None
            row.next_action_at = now + timedelta(seconds=self._refused(row, error))
        else:
            row.state, row.next_action_at = todos.CHECKING, now
            if isinstance(error, BadAnswer):
                self._refused(row, error)

    def _looked_up(self, row: TodoRow, one: Finished, now: datetime) -> None:
        if one.error is not None:
            row.next_action_at = now + timedelta(seconds=5)
            return
        found: list[Todo] = list(one.value)
        if found:
            self._exists(row, found[0].id, now)
            if found[0].completed_at is not None:
                self._end(row, todos.CLOSED, now)
            return
        # Not there, and certainly not on its way any more once the quarantine is over.
        ends = (row.last_sent_at or now) + timedelta(seconds=self.rt.times.quarantine)
        if now < ends:
            row.next_action_at = ends
            return
        row.state, row.written_digest = todos.WANTED, None
        row.next_action_at = now + timedelta(seconds=min(60.0 * 2.0**row.tries, HOUR) if row.tries else 0)
        if row.cleared_at is not None:
            self._end(row, todos.WITHDRAWN, now)

    def _changed(self, row: TodoRow, tag: Changing, one: Finished, now: datetime) -> None:
        if one.error is not None:
            wait = self._refused(row, one.error) if isinstance(one.error, (BadAnswer, NotAllowed)) else 5.0
            row.next_action_at = now + timedelta(seconds=wait)
            if row.tries >= MAX_TRIES:
                self._end(row, todos.CLOSED, now)
        elif one.value == ENDED_THERE:
            self._end(row, todos.CLOSED, now)
        elif tag.completes:
            self._end(row, todos.DONE, now)
        else:
            row.written_digest, row.written_at, row.tries, row.problem = tag.digest, now, 0, None
            row.next_action_at = todos.following(row, now)

    def _exists(self, row: TodoRow, todo_id: str, now: datetime) -> None:
        row.state, row.todo_id, row.written_at = todos.OPEN, todo_id, now
        row.problem, row.tries = None, 0
        row.next_action_at = todos.following(row, now)

    def _end(self, row: TodoRow, state: str, now: datetime) -> None:
        row.state, row.ended_at, row.next_action_at = state, now, None

    def _refused(self, row: TodoRow, error: Exception) -> float:
        """Remember what was said; seconds until the next try, ever longer, an hour at most."""
        if isinstance(error, (BadAnswer, NotAllowed)):
            row.problem, row.tries = str(error), row.tries + 1
            return HOUR if isinstance(error, NotAllowed) else min(60.0 * 2.0**row.tries, HOUR)
        if isinstance(error, RetryLater):
            return max(0.0, (error.until - self.rt.clock.now()).total_seconds())
        return 60.0 if isinstance(error, NeedsReconnect) else min(2.0**self.failures, 60.0)

    def _trouble(self, error: Exception) -> None:
        """Leave the source alone for a while. What it refuses of one to-do says nothing of the next call."""
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


def _change(source: Source, marker: str, todo_id: str, said: str, completed_at: datetime | None) -> str:
    """In a helper thread: what a person completed or deleted meanwhile is left alone."""
    held = next((one for one in source.find_todos(marker) if one.id == todo_id), None)
    if held is None or held.completed_at is not None:
        return ENDED_THERE
    if completed_at is not None:
        source.complete_todo(todo_id, said, completed_at)
    else:
        source.change_todo(todo_id, said)
    return WRITTEN
