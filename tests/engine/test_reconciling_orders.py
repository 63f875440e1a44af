"""Reconciling bills and purchase orders through the engine: only the net counts, and the party is a vendor."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from connectors.ledgers.base import Kind
from domain.order_settings import Becomes
from models import Document, Run
from sync import alike, cut_off, pauses
from sync.tool_report import csv_text, rows_of
from tests.engine.test_orders import bills, bought, choose, line, put, row, sync
from tests.engine.test_reconciling import _forget, outcomes, reconcile
from tests.engine.world import START, World, invoice

__all__ = ["bought"]
OTHER_DAY = date(2026, 11, 20)


def entry(world: World, number: str) -> Any:
    [found] = [each for each in bills(world) if each.number == number]
    return found


def test_bills_and_orders_agree_and_are_summed_apart_from_invoices(bought: World) -> None:
    put(bought, "411", line("1", 10, "42"), freight=Decimal("15"))
    sync(bought)
    choose(bought, becomes=Becomes.ORDER)
    put(bought, "412", line("1", 2, "30"))
    sync(bought)
    bought.source.put(invoice("1", "70.00"))
    bought.sync()
    bought.books.calls.clear()
    run = reconcile(bought)
    assert run.summary["counts"] == {"of": 3, "agree": 3, "drift": 0, "missing": 0, "duplicate": 0, "orphan": 0}
    assert bought.books.calls == ["find"]
    assert run.summary["sums"]["USD"]["theirs"] == "70"
    assert run.summary["bills"] == {"USD": {"ours": "435", "theirs": "435", "open": "435"}}


def test_the_ledgers_own_tax_is_no_difference_and_another_net_or_vendor_is(bought: World) -> None:
    for id in ("411", "412", "413", "414"):
        put(bought, id, line(f"{id}-1", 10, "42"))
    sync(bought)
    taxed, dearer, deleted, copied = (entry(bought, f"PO-{id}") for id in ("411", "412", "413", "414"))
    taxed.total, taxed.tax = Decimal("504.00"), Decimal("84.00")
    dearer.total, dearer.tax = Decimal("504.00"), Decimal("0.00")
    dearer.body = {**dearer.body, "date": OTHER_DAY.isoformat()}
    bought.books.void(deleted.id)
    copy = bought.books._store(Kind.BILL, {**copied.body, "number": "again"})
    run = reconcile(bought)
    assert outcomes(bought, run) == {
        f"PO-411/{taxed.id}": "agree", f"PO-412/{dearer.id}": "drift", f"PO-413/{deleted.id}": "missing",
        f"PO-414/{copied.id}": "agree", f"PO-414/{copy.id}": "duplicate",
    }  # fmt: skip
    with bought.sessions() as db:
        told = csv_text(db.get_one(Run, run.id), rows_of(db, db.get_one(Run, run.id)), "QuickBooks")
    assert "Net: 420.00 here, 504.00 in the ledger" in told
    assert "QuickBooks does not hold it any more" in told and "delete the one without payments" in told


def test_a_bill_that_a_person_took_over_is_not_held_against_what_we_would_have_written(bought: World) -> None:
    put(bought, "411", line("1", 10, "42"))
    sync(bought)
    put(bought, "412", line("1", 10, "42"))
    typed = bought.books._store(Kind.BILL, {**bills(bought)[0].body, "marker": "", "number": "HAND", "memo": ""})
    typed.total = Decimal("420.00")
    sync(bought)
    assert row(bought, "412").reason_code == "bill_exists"
    with bought.sessions() as db, db.begin():
        held = db.get_one(Document, row(bought, "412").id)
        assert alike.adopt(db, held, bought.ledger.capabilities, typed.id, why="seen", now=START, who="A staff")
    bought.serve_until_rest()
    typed.total = Decimal("425.00")
    assert outcomes(bought, reconcile(bought))[f"HAND/{typed.id}"] == "agree"


def test_a_bill_that_the_restored_database_forgot_is_taken_over_though_no_number_is_checked(bought: World) -> None:
    put(bought, "411", line("1", 10, "42"))
    sync(bought)
    posted = bills(bought)
    bought.source.clear_mark("purchase_order", "411")
    _forget(bought, "purchase_order")
    with bought.sessions() as db, db.begin():
        pauses.begin(db, bought.company_id, pauses.RESTORED, {}, bought.clock.now())
    sync(bought)
    assert reconcile(bought).summary["counts"]["orphan"] == 1
    with bought.sessions() as db:
        assert pauses.current(db, bought.company_id) is None
    sync(bought)
    assert bills(bought) == posted
    assert (row(bought, "411").status, row(bought, "411").ledger_id) == ("Complete", posted[0].id)


def test_an_order_that_waits_for_goods_is_not_missing_from_the_books(bought: World) -> None:
    choose(bought, becomes=Becomes.ON_RECEIPT)
    put(bought, "411", line("1", 10, "42"))
    sync(bought)
    assert row(bought, "411").reason_code == "waits_for_receipt"
    with bought.sessions() as db:
        assert cut_off.answer(db, bought.company_id, date(2026, 12, 31)).told == []
