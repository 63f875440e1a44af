"""Invoices voided in the source after they were posted: noticed, voided or kept, and billed again only afterwards."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import func, select

from domain.settings import SyncState
from domain.statuses import Flag, RunState, Status
from models import Company, Document, Run
from sync import reissues, scheduled, voids
from tests.engine.world import World, furnish, invoice, line, make_world

ITEMS = (line("77", "100.00"),)


def decide(world: World, what: str) -> bool:
    with world.sessions() as db, db.begin():
        row = db.scalars(select(Document).where(Document.source_id == "1")).one()
        if what == "void":
            return voids.void(db, row, now=world.clock.now(), who="Robin")
        return voids.keep(db, row, why="the customer pays it", now=world.clock.now(), who="Robin")


def post_anyway(world: World, id: str) -> bool:
    with world.sessions() as db, db.begin():
        row = db.scalars(select(Document).where(Document.source_id == id)).one()
        return reissues.allow(db, row, why="both are owed", now=world.clock.now(), who="Robin")


def voided(world: World) -> None:
    world.source.put(invoice("1", lines=ITEMS))
    world.sync()
    world.source.void("1", world.clock.now())


def told(world: World, id: str) -> tuple[str, str | None]:
    row = world.documents()[id]
    return row.status, row.reason_code


def live(world: World) -> list[str | None]:
    return [entry.number for entry in world.books.documents()]


def test_the_void_goes_before_the_invoice_that_bills_its_items_again(any_world: World) -> None:
    world = any_world
    voided(world)
    world.source.put(invoice("2", lines=ITEMS))
    world.sync()
    assert told(world, "1") == (Status.FAULT, "voided_open")
    assert told(world, "2") == (Status.PENDING, "reissue_waits")
    assert world.documents()["2"].reissue_of == world.documents()["1"].id
    assert live(world) == ["AT-1"]
    assert decide(world, "void")
    world.serve_until_rest()
    assert (world.documents()["1"].status, world.documents()["1"].flags) == (Status.COMPLETE, [Flag.VOIDED])
    assert told(world, "2") == (Status.PENDING, "waits_for_sync")
    world.sync()
    assert live(world) == ["AT-2"]
    assert told(world, "1") == (Status.COMPLETE, None)


def test_what_is_kept_stays_and_its_items_stay_taken(world: World) -> None:
    voided(world)
    world.sync()
    assert decide(world, "keep") and not decide(world, "void")
    world.source.put(invoice("2", lines=ITEMS))
    world.sync()
    assert (world.documents()["1"].status, world.documents()["1"].flags) == (Status.COMPLETE, [Flag.KEPT])
    assert told(world, "2") == (Status.FAULT, "reissue_kept")
    assert live(world) == ["AT-1"]
    assert post_anyway(world, "2")
    world.sync()
    assert live(world) == ["AT-1", "AT-2"]
    assert world.documents()["2"].reissue_allowed["why"] == "both are owed"


def test_keeping_the_old_one_asks_about_the_one_that_waited(world: World) -> None:
    voided(world)
    world.source.put(invoice("2", lines=ITEMS))
    world.sync()
    assert decide(world, "keep")
    assert told(world, "2") == (Status.FAULT, "reissue_kept")


def test_new_item_ids_are_asked_about_by_customer_and_total(world: World) -> None:
    voided(world)
    world.source.put(
        invoice("2", lines=(line("78", "100.00"),), created_at=world.clock.now()),
        invoice("3", "90.00", created_at=world.clock.now()), invoice("4", created_at=world.clock.now(), party="176"),
    )
    world.clock.advance(600)
    world.sync()
    assert told(world, "2") == (Status.FAULT, "reissue_like") and not post_anyway(world, "3")
    assert live(world) == ["AT-1", "AT-3", "AT-4"]
    assert decide(world, "void")
    world.serve_until_rest()
    assert told(world, "2") == (Status.PENDING, "waits_for_sync")
    world.sync()
    assert live(world) == ["AT-3", "AT-4", "AT-2"]
    with world.sessions() as db:
        rows = {row.source_id: row for row in db.scalars(select(Document))}
        assert reissues.chain(db, rows["1"]) == ([], [rows["2"]])
        assert reissues.chain(db, rows["2"]) == ([rows["1"]], [])


def test_a_paid_one_is_voided_only_with_the_amount_in_view(world: World) -> None:
    voided(world)
    [entry] = world.books.documents()
    world.books.pay(entry.id, "40.00")
    world.sync()
    assert decide(world, "void")
    world.serve_until_rest()
    assert told(world, "1") == (Status.FAULT, "void_paid")
    world.books.pay(entry.id, "60.00")  # more is paid while the person thinks
    assert decide(world, "void")
    world.serve_until_rest()
    assert told(world, "1") == (Status.FAULT, "void_paid") and entry.live
    assert decide(world, "void")
    world.serve_until_rest()
    assert not entry.live and world.documents()["1"].flags == [Flag.VOIDED]


def test_what_lines_and_header_said_when_it_was_posted_stays(world: World) -> None:
    voided(world)
    for _ in range(2):
        world.clock.advance(1200)
        world.sync()
    row = world.documents()["1"]
    assert (row.status, row.lines is not None, row.ledger_total) == (Status.FAULT, True, Decimal("100.00"))


def test_with_yes_unpaid_ones_are_voided_by_themselves_and_paid_ones_ask(sqlite_url: str) -> None:
    world = make_world(sqlite_url, voids="void", sync_state=SyncState.ON)
    furnish(world)
    for id in ("1", "2"):
        world.source.put(invoice(id))
    world.sync()
    paid = next(entry for entry in world.books.documents() if entry.number == "AT-2")
    world.books.pay(paid.id, "10.00")
    for id in ("1", "2"):
        world.source.void(id, world.clock.now())
    run_id = world.sync()
    assert live(world) == ["AT-2"]
    assert (world.documents()["1"].status, world.documents()["1"].flags) == (Status.COMPLETE, [Flag.VOIDED])
    assert told(world, "2") == (Status.FAULT, "void_paid")
    assert world.run(run_id).state == RunState.PROBLEMS  # the run tells of both, and waited for them


def test_an_idle_schedule_looks_for_voids_every_ten_minutes(sqlite_url: str) -> None:
    world = make_world(sqlite_url, sync_state=SyncState.ON)
    furnish(world)
    voided(world)
    with world.sessions() as db, db.begin():
        db.get_one(Company, world.company_id).first_posted_at = world.clock.now()
    del world.source.calls[:]
    for _ in range(12):
        world.clock.advance(60)
        scheduled.look(world.rt, world.company_id, world.source, lambda: world.ledger)
        world.serve_until_rest()
    assert world.source.calls.count("voided") == 1
    assert told(world, "1") == (Status.FAULT, "voided_open")
    with world.sessions() as db:
        assert db.execute(select(func.count()).select_from(Run)).scalar_one() == 2  # one run told of it, once
