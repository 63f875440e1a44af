"""Runs end, whatever happens in the middle: the turn is over, a person stops, a connection is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connectors.errors import NeedsReconnect
from connectors.ledgers.base import Answer, Batch
from connectors.ledgers.memory import MemoryLedger
from connectors.sources.base import Mark
from connectors.sources.memory import MemorySource
from domain.statuses import PostingState, RunState, Status
from models import Company, CompanyLease, Posting, Run
from sync import gather, lease, requests
from sync.apply import serve
from sync.runtime import Finished
from sync.waiting import without_connection
from tests.engine.world import InlinePool, World, invoice


def start(world: World) -> int:
    """A press on Sync Now, read to the end, nothing served yet."""
    with world.sessions() as db, db.begin():
        run, _ = requests.ask_sync(
            db, db.get_one(Company, world.company_id), now=world.clock.now(), user=None, confirmed=True
        )
        run_id = run.id
    gather.scan(world.rt, world.company_id, world.source, world.ledger, run_id)
    return run_id


class SlowSource(MemorySource):
    """Reading the marks back takes the rest of a turn of service."""

    def __init__(self, world: World) -> None:
        super().__init__(world.source.tenant)
        self.contents, self.companies, self.lists = world.source.contents, world.source.companies, world.source.lists
        self.world = world

    def marks(self, kind: str, ids: Sequence[str]) -> list[Mark]:
        self.world.clock.advance(self.world.rt.times.serve + 1)
        return super().marks(kind, ids)


def test_a_run_whose_last_work_ends_with_the_turn_is_finished(world: World) -> None:
    world.source.put(invoice("1"))
    run_id = start(world)
    world.source = SlowSource(world)
    world.serve_until_rest()
    assert world.run(run_id).state == RunState.FINISHED


def test_a_stop_holds_with_several_calls_in_flight(world: World) -> None:
    world.rt = replace(world.rt, calls_in_flight=4, pool=BusyPool)
    world.source.put(*(invoice(str(n)) for n in range(1, 301)))
    run_id = start(world)
    stopping = StoppingLedger(world, run_id)
    world.ledger = stopping
    world.serve_until_rest()
    run = world.run(run_id)
    assert run.state == RunState.STOPPED
    assert len(world.books.documents()) <= 4 * 30
    assert {d.status for d in world.documents().values()} == {Status.COMPLETE, Status.PENDING}


@dataclass
class BusyPool(InlinePool):
    """Keeps four calls in flight: answers come one at a time, and only when there is nothing else to do."""

    def wait(self, seconds: float) -> list[Finished]:
        if not self.done or (seconds <= 0 and len(self.done) < 4):
            return []
        return [self.done.pop(0)]


def test_four_calls_in_flight_give_the_same_books(world: World) -> None:
    world.rt = replace(world.rt, calls_in_flight=4, pool=BusyPool)
    world.source.put(*(invoice(str(n), party=str(175 + n % 3), code=str(1 + n % 2)) for n in range(1, 200)))
    run = world.run(world.sync())
    assert (run.state, run.counts) == (RunState.FINISHED, {Status.COMPLETE: 199})
    assert sorted(entry.number for entry in world.books.documents()) == sorted(f"AT-{n}" for n in range(1, 200))


class StoppingLedger(MemoryLedger):
    """A person presses Stop while the first documents are on their way."""

    def __init__(self, world: World, run_id: int) -> None:
        super().__init__(world.books)
        self.world, self.run_id = world, run_id

    def send(self, batch: Batch) -> Answer:
        answer = super().send(batch)
        with self.world.sessions() as db, db.begin():
            run = db.get_one(Run, self.run_id)
            if self.world.books.documents() and not run.stop_requested:
                requests.stop(db, run, now=self.world.clock.now(), user=None)
        return answer


class LostLedger(MemoryLedger):
    """The grant was revoked: every send is refused before anything is written."""

    def send(self, batch: Batch) -> Answer:
        self.company.calls.append("send")
        raise NeedsReconnect("QuickBooks no longer accepts this connection. Connect again.", platform="QuickBooks")


def test_a_lost_connection_is_told_and_the_run_goes_on_after_reconnecting(world: World) -> None:
    world.source.put(invoice("1"), invoice("2"))
    run_id = start(world)
    whole, world.ledger = world.ledger, LostLedger(world.books)
    serve(world.rt, world.company_id, world.source, world.ledger)
    run = world.run(run_id)
    assert "QuickBooks limit" not in run.step
    assert "connect" in run.step.lower()
    assert run.finished_at is None
    world.ledger = whole
    world.clock.advance(120)
    world.serve_until_rest()
    assert world.run(run_id).state == RunState.FINISHED
    assert len(world.books.documents()) == 2


def test_documents_say_that_they_wait_for_the_connection(world: World) -> None:
    world.source.put(invoice("1"))
    world.sync()
    world.source.put(invoice("2"))
    start(world)
    serve(world.rt, world.company_id, world.source, LostLedger(world.books))
    assert world.documents()["2"].reason_code == "reconnect"


def test_a_creation_that_needs_a_person_does_not_hold_runs_for_ever(world: World) -> None:
    world.source.put(invoice("1"))
    world.sync()
    with world.sessions() as db, db.begin():
        company = db.get_one(Company, world.company_id)
        db.add(Posting(
            company_id=company.id, ledger_tenant=company.ledger_tenant, source_tenant=company.source_tenant,
            kind="customer", source_id="176", operation="create", part="", generation=1, ledger_kind="customer",
            state=PostingState.NEEDS_HUMAN, draft={"key": "176", "name": "Customer 176"}, sends=12, lookups=40,
            created_at=world.clock.now(), changed_at=world.clock.now(),
        ))
    world.source.put(invoice("2", party="176"))
    run = world.run(world.sync())
    assert run.finished_at is not None
    assert world.documents()["2"].status == Status.COMPLETE


def wake(world: World) -> datetime | None:
    with world.sessions() as db:
        return db.get_one(CompanyLease, world.company_id).wake_at


def test_without_a_connection_a_run_says_so_and_goes_on_later(any_world: World) -> None:
    world = any_world
    world.source.put(invoice("1"))
    run_id = start(world)
    assert without_connection(world.rt, world.company_id, "Autotask is not connected.", again_s=300)
    run = world.run(run_id)
    assert (run.finished_at, run.step) == (None, "Waiting for the connection: Autotask is not connected.")
    assert wake(world) == world.clock.now() + timedelta(seconds=300), "no bell in the meantime"
    with world.sessions() as db, db.begin():
        lease.wake(db, world.company_id, world.clock.now())
    world.serve_until_rest()
    assert world.run(run_id).state == RunState.FINISHED


def test_a_stopped_run_ends_without_a_connection(world: World) -> None:
    world.source.put(invoice("1"))
    run_id = start(world)
    with world.sessions() as db, db.begin():
        requests.stop(db, db.get_one(Run, run_id), now=world.clock.now(), user=None)
    without_connection(world.rt, world.company_id, "QuickBooks is not connected.", again_s=300)
    assert world.run(run_id).state == RunState.STOPPED
    assert world.documents()["1"].reason_code == "run_stopped"
    assert wake(world) is None
