"""What goes wrong between the look at an order and its posting, or after something was saved: each has its own reason,
nothing is posted wrongly or twice, what was mended goes. What the plan sees at once: tests/domain/test_orders.py."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from sqlalchemy import select

from connectors.ledgers.base import Kind
from domain.order_documents import OrderStatus
from domain.order_settings import Becomes
from domain.settings import MissingItem
from domain.statuses import Status
from domain.todos import Choice
from models import Company, Document
from sync import decisions, gather, requests, todo_state
from tests.domain.order_samples import line
from tests.engine.test_orders import bills, bought, choose, head, put, receive, row, sync, told
from tests.engine.world import World

__all__ = ["bought"]


def read(world: World) -> int:
    """Read, plan and release: what is posted next was looked at."""
    with world.sessions() as db, db.begin():
        run_id = requests.ask(
            db, db.get_one(Company, world.company_id), kind="sync", trigger="button", now=world.clock.now(), user=None,
            confirmed=True, area="orders",
        )[0].id
    gather.scan(world.rt, world.company_id, world.source, world.ledger, run_id)
    return run_id


def retry(world: World) -> None:
    with world.sessions() as db, db.begin():
        faults = db.scalars(select(Document).where(Document.status == Status.FAULT)).all()
        run_id = decisions.retry(
            db, db.get_one(Company, world.company_id), faults, now=world.clock.now(), user=None
        ).id
    gather.scan(world.rt, world.company_id, world.source, world.ledger, run_id)
    world.serve_until_rest()


def ledger_id(world: World, name: str) -> str:
    return next(one.id for one in world.books.entries if one.kind is Kind.ACCOUNT and one.body["name"] == name)


def test_an_order_cancelled_between_plan_and_post_is_not_posted(bought: World) -> None:
    put(bought, "411")
    put(bought, "412", line("2", 1, "7", name="Cable"))
    read(bought)
    bought.source.void("411", bought.clock.now())
    bought.clock.advance(180)
    bought.serve_until_rest()
    assert told(row(bought, "411")) == (Status.SKIPPED, "order_cancelled")
    assert [bill.number for bill in bills(bought)] == ["PO-412"]


def test_an_order_cancelled_in_the_very_moment_is_posted_once_and_asked_about(bought: World) -> None:
    """Autotask is looked at again when the last look is two minutes old: within them the bill may go first."""
    put(bought, "411")
    read(bought)
    bought.source.void("411", bought.clock.now())
    bought.serve_until_rest()
    assert len(bills(bought)) == 1
    sync(bought)
    assert told(row(bought, "411")) == (Status.FAULT, "order_cancelled_after")


def test_an_ap_account_made_inactive_between_plan_and_post_is_named_and_the_order_goes_with_another(
    bought: World,
) -> None:
    put(bought, "411")
    read(bought)
    bought.books.void(ledger_id(bought, "Payable"))
    bought.serve_until_rest()
    waits = row(bought, "411")
    assert waits.status == Status.FAULT and waits.reason_code in ("account_inactive", "account_gone"), told(waits)
    assert bills(bought) == []
    other = bought.books.add(Kind.ACCOUNT, "Trade creditors", type="Accounts Payable").id
    choose(bought, payable=other)
    retry(bought)
    assert [bill.body["payable"] for bill in bills(bought)] == [other]


def test_a_plan_that_lost_purchase_orders_is_refused_with_5020_and_named(bought: World) -> None:
    choose(bought, becomes=Becomes.ORDER)
    put(bought, "411")
    read(bought)
    bought.books.purchase_orders = False
    bought.serve_until_rest()
    waits = row(bought, "411")
    assert told(waits) == (Status.FAULT, "no_purchase_orders") and head(bought, "411").external_number is None
    choose(bought, becomes=Becomes.BILL)
    retry(bought)
    assert [bill.number for bill in bills(bought)] == ["PO-411"]


def test_a_company_that_is_vendor_and_customer_gets_the_suffix_also_when_the_customer_came_meanwhile(
    bought: World,
) -> None:
    put(bought, "411")
    read(bought)
    bought.books.add(Kind.CUSTOMER, "Northwind Supplies")
    bought.serve_until_rest()
    assert told(row(bought, "411")) == (Status.FAULT, "vendor_is_customer")
    retry(bought)
    names = [entry.body["name"] for entry in bought.books.entries if entry.kind is Kind.VENDOR]
    assert names == ["Northwind Supplies (V)"] and len(bills(bought)) == 1


def test_a_vendor_that_the_ledger_does_not_accept_is_named_and_goes_once_it_is_there(bought: World) -> None:
    put(bought, "411")
    bought.books.unreadable = "Northwind Supplies"
    sync(bought)
    assert told(row(bought, "411")) == (Status.FAULT, "vendor_refused") and bills(bought) == []
    bought.books.unreadable = ""
    retry(bought)
    assert [bill.number for bill in bills(bought)] == ["PO-411"]


def test_an_action_type_or_a_person_deactivated_after_saving_is_told_and_holds_no_order_up(bought: World) -> None:
    choose(bought, missing_item=MissingItem.HOLD, error_todos=True, todo_action_type="7", todo_resource="29")
    staff = bought.source.staff
    for changed, code in (
        ({"action_types": (Choice("7", "To-Do: Phone Call", active=False),)}, "todo_action_gone"),
        ({"people": (Choice("29", "Billing Desk", active=False),)}, "todo_resource_gone"),
    ):
        bought.source.staff = replace(staff, **changed)  # type: ignore[arg-type]
        put(bought, "411", line("1", 2, "42", name="Switch 24p"))
        sync(bought)
        bought.clock.advance(26 * 3600)
        sync(bought)
        with bought.sessions() as db:
            found = todo_state.problem_of(db, bought.company_id, "orders")
        assert found is not None and found.code == code
        assert told(row(bought, "411")) == (Status.FAULT, "order_item_missing") and bought.source.todos == {}
    bought.source.staff = staff
    bought.clock.advance(26 * 3600)
    sync(bought)
    assert len(bought.source.todos) == 1


def test_a_cost_of_five_decimals_and_300_lines_arrive_as_they_are(bought: World) -> None:
    many = [line(str(n), 3, "1.23456", name=f"Part {n}") for n in range(300)]
    put(bought, "411", *many)
    sync(bought)
    bill = bills(bought)[0]
    assert (len(bill.body["lines"]), bill.total) == (300, Decimal("1110.00"))


def test_an_order_below_zero_waits_and_goes_once_it_is_mended(bought: World) -> None:
    put(bought, "411", line("1", 1, "42"), line("2", -3, "42", name="Cable"))
    sync(bought)
    assert told(row(bought, "411")) == (Status.FAULT, "order_negative") and bills(bought) == []
    receive(bought, "411", line("1", 1, "42"), line("2", 1, "42", name="Cable"), status=OrderStatus.SUBMITTED)
    retry(bought)
    assert [bill.total for bill in bills(bought)] == [Decimal("84.00")]
