"""Another app that transfers the same invoices (R61): looked up, never copied a second time, then posting pauses."""

from __future__ import annotations

from sqlalchemy import select

from domain.statuses import RunState, Status
from models import Company, Document, Pause, Run
from sync import pauses, requests
from tests.engine.test_scanning import look, press, read, switch_on
from tests.engine.world import World, invoice
from tests.tools_pages.test_manual_copy import typed_by_hand


def transferred(world: World, id: str, *, total: str = "100.00", booked: bool = True) -> None:
    """The other app posts the invoice under its number, with no marker of ours, and marks it in the source."""
    if booked:
        typed_by_hand(world, f"AT-{id}", total)
    world.source.mark_synced("invoice", id, number=None, at=world.clock.now())


def resume(world: World) -> None:
    with world.sessions() as db, db.begin():
        assert pauses.resume(db, world.company_id, world.clock.now(), "A person")


def pause(world: World) -> Pause | None:
    with world.sessions() as db:
        return pauses.current(db, world.company_id)


def test_what_was_marked_before_posting_is_looked_up_and_not_copied(any_world: World) -> None:
    world = any_world
    world.source.put(*(invoice(str(n)) for n in (1, 2, 3)))
    read(world)
    transferred(world, "1")
    transferred(world, "2", total="90.00")
    world.sync()
    rows = world.documents()
    assert (rows["1"].status, rows["1"].reason_code) == (Status.SKIPPED, "in_books_elsewhere")
    assert (rows["2"].status, rows["2"].reason_code) == (Status.FAULT, "number_taken"), "another total: a person looks"
    assert rows["3"].status == Status.COMPLETE
    assert sorted(e.number or "" for e in world.books.documents()) == ["AT-1", "AT-2", "AT-3"]
    assert pause(world) is None, "two are not a pattern"


def test_a_mark_without_a_document_is_told_and_one_taken_off_goes_on(world: World) -> None:
    world.source.put(invoice("1"), invoice("2"))
    read(world)
    transferred(world, "1", booked=False)
    transferred(world, "2", booked=False)
    read(world, press(world))
    world.source.clear_mark("invoice", "2")
    read(world)
    world.serve_until_rest()
    rows = world.documents()
    assert (rows["1"].status, rows["1"].reason_code) == (Status.SKIPPED, "marked_elsewhere")
    world.sync()
    assert world.documents()["2"].status == Status.COMPLETE


def test_a_mark_set_between_the_look_and_the_sending_is_seen(any_world: World) -> None:
    world = any_world
    world.source.put(invoice("1"))
    read(world, press(world))
    transferred(world, "1")
    world.clock.advance(180)
    world.serve_until_rest()
    assert world.documents()["1"].reason_code == "in_books_elsewhere"
    assert len(world.books.documents()) == 1 and not world.postings()


def test_after_three_posting_pauses_until_a_person_resumes(any_world: World) -> None:
    world = any_world
    switch_on(world)
    world.source.put(*(invoice(str(n)) for n in range(1, 6)))
    read(world)
    for id in ("1", "2", "3"):
        transferred(world, id)
    run = world.run(world.sync())
    begun = pause(world)
    assert begun is not None and begun.detail["numbers"] == ["AT-1", "AT-2", "AT-3"]
    posted = len(world.books.documents())
    world.source.put(invoice("6"))
    for _ in range(3):
        look(world)
    manual = world.run(world.sync())
    assert len(world.books.documents()) == posted
    assert manual.state == RunState.STOPPED and "Another app is also transferring invoices" in (manual.message or "")
    with world.sessions() as db:
        told = db.scalars(select(Run).where(Run.trigger == "schedule")).all()
    assert len([one for one in told if one.state == RunState.STOPPED]) <= 1, "the schedule says it once"
    assert run.state == RunState.STOPPED and "AT-1, AT-2, AT-3" in (run.message or ""), "what it held is taken back"
    resume(world)
    world.serve_until_rest()
    look(world)
    assert {row.status for row in world.documents().values()} == {Status.COMPLETE, Status.SKIPPED}
    assert len(world.books.documents()) == 6 and pause(world) is None
    transferred_again = invoice("7")
    world.source.put(transferred_again)
    read(world)
    transferred(world, "7")
    world.sync()
    assert pause(world) is None, "what was before the person resumed counts no more"


def test_what_a_person_releases_meanwhile_waits_and_says_so(world: World) -> None:
    world.source.put(*(invoice(str(n)) for n in range(1, 4)))
    read(world)
    with world.sessions() as db, db.begin():
        pauses.begin(db, world.company_id, pauses.ANOTHER_APP, {"numbers": ["AT-9"], "count": 3}, world.clock.now())
        first = next(iter(db.scalars(select(Document).order_by(Document.id))))
        company = db.get_one(Company, world.company_id)
        run_id = requests.ask_one(db, company, first, now=world.clock.now(), user=None).id
    world.serve_until_rest()
    assert not world.books.documents()
    assert world.run(run_id).finished_at is None and "Posting is paused" in world.run(run_id).step
    resume(world)
    world.serve_until_rest()
    assert len(world.books.documents()) == 1 and world.run(run_id).state == RunState.FINISHED
