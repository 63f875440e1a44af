"""Closed periods through the engine: closed between plan and post, reopened, the first open day, early due dates."""

from __future__ import annotations

from datetime import date

from connectors.ledgers.base import Answer, Batch
from connectors.ledgers.memory import MemoryLedger
from domain.settings import ClosedPeriod
from domain.statuses import Flag, PostingState, Status
from sync import periods, settings
from sync.reports import csv_text, items
from tests.engine.world import World, invoice

NOVEMBER = date(2026, 11, 30)


def choose(world: World, **changes: object) -> None:
    with world.sessions() as db, db.begin():
        settings.change(db, world.company_id, now=world.clock.now(), user=None, **changes)


class Closing(MemoryLedger):
    """The books are closed after everything was planned, in the moment a batch arrives."""

    def send(self, batch: Batch) -> Answer:
        self.company.closed_through = NOVEMBER
        return super().send(batch)


def test_closed_between_plan_and_post_ends_as_the_reason_with_nothing_half_done(world: World) -> None:
    world.source.put(invoice("1"))
    world.sync()
    world.source.put(invoice("2"), invoice("3", "-50.00"))
    world.ledger = Closing(world.books)
    run_id = world.sync()
    rows = world.documents()
    assert {rows[id].reason_code for id in ("2", "3")} == {"closed_period"}
    assert [entry.number for entry in world.books.documents()] == ["AT-1"]
    assert {p.state for p in world.postings() if p.source_id in ("2", "3")} == {PostingState.REJECTED}
    assert not [p for p in world.postings() if p.marked_at and p.source_id in ("2", "3")]
    with world.sessions() as db:
        [told] = periods.sentences(items(db, run_id))
    assert told == "2 documents of November 2026 wait: the books are closed."


def test_closed_between_plan_and_post_goes_on_the_first_open_day_where_that_is_chosen(world: World) -> None:
    choose(world, closed_period=ClosedPeriod.OPEN_DAY)
    world.source.put(invoice("1"))
    world.sync()
    world.source.put(invoice("2"))
    world.ledger = Closing(world.books)
    run_id = world.sync()
    [_, kept] = world.books.documents()
    row = world.documents()["2"]
    assert (kept.number, kept.body["date"], kept.body["due"]) == ("AT-2", "2026-12-01", "2026-12-13")
    assert "dated 13 November 2026 in Autotask" in kept.body["marker"]
    assert (row.status, row.ledger_date, row.flags) == (Status.COMPLETE, date(2026, 12, 1), [Flag.REDATED])
    with world.sessions() as db:
        found = items(db, run_id)
        assert periods.sentences(found) == ["1 document of November 2026 went on 1 December 2026, the first open day."]
        assert "2026-12-01" in csv_text(found, run_id, "Books")


def test_a_reopened_period_is_noticed_by_the_next_run(world: World) -> None:
    world.books.closed_through = NOVEMBER
    world.source.put(invoice("1"))
    world.sync()
    assert world.documents()["1"].reason_code == "closed_period"
    world.books.closed_through = None
    world.clock.advance(90)
    world.sync()
    assert world.documents()["1"].status == Status.COMPLETE


def test_a_refused_due_date_is_learned_and_the_memo_says_which_it_was(world: World) -> None:
    choose(world, closed_period=ClosedPeriod.OPEN_DAY)
    world.books.closed_through, world.books.takes_early_due = date(2026, 12, 31), False
    world.source.put(invoice("1"))
    world.sync()
    [kept] = world.books.documents()
    assert (kept.body["date"], kept.body["due"]) == ("2027-01-01", "2027-01-01")
    assert "due 13 December 2026 in Autotask" in kept.body["marker"]
    assert world.documents()["1"].status == Status.COMPLETE
