"""An order cancelled after posting is deleted in the ledger too, when a person says so: once, and whatever dies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from connectors.ledgers.base import Kind
from domain.order_settings import Becomes
from domain.statuses import Flag, Status
from models import Document, Posting
from sync import order_changes, voids
from tests.domain.order_samples import line, receipt
from tests.engine.test_bill_crashes import Killed, Wire
from tests.engine.test_orders import bills, bought, choose, put, receive, row, sync, told
from tests.engine.world import START, World

__all__ = ["bought"]


@pytest.fixture
def cancelled(bought: World) -> World:
    """A purchase order with one bill that is linked to it, cancelled in Autotask afterwards."""
    choose(bought, becomes=Becomes.ORDER_AND_BILLS)
    put(bought, "411", line("1", 10, "42"))
    sync(bought)
    bought.clock.advance(26 * 3600)
    receive(bought, "411", line("1", 10, "42", receipt(6, "V-1")))
    sync(bought)
    assert [each["ordered"] for each in bills(bought)[0].body["lines"]] == [[orders(bought)[0].id, "1"]]
    bought.source.void("411", bought.clock.now())
    sync(bought)
    assert told(row(bought, "411", "V-1")) == (Status.FAULT, "order_cancelled_after")
    bought.clock.advance(3600)
    return bought


def orders(world: World) -> list[Any]:
    return [entry for entry in world.books.entries if entry.kind is Kind.PURCHASE_ORDER and entry.live]


def take_out(world: World, part: str = "V-1") -> bool:
    with world.sessions() as db, db.begin():
        found = db.get_one(Document, row(world, "411", part).id)
        return order_changes.take_out(db, found, why="never delivered", now=world.clock.now(), who="A staff")


def writes(world: World) -> list[tuple[str, str, str]]:
    with world.sessions() as db:
        found = db.scalars(select(Posting).where(Posting.operation != "create").order_by(Posting.id))
        return [(one.operation, one.part, one.state) for one in found]


def test_a_bill_that_hangs_on_its_order_is_taken_off_first_then_deleted(cancelled: World) -> None:
    assert take_out(cancelled)
    cancelled.serve_until_rest()
    billed = row(cancelled, "411", "V-1")
    assert told(billed) == (Status.COMPLETE, None) and Flag.VOIDED in billed.flags
    assert bills(cancelled) == [] and len(orders(cancelled)) == 1
    assert [(operation, state) for operation, _, state in writes(cancelled)] == [
        ("void", "REJECTED"), ("unlink", "DONE"), ("void", "DONE")
    ]  # fmt: skip
    sync(cancelled)
    assert told(row(cancelled, "411", "V-1")) == (Status.COMPLETE, None), "it is not asked about again"


def test_the_order_goes_after_its_bills(cancelled: World) -> None:
    assert not take_out(cancelled, ""), "a bill of it stands"
    take_out(cancelled)
    cancelled.serve_until_rest()
    assert take_out(cancelled, "")
    cancelled.serve_until_rest()
    assert bills(cancelled) == orders(cancelled) == []
    assert Flag.VOIDED in row(cancelled, "411").flags


def test_asking_twice_deletes_once_and_a_decided_one_is_not_asked_for_again(cancelled: World) -> None:
    assert take_out(cancelled)
    assert not take_out(cancelled)
    cancelled.serve_until_rest()
    assert not take_out(cancelled) and bills(cancelled) == []


@pytest.mark.parametrize("point", ["after_freeze", "after_intent", "before_send", "after_send", "after_confirm"])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_death_on_the_way_ends_with_the_bill_deleted_and_nothing_else(
    cancelled: World, point: str, nth: int
) -> None:
    """The first send takes it off its order, the second deletes it; each dies once at each point."""
    take_out(cancelled)
    passed: list[str] = []

    def die(name: str) -> None:
        passed.extend([name] if name == point else [])
        if name == point and len(passed) == nth:
            raise Killed(name)

    with pytest.raises(Killed):
        replace(cancelled, rt=replace(cancelled.rt, failpoint=die)).serve_until_rest()
    cancelled.clock.advance(600)
    cancelled.serve_until_rest()
    is_gone(cancelled)


@pytest.mark.parametrize("fate", ["answer lost", "delivered late", "never arrives"])
@pytest.mark.parametrize("before", [0, 1])
def test_a_lost_answer_is_looked_up(cancelled: World, fate: str, before: int) -> None:
    take_out(cancelled)
    wire = Wire(cancelled.ledger, cancelled.clock.now, [*[""] * before, fate])
    replace(cancelled, ledger=wire).serve_until_rest()  # type: ignore[arg-type]
    cancelled.clock.advance(600)
    wire.arrive()
    cancelled.serve_until_rest()
    is_gone(cancelled)


def is_gone(world: World) -> None:
    assert bills(world) == [] and len(orders(world)) == 1
    assert Flag.VOIDED in row(world, "411", "V-1").flags
    assert [one for one in writes(world) if one[2] not in ("DONE", "REJECTED")] == []


def test_a_bill_that_is_paid_is_neither_taken_off_nor_deleted(cancelled: World) -> None:
    take_out(cancelled)
    bill = bills(cancelled)[0]
    cancelled.books.pay(bill.id, "100.00")
    cancelled.serve_until_rest()
    assert told(row(cancelled, "411", "V-1")) == (Status.FAULT, "void_paid")
    assert bills(cancelled)[0].body["lines"][0]["ordered"] == [orders(cancelled)[0].id, "1"]


def test_once_the_payment_is_off_it_the_bill_is_deleted(cancelled: World) -> None:
    take_out(cancelled)
    bill = bills(cancelled)[0]
    for paid, left in (("100.00", 1), ("100.00", 1), ("0.00", 0)):
        cancelled.books.pay(bill.id, paid)
        cancelled.serve_until_rest()
        with cancelled.sessions() as db, db.begin():
            found = db.get_one(Document, row(cancelled, "411", "V-1").id)
            assert found.status == Status.COMPLETE or voids.void(db, found, now=START, who="A staff")
        assert len(bills(cancelled)) == 1 or left == 0
    cancelled.serve_until_rest()
    assert bills(cancelled) == []


def test_a_bill_that_a_person_changed_is_left_as_it_is(cancelled: World) -> None:
    take_out(cancelled)
    bill = bills(cancelled)[0]
    bill.body = {**bill.body, "lines": [*bill.body["lines"], {**bill.body["lines"][0], "ordered": None}]}
    bill.total, bill.version = bill.total * 2, bill.version + 1
    cancelled.serve_until_rest()
    waits = row(cancelled, "411", "V-1")
    assert told(waits) == (Status.FAULT, "void_refused") and "changed there" in waits.reasons[0]["params"]["message"]
    assert len(bills(cancelled)) == 1


def test_what_cannot_be_deleted_is_kept_with_a_reason_and_not_asked_again(cancelled: World) -> None:
    take_out(cancelled)
    cancelled.books.pay(bills(cancelled)[0].id, "100.00")
    cancelled.serve_until_rest()
    with cancelled.sessions() as db, db.begin():
        found = db.get_one(Document, row(cancelled, "411", "V-1").id)
        assert voids.keep(db, found, why="vendor credit comes", now=START, who="A staff")
    sync(cancelled)
    assert told(row(cancelled, "411", "V-1")) == (Status.COMPLETE, None)


def test_in_a_closed_period_nothing_is_touched_and_no_opposite_is_offered(cancelled: World) -> None:
    take_out(cancelled)
    cancelled.books.closed_through = cancelled.clock.now().date()
    cancelled.serve_until_rest()
    found = row(cancelled, "411", "V-1")
    assert found.reason_code in ("void_closed", "void_refused") and not voids.correctable(found)
    assert len(bills(cancelled)) == 1
