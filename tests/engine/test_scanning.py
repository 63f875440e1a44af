"""Reading while other things happen: voids, edits and decisions between the look and the posting, and the schedule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from connectors.errors import Unavailable
from connectors.sources.memory import MemorySource
from domain.documents import SourceHeader
from domain.settings import Numbering, SyncState
from domain.statuses import PostingState, RunState, Status
from models import Company, Document, Outbox, Posting, Run
from sync import decisions, gather, requests, scheduled, settings
from sync.apply import Serving
from sync.lease import Lease
from tests.engine.world import World, furnish, invoice, line, make_world
from tests.infra.database import Sessions


def press(world: World) -> int:
    with world.sessions() as db, db.begin():
        company = db.get_one(Company, world.company_id)
        return requests.ask_sync(db, company, now=world.clock.now(), user=None, confirmed=True)[0].id


def read(world: World, run_id: int | None = None) -> None:
    gather.scan(world.rt, world.company_id, world.source, world.ledger, run_id)


def reserve(world: World) -> None:
    """Released documents become postings; nothing is sent."""
    lease = Lease.acquire(world.rt, world.company_id)
    assert lease is not None
    serving = Serving(world.rt, lease, world.company_id, world.source, world.ledger)
    serving._prepare([row.id for row in world.documents().values()])
    lease.release(lambda db: world.clock.now())


def switch_on(world: World, **values: object) -> None:
    with world.sessions() as db, db.begin():
        db.get_one(Company, world.company_id).first_posted_at = world.clock.now()
        settings.change(db, world.company_id, now=world.clock.now(), user=None, sync_state=SyncState.ON, **values)


def look(world: World) -> None:
    """A minute passes and the schedule looks."""
    world.clock.advance(60)
    scheduled.look(world.rt, world.company_id, world.source, lambda: world.ledger)
    world.serve_until_rest()


def runs(world: World) -> list[Run]:
    with world.sessions() as db:
        return list(db.scalars(select(Run).order_by(Run.id)))


def test_an_invoice_voided_after_it_was_reserved_is_not_posted(any_world: World) -> None:
    world = any_world
    world.source.put(invoice("1"), invoice("2"))
    read(world, press(world))
    reserve(world)
    world.source.void("1")
    world.clock.advance(700)
    gather.poll(world.rt, world.company_id, world.source)
    world.serve_until_rest()
    assert [entry.number for entry in world.books.documents()] == ["AT-2"]
    assert world.documents()["1"].status == Status.SKIPPED
    assert {p.state for p in world.postings() if p.source_id == "1"} == {PostingState.REJECTED}


def test_what_a_void_set_free_can_be_billed_again(world: World) -> None:
    item = (line("L1", "100.00"),)
    world.source.put(invoice("1", lines=item))
    read(world, press(world))
    reserve(world)
    world.source.void("1")
    world.clock.advance(700)
    gather.poll(world.rt, world.company_id, world.source)
    world.source.put(invoice("2", lines=item))
    world.serve_until_rest()
    world.sync()
    assert [entry.number for entry in world.books.documents()] == ["AT-2"]


def test_an_invoice_edited_after_it_was_reserved_is_posted_as_it_is_now(any_world: World) -> None:
    world = any_world
    world.source.put(invoice("1", "100.00"))
    run_id = press(world)
    read(world, run_id)
    reserve(world)
    world.source.put(invoice("1", "120.00"))
    gather.poll(world.rt, world.company_id, world.source)
    world.serve_until_rest()
    world.sync()
    assert [entry.total for entry in world.books.documents()] == [Decimal("120.00")]


def test_an_edit_between_release_and_reserving_is_not_a_fault(world: World) -> None:
    world.source.put(invoice("1", "100.00"))
    read(world, press(world))
    world.source.put(invoice("1", "120.00"))
    gather.poll(world.rt, world.company_id, world.source)
    world.serve_until_rest()
    assert world.documents()["1"].reason_code == "waits_for_reading"


def test_a_zero_invoice_that_gets_lines_later_is_posted(world: World) -> None:
    world.source.put(invoice("1", "0.00"))
    world.sync()
    assert world.documents()["1"].status == Status.SKIPPED
    world.source.put(invoice("1", "50.00"))
    world.sync()
    assert world.documents()["1"].status == Status.COMPLETE


def test_a_poll_with_faults_waiting_costs_one_call(world: World) -> None:
    world.source.put(invoice("1", party=None), invoice("2", number="X" * 40), invoice("3"))
    world.sync()
    world.source.hidden.add("2")
    world.clock.advance(700)
    gather.poll(world.rt, world.company_id, world.source)
    for _ in range(5):
        world.source.calls.clear()
        world.clock.advance(60)
        assert not gather.poll(world.rt, world.company_id, world.source)
        assert len(world.source.calls) <= 1, world.source.calls


def test_switching_syncing_on_posts_what_waits(world: World) -> None:
    world.source.put(invoice("1"))
    look(world)
    assert world.books.documents() == []
    switch_on(world)
    look(world)
    assert len(world.books.documents()) == 1


def test_an_idle_company_gets_no_runs_and_no_mails(world: World) -> None:
    switch_on(world)
    world.source.put(invoice("1"), invoice("2", party=None))
    look(world)
    assert len(runs(world)) == 1
    world.source.calls.clear()
    for _ in range(3):
        look(world)
    assert len(runs(world)) == 1
    assert world.source.calls == ["headers"] * 3


def test_a_schedule_above_the_limit_stops_once_and_waits_for_a_person(world: World) -> None:
    switch_on(world, run_limit=2, recipients=("books@example.com",))
    world.source.put(*(invoice(str(n)) for n in range(1, 6)))
    for _ in range(4):
        look(world)
    [run] = runs(world)
    assert (run.state, world.books.documents()) == (RunState.STOPPED, [])
    with world.sessions() as db:
        assert sorted(db.scalars(select(Outbox.kind))) == ["digest", "problems"]
    world.sync()
    assert len(world.books.documents()) == 5


def test_an_invoice_still_being_built_makes_no_run_each_minute(world: World) -> None:
    switch_on(world)
    built = invoice("1", "100.00")
    world.source.put(replace(built, lines=(line("1-1", "60.00"),)))
    for _ in range(4):
        look(world)
    assert runs(world) == []
    world.source.put(built)
    look(world)
    assert len(world.books.documents()) == 1




def test_a_person_setting_aside_wins_over_a_scan_in_course(world: World) -> None:
    world.source.put(invoice("1", party=None))
    world.sync()
    world.source.put(invoice("1"))
    gather.poll(world.rt, world.company_id, world.source)
    scan = gather.Scan(world.rt, world.company_id, world.source, world.ledger.capabilities, press(world))
    with world.sessions() as db, db.begin():
        row = db.scalars(select(Document)).one()
        assert decisions.skip(db, row, why="paid in cash", now=world.clock.now(), who="Pat")
    with world.sessions() as db:
        chosen = settings.load_invoices(db, world.company_id)
    row = world.documents()["1"]
    scan._read_lines([world.source.contents["1"].header], chosen)
    scan._judge([row.id], chosen)
    assert world.documents()["1"].reason_code == "skipped_by_person"


def retry(world: World, source_id: str) -> int:
    with world.sessions() as db, db.begin():
        row = db.scalars(select(Document).where(Document.source_id == source_id)).one()
        company = db.get_one(Company, world.company_id)
        return decisions.retry(db, company, [row], now=world.clock.now(), user=None).id


class FailingSource(MemorySource):
    """The source goes away after the first page of lines."""

    def documents(self, headers: Sequence[SourceHeader]):  # type: ignore[no-untyped-def]
        if "documents" in self.calls:
            raise Unavailable("Autotask is not answering properly (status 503).", platform="Autotask")
        yield from super().documents(headers)


def test_a_run_read_in_part_posts_that_part_and_says_so(world: World) -> None:
    world.source.put(*(invoice(str(n)) for n in range(1, 151)))
    failing = FailingSource(world.source.tenant)
    failing.contents, failing.companies, failing.lists = (
        world.source.contents, world.source.companies, world.source.lists)
    world.source = failing
    run = world.run(world.sync())
    assert run.state == RunState.PROBLEMS
    assert "503" in (run.message or "")
    assert len(world.books.documents()) == 100


def test_reading_ends_when_a_person_stops_the_run(world: World) -> None:
    world.source.put(*(invoice(str(n)) for n in range(1, 501)))
    run_id = press(world)
    with world.sessions() as db, db.begin():
        requests.stop(db, db.get_one(Run, run_id), now=world.clock.now(), user=None)
    read(world, run_id)
    assert world.source.calls.count("documents") <= 1
    world.serve_until_rest()
    assert world.run(run_id).state == RunState.STOPPED


@pytest.mark.parametrize("mode", [Numbering.LEDGER, Numbering.SOURCE])
def test_the_mark_that_counts_depends_on_who_numbers(sessions: Sessions, mode: Numbering) -> None:
    """Retry asks by id: only the field that means "synced" in this numbering sets a document aside."""
    world = make_world(sessions, numbering=mode)
    furnish(world)
    world.books.own_numbers = mode is not Numbering.LEDGER
    world.source.put(invoice("1", party=None))
    header = world.source.contents["1"].header
    marked = replace(header, number=None if mode is Numbering.LEDGER else "AT-1")
    world.source.contents["1"] = replace(world.source.contents["1"], header=marked)
    world.sync()
    assert world.documents()["1"].reason_code == "no_customer"
    marked = replace(marked, party_id="175", marked_at=world.clock.now())
    world.source.contents["1"] = replace(world.source.contents["1"], header=marked)
    read(world, retry(world, "1"))
    world.serve_until_rest()
    expected = Status.COMPLETE if mode is Numbering.LEDGER else Status.SKIPPED
    assert world.documents()["1"].status == expected


def test_postings_are_found_once_for_both_databases(any_world: World) -> None:
    world = any_world
    world.source.put(*(invoice(str(n), party=str(175 + n % 3)) for n in range(1, 66)))
    run = world.run(world.sync())
    assert (run.state, run.counts) == (RunState.FINISHED, {Status.COMPLETE: 65})
    with world.sessions() as db:
        open_ = select(func.count()).select_from(Posting).where(Posting.state != PostingState.DONE)
        assert db.execute(open_).scalar_one() == 0


def test_what_may_be_in_the_books_is_looked_up_before_it_is_posted_again(world: World) -> None:
    """A credit memo's number is not checked by the ledger: set aside and brought back, it must not become two."""
    world.source.put(invoice("1", "-40.00"))
    world.sync()
    with world.sessions() as db, db.begin():  # as when its answer was lost and look-ups did not show it
        row = db.scalars(select(Document)).one()
        posting = db.get_one(Posting, row.posting_id)
        posting.state, posting.ledger_id, row.status, row.ledger_id = PostingState.NEEDS_HUMAN, None, Status.FAULT, None
        header = replace(world.source.contents["1"].header, marked_at=None)
        world.source.contents["1"] = replace(world.source.contents["1"], header=header)
    with world.sessions() as db, db.begin():
        row = db.scalars(select(Document)).one()
        assert decisions.skip(db, row, why="wait", now=world.clock.now(), who="Pat")
        assert decisions.unskip(db, row, now=world.clock.now(), who="Pat")
    world.sync()
    assert len(world.books.documents()) == 1
    assert world.documents()["1"].status == Status.COMPLETE


@pytest.mark.parametrize("seen_by", ["a run", "the schedule"])
def test_what_was_pending_and_is_voided_in_the_source_stands_in_the_next_report_once(
    world: World, seen_by: str
) -> None:
    furnish(world)
    world.source.put(invoice("1", party=None), invoice("2"))
    first = press(world) if seen_by == "a run" else None
    read(world, first)
    world.serve_until_rest()
    world.source.void("1", world.clock.now())
    told = []
    for _ in range(2):
        world.clock.advance(3600)
        run_id = press(world)
        read(world, run_id)
        world.serve_until_rest()
        told.append(dict(world.run(run_id).counts or {}))
    expected = {Status.SKIPPED: 1} if seen_by == "a run" else {Status.SKIPPED: 1, Status.COMPLETE: 1}
    assert told == [expected, {}]
    with world.sessions() as db:
        assert db.scalars(select(Document.reason_code).where(Document.source_id == "1")).one() == "voided_in_source"
