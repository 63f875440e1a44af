"""What tells of an order's Fault in the source: to-dos and `ERROR` in External P.O. Number; solved, both go."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from connectors.errors import Unavailable
from domain.order_settings import Becomes
from domain.settings import MissingItem
from domain.statuses import Status
from domain.todos import TodoDraft
from models import Company, Document, Pause
from sync import decisions, gather
from tests.domain.order_samples import line, receipt
from tests.engine.test_orders import bills, bought, choose, head, put, receive, row, sync, told
from tests.engine.world import World

__all__ = ["bought"]
ON: dict[str, Any] = {
    "missing_item": MissingItem.HOLD, "error_todos": True, "todo_action_type": "7", "todo_resource": "29",
}  # fmt: skip


@pytest.fixture
def failing(bought: World) -> World:
    """Missing items stop orders, and their to-dos go to the billing desk."""
    choose(bought, **ON)
    return bought


def two_causes(world: World) -> None:
    put(world, "411", line("1", 2, "42", name="Switch 24p"))
    put(world, "412", line("2", 1, "42", name="Switch 24p"))
    put(world, "413", line("3", 4, "7", name="Cable"))


def solve(world: World) -> None:
    """Items may be created now; every Fault is tried again."""
    choose(world, missing_item=MissingItem.CREATE)
    with world.sessions() as db, db.begin():
        faults = db.scalars(select(Document).where(Document.status == Status.FAULT)).all()
        company = db.get_one(Company, world.company_id)
        run_id = decisions.retry(db, company, faults, now=world.clock.now(), user=None).id
    gather.scan(world.rt, world.company_id, world.source, world.ledger, run_id)
    world.serve_until_rest()


@pytest.mark.parametrize(("per_order", "count"), [(False, 2), (True, 3)])
def test_to_dos_of_orders_are_assigned_due_today_and_completed_when_solved(
    failing: World, monkeypatch: pytest.MonkeyPatch, per_order: bool, count: int
) -> None:
    drafts: list[TodoDraft] = []
    create = failing.source.create_todo
    monkeypatch.setattr(failing.source, "create_todo", lambda draft: (drafts.append(draft), create(draft))[1])
    choose(failing, todo_per_order=per_order)
    two_causes(failing)
    began = failing.clock.now()
    sync(failing)
    assert len(drafts) == len(failing.source.todos) == count
    assert {(draft.resource, draft.action_type) for draft in drafts} == {("29", "7")}
    assert {draft.start.date() for draft in drafts} == {began.date()}
    texts = " ".join(draft.text for draft in drafts)
    assert all(number in texts for number in ("PO-411", "PO-412", "PO-413"))
    solve(failing)
    assert len(bills(failing)) == 3
    assert all(one.completed_at is not None for one in failing.source.todos.values())
    assert len(failing.source.todos) == count


def test_a_to_do_of_orders_is_due_today_where_autotask_is(failing: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the zone of the purchase order settings, whatever those of invoices say."""
    drafts: list[TodoDraft] = []
    create = failing.source.create_todo
    monkeypatch.setattr(failing.source, "create_todo", lambda draft: (drafts.append(draft), create(draft))[1])
    choose(failing, source_time_zone="Pacific/Auckland")
    two_causes(failing)
    sync(failing)
    assert {draft.start.utcoffset() for draft in drafts} == {timedelta(hours=13)}


@pytest.mark.parametrize("made", [True, False])
def test_a_lost_answer_leaves_one_to_do_of_an_order(
    failing: World, monkeypatch: pytest.MonkeyPatch, made: bool
) -> None:
    create, lost = failing.source.create_todo, []

    def lose(draft: TodoDraft) -> str:
        if lost:
            return create(draft)
        lost.append(draft)
        if made:
            create(draft)
        raise Unavailable("Autotask did not answer completely.", platform="Autotask")

    monkeypatch.setattr(failing.source, "create_todo", lose)
    put(failing, "411", line("1", 2, "42", name="Switch 24p"))
    sync(failing)
    failing.clock.advance(600)
    failing.serve_until_rest()
    assert len(failing.source.todos) == 1 and len(lost) == 1


def test_error_stands_on_the_order_until_it_is_posted_and_is_no_other_programs_mark(failing: World) -> None:
    choose(failing, mark_errors=True)
    two_causes(failing)
    sync(failing)
    assert {id: head(failing, id).external_number for id in ("411", "412", "413")} == dict.fromkeys(
        ("411", "412", "413"), "ERROR"
    )
    for _ in range(3):
        failing.clock.advance(timedelta(hours=1).total_seconds())
        sync(failing)
    assert {told(row(failing, id)) for id in ("411", "412", "413")} == {(Status.FAULT, "order_item_missing")}
    with failing.sessions() as db:
        assert db.scalars(select(Pause)).all() == []
    solve(failing)
    assert {head(failing, id).external_number for id in ("411", "412", "413")} == {"PO-411", "PO-412", "PO-413"}
    assert len(bills(failing)) == 3


def test_error_is_written_only_where_chosen_and_cleared_when_switched_off(failing: World) -> None:
    two_causes(failing)
    sync(failing)
    assert "set_error" not in failing.source.calls and head(failing, "411").external_number is None
    choose(failing, mark_errors=True)
    failing.serve_until_rest()
    assert head(failing, "411").external_number == "ERROR"
    choose(failing, mark_errors=False)
    failing.serve_until_rest()
    assert {head(failing, id).external_number for id in ("411", "412", "413")} == {None}
    assert told(row(failing, "411"))[0] == Status.FAULT


def test_the_bills_of_one_order_share_one_word_and_it_goes_with_the_first_number(failing: World) -> None:
    choose(failing, mark_errors=True, becomes=Becomes.ON_RECEIPT)
    put(failing, "411", line("1", 10, "42", receipt(6, "V-1"), receipt(4, "V-2", 18), name="Switch 24p"))
    sync(failing)
    assert head(failing, "411").external_number == "ERROR"
    assert failing.source.calls.count("set_error") == 1
    solve(failing)
    assert [bill.number for bill in bills(failing)] == ["V-1", "V-2"]
    assert head(failing, "411").external_number in ("V-1", "V-2")


def test_a_later_bill_at_fault_leaves_the_number_of_the_first(failing: World) -> None:
    choose(failing, mark_errors=True, becomes=Becomes.ON_RECEIPT, missing_item=MissingItem.CREATE)
    put(failing, "411", line("1", 10, "42", receipt(6, "V-1"), name="Switch 24p"))
    sync(failing)
    assert head(failing, "411").external_number == "V-1"
    choose(failing, missing_item=MissingItem.HOLD)
    late = line("2", 1, "7", receipt(1, "V-2", 18), name="Cable")
    receive(failing, "411", line("1", 10, "42", receipt(6, "V-1"), name="Switch 24p"), late)
    failing.clock.advance(timedelta(days=1).total_seconds())
    sync(failing)
    assert len(bills(failing)) == 1 and Status.FAULT in {row(failing, "411", part).status for part in ("V-1", "V-2")}
    assert head(failing, "411").external_number == "V-1" and "set_error" not in failing.source.calls


def test_a_number_that_somebody_entered_is_never_overwritten(failing: World) -> None:
    choose(failing, mark_errors=True, becomes=Becomes.BILL)
    put(failing, "411", line("1", 2, "42", name="Switch 24p"))
    sync(failing)
    failing.source.clear_error("purchase_order", "411", number="77")
    solve(failing)
    assert head(failing, "411").external_number == "77"
