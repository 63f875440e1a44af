"""Sync one PO: which order is meant, what stands against it, and who is told how it ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from domain.order_settings import Becomes
from domain.settings import MissingItem
from domain.statuses import RunState, Status
from models import Company, Connection, Outbox, Run, RunItem, User
from sync import addresses, decisions, gather, mail_report, one_order
from tests.domain.order_samples import line, receipt
from tests.engine.test_orders import bills, bought, choose, head, put, row, told
from tests.engine.world import START, World

__all__ = ["bought"]
OWNER, OTHER = "owner@msp.example", "desk@msp.example"


def one(world: World, asked: str, *alternates: str) -> Run:
    """Do It Now, then what the worker does."""
    with world.sessions() as db, db.begin():
        run, new = one_order.ask(
            db, db.get_one(Company, world.company_id), asked, now=world.clock.now(), user=None,
            recipients=[{"address": each, "kind": "alternate"} for each in alternates],
        )
        run_id = run.id
        assert new
    gather.scan(world.rt, world.company_id, world.source, world.ledger, run_id)
    world.serve_until_rest()
    return world.run(run_id)


def mails(world: World, run: Run) -> list[str]:
    with world.sessions() as db:
        return [row.recipient for row in db.scalars(select(Outbox).where(Outbox.run_id == run.id).order_by(Outbox.id))]


@pytest.mark.parametrize("asked", [
    "411", "PO-411", " PO-411 ",
    "https://ww3.autotask.net/Autotask/views/procurement/purchaseorder.aspx?purchaseOrderID=411",
    "https://ww3.autotask.net/Autotask/AutotaskExtend/ExecuteCommand.aspx?Code=OpenPO&PurchaseOrderNumber=PO-411",
])  # fmt: skip
def test_an_order_is_found_by_its_id_its_number_or_its_address_and_posted_at_once(bought: World, asked: str) -> None:
    """Also while orders wait for somebody to post them, and no other one goes along."""
    choose(bought, active=False)
    put(bought, "411", line("1", 10, "42"))
    put(bought, "412", line("2", 1, "7", name="Cable"))
    run = one(bought, asked)
    assert (run.state, run.counts) == (RunState.FINISHED, {Status.COMPLETE: 1})
    assert [bill.number for bill in bills(bought)] == ["PO-411"] and head(bought, "411").external_number == "PO-411"


def test_an_order_outside_the_window_and_while_paused_is_meant_when_it_is_named(bought: World) -> None:
    choose(bought, days=0)
    put(bought, "411", created=START - timedelta(days=400))
    assert one(bought, "411").counts == {Status.COMPLETE: 1}
    assert len(bills(bought)) == 1


def test_naming_an_order_that_is_posted_posts_it_no_second_time(bought: World) -> None:
    put(bought, "411")
    one(bought, "411")
    one(bought, "PO-411")
    assert len(bills(bought)) == 1


def test_each_receiving_of_the_order_that_was_named_is_billed(bought: World) -> None:
    choose(bought, becomes=Becomes.ON_RECEIPT)
    put(bought, "411", line("1", 10, "42", receipt(6, "V-1"), receipt(4, "V-2", 18)))
    one(bought, "411")
    assert [bill.number for bill in bills(bought)] == ["V-1", "V-2"]


@pytest.mark.parametrize(("asked", "said"), [
    ("999", "shows its API user no purchase order “999”"), ("https://elsewhere.example/nothing", "no purchase order"),
    ("412", "fits 2 purchase orders (id 412, id 413)"),
])  # fmt: skip
def test_what_names_no_single_order_ends_as_failed_with_the_sentence_and_is_mailed(
    bought: World, asked: str, said: str
) -> None:
    put(bought, "412")
    put(bought, "413", number="412")
    run = one(bought, asked, OTHER)
    assert run.state == RunState.FAILED and said in (run.message or "")
    assert mails(bought, run) == [OTHER] and bills(bought) == []
    with bought.sessions() as db:
        found = mail_report.context(db, db.get_one(Company, bought.company_id), db.get_one(Run, run.id), "https://a.example")
    assert found["run_title"] == "Sync one PO" and said in found["message"]


def test_an_error_stands_on_the_run_and_a_retry_solves_it(bought: World) -> None:
    choose(bought, missing_item=MissingItem.HOLD)
    put(bought, "411", line("1", 10, "42", name="Switch 24p"))
    run = one(bought, "411")
    assert run.state == RunState.PROBLEMS
    with bought.sessions() as db:
        item = db.scalars(select(RunItem).where(RunItem.run_id == run.id)).one()
    assert (item.status, item.reasons[0]["code"]) == (Status.FAULT, "order_item_missing")
    choose(bought, missing_item=MissingItem.CREATE)
    with bought.sessions() as db, db.begin():
        rows = [db.merge(row(bought, "411"))]
        again = decisions.retry(db, db.get_one(Company, bought.company_id), rows, now=bought.clock.now(), user=None).id
    gather.scan(bought.rt, bought.company_id, bought.source, bought.ledger, again)
    assert row(bought, "411").run_id == again
    bought.serve_until_rest()
    assert bought.run(again).state == RunState.FINISHED and told(row(bought, "411")) == (Status.COMPLETE, None)


def test_a_number_that_somebody_else_wrote_is_named_before_anything_is_posted(bought: World) -> None:
    put(bought, "411", external_number="77")
    one(bought, "411")
    waits = row(bought, "411")
    assert told(waits) == (Status.SKIPPED, "order_marked_elsewhere") and waits.reasons[0]["params"]["number"] == "77"
    assert bills(bought) == []


def test_an_order_cancelled_meanwhile_is_set_aside(bought: World) -> None:
    put(bought, "411")
    bought.source.void("411", START)
    one(bought, "411")
    assert told(row(bought, "411")) == (Status.SKIPPED, "order_cancelled") and bills(bought) == []


def test_the_result_goes_to_the_alternate_address_else_to_the_connected_one(bought: World) -> None:
    with bought.sessions() as db, db.begin():
        owner = User(name="Owner", email=OWNER, theme="auto", created_at=START)
        db.add(owner)
        db.flush()
        db.add(Connection(company_id=bought.company_id, side="ledger", platform="intuit", tenant="1",
                          state="connected", connected_by=owner.id, connected_at=START))
    with bought.sessions() as db:
        assert addresses.connected_address(db, bought.company_id) == OWNER
    put(bought, "411")
    assert mails(bought, one(bought, "411", OTHER)) == [OTHER]
    put(bought, "412", line("2", 1, "7", name="Cable"))
    assert mails(bought, one(bought, "412")) == [OWNER]


def test_pressing_twice_joins_the_run_that_is_on(bought: World) -> None:
    said: dict[str, Any] = {"now": START, "user": None, "recipients": []}
    with bought.sessions() as db, db.begin():
        company = db.get_one(Company, bought.company_id)
        first, new = one_order.ask(db, company, "411", **said)
        second, joined = one_order.ask(db, company, "412", **said)
        assert (first.id, new, joined) == (second.id, True, False) and one_order.asked_for(second) == "411"
