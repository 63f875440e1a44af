"""`kill -9` of a worker whose bills are in the books while nobody has noted it; the ledger forgets the call's key.

Bills have no number that a ledger keeps unique, so only the look-up by creation time and marker finds them. The judge
is the sandbox: its books and its Autotask.
"""

from __future__ import annotations

from typing import Any

import pytest
import requests

from domain.order_settings import VendorNumber
from models import Run
from sandbox.xero import books
from sync import gather
from tests.crash.story import FACTOR, PATIENCE_S, die
from tests.infra.company import config_for, connect
from tests.infra.orders import ask_orders, choose_orders, judged
from tests.infra.processes import Processes
from workers import enqueue
from workers.wiring import Services

pytestmark = [pytest.mark.timeout(300), pytest.mark.process]


@pytest.mark.parametrize(
    ("profile", "platform", "point"),
    [("us-ast", "qbo", "after_send:2"), ("xero-us", "xero", "after_send:2"), ("xero-us", "xero", "after_send:3")],
    ids=["QuickBooks", "Xero", "Xero, being approved"],
)
def test_a_worker_killed_with_its_bills_in_the_books_leaves_each_of_them_once(
    profile: str, platform: str, point: str, sandbox: str, sandbox_world: Any, redis_url: str, migrated_sqlite_url: str,
    processes: Processes,
) -> None:
    config = config_for(sandbox, database_url=migrated_sqlite_url, redis_url=redis_url, time_factor=FACTOR,
                        guard_young_seconds=0.0)  # fmt: skip
    services = Services.from_config(config)
    options = {"seed": 3, "invoices": 0, "orders": 12, "slug": "bills", "profile": profile}
    made = requests.post(f"{sandbox}/control/seed/msp", json=options, timeout=60).json()
    company_id = connect(services, sandbox_world, made)
    choose_orders(services, company_id, made, bill_number=VendorNumber.NONE)
    run_id = ask_orders(services, company_id)
    gather.scan(services.runtime(), company_id, services.source(company_id), services.ledger(company_id), run_id)
    processes.env = {name.upper(): str(value) for name, value in config.model_dump(exclude_none=True).items()}
    # The first call makes vendors and items, the second the bills, a third one approves them where they are drafts.
    doomed = processes.workers("doomed", "worker", env={"FAILPOINT": point})
    enqueue.ring(services, company_id)
    die(processes, doomed, "after_send")
    between = judged(sandbox, made)
    assert between["bills"] == 12 and (between["unmarked"] == 12 or point == "after_send:3")
    sandbox_world.faults.plan("requestid_forgotten", platform, "*", times=None)
    fresh = processes.workers("worker", "worker")
    scheduler = processes.workers("scheduler", "scheduler")

    def finished() -> bool:
        with services.sessions() as db:
            return db.get_one(Run, run_id).finished_at is not None

    processes.wait_for(finished, fresh, scheduler, what="the run finishes after the crash", timeout_s=PATIENCE_S)
    after = judged(sandbox, made)
    assert (after["bills"], after["eligible"]) == (12, 12)
    if platform == "xero":
        rows = books.purchases(sandbox_world, str(made["realm"]))
        assert {row["state"] for row in rows if "ref:" in row["PrivateNote"]} == {"AUTHORISED"}
    wrong = {name: after[name] for name in ("missing", "duplicates", "unmarked", "strays", "wrong")}
    assert wrong == {"missing": 0, "duplicates": 0, "unmarked": 0, "strays": [], "wrong": {}}
    assert all(sums["expected"] == sums["posted"] for sums in after["totals"].values())
