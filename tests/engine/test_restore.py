"""The drill: back up, go on posting, restore, and let the reconciliation set posting free. SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from connectors.errors import RetryLater
from connectors.ledgers.base import Answer, Batch, Kind, LedgerFault, Refusal, Refused
from connectors.ledgers.memory import MemoryLedger
from connectors.sources.base import Source
from domain.statuses import PostingState, Status
from models import Company, Document, MirrorState, Outbox, Pause, Posting, Run, make_engine, make_sessions
from sync import decisions, gather, installation, pauses, reconciling, settings, tools
from sync.apply import serve
from tests.engine import test_orders as orders
from tests.engine.test_orders import bought
from tests.engine.test_reconciling import _forget as forget
from tests.engine.world import World, furnish, invoice, make_world
from tests.infra.database import with_tables
from tools import backup

__all__ = ["bought"]


class Kept:
    """What remembers the beats outside the database, such as Redis."""

    def __init__(self) -> None:
        self.beats: dict[str, int] = {}

    def last(self, key: str) -> int | None:
        return self.beats.get(key)

    def remember(self, key: str, beat: int) -> None:
        self.beats[key] = beat


def test_after_a_restore_nothing_is_posted_twice_and_posting_waits_for_the_reconciliation(
    database_url: str, tmp_path: Path
) -> None:
    world, kept = _posted_a_month(database_url), Kept()
    installation.check(world.sessions, [kept], world.clock.now())
    saved = tmp_path / "saved"
    backup.make(database_url, saved)
    with pytest.raises(backup.BackupError):
        backup.make(database_url, saved)
    installation.beat(world.sessions, [kept], world.clock.now())
    # What is posted now is in no backup: an invoice under our number, and a credit whose number nobody checks. The
    # marks of both are lost, so that the source offers them again.
    world.source.put(invoice("4"), invoice("5", "-60.00"))
    world.clock.advance(120)
    world.sync()
    for id in ("4", "5"):
        world.source.clear_mark("invoice", id)
    books = {entry.id for entry in world.books.documents()}
    assert len(books) == 5
    world.sessions.kw["bind"].dispose()

    backup.restore(database_url, saved)
    assert installation.check(world.sessions, [kept], world.clock.now()) is True
    world.sync()
    assert {entry.id for entry in world.books.documents()} == books, "nothing goes while posting is paused"

    run_id = _reconcile(world)
    assert world.run(run_id).summary["counts"]["orphan"] == 2
    with world.sessions() as db:
        assert pauses.current(db, world.company_id) is None
    world.sync()
    assert {entry.id for entry in world.books.documents()} == books, "what was there is taken over"
    with world.sessions() as db:
        rows = db.scalars(select(Document)).all()
        assert {row.status for row in rows} == {Status.COMPLETE}
        assert db.scalars(select(Pause)).one().ended_by == "the reconciliation"
    assert world.run(_reconcile(world)).summary["green"] is True


class Refuses(MemoryLedger):
    """Every creation is refused."""

    def send(self, batch: Batch) -> Answer:
        no = Refused((LedgerFault(Refusal.OTHER, "6000", "Not now."),))
        return Answer({member.short_id: no for member in batch.members}, None, None)


class Full(MemoryLedger):
    """Its limit is reached: what was frozen for it stays frozen."""

    def send(self, batch: Batch) -> Answer:
        raise RetryLater("the limit of the day", self.company.clock() + timedelta(hours=1))


def _reserved(world: World) -> None:
    orders.reserve_only(world)


def _frozen(world: World) -> None:
    world.ledger = Full(world.books)
    orders.released(world)
    serve(world.rt, world.company_id, world.source, world.ledger)


def _goes_on_reading(leave: Callable[[World], None]) -> Callable[[World], None]:
    """By a run that goes on reading: the pause of the restore does not end it."""
    def left(world: World) -> None:
        leave(world)
        with world.sessions() as db, db.begin():
            db.scalars(select(Run).where(Run.finished_at.is_(None))).one().phase = "reading"

    return left


def _refused(world: World) -> None:
    world.ledger = Refuses(world.books)
    orders.sync(world)


@pytest.mark.parametrize(("leave", "state"), [
    (_reserved, PostingState.NEW), (_goes_on_reading(_reserved), PostingState.NEW), (_frozen, PostingState.READY),
    (_goes_on_reading(_frozen), PostingState.READY), (_refused, PostingState.REJECTED),
], ids=["reserved", "reserved, reading", "frozen", "frozen, reading", "refused"])  # fmt: skip
def test_what_the_backup_holds_as_not_sent_is_looked_up_before_it_goes(
    bought: World, tmp_path: Path, leave: Callable[[World], None], state: PostingState
) -> None:
    """A bill, whose number nobody checks: what was done after the backup is in the ledger alone."""
    world, url = bought, str(bought.sessions.kw["bind"].url)
    orders.put(world, "400")
    orders.sync(world)  # its vendor and item exist
    orders.put(world, "411")
    leave(world)
    assert [one.state for one in world.postings() if one.source_id == "411"] == [state]
    saved = tmp_path / "saved"
    backup.make(url, saved)
    world.ledger = MemoryLedger(world.books)
    world.clock.advance(4000)
    if state == PostingState.REJECTED:
        _retry(world, "411")
    orders.sync(world)
    books = [entry.id for entry in orders.bills(world)]
    assert len(books) == 2
    world.books.forget_replays()
    world.source.clear_mark("purchase_order", "411")
    world.sessions.kw["bind"].dispose()

    backup.restore(url, saved)
    with world.sessions() as db, db.begin():
        pauses.begin(db, world.company_id, pauses.RESTORED, {}, world.clock.now())
    world.serve_until_rest()
    assert world.run(_reconcile(world)).summary["counts"]["orphan"] == 1
    with world.sessions() as db:
        assert pauses.current(db, world.company_id) is None
    if state == PostingState.REJECTED:
        _retry(world, "411")
    world.serve_until_rest()
    orders.sync(world)
    assert [entry.id for entry in orders.bills(world)] == books
    assert (orders.row(world, "411").status, orders.row(world, "411").ledger_id) == (Status.COMPLETE, books[1])
    with world.sessions() as db:
        assert db.get_one(MirrorState, world.company_id).unknown_in_ledger == {}, "it is looked for once"


def _retry(world: World, id: str) -> None:
    with world.sessions() as db, db.begin():
        row = db.scalars(select(Document).where(Document.source_id == id)).one()
        run = decisions.retry(db, db.get_one(Company, world.company_id), [row], now=world.clock.now(), user=None)
        run_id = run.id
    gather.scan(world.rt, world.company_id, world.source, world.ledger, run_id)
    world.serve_until_rest()


def _forgotten(world: World, id: str) -> None:
    """The backup holds nothing of the document, and its mark is lost."""
    world.source.clear_mark("invoice", id)
    forget(world)


def _unsettled(world: World, id: str) -> None:
    """The backup is of the moment between the call and its answer: the posting stands as sent."""
    world.source.clear_mark("invoice", id)
    with world.sessions() as db, db.begin():
        posting = db.scalars(select(Posting).where(Posting.source_id == id)).one()
        posting.state, posting.ledger_id, posting.ledger_number = PostingState.SENDING, None, None
        posting.marked_at = posting.confirmed_by = None
        row = db.get_one(Document, posting.document_id)
        row.status, row.ledger_id, row.ledger_number, row.completed_at = Status.PROCESSING, None, None, None


@pytest.mark.parametrize("left", [_forgotten, _unsettled])
@pytest.mark.parametrize("total", ["100.00", "-50.00"], ids=["invoice", "credit"])
def test_a_copy_that_a_bookkeeper_renumbered_is_found_by_its_marker(
    world: World, left: Callable[[World, str], None], total: str
) -> None:
    """Its number is another one by now, so that neither a look-up by number nor the ledger's own check finds it."""
    world.source.put(invoice("9", total))
    world.sync()
    [copy] = world.books.documents()
    left(world, "9")
    world.books.forget_replays()
    copy.number, copy.body["number"], copy.version = "BK-77", "BK-77", copy.version + 1
    with world.sessions() as db, db.begin():
        pauses.begin(db, world.company_id, pauses.RESTORED, {}, world.clock.now())
    if left is _forgotten:
        world.release()
    _reconcile(world)
    world.clock.advance(600)
    world.sync()
    assert world.books.documents() == [copy]
    row = world.documents()["9"]
    assert (row.status, row.ledger_id, row.ledger_number) == (Status.COMPLETE, copy.id, "BK-77")
    assert world.run(_reconcile(world)).summary["green"] is True


def test_what_was_posted_and_marked_after_the_backup_is_read_again_by_its_number_and_taken_over(world: World) -> None:
    """Its mark stands in the source, so that no list of unsynced invoices shows it ever again."""
    world.source.put(invoice("1"), invoice("2", "-50.00"), invoice("3"))
    world.sync()
    forget(world)
    books = world.books.documents()
    with world.sessions() as db, db.begin():
        pauses.begin(db, world.company_id, pauses.RESTORED, {}, world.clock.now())
    world.sync()
    assert world.documents() == {}
    counts = world.run(_reconcile(world, world.source)).summary["counts"]
    assert counts["orphan"] == 3
    with world.sessions() as db:
        assert pauses.current(db, world.company_id) is None, "each is looked up before anything of it is sent"
    world.sync()
    assert world.books.documents() == books
    assert {row.status for row in world.documents().values()} == {Status.COMPLETE}
    assert world.run(_reconcile(world, world.source)).summary["green"] is True


def test_a_company_whose_first_posting_the_backup_does_not_know_waits_too(world: World) -> None:
    world.source.put(invoice("1", "-50.00"))
    world.sync()
    copy = world.books.documents()
    forget(world)
    world.source.clear_mark("invoice", "1")
    assert installation.check(world.sessions, [], world.clock.now(), said=True)
    world.sync()
    assert world.books.documents() == copy
    with world.sessions() as db, db.begin():
        assert reconciling.claim_due(db, world.clock.now()) == [world.company_id]
    _reconcile(world)
    world.sync()
    assert world.books.documents() == copy and world.documents()["1"].ledger_id == copy[0].id
    world.clock.advance(timedelta(days=2).total_seconds())
    with world.sessions() as db, db.begin():
        assert reconciling.claim_due(db, world.clock.now()) == [], "nothing was posted by the first posting's own page"


def test_a_number_that_another_invoice_bears_is_nobodys_copy(world: World) -> None:
    """The ledger holds something under a marker of ours that belongs to no invoice of this number."""
    world.source.put(invoice("1"))
    world.sync()
    [copy] = world.books.documents()
    world.books._store(Kind.INVOICE, {**copy.body, "marker": "x ref:ZZZZZZZZ", "number": "AT-2"})
    world.source.put(invoice("2"))
    _reconcile(world, world.source)
    assert set(world.documents()) == {"1"}


def test_while_posting_waits_the_comparison_is_repeated_ever_later_and_told_once(world: World) -> None:
    world.source.put(invoice("1"))
    world.sync()
    world.books.void(world.books.documents()[0].id)
    with world.sessions() as db, db.begin():
        pauses.begin(db, world.company_id, pauses.RESTORED, {}, world.clock.now())
        db.get_one(Company, world.company_id).first_posted_at = world.clock.now()
        settings.change(db, world.company_id, now=world.clock.now(), user=None, recipients=("books@msp.example",))
    waits, began = [], world.clock.now()
    for _ in range(4):
        with world.sessions() as db, db.begin():
            [company_id] = reconciling.claim_due(db, world.clock.now())
            run_id = reconciling.ask_by_schedule(db, company_id, world.clock.now())
        assert run_id is not None
        _carry(world, run_id)
        with world.sessions() as db:
            due = db.get_one(Company, world.company_id).reconcile_at
        assert due is not None
        waits.append((due - world.clock.now()).total_seconds() / 60)
        world.clock.instant = due
    assert waits == [10, 10, 10, 15] and world.clock.now() - began == timedelta(minutes=45)
    with world.sessions() as db:
        assert len(db.scalars(select(Outbox).where(Outbox.run_id.is_not(None), Outbox.kind.like("tool%"))).all()) == 1


@pytest.mark.parametrize(("restored", "waits"), [(False, [60, None]), (True, [10, 10])])
def test_a_comparison_that_failed_does_not_wait_for_the_next_night(
    world: World, restored: bool, waits: list[float | None]
) -> None:
    """Once more after an hour; while posting waits for it, as long as it takes."""
    with world.sessions() as db, db.begin():
        if restored:
            pauses.begin(db, world.company_id, pauses.RESTORED, {}, world.clock.now())
    for wait in waits:
        night = reconciling.next_night(world.clock.now(), "UTC")
        with world.sessions() as db, db.begin():
            db.get_one(Company, world.company_id).reconcile_at = night
            run_id = reconciling.ask_by_schedule(db, world.company_id, world.clock.now())
        assert run_id is not None
        tools.fail(world.rt, run_id, "QuickBooks did not answer.")
        with world.sessions() as db, db.begin():
            reconciling.ended(db, run_id, world.clock.now())
            due = db.get_one(Company, world.company_id).reconcile_at
        assert due == (night if wait is None else world.clock.now() + timedelta(minutes=wait))


def test_what_the_ledger_holds_of_it_as_another_kind_of_document_waits_for_a_person(world: World) -> None:
    world.source.put(invoice("1"))
    world.sync()
    world.source.clear_mark("invoice", "1")
    forget(world)
    [copy] = world.books.documents()
    copy.kind = Kind.CREDIT_MEMO
    _reconcile(world)
    world.sync()
    assert world.books.documents() == [copy]
    row = world.documents()["1"]
    assert (row.status, row.reason_code) == (Status.FAULT, "echo_differs")
    assert row.reasons[0]["params"]["what"] == "credit memo instead of invoice"


def test_a_copy_that_is_gone_when_it_is_looked_for_is_made_once(bought: World) -> None:
    """The reconciliation saw it, a bookkeeper deleted it: it is looked for once and then posted as ever."""
    world = bought
    orders.put(world, "411")
    orders.sync(world)
    [copy] = orders.bills(world)
    world.source.clear_mark("purchase_order", "411")
    forget(world, "purchase_order")
    assert _reconcile(world)
    world.books.void(copy.id)
    for _ in range(3):
        orders.sync(world)
        world.clock.advance(600)
    assert len(orders.bills(world)) == 1 and orders.row(world, "411").status == Status.COMPLETE


def _posted_a_month(url: str) -> World:
    world = make_world(make_sessions(with_tables(url)))
    furnish(world)
    world.source.put(invoice("1"), invoice("2"), invoice("3", "-20.00"))
    world.sync()
    with world.sessions() as db, db.begin():
        db.get_one(Company, world.company_id).first_posted_at = world.clock.now()
        assert db.get_one(MirrorState, world.company_id).unknown_in_ledger is None
    return world


def _reconcile(world: World, source: Source | None = None) -> int:
    with world.sessions() as db, db.begin():
        run, _ = tools.ask(
            db, db.get_one(Company, world.company_id), reconciling.KIND, {}, now=world.clock.now(), user=None
        )
        db.flush()
        run_id = run.id
    _carry(world, run_id, source)
    return run_id


def _carry(world: World, run_id: int, source: Source | None = None) -> None:
    tools.carry(
        world.rt, run_id, lambda kind: reconciling.read(world.rt, world.company_id, world.ledger, run_id, source)
    )


def test_a_backup_that_is_not_there_changes_nothing(database_url: str, tmp_path: Path) -> None:
    make_world(make_sessions(with_tables(database_url)))
    with pytest.raises(backup.BackupError):
        backup.restore(database_url, tmp_path / "missing")
    with make_sessions(make_engine(database_url))() as db:
        assert db.scalars(select(Company)).all()
