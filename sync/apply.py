"""Serving a company: the one process that holds its lease sends, looks up and writes back until nothing can move.

A loop with one thread for plans, database and fence; the pool's threads do HTTP only. Before every call the next
due work is taken: look-ups, re-sends, interactive postings, creations (a barrier), documents, write-backs,
read-backs. A key stands in a committed row before the first byte is sent. Starting twice is harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.errors import NeedsReconnect, NotAllowed, NotSent, PlatformError, RetryLater
from connectors.ledgers.base import Answer, Batch, Done, Ledger, Refused, Unknown
from connectors.sources.base import Source
from domain.statuses import PostingState
from models import Attempt, Company, Posting, Run
from sync import alike, due, glance, mirror, pauses, reports, requests, stamped
from sync.attaching import AttachWork
from sync.connection import needs_reconnect, succeeded
from sync.dividing import goes, looked_at, together
from sync.documents import load as load_documents
from sync.error_mark_work import ErrorMarkWork
from sync.freeze import Freezing, Sent, by_ids
from sync.lease import FenceLost, Lease
from sync.looking import Looking
from sync.prepare import Preparation
from sync.runtime import Finished, Runtime
from sync.settings import load_invoices
from sync.settle import Settling
from sync.todo_work import TodoWork
from sync.waiting import step_while_waiting, why_not_sent
from sync.writeback import WriteBack

T = TypeVar("T")

LOOK_AGAIN = 0.25
"""Seconds until the database is asked again for work of the ledger when there was none and no answer came since."""
PREPARE_PAGE = 100
LOOKUP_PAGE = 90
ALIKE_AGAIN = 2.0
"""Seconds until bills are looked for again after the ledger did not answer."""


def serve(rt: Runtime, company_id: int, source: Source, ledger: Ledger) -> bool:
    """Serve a company until 60 s have passed or nothing can move within 2 s. False: another process does already."""
    lease = Lease.acquire(rt, company_id)
    if lease is None:
        return False
    serving = Serving(rt, lease, company_id, source, ledger)
    try:
        serving.loop()
    except FenceLost:
        serving.abandon()
        return True
    lease.release(lambda db: due.next_wake(db, company_id, lease.now(), serving.not_before()))
    with rt.sessions() as db:
        again = due.something_due(db, company_id, lease.now())
    if again:
        rt.ring(company_id)
    return True


class Serving:
    """The state of one turn of service. All of it could be lost: the database says what is true."""

    def __init__(self, rt: Runtime, lease: Lease, company_id: int, source: Source, ledger: Ledger) -> None:
        self.rt, self.lease, self.company_id = rt, lease, company_id
        self.source, self.ledger = source, ledger
        self.pool = rt.pool()
        self.ledger_free = 0.0
        self.look_at = 0.0
        self.looking: set[int] = set()
        self.mirror_stale = False
        self.profile_stale = self.references_stale = False
        self.failures = 0
        self.trouble: Exception | None = None
        """Why the ledger is left alone; None when its last answer was one."""
        self.write_back = WriteBack(rt, lease, company_id, source, self.pool)
        self.attaching = AttachWork(rt, lease, company_id, source, ledger, self.pool)
        self.todos = TodoWork(rt, lease, company_id, source, self.pool, ledger.capabilities.name)
        self.error_marks = ErrorMarkWork(rt, lease, company_id, source, self.pool)
        self.workers = (self.write_back, self.todos, self.error_marks, self.attaching)
        """What else is done beside the ledger's batches, in this order."""

    # ---- the loop -------------------------------------------------------------------------------------------

    def loop(self) -> None:
        self._adopt_abandoned()
        ends = self.rt.clock.monotonic() + self.rt.times.serve
        while True:
            self.lease.heartbeat_if_due()
            moved = self._harvest(0)
            now_over = self.rt.clock.monotonic() >= ends
            if not now_over:
                moved = self._start_something() or moved
            if moved:
                continue
            if self.pool.running:
                self._harvest(min(1.0, self.rt.times.heartbeat))
                continue
            if now_over:
                self._finish_runs()
                return
            if not self._wait_a_little():
                return

    def _wait_a_little(self) -> bool:
        """Nothing moves now: finish runs that are through, then wait for what is near. False: nothing is."""
        if self._finish_runs():
            return True
        with self.rt.sessions() as db:
            wake = due.next_wake(db, self.company_id, self.lease.now(), self.not_before())
        if wake is None:
            self._say_waiting(None)
            return False
        delay = (wake - self.lease.now()).total_seconds()
        if delay > self.rt.times.patience:
            self._say_waiting(wake)
            return False
        self.rt.pause(max(delay, 0.05))
        return True

    def not_before(self) -> due.NotBefore:
        """When each platform may be asked again, for the next wake-up."""
        mono, now = self.rt.clock.monotonic(), self.lease.now()
        return due.NotBefore(
            ledger=now + timedelta(seconds=max(0.0, self.ledger_free - mono)),
            files=now + timedelta(seconds=max(0.0, self.attaching.free_at - mono)),
            source=now + timedelta(seconds=max(0.0, self.write_back.free_at - mono)),
            todos=now + timedelta(seconds=max(0.0, self.todos.free_at - mono)),
            error_marks=now + timedelta(seconds=max(0.0, self.error_marks.free_at - mono)),
        )

    def _start_something(self) -> bool:
        with self.rt.sessions() as db:
            seen = glance.at(db, self.company_id, self.ledger.tenant, self.source.tenant)
        now = self.lease.now()
        if self.rt.clock.monotonic() >= self.look_at:
            if (seen.stopping and self._stop_runs()) or self._refresh_mirror():
                return True
            if self._ledger_ready() and self._start_with_ledger(seen, now):
                return True
            self.look_at = self.rt.clock.monotonic() + LOOK_AGAIN
        return (
            (glance.due(seen.mark, now) and self.write_back.start())
            or ((seen.todos_stirred or glance.due(seen.todo, now)) and self.todos.start())
            or ((seen.marks_stirred or glance.due(seen.error_mark, now)) and self.error_marks.start())
            or (glance.due(seen.attach, now) and self.attaching.start())
        )

    def _start_with_ledger(self, seen: glance.Glance, now: datetime) -> bool:
        """Look-ups first, then what may go."""
        sendable = seen.unprepared or any(glance.due(at, now) for at in (seen.again, seen.fresh))
        return (
            (glance.due(seen.look_up, now) and self._look_up())
            or (seen.stamped and self._look_up_stamped())
            or (sendable and self._send_something(seen))
        )

    def _ledger_ready(self) -> bool:
        busy = self.pool.running - sum(worker.running for worker in self.workers)
        return busy < self.rt.calls_in_flight and self.rt.clock.monotonic() >= self.ledger_free

    # ---- taking over ----------------------------------------------------------------------------------------

    def _adopt_abandoned(self) -> None:
        """What a dead or frozen process left in SENDING may or may not be in the ledger: it is looked up."""
        with self.lease.transaction("Looking after what was in flight") as db:
            settling = self._settling(db)
            rows = db.scalars(select(Posting).where(
                Posting.company_id == self.company_id, Posting.state == PostingState.SENDING,
                Posting.ledger_tenant == self.ledger.tenant,
            )).all()
            for posting in rows:
                settling.unknown(posting, "the process that sent it ended", wait=0)
            self.todos.adopt(db)
            self.error_marks.adopt(db)

    def _stop_runs(self) -> bool:
        """What a person stopped is taken back at once; what is in flight settles."""
        with self.rt.sessions() as db:
            asked = db.scalars(select(Run.id).where(
                Run.company_id == self.company_id, Run.stop_requested.is_(True), Run.finished_at.is_(None)
            )).all()
            asked = [run_id for run_id in asked if due.withdrawable(db, run_id)]
        if not asked:
            return False
        with self.lease.transaction("Stopping") as db:
            for run_id in asked:
                requests.withdraw(db, db.get_one(Run, run_id), self.lease.now())
        return False

    def _refresh_mirror(self) -> bool:
        """Before the next plan; calls in flight go on meanwhile. Asked again later when the ledger is away."""
        if not self.mirror_stale or self.rt.clock.monotonic() < self.ledger_free:
            return False
        self.mirror_stale = self._guarded(self._read_changes) is None
        return not self.mirror_stale

    def _read_changes(self) -> bool:
        within = timedelta(0) if self.profile_stale else mirror.DAY
        mirror.refresh(
            self.rt, self.company_id, self.ledger, None, profile_within=within, deletions=self.references_stale
        )
        self.profile_stale = self.references_stale = False
        return True

    def _note_refusals(self, settling: Settling) -> None:
        """What was planned with is no longer so: it is read again before the next plan."""
        self.profile_stale |= settling.profile_refused
        self.references_stale |= settling.references_refused
        self.mirror_stale |= settling.references_refused or settling.profile_refused

    # ---- look-ups -------------------------------------------------------------------------------------------

    def _look_up(self) -> bool:
        with self.rt.sessions() as db:
            rows = due.to_look_up(db, self.company_id, self.ledger.tenant, self.lease.now(), LOOKUP_PAGE)
            rows = [row for row in rows if row.id not in self.looking]
            if not rows:
                return False
            settling = self._settling(db)
            sought = [wanted for row in rows for wanted in settling.sought(row)]
        asked = {row.id: row.target_id for row in rows}
        self.looking.update(asked)
        self.pool.submit(Looking(asked), lambda: self.ledger.find(sought))
        return True

    def _found(self, tag: Looking, finished: Finished) -> None:
        self.looking.difference_update(tag.asked)
        if finished.error is not None:
            self._platform_trouble(finished.error)
            with self.lease.transaction() as db:
                later = self.lease.now() + timedelta(seconds=2)
                for posting in tag.still_asked(db):
                    posting.next_action_at = later
            return
        found: dict[str, Sequence[Done]] = dict(finished.value)
        with self.lease.transaction("Looking in the ledger") as db:
            settling = self._settling(db)
            for posting in tag.still_asked(db):
                key = str(posting.id)
                if posting.state == PostingState.UNKNOWN:
                    settling.looked_up(posting, found.get(key, ()), found.get(f"{key}/vendor", ()))
                elif posting.state == PostingState.NEW and posting.base_version is None:
                    settling.read(posting, found.get(key, ()))
            self._note_refusals(settling)
        self.rt.failpoint("after_look_up")

    def _look_up_stamped(self) -> bool:
        """What another program marked in the source: does the ledger have it? Rare, so asked by this thread."""
        with self.rt.sessions() as db:
            rows = stamped.to_look_up(db, self.company_id, self.source.tenant, LOOKUP_PAGE)
            if not rows:
                return False
            sought = stamped.sought(rows, load_invoices(db, self.company_id))
            ids = [row.id for row in rows]
        found = self._guarded(lambda: self.ledger.find(sought))
        if found is None:
            return False
        with self.lease.transaction("Looking for what another program marked") as db:
            stamped.settle(db, self.company_id, ids, found, load_invoices(db, self.company_id), self.lease.now())
        return True

    # ---- sending --------------------------------------------------------------------------------------------

    def _send_something(self, seen: glance.Glance) -> bool:
        """Prepare the next page, or send the next batch: full ones while more is coming."""
        members, tenant, now = self.ledger.capabilities.batch_members, self.ledger.tenant, self.lease.now()
        with self.rt.sessions() as db:
            if pauses.current(db, self.company_id) is not None:
                return False
            again = due.to_send_again(db, self.company_id, tenant, now, members) if seen.again else []
            unprepared = due.to_prepare(db, self.company_id, PREPARE_PAGE) if seen.unprepared else []
            fresh = seen.fresh is not None and not again
            wide = looked_at(self.ledger)
            new = due.to_create(db, self.company_id, tenant, now, wide) if fresh else []
            found = due.to_send(db, self.company_id, tenant, now, wide) if fresh else []
            coming = bool(unprepared) or (fresh and due.reading(db, self.company_id, now, self.rt.times.stale_run))
            unlocking = bool(found) and due.creations_open(db, self.company_id, tenant)
            alone = due.to_send_alone(db, self.company_id, tenant, now) if fresh else []
        if again:
            return self._send([p.id for p in again])
        if unprepared and unprepared[0].interactive:
            return self._prepare([row.id for row in unprepared])
        urgent = together([p for p in found if p.interactive], self.ledger)
        creations, ready = together(new, self.ledger), together(found, self.ledger)
        if urgent or (creations and creations[0].interactive):
            chosen = urgent or [p for p in creations if p.interactive]
            return self._send([p.id for p in chosen])
        if goes(creations, members, wait=coming):
            return self._send([p.id for p in creations])
        if goes(ready, members, wait=coming or unlocking):
            return self._send([p.id for p in ready])
        if unprepared:
            return self._prepare([row.id for row in unprepared])
        return self._send([p.id for p in alone], "send") if alone else False

    def _prepare(self, ids: Sequence[int]) -> bool:
        stamped.look_again(self.rt, self.lease, self.company_id, self.source, ids)
        if not alike.look(self.rt, self.lease, self.company_id, self.ledger, ids):
            self.ledger_free = self.rt.clock.monotonic() + ALIKE_AGAIN
            return False
        with self.lease.transaction("Checking documents") as db:
            now = self.lease.now()
            found = [row for _, row in sorted(load_documents(db, ids).items())]
            rows = [row for row in found if row.reason_code != stamped.CODE and row.due_at is not None]
            preparation = Preparation(db, db.get_one(Company, self.company_id), now, self.lease.fence)
            preparation.page(rows, self.ledger.capabilities)
        self.rt.failpoint("after_reserve")
        return True

    def _send(self, ids: Sequence[int], operation: str = "batch") -> bool:
        """One batch: slot, freeze, intent committed, guard, and off it goes."""
        wait = self._guarded(lambda: self.ledger.slot(operation))
        if wait is None:
            return False
        if wait > 0:
            self.ledger_free = self.rt.clock.monotonic() + wait
            return False
        with self.lease.transaction(f"Sending {len(ids)} to the ledger") as db:
            freezing = Freezing(
                db, self.ledger, self.company_id, self.lease.now(), self.lease.fence, self.rt.worker
            )
            frozen = freezing.batch(ids, self.rt.new_key())
            self.rt.failpoint("after_freeze")
        if frozen is None:
            return True
        batch, sent = frozen
        self.rt.failpoint("after_intent")
        if self.lease.remaining() < self.rt.times.write_timeout + self.rt.times.margin:
            with self.lease.transaction():
                pass
        if batch.tenant != self.ledger.tenant:
            raise FenceLost("the connection was joined to another ledger company")
        self.pool.submit(sent, lambda: self._call(batch))
        return True

    def _call(self, batch: Batch) -> Answer:
        """In a helper thread: HTTP only."""
        self.rt.failpoint("before_send")
        answer = self.ledger.send(batch)
        self.rt.failpoint("after_send")
        return answer

    # ---- answers --------------------------------------------------------------------------------------------

    def _harvest(self, seconds: float) -> bool:
        finished = self.pool.wait(seconds)
        for index, one in enumerate(finished):
            try:
                if isinstance(one.tag, Sent):
                    self._answered(one.tag, one)
                elif isinstance(one.tag, Looking):
                    self._found(one.tag, one)
            except FenceLost:
                self._keep_seen(finished[index + 1 :])
                raise
        if any(isinstance(one.tag, (Sent, Looking)) for one in finished):
            self.look_at = 0.0
        for worker in self.workers:
            if own := [one for one in finished if worker.owns(one.tag)]:
                worker.harvest(own)
        return bool(finished)

    def _answered(self, tag: Sent, finished: Finished) -> None:
        try:
            with self.lease.transaction() as db:
                self._complete_attempt(db, tag, finished)
                self._apply_answer(db, tag, finished)
        except FenceLost:
            self._keep_seen([finished])
            raise
        if finished.error is not None:
            self._platform_trouble(finished.error)
        else:
            self.failures, self.trouble = 0, None
        self.rt.failpoint("after_confirm")

    def _keep_seen(self, finished: Sequence[Finished]) -> None:
        """The fence is lost: the ids that answers brought are kept all the same."""
        for one in finished:
            if isinstance(one.tag, Sent):
                with self.rt.sessions() as db, db.begin():
                    self._complete_attempt(db, one.tag, one)

    def _apply_answer(self, db: Session, tag: Sent, finished: Finished) -> None:
        settling, error = self._settling(db), finished.error
        answer: Answer | None = finished.value
        until, zone = self._until(error), db.get_one(Company, self.company_id).time_zone
        postings = by_ids(db, [posting_id for posting_id, _ in tag.postings])
        load_documents(db, [p.document_id for p in postings if p.document_id])
        for posting in postings:
            if posting.state != PostingState.SENDING:
                continue
            outcome = answer.outcomes.get(posting.short_id or "") if answer is not None else None
            if isinstance(error, (NotSent, RetryLater, NeedsReconnect, NotAllowed)):
                settling.not_sent(posting, str(error), until, why_not_sent(error, until, self.lease.now(), zone))
            elif isinstance(outcome, Done):
                settling.done(posting, outcome, "response")
            elif isinstance(outcome, Refused):
                settling.refused(posting, outcome, len(tag.postings))
            else:
                evidence = outcome.evidence if isinstance(outcome, Unknown) else str(error or "no answer for it")
                settling.unknown(posting, evidence[:200])
        self._note_refusals(settling)
        due.tell_progress(db, self.company_id, self.lease.now())
        if answer is not None:
            succeeded(db, self.company_id, "ledger", self.lease.now())

    def _complete_attempt(self, db: Session, tag: Sent, finished: Finished) -> None:
        """Once, by its answer: ids seen are kept even when the fence was lost."""
        attempt = db.get_one(Attempt, tag.attempt_id)
        answer: Answer | None = finished.value
        attempt.finished_at = self.lease.now()
        attempt.outcome = f"{type(finished.error).__name__}: {finished.error}" if finished.error else "answered"
        if answer is None:
            return
        attempt.http_status, attempt.request_id = answer.http_status, answer.request_id
        seen: dict[str, dict[str, Any]] = {}
        for posting_id, short_id in tag.postings:
            outcome = answer.outcomes.get(short_id)
            seen[str(posting_id)] = {
                "outcome": type(outcome).__name__,
                "ledger_id": outcome.ledger_id if isinstance(outcome, Done) else None,
            }
        attempt.seen = seen

    # ---- trouble --------------------------------------------------------------------------------------------

    def _until(self, error: Exception | None) -> datetime:
        now = self.lease.now()
        if isinstance(error, RetryLater):
            return now + max(timedelta(0), error.until - self.rt.clock.now())  # by the connector's own clock
        if isinstance(error, (NeedsReconnect, NotAllowed)):
            return now + timedelta(seconds=60)
        return now + timedelta(seconds=min(2.0 ** self.failures, 30.0))

    def _platform_trouble(self, error: Exception) -> None:
        """The ledger said no, or nothing: leave it alone for a while; a lost grant is told to people."""
        self.failures += 1
        self.trouble = error
        until = self._until(error)
        self.ledger_free = self.rt.clock.monotonic() + (until - self.lease.now()).total_seconds()
        if isinstance(error, (NeedsReconnect, NotAllowed)):
            with self.lease.transaction() as db:
                needs_reconnect(db, self.company_id, "ledger", error, self.lease.now())

    def _guarded(self, call: Callable[[], T]) -> T | None:
        """A small call of this thread; trouble pauses the ledger and answers None."""
        try:
            return call()
        except PlatformError as error:
            self._platform_trouble(error)
            return None

    def _say_waiting(self, wake: datetime | None) -> None:
        """Open runs say what they wait for; without a `wake` only a pause is told."""
        with self.lease.transaction() as db:
            step = pauses.why(db, self.company_id)
            if step is None and wake is not None:
                step = step_while_waiting(self.trouble, self.not_before().ledger - self.lease.now(), wake)
            if step is not None:
                due.tell_open_runs(db, self.company_id, step[:300], self.lease.now())

    def _finish_runs(self) -> bool:
        with self.rt.sessions() as db:
            if not due.runs_through(db, self.company_id, source_blocked=self.write_back.blocked):
                return False
        with self.lease.transaction("Writing the report") as db:
            # Asked again: somebody may have joined one of them since.
            ready = due.runs_through(db, self.company_id, source_blocked=self.write_back.blocked)
            for run_id in ready:
                reports.finish_run(db, db.get_one(Run, run_id), self.lease.now())
        return bool(ready)

    def _settling(self, db: Session) -> Settling:
        return Settling(
            db, self.ledger.capabilities, self.ledger.tenant, self.lease.now(), self.lease.fence,
            self.rt.times.quarantine,
        )

    def abandon(self) -> None:
        """The fence is lost: calls in flight still end, and the ids they saw are kept."""
        while self.pool.running:
            self._keep_seen(self.pool.wait(1.0))
