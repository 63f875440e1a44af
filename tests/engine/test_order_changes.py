"""What becomes of orders after they were posted: when it is noticed, what is asked, and what is not asked twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from connectors.ledgers.base import Answer, Batch, Kind, Unknown
from connectors.ledgers.memory import MemoryLedger
from domain.order_documents import OrderStatus
from domain.order_settings import Becomes
from domain.statuses import Flag, Status
from models import Company, Document
from sync import decisions, gather, order_changes
from tests.domain.order_samples import line, receipt
from tests.engine.test_orders import bills, bought, choose, look, put, receive, row, sync, told
from tests.engine.world import START, World

__all__ = ["bought"]
MINUTES = 60


def settle(world: World, document: Document) -> None:
    with world.sessions() as db, db.begin():
        found = db.get_one(Document, document.id)
        assert order_changes.settle(db, found, why="credit entered", now=world.clock.now(), who="A staff")


def opened(world: World, id: str) -> int:
    """What the job does that opening an order's page asks for."""
    return order_changes.look_at(world.rt, world.company_id, world.source, row(world, id).id)


def test_the_first_receiving_of_a_posted_order_is_billed_within_the_schedules_next_looks(bought: World) -> None:
    choose(bought, becomes=Becomes.ORDER_AND_BILLS)
    put(bought, "411", line("1", 10, "42"))
    look(bought)
    assert [entry.kind for entry in bought.books.entries if entry.kind is Kind.PURCHASE_ORDER] == [Kind.PURCHASE_ORDER]
    receive(bought, "411", line("1", 10, "42", receipt(6, "V-1")))
    for _ in range(2):
        bought.clock.advance(11 * MINUTES)
        look(bought)
    assert [(bill.number, bill.total) for bill in bills(bought)] == [("V-1", 252)]


def test_goods_that_are_partly_here_and_not_billed_yet_are_read_every_ten_minutes(bought: World) -> None:
    choose(bought, becomes=Becomes.ON_RECEIPT, payable=None)
    put(bought, "411", line("1", 10, "42", receipt(6, "V-1")), status=OrderStatus.PARTLY_RECEIVED)
    look(bought)
    assert told(row(bought, "411", "V-1")) == (Status.FAULT, "payable_missing")
    receive(bought, "411", line("1", 10, "42", receipt(6, "V-1"), receipt(4, "V-2", 18)))
    for _ in range(2):
        bought.clock.advance(11 * MINUTES)
        sync(bought)
    assert told(row(bought, "411", "V-2")) == (Status.FAULT, "payable_missing")


def test_our_own_mark_is_no_change_of_the_order(bought: World) -> None:
    put(bought, "411")
    sync(bought)
    bought.clock.advance(11 * MINUTES)
    bought.source.calls.clear()
    look(bought)
    assert "headers_by_id" in bought.source.calls and "documents" not in bought.source.calls


def test_opening_the_page_reads_what_was_received_further_and_the_next_minute_bills_it(bought: World) -> None:
    choose(bought, becomes=Becomes.ON_RECEIPT)
    put(bought, "411", line("1", 10, "42", receipt(6, "V-1")), status=OrderStatus.PARTLY_RECEIVED)
    look(bought)
    receive(bought, "411", line("1", 10, "42", receipt(6, "V-1"), receipt(4, "V-2", 18)))
    bought.clock.advance(2 * MINUTES)
    assert opened(bought, "411") == 0
    look(bought)
    assert [bill.number for bill in bills(bought)] == ["V-1", "V-2"]


def test_opening_the_page_asks_about_an_order_cancelled_after_posting_and_sets_an_unposted_one_aside(
    bought: World
) -> None:
    put(bought, "411")
    sync(bought)
    choose(bought, becomes=Becomes.ON_RECEIPT)
    put(bought, "412", line("2", 1, "42"))
    sync(bought)
    assert told(row(bought, "412")) == (Status.PENDING, "waits_for_receipt")
    for id in ("411", "412"):
        bought.source.void(id, bought.clock.now())
    bought.clock.advance(2 * MINUTES)
    assert opened(bought, "411") == 1
    assert told(row(bought, "411")) == (Status.FAULT, "order_cancelled_after")
    opened(bought, "412")
    assert told(row(bought, "412")) == (Status.SKIPPED, "order_cancelled")
    assert len(bills(bought)) == 1


def test_an_order_is_not_read_again_when_it_was_read_a_moment_ago(bought: World) -> None:
    put(bought, "411")
    sync(bought)
    bought.source.calls.clear()
    opened(bought, "411")
    assert bought.source.calls == []
    bought.clock.advance(2 * MINUTES)
    opened(bought, "411")
    opened(bought, "411")
    assert bought.source.calls == ["headers_by_id", "documents"]


def test_an_order_cancelled_months_after_it_was_posted_is_asked_about(bought: World) -> None:
    """The list of what was cancelled lately reaches back thirty days; a look that comes later finds it all the same."""
    put(bought, "411")
    sync(bought)
    bought.source.void("411", bought.clock.now())
    bought.clock.advance(timedelta(days=60).total_seconds())
    sync(bought)
    assert told(row(bought, "411")) == (Status.FAULT, "order_cancelled_after")


@pytest.fixture
def taken_back(bought: World) -> World:
    """Two lines of one bill, of which something was taken back since."""
    choose(bought, becomes=Becomes.ON_RECEIPT)
    first, second = receipt(6, "V-1", id="1/a"), receipt(3, "V-1", id="2/a")
    put(bought, "411", line("1", 10, "42", first), line("2", 5, "7", second, name="Cable"),
        status=OrderStatus.PARTLY_RECEIVED)
    sync(bought)
    bought.clock.advance(26 * 3600)
    receive(bought, "411", line("1", 10, "42", first, receipt(-2, "V-1", 21)),
            line("2", 5, "7", second, receipt(-1, "V-1", 21), name="Cable"))
    sync(bought)
    return bought


def test_what_was_settled_is_not_asked_again_and_hides_nothing_else(taken_back: World) -> None:
    found = []
    for _ in range(3):
        billed = row(taken_back, "411", "V-1")
        found.append((told(billed), billed.reasons[0]["params"]["item"] if billed.reasons else None))
        if billed.status == Status.FAULT:
            settle(taken_back, billed)
        taken_back.clock.advance(26 * 3600)
        sync(taken_back)
    asked = (Status.FAULT, "unreceived_after_billing")
    assert found == [(asked, "Switch 24p"), (asked, "Cable"), ((Status.COMPLETE, None), None)]
    assert Flag.KEPT in row(taken_back, "411", "V-1").flags and len(bills(taken_back)) == 1


def test_a_question_that_answered_itself_is_taken_back(taken_back: World) -> None:
    receive(
        taken_back, "411", line("1", 10, "42", receipt(6, "V-1")), line("2", 5, "7", receipt(3, "V-1"), name="Cable")
    )
    taken_back.clock.advance(26 * 3600)
    opened(taken_back, "411")
    assert told(row(taken_back, "411", "V-1")) == (Status.COMPLETE, None)
    assert Flag.KEPT not in row(taken_back, "411", "V-1").flags


def test_an_order_cancelled_after_something_else_was_settled_still_asks(taken_back: World) -> None:
    settle(taken_back, row(taken_back, "411", "V-1"))
    taken_back.source.void("411", START)
    taken_back.clock.advance(26 * 3600)
    sync(taken_back)
    assert told(row(taken_back, "411", "V-1")) == (Status.FAULT, "order_cancelled_after")


def test_more_under_a_number_that_is_billed_asks_and_makes_no_second_bill(bought: World) -> None:
    choose(bought, becomes=Becomes.ON_RECEIPT)
    put(bought, "411", line("1", 10, "42", receipt(6, "V-1")), status=OrderStatus.PARTLY_RECEIVED)
    sync(bought)
    bought.clock.advance(26 * 3600)
    receive(bought, "411", line("1", 10, "42", receipt(6, "V-1"), receipt(3, "V-1", 21)))
    sync(bought)
    billed = row(bought, "411", "V-1")
    assert told(billed) == (Status.FAULT, "received_after_billing")
    asked = billed.reasons[0]["params"]
    assert (asked["billed"], asked["received"], asked["number"]) == ("6", "9", "V-1")
    settle(bought, billed)
    bought.clock.advance(26 * 3600)
    sync(bought)
    assert told(row(bought, "411", "V-1")) == (Status.COMPLETE, None) and len(bills(bought)) == 1


class Loses(MemoryLedger):
    """What is sent is lost on the way, and so is every answer. Or it arrives, and look-ups do not show it."""

    arrives = False

    def send(self, batch: Batch) -> Answer:
        if self.arrives:
            self.company.hidden_since = self.company.hidden_since or self.company.clock()
            super().send(batch)
        return Answer({member.short_id: Unknown("no answer") for member in batch.members}, None, None)


def unsettled(world: World, *, arrives: bool) -> None:
    """A bill of which nobody knows whether the ledger has it; its order is cancelled, and somebody looks at it."""
    choose(world, becomes=Becomes.ON_RECEIPT)
    put(world, "400", line("1", 1, "42", receipt(1, "V-0")), status=OrderStatus.RECEIVED)
    sync(world)  # vendor and item exist
    world.ledger = ledger = Loses(world.books)
    ledger.arrives = arrives
    put(world, "411", line("1", 10, "42", receipt(6, "V-1")), status=OrderStatus.PARTLY_RECEIVED)
    sync(world)
    assert told(row(world, "411", "V-1")) == (Status.FAULT, "cannot_settle")
    world.ledger, world.books.hidden_since = MemoryLedger(world.books), None
    world.source.void("411", world.clock.now())
    sync(world)
    assert told(row(world, "411", "V-1")) == (Status.FAULT, "cannot_settle")


def retry(world: World, document: Document) -> None:
    with world.sessions() as db, db.begin():
        company, found = db.get_one(Company, world.company_id), db.get_one(Document, document.id)
        run_id = decisions.retry(db, company, [found], now=world.clock.now(), user=None).id
    gather.scan(world.rt, world.company_id, world.source, world.ledger, run_id)
    world.serve_until_rest()


def test_a_bill_that_turns_out_to_be_there_long_after_its_order_was_cancelled_is_asked_about(bought: World) -> None:
    unsettled(bought, arrives=True)
    bought.clock.advance(timedelta(days=60).total_seconds())
    retry(bought, row(bought, "411", "V-1"))
    assert told(row(bought, "411", "V-1")) == (Status.COMPLETE, None) and len(bills(bought)) == 2
    sync(bought)
    assert told(row(bought, "411", "V-1")) == (Status.FAULT, "order_cancelled_after")
    settle(bought, row(bought, "411", "V-1"))
    sync(bought)
    assert told(row(bought, "411", "V-1")) == (Status.COMPLETE, None), "it is asked once"


def test_a_bill_that_turns_out_to_be_nowhere_is_not_made_for_an_order_that_was_cancelled(bought: World) -> None:
    unsettled(bought, arrives=False)
    bought.clock.advance(600)
    retry(bought, row(bought, "411", "V-1"))
    sync(bought)
    assert told(row(bought, "411", "V-1")) == (Status.SKIPPED, "order_cancelled")
    assert [bill.number for bill in bills(bought)] == ["V-0"]


@pytest.mark.parametrize("by", [sync, lambda world: opened(world, "411")], ids=["a look", "opening its page"])
def test_a_cancelled_order_takes_the_place_of_a_smaller_question(
    taken_back: World, by: Callable[[World], object]
) -> None:
    assert told(row(taken_back, "411", "V-1")) == (Status.FAULT, "unreceived_after_billing")
    taken_back.source.void("411", taken_back.clock.now())
    taken_back.clock.advance(2 * MINUTES)
    by(taken_back)
    assert told(row(taken_back, "411", "V-1")) == (Status.FAULT, "order_cancelled_after")
