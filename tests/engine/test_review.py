"""Review first and holds: reading hands nothing on, a release posts exactly what stood ready, a hold stands."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from domain.settings import SyncState
from domain.statuses import PostingState, RunState, Status
from models import Company, Document, Hold, Posting, Run
from sync import decisions, gather, holds, release, scheduled, settings
from tests.engine.test_run_ends import start
from tests.engine.world import World, invoice

LATER = 3600.0


def review(world: World, state: SyncState = SyncState.REVIEW) -> None:
    with world.sessions() as db, db.begin():
        settings.change(db, world.company_id, now=world.clock.now(), user=None, sync_state=state)
        db.get_one(Company, world.company_id).first_posted_at = world.clock.now()


def look(world: World) -> None:
    """The schedule's minute, and whatever follows from it."""
    world.clock.advance(LATER)
    scheduled.look(world.rt, world.company_id, world.source, lambda: world.ledger)
    world.serve_until_rest()


def let_go(world: World, *source_ids: str) -> int | None:
    """A person releases these documents (all that stand ready without any)."""
    with world.sessions() as db, db.begin():
        rows = db.scalars(select(Document).where(*release.ready(world.company_id))).all()
        chosen = [row for row in rows if not source_ids or row.source_id in source_ids]
        run = release.ask(db, db.get_one(Company, world.company_id), chosen, now=world.clock.now(), user=None)
        run_id = run.id if run is not None else None
    world.serve_until_rest()
    return run_id


def hold(world: World, source_id: str) -> bool:
    with world.sessions() as db, db.begin():
        row = db.scalars(select(Document).where(Document.source_id == source_id)).one()
        return holds.hold_document(db, row, why="waits for the order", now=world.clock.now(), who="Ada")


def end_holds(world: World) -> None:
    with world.sessions() as db, db.begin():
        for each in holds.live(db, world.company_id):
            holds.release(db, each, now=world.clock.now(), who="Ada")


def runs(world: World) -> list[Run]:
    with world.sessions() as db:
        return list(db.scalars(select(Run).order_by(Run.id)))


def test_nothing_is_posted_by_itself_and_a_release_posts_exactly_what_was_ticked(world: World) -> None:
    review(world)
    world.source.put(invoice("1"), invoice("2"), invoice("3", code="9"))
    look(world)
    found = world.documents()
    assert [found[n].reason_code for n in "12"] == ["waits_for_release"] * 2
    assert (found["3"].status, world.books.documents()) == (Status.FAULT, [])
    assert "send" not in world.books.calls
    let_go(world, "2")
    assert [entry.number for entry in world.books.documents()] == ["AT-2"]
    look(world)
    world.sync(confirmed=True)
    assert [entry.number for entry in world.books.documents()] == ["AT-2"], "Sync Now reads; only a release posts"
    let_go(world)
    assert sorted(entry.number or "" for entry in world.books.documents()) == ["AT-1", "AT-2"]
    assert let_go(world) is None


def test_the_schedule_tells_once_what_stands_ready(world: World) -> None:
    review(world)
    world.source.put(invoice("1"))
    look(world)
    look(world)
    [told] = runs(world)
    assert (told.kind, told.trigger, told.state, told.counts) == (
        "sync", "schedule", RunState.FINISHED, {Status.PENDING: 1})
    world.source.put(invoice("2"))
    look(world)
    assert [run.counts for run in runs(world)] == [{Status.PENDING: 1}, {Status.PENDING: 2}]


def test_what_changed_since_it_was_looked_at_asks_again(world: World) -> None:
    review(world)
    world.source.put(invoice("1"), invoice("2"))
    look(world)
    with world.sessions() as db, db.begin():  # the snapshot of one was read anew between look and release
        row = db.scalars(select(Document).where(Document.source_id == "1")).one()
        row.lines = row.lines.replace("Support", "Consulting")
    let_go(world)
    row = world.documents()["1"]
    assert (row.status, row.reason_code) == (Status.PENDING, "changed_since_preview")
    assert "Support → Consulting" in row.reasons[0]["params"]["what"]
    assert [entry.number for entry in world.books.documents()] == ["AT-2"]
    let_go(world)
    assert len(world.books.documents()) == 2


def test_a_customer_that_was_new_at_the_look_is_the_same_customer_at_the_release(world: World) -> None:
    review(world)
    world.source.put(invoice("1"), invoice("2"))
    look(world)
    let_go(world, "1")
    let_go(world, "2")
    assert len(world.books.documents()) == 2


def test_back_to_automatic_posts_what_stood_ready(world: World) -> None:
    review(world)
    world.source.put(invoice("1"))
    look(world)
    review(world, SyncState.ON)
    look(world)
    assert world.documents()["1"].status == Status.COMPLETE


def test_a_retry_under_review_makes_ready_and_posts_nothing(world: World) -> None:
    review(world)
    world.source.put(invoice("1", code="9"))
    look(world)
    world.source.lists = replace(world.source.lists, codes={
        **world.source.lists.codes, "9": replace(world.source.lists.codes["1"], id="9", number="NEW-9")})
    with world.sessions() as db, db.begin():
        rows = db.scalars(select(Document)).all()
        run = decisions.retry(db, db.get_one(Company, world.company_id), rows, now=world.clock.now(), user=None)
        run_id = run.id
    gather.scan(world.rt, world.company_id, world.source, world.ledger, run_id, whole=True)
    world.serve_until_rest()
    assert (world.documents()["1"].reason_code, world.books.documents()) == ("waits_for_release", [])


# ---- holds --------------------------------------------------------------------------------------------------


def test_a_held_document_is_posted_by_nothing_until_the_hold_is_released(world: World) -> None:
    world.source.put(invoice("1"), invoice("2"))
    gather.scan(world.rt, world.company_id, world.source, world.ledger, None)
    assert hold(world, "1")
    world.sync()
    world.sync()
    row = world.documents()["1"]
    assert (row.status, row.reason_code) == (Status.SKIPPED, "held")
    assert row.reasons[0]["params"]["why"] == "waits for the order"
    assert [entry.number for entry in world.books.documents()] == ["AT-2"]
    with world.sessions() as db, db.begin():
        mine = db.scalars(select(Document).where(Document.source_id == "1")).one()
        assert not decisions.unskip(db, mine, now=world.clock.now(), who="Ada"), "a hold is released, not passed by"
    end_holds(world)
    world.sync()
    assert world.documents()["1"].status == Status.COMPLETE


def test_a_hold_on_a_customer_keeps_what_comes_later_too(world: World) -> None:
    world.source.put(invoice("1"), invoice("2", party="176"))
    with world.sessions() as db, db.begin():
        holds.hold_party(
            db, world.company_id, "175", "Customer 175", why="in dispute", now=world.clock.now(), who="Ada")
    world.sync()
    world.source.put(invoice("3"))
    world.sync()
    assert [entry.number for entry in world.books.documents()] == ["AT-2"]
    assert {world.documents()[n].reason_code for n in "13"} == {"held"}
    end_holds(world)
    world.sync()
    assert len(world.books.documents()) == 3


def test_a_hold_after_the_reservation_ends_it_and_frees_its_billing_items(world: World) -> None:
    """The document is released and reserved; the hold comes before anything was sent."""
    world.source.put(invoice("1"))
    run_id = start(world)
    assert hold(world, "1")
    world.serve_until_rest()
    assert world.books.documents() == []
    assert world.run(run_id).counts == {Status.SKIPPED: 1}
    assert PostingState.NEW not in {posting.state for posting in world.postings()}


def test_a_hold_that_comes_while_it_is_sent_says_so(world: World) -> None:
    world.source.put(invoice("1"))
    world.sync()
    with world.sessions() as db, db.begin():
        row = db.scalars(select(Document)).one()
        db.get_one(Posting, row.posting_id).state = PostingState.SENDING
        row.status = Status.PROCESSING
    assert not hold(world, "1")
    with world.sessions() as db, db.begin():
        assert db.scalars(select(Hold)).all() == []
        told = holds.hold_party(
            db, world.company_id, "175", "Customer 175", why="in dispute", now=world.clock.now(), who="Ada")
    assert (told.kept, len(told.too_late)) == ((), 1)


