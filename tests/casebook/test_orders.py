"""The casebook of purchase orders: every case ordered in Autotask, synced over HTTP, and read back from the books."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.statuses import Status
from models import Company, Document, Run, User
from sync import alike, currencies, order_changes, reconciling, tools
from tests.casebook.books import added
from tests.casebook.orders import BUYERS, ORDERS, Orders, moves, row
from tests.casebook.test_casebook import moved, services
from tests.conventions.source import ROOT
from tests.infra.company import connect
from tests.infra.orders import choose_orders, orders_in_process
from workers import jobs
from workers.wiring import Services

__all__ = ["services"]
XERO = ("us", "uk", "au", "us, euros")
"""Classes, locations, freight by value and Autotask's silence about currencies are the same rules there."""
FIRMS = [("quickbooks", name) for name in BUYERS] + [("xero", name) for name in XERO]


@pytest.mark.parametrize(("ledger", "name"), FIRMS)
def test_every_order_is_booked_as_written(services: Services, sandbox_world: Any, ledger: str, name: str) -> None:
    orders = Orders(sandbox_world, name, ledger)
    before = orders.side.balances()
    company_id = connect(services, sandbox_world, orders.made)
    choose_orders(services, company_id, orders.made, **orders.settings())
    agree_on_currencies(services, company_id)
    orders_in_process(services, company_id)
    for turn in range(max(len(case.get("acts", ())) for case in orders.cases)):
        for case in orders.cases:
            if turn < len(case.get("acts", ())):
                happens(services, company_id, orders, case, case["acts"][turn])
        orders_in_process(services, company_id)
    with services.sessions() as db:
        found = {case["id"]: {**orders.found(case), **reasons(db, orders, case)} for case in orders.cases}
    expected = {case["id"]: {k: v for k, v in case["expected"].items() if k != "vendor"} for case in orders.cases}
    assert found == expected
    after = orders.side.balances()
    assert moved(before, after) == added(pair for case in orders.cases for pair in moves(case).items())
    there = sum(len(case["expected"]["documents"]) + ("adopt" in str(case.get("acts"))) for case in orders.cases)
    nothing = dict.fromkeys(("drift", "missing", "duplicate", "orphan"), 0)
    assert compared(services, company_id) == {"of": there, "agree": there, **nothing}


def happens(services: Services, company_id: int, orders: Orders, case: dict[str, Any], act: dict[str, Any]) -> None:
    """In Autotask, and then the order's page is opened; or a person decides there."""
    orders.act(case, act)
    id = str(orders.ids[case["id"]])
    capabilities = services.ledger(company_id).capabilities
    if act["what"] == "receive":
        order_changes.read_again(services.runtime(), company_id, services.source(company_id), [id])
    with services.sessions() as db, db.begin():
        [head] = [each for each in documents(db, id) if not each.part]
        told: dict[str, Any] = {"why": "seen on paper", "now": services.now(), "who": "Robin"}
        if act["what"] == "adopt":
            assert alike.adopt(db, head, capabilities, orders.typed[case["id"]], **told), head.reason_code
        elif act["what"] == "post_anyway":
            assert alike.post_anyway(db, head, **told), head.reason_code


def agree_on_currencies(services: Services, company_id: int) -> None:
    """A person confirms both sides' currencies, where they are not harmless."""
    with services.sessions() as db, db.begin():
        company = db.get_one(Company, company_id)
        pair = currencies.pair_of(db, company)
        assert pair is not None
        user = db.scalars(select(User)).one()
        assert currencies.confirm(db, company, pair.text, now=services.now(), user=user)


def compared(services: Services, company_id: int) -> dict[str, int]:
    """What the reconciliation counts: net amounts, whatever tax the ledger made of them."""
    with services.sessions() as db, db.begin():
        company = db.get_one(Company, company_id)
        run_id = tools.ask(db, company, reconciling.KIND, {}, now=services.now(), user=None)[0].id
    jobs.reconciliation(services, company_id, run_id)
    with services.sessions() as db:
        return dict(db.get_one(Run, run_id).summary["counts"])


def documents(db: Session, source_id: str) -> list[Document]:
    return list(db.scalars(select(Document).where(Document.source_id == source_id).order_by(Document.id)))


def reasons(db: Session, orders: Orders, case: dict[str, Any]) -> dict[str, Any]:
    """Why something of the order is not in the books, or what is asked about it; nothing where nothing is left."""
    left = (Status.FAULT, Status.PENDING, Status.PROCESSING)
    ids = [ids[case["id"]] for ids in (orders.ids, orders.again) if case["id"] in ids]
    found = {each.reason_code for id in ids for each in documents(db, str(id)) if each.status in left}
    return {"reasons": sorted(found)} if found else {}


def test_the_casebook_shows_every_order() -> None:
    text = (ROOT / "docs" / "casebook.md").read_text()
    assert [each for each in map(row, ORDERS) if each not in text] == []
    assert len({case["id"] for case in ORDERS}) == len(ORDERS)
