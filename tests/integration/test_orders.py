"""Purchase orders in one process over HTTP: planted problems are told by their cause, mended, and posted once."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from domain.order_settings import Becomes
from sandbox.qbo import books
from tests.infra.company import config_for, connect
from tests.infra.orders import (
    choose_orders,
    cured,
    faults,
    judged,
    orders_in_process,
    try_again,
)
from workers.wiring import Services

REASONS = {
    "vendor inactive in the ledger": "vendor_inactive", "vendor missing in the source": "vendor_unreadable",
    "similar vendor name": "vendor_similar", "not a purchasable item": "item_not_purchasable",
    "inactive item": "item_inactive", "item that is a category": "item_unusable",
    "line without a product": "order_line_nameless", "nothing but quantity zero": "order_of_nothing",
    "bill typed in by hand": "bill_exists", "bill of the same amount": "bill_exists",
    "number over the ledger's limit": "order_number_too_long",
    "one vendor invoice number on two orders": "bill_exists", "closed period": "closed_period",
    "vendor in another currency": "vendor_currency",
}  # fmt: skip


@pytest.fixture
def services(sandbox: str, sandbox_world: Any, migrated_sqlite_url: str, redis_url: str, smtp_port: int) -> Services:
    sandbox_world.limits.switch(on=False)
    return Services.from_config(config_for(
        sandbox, database_url=migrated_sqlite_url, redis_url=redis_url, smtp_url=f"smtp://127.0.0.1:{smtp_port}",
        time_factor=20, guard_young_seconds=0.0,
    ))  # fmt: skip


def seed(url: str, **options: Any) -> dict[str, Any]:
    body = {"seed": 3, "invoices": 0, "slug": "orders", "switches": {"multi_currency": True},
            "books": {"multicurrency": True}, **options}  # fmt: skip
    answer = requests.post(f"{url}/control/seed/msp", json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_every_problem_is_told_by_its_cause_mended_and_posted_once(
    services: Services, sandbox: str, sandbox_world: Any
) -> None:
    made = seed(sandbox, orders=6, order_problems=14)
    company_id = connect(services, sandbox_world, made)
    choose_orders(services, company_id, made)
    run_id = orders_in_process(services, company_id)
    planted = {str(one["id"]): one["problem"] for one in made["planted_orders"]}
    told = {planted[id]: code for code, ids in faults(services, company_id).items() for id in ids}
    assert told == REASONS
    first = judged(sandbox, made)
    assert (first["missing"], first["duplicates"], first["unmarked"], first["strays"], first["wrong"]) == (
        0, 0, 0, [], {},
    )  # fmt: skip
    assert len(cured(sandbox, made)) == 14
    try_again(services, company_id, run_id)
    after = judged(sandbox, made)
    assert faults(services, company_id) == {}
    assert (after["missing"], after["duplicates"], after["unmarked"], after["wrong"]) == (0, 0, 0, {})
    assert after["posted"] == after["eligible"] == first["eligible"] + 14
    assert len(after["totals"]) >= 2
    assert all(sums["expected"] == sums["posted"] for sums in after["totals"].values()), after["totals"]


def test_without_purchase_orders_in_the_plan_each_says_so_and_nothing_is_lost(
    services: Services, sandbox: str, sandbox_world: Any
) -> None:
    edition = {"sku": "QuickBooks Online Essentials"}
    made = seed(sandbox, orders=2, switches={}, books=edition)
    company_id = connect(services, sandbox_world, made)
    choose_orders(services, company_id, made, becomes=Becomes.ORDER)
    orders_in_process(services, company_id)
    assert [len(ids) for ids in faults(services, company_id).values()] == [2]
    assert books.purchases(sandbox_world, made["realm"]) == []
    assert judged(sandbox, made)["missing"] == 2
