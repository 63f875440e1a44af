"""The judge of a broken installation sees what is not as it must be, and nothing once it is."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests

from domain.order_settings import Becomes
from domain.settings import VoidPolicy
from tests.chaos.buttons import Person
from tests.chaos.companies import Companies, Month
from tests.chaos.installation import Installation
from tests.chaos.judging import Account, judge, late_arrival
from tests.chaos.people import People
from tests.infra.company import config_for, connect, sync_in_process
from tests.infra.orders import choose_orders, orders_in_process, serve_to_rest
from workers.wiring import Services


@pytest.mark.parametrize("profile", ["us-ast", "xero-us"])
def test_what_people_do_is_missed_until_the_product_has_followed(
    profile: str, sandbox: str, sandbox_world: Any, migrated_sqlite_url: str, redis_url: str
) -> None:
    services = Services.from_config(config_for(sandbox, database_url=migrated_sqlite_url, redis_url=redis_url))
    options = {"seed": 1, "invoices": 12, "orders": 8, "days": 10, "profile": profile, "slug": "judged"}
    made = requests.post(f"{sandbox}/control/seed/msp", json=options, timeout=60).json()
    company_id = connect(services, sandbox_world, made, look_back_days=30, voids=VoidPolicy.VOID)
    choose_orders(services, company_id, made, becomes=Becomes.ON_RECEIPT)
    made |= {"buys": True, "on_receipt": True}
    rng = random.Random(3)
    told = cast(Installation, SimpleNamespace(world=sandbox_world, url=sandbox, services=services, sites={}))
    companies = Companies(told, rng, [Month(company_id, made, Person(services, company_id, rng))])

    def follow() -> Account:
        orders_in_process(services, company_id)
        for _ in range(2):  # what bills an invoice again waits until the void is certain
            sync_in_process(services, company_id)
        serve_to_rest(services, company_id)
        return judge(told, companies)

    people = People(told, companies, rng)
    people.receive()
    assert follow().remarks == []
    people.receive()
    people.edit()
    for _ in range(3):
        people.void()
    missed = judge(told, companies)
    told_of = " ".join(missed.remarks)
    assert told_of.count("stands, voided in the source") == 3
    again = people.counts["reissue"]
    assert again and f"{again} invoices missing" in told_of, "those that bill the same items again"
    assert "billed under []" in told_of, "goods that arrived"
    account = follow()
    assert (account.remarks, account.duplicates, account.lost) == ([], 0, 0)


@pytest.mark.parametrize(("booked", "sent", "late"), [
    ((1, 41), (0, 40), False),  # both sends arrived at once: the second should never have gone
    ((41, 55), (0, 40), True),  # the first send arrived after the second one was booked
    ((1, 2), (0,), True),  # delivered twice
    ((35,), (0,), True),
])  # fmt: skip
def test_a_second_copy_is_the_residual_only_where_a_send_arrived_late_or_twice(
    booked: tuple[int, ...], sent: tuple[int, ...], late: bool
) -> None:
    at = [datetime(2026, 11, 20, 9, 0, tzinfo=UTC) + timedelta(seconds=n) for n in range(60)]
    assert late_arrival([at[n] for n in booked], [at[n] for n in sent]) is late
