"""`kill -9` of a worker at every named point of posting a batch, then recovery by others.

A worker process with FAILPOINT set kills itself there; it is then ended for good, and a fresh worker and the
scheduler take over with times divided by ten. The judge is the sandbox: its books, journal and mailbox.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests
from sqlalchemy import select

from models import Attempt, Grant, Posting, Run
from sandbox.qbo import books
from tests.crash.story import FACTOR, PATIENCE_S, die
from tests.infra.company import ask_sync, config_for, connect
from tests.infra.processes import Processes
from workers import enqueue
from workers.wiring import Services

POINTS = (
    "after_reserve", "after_freeze", "after_intent", "before_send", "after_send", "after_confirm", "after_write_back",
    "before_done", "in_refresh",
)
WHOLE = os.environ.get("CRASH_MATRIX") == "all"
"""`make crash`: every point on both databases. In `make test` the points at which the books and the database differ;
kinds and ledgers are in test_matrix."""
ON_SQLITE = POINTS if WHOLE else ("after_reserve", "before_send", "after_confirm", "after_write_back", "in_refresh")
ON_POSTGRESQL = POINTS if WHOLE else ("after_intent", "after_send")

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def crash(
    sandbox: str, sandbox_world: Any, redis_url: str, smtp_port: int, processes: Processes
) -> Callable[..., dict[str, Any]]:
    """Run one company through a crash at a point, on a database; returns the sandbox's account of it."""

    def run(point: str, database_url: str, **settings: Any) -> dict[str, Any]:
        values = {
            "database_url": database_url, "redis_url": redis_url, "smtp_url": f"smtp://127.0.0.1:{smtp_port}",
            "time_factor": FACTOR, "guard_young_seconds": 0.0,
        }
        config = config_for(sandbox, **values)
        services = Services.from_config(config)
        made = _seed(sandbox)
        company_id = connect(services, sandbox_world, made, look_back_days=30, **settings)
        if point == "in_refresh":
            _expire(services)
        processes.env = {name.upper(): str(value) for name, value in config.model_dump(exclude_none=True).items()}
        run_id = ask_sync(services, company_id)
        doomed = processes.workers("doomed", "worker", env={"FAILPOINT": point})
        enqueue.scan(services, company_id, run_id)
        die(processes, doomed, point)
        _recover(services, processes, run_id)
        return {"services": services, "made": made, "company_id": company_id, "run_id": run_id}

    return run


def _seed(sandbox: str) -> dict[str, Any]:
    options = {"seed": 3, "invoices": 9, "lines": 2, "days": 10, "known_customers": False, "slug": "crash"}
    answer = requests.post(f"{sandbox}/control/seed/msp", json=options, timeout=60)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


def _expire(services: Services) -> None:
    """The access token is used up, so the next call renews it."""
    with services.sessions() as db, db.begin():
        grant = db.scalars(select(Grant)).one()
        grant.access_expires_at = services.now() - timedelta(minutes=1)


def _recover(services: Services, processes: Processes, run_id: int) -> None:
    fresh = processes.workers("worker", "worker")
    scheduler = processes.workers("scheduler", "scheduler")

    def finished() -> bool:
        with services.sessions() as db:
            run = db.get_one(Run, run_id)
            states = set(db.scalars(select(Posting.state).where(Posting.document_id.is_not(None))))
            return run.finished_at is not None and states == {"DONE"}

    processes.wait_for(finished, fresh, scheduler, what="the run finishes after the crash", timeout_s=PATIENCE_S)


def _once_each(sandbox: str, sandbox_world: Any, story: dict[str, Any]) -> None:
    """Every invoice is in the books exactly once, marked, and reported as it is; no attempt was completed twice."""
    made = story["made"]
    verdict = requests.get(
        f"{sandbox}/control/audit", params={"ci": made["ci"], "realm": made["realm"], "details": 1}, timeout=30
    ).json()
    assert {name: verdict[name] for name in ("duplicates", "missing", "unmarked")} == {
        "duplicates": 0, "missing": 0, "unmarked": 0,
    }, verdict
    ours = [d for d in books.documents(sandbox_world, str(made["realm"])) if "ref:" in (d["PrivateNote"] or "")]
    live = [d for d in ours if d["live"]]
    assert len(live) == verdict["seen"] == verdict["posted"] + verdict["credit_memos"]
    assert Counter(d["DocNumber"] for d in live).most_common(1)[0][1] == 1
    with story["services"].sessions() as db:
        assert db.scalars(select(Attempt)).all(), "postings without an attempt row"


@pytest.mark.parametrize("point", ON_SQLITE)
def test_a_worker_killed_at_any_point_posts_each_invoice_once(
    point: str, crash: Callable[..., dict[str, Any]], migrated_sqlite_url: str, sandbox: str, sandbox_world: Any
) -> None:
    _once_each(sandbox, sandbox_world, crash(point, migrated_sqlite_url))


@pytest.mark.parametrize("point", ON_POSTGRESQL)
def test_the_same_on_postgresql(
    point: str, crash: Callable[..., dict[str, Any]], migrated_postgres_url: str, sandbox: str,
    sandbox_world: Any,
) -> None:
    _once_each(sandbox, sandbox_world, crash(point, migrated_postgres_url))
