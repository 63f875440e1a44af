"""A bill that may be there already is adopted on the real page: nothing is posted, and it is linked."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from sqlalchemy import select

from app import create_app
from domain.statuses import Status
from models import Audit, Document, User
from tests.casebook.orders import Orders
from tests.infra.company import config_for, connect
from tests.infra.orders import choose_orders, orders_in_process
from tests.web.site import BASE, Site
from workers.wiring import Services


@pytest.mark.parametrize("ledger", ["quickbooks", "xero"])
def test_adopt_links_the_bill_that_was_typed_in_and_posts_nothing(
    sandbox: str, sandbox_world: Any, migrated_sqlite_url: str, redis_url: str, ledger: str
) -> None:
    """On SQLite, where a second transaction inside the press would wait for the first one for good."""
    services = Services.from_config(config_for(
        sandbox, database_url=migrated_sqlite_url, redis_url=redis_url, public_url=BASE, demo=True,
        guard_young_seconds=0.0, guard_give_up_seconds=0.0,
    ))  # fmt: skip
    orders = Orders(sandbox_world, "us", ledger, "39a")
    [case] = orders.cases
    before = orders.side.balances()
    company_id = connect(services, sandbox_world, orders.made)
    choose_orders(services, company_id, orders.made, **orders.settings())
    orders_in_process(services, company_id)

    site = Site(create_app(services.config, services), services, services.clock)  # type: ignore[arg-type]
    site.app.config.update(WTF_CSRF_ENABLED=False)
    with site.db() as db:
        [row] = db.scalars(select(Document).where(Document.kind == "purchase_order"))
        assert (row.status, row.reason_code) == (Status.FAULT, "bill_exists")
        site.users["admin"] = db.scalars(select(User.id)).one()
    where, client = f"/c/{company_id}/documents/{row.id}/decide", site.client("admin")
    typed = orders.typed[case["id"]]
    page = client.get(where, base_url=BASE).get_data(as_text=True)
    assert f'name="adopt" value="{typed}"' in page
    why = f"seen on paper {secrets.token_hex(3)}"
    sent = {"company_id": company_id, "reason": why, "adopt": typed}
    shown = client.post(where, base_url=BASE, data=sent, follow_redirects=True).get_data(as_text=True)
    assert "Linked. Nothing is posted" in shown
    again = client.post(where, base_url=BASE, data=sent, follow_redirects=True).get_data(as_text=True)
    assert "There is nothing to decide now." in again

    orders_in_process(services, company_id)
    with site.db() as db:
        row = db.get_one(Document, row.id)
        assert (row.status, row.ledger_id, row.reason_code) == (Status.COMPLETE, typed, None)
        told = db.scalars(select(Audit).where(Audit.action == "bill adopted")).all()
    assert [each.detail for each in told] == [{"why": why}]
    assert orders.found(case) == {"documents": [], "mark": "V-39a"}
    assert orders.side.balances() == before
    services.engine.dispose()
