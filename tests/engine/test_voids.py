"""Invoices voided in the source after they were posted: noticed, voided or kept, and billed again only afterwards."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from connectors.ledgers.base import Answer, Batch, Kind, Unknown
from connectors.ledgers.memory import MemoryLedger
from connectors.ledgers.memory_records import version_of
from domain.settings import SyncState
from domain.statuses import Flag, RunState, Status
from models import Company, Document, Run
from sync import codec, operations, reissues, scheduled, voids
from sync.replacing import last_written
from tests.engine.world import World, furnish, invoice, line, make_world
from tests.infra.database import Sessions

ITEMS = (line("77", "100.00"),)


def decide(world: World, what: str) -> bool:
    with world.sessions() as db, db.begin():
        row = db.scalars(select(Document).where(Document.source_id == "1")).one()
        if what == "void":
            return voids.void(db, row, now=world.clock.now(), who="Robin")
        return voids.keep(db, row, why="the customer pays it", now=world.clock.now(), who="Robin")


def press_correct(world: World) -> bool:
    with world.sessions() as db, db.begin():
        row = db.scalars(select(Document).where(Document.source_id == "1")).one()
        return voids.correct(db, row, now=world.clock.now(), who="Robin")


def closed(world: World, **header: Any) -> None:
    """Posted, its period closed, voided in the source, and the void found to be impossible."""
    world.source.put(invoice("1", lines=ITEMS, **header))
    world.sync()
    world.books.closed_through = date(2026, 11, 30)
    world.source.void("1", world.clock.now())
    world.sync()
    assert decide(world, "void")
    world.serve_until_rest()
    assert told(world, "1") == (Status.FAULT, "void_closed")


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


def test_in_a_closed_period_a_credit_memo_on_the_first_open_day_takes_it_back_once(any_world: World) -> None:
    world = any_world
    closed(world)
    world.source.put(invoice("2", lines=ITEMS, document_date=date(2026, 12, 1)))
    world.sync()
    assert told(world, "2") == (Status.PENDING, "reissue_waits")
    assert not decide(world, "void")
    assert press_correct(world) and not press_correct(world)  # the second press finds it under way
    world.serve_until_rest()
    assert (world.documents()["1"].status, world.documents()["1"].flags) == (Status.COMPLETE, [Flag.CORRECTED])
    found = {entry.number: (entry.kind, entry.body["date"], entry.total) for entry in world.books.documents()}
    assert found == {
        "AT-1": (Kind.INVOICE, "2026-11-13", Decimal("100.00")),
        "AT-1-C": (Kind.CREDIT_MEMO, "2026-12-01", Decimal("100.00")),
    }  # fmt: skip
    assert told(world, "2") == (Status.PENDING, "waits_for_sync") and not press_correct(world)
    for _ in range(2):
        world.sync()
    assert live(world) == ["AT-1", "AT-1-C", "AT-2"]
    assert told(world, "1") == (Status.COMPLETE, None)


class LosesAnswers(MemoryLedger):
    """Everything arrives, and the first answers do not come back."""

    lost = 1

    def send(self, batch: Batch) -> Answer:
        answer = super().send(batch)
        if self.lost:
            self.lost -= 1
            return Answer({member.short_id: Unknown("no answer") for member in batch.members}, None, None)
        return answer


def test_a_correction_whose_answer_is_lost_is_looked_up_and_not_made_twice(world: World) -> None:
    closed(world)
    world.books.forget_replays()
    world.ledger = LosesAnswers(world.books)
    assert press_correct(world)
    world.serve_until_rest()
    assert live(world) == ["AT-1", "AT-1-C"] and world.documents()["1"].flags == [Flag.CORRECTED]


def test_a_credit_in_a_closed_period_is_taken_back_by_an_invoice(world: World) -> None:
    world.source.put(invoice("1", "-100.00", lines=(line("77", "-100.00"),)))
    world.sync()
    world.books.closed_through = date(2026, 11, 30)
    world.source.void("1", world.clock.now())
    world.sync()
    assert decide(world, "void")
    world.serve_until_rest()
    assert press_correct(world)
    world.serve_until_rest()
    assert [(e.kind, e.number) for e in world.books.documents()] == [
        (Kind.CREDIT_MEMO, "AT-1"), (Kind.INVOICE, "AT-1-C")
    ]  # fmt: skip


def test_what_changed_before_the_correction_is_another_decision(world: World) -> None:
    closed(world)
    [entry] = world.books.documents()
    entry.total = Decimal("90.00")  # somebody changed it in the ledger
    assert press_correct(world)
    world.serve_until_rest()
    assert told(world, "1") == (Status.FAULT, "correct_changed") and live(world) == ["AT-1"]
    entry.total = Decimal("100.00")
    world.books.closed_through = None  # the period was opened again
    world.clock.advance(2 * 86400)  # the ledger's preferences are read once a day
    world.sync()
    assert press_correct(world)
    world.serve_until_rest()
    assert told(world, "1") == (Status.FAULT, "voided_open") and live(world) == ["AT-1"]
    assert decide(world, "void")
    world.serve_until_rest()
    assert live(world) == [] and world.documents()["1"].flags == [Flag.VOIDED]


def test_a_number_that_is_in_use_ends_the_correction_and_the_next_has_another(world: World) -> None:
    world.books.checked_numbers = frozenset({Kind.INVOICE, Kind.CREDIT_MEMO})
    world.source.put(invoice("9", "-5.00", number="AT-1-C", document_date=date(2026, 11, 19)))
    closed(world)
    assert press_correct(world)
    world.serve_until_rest()
    assert told(world, "1") == (Status.FAULT, "correct_refused")
    assert press_correct(world)
    world.serve_until_rest()
    assert sorted(filter(None, live(world))) == ["AT-1", "AT-1-C", "AT-1-C2"]


def test_what_somebody_deleted_meanwhile_is_void_and_not_corrected(world: World) -> None:
    closed(world)
    world.books.void(world.books.documents()[0].id)
    world.clock.advance(3600)
    assert press_correct(world)
    world.serve_until_rest()
    assert live(world) == [] and world.documents()["1"].flags == [Flag.VOIDED]


def test_what_lines_and_header_said_when_it_was_posted_stays(world: World) -> None:
    voided(world)
    for _ in range(2):
        world.clock.advance(1200)
        world.sync()
    row = world.documents()["1"]
    assert (row.status, row.lines is not None, row.ledger_total) == (Status.FAULT, True, Decimal("100.00"))


def test_with_yes_unpaid_ones_are_voided_by_themselves_and_paid_ones_ask(sessions: Sessions) -> None:
    world = make_world(sessions, voids="void", sync_state=SyncState.ON)
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


def test_with_yes_what_was_noticed_while_nothing_might_be_written_is_voided_by_the_next_sync(
    sessions: Sessions
) -> None:
    world = make_world(sessions, voids="void", sync_state=SyncState.OFF)
    furnish(world)
    voided(world)
    world.clock.advance(601)
    scheduled.look(world.rt, world.company_id, world.source, lambda: world.ledger)
    world.serve_until_rest()
    assert (told(world, "1"), live(world)) == ((Status.FAULT, "voided_open"), ["AT-1"])
    world.sync()
    assert (world.documents()["1"].status, world.documents()["1"].flags) == (Status.COMPLETE, [Flag.VOIDED])
    assert live(world) == []


def test_an_idle_schedule_looks_for_voids_every_ten_minutes(sessions: Sessions) -> None:
    world = make_world(sessions, sync_state=SyncState.ON)
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


def test_items_of_a_copy_taken_out_are_free_when_its_invoice_was_voided_meanwhile(world: World) -> None:
    """Asked to be copied anew, then voided in the source and billed again: the second invoice takes the items."""
    world.source.put(invoice("1", lines=ITEMS))
    world.sync()
    with world.sessions() as db, db.begin():
        row = db.scalars(select(Document)).one()
        draft, [held] = last_written(db, row), world.books.documents()
        operations.reserve(db, row, operations.REMOVE, codec.dump(draft), now=world.clock.now(), interactive=1,
                           terms={"by": "a person", "version": version_of(held), "reviewed": None})  # fmt: skip
    world.source.void("1", world.clock.now())
    world.source.put(invoice("2", lines=ITEMS))
    world.clock.advance(600)  # its header is looked at once more before it would be posted again
    world.serve_until_rest()
    assert told(world, "1") == (Status.SKIPPED, "voided_in_source") and live(world) == []
    world.sync()
    assert live(world) == ["AT-2"] and world.documents()["2"].status == Status.COMPLETE


def test_a_void_is_noticed_although_the_invoice_is_at_fault_for_something_else(world: World) -> None:
    """A copy anew was refused, because somebody had changed the ledger's: the Fault stands, and so does the copy."""
    world.source.put(invoice("1", lines=ITEMS))
    world.sync()
    with world.sessions() as db, db.begin():
        row = db.scalars(select(Document)).one()
        operations.reserve(db, row, operations.REMOVE, codec.dump(last_written(db, row)), now=world.clock.now(),
                           terms={"by": "a person", "version": "another", "reviewed": None})  # fmt: skip
    world.serve_until_rest()
    assert told(world, "1") == (Status.FAULT, "remove_changed") and live(world) == ["AT-1"]
    world.source.void("1", world.clock.now())
    world.sync()
    assert told(world, "1") == (Status.FAULT, "voided_open")
    assert decide(world, "void")
    world.serve_until_rest()
    assert (world.documents()["1"].flags, live(world)) == ([Flag.VOIDED], [])
