"""A generated firm with every problem of the catalogue, synced over real HTTP; the sandbox's audit is the judge."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import requests

from domain.settings import MatchBy
from models import Run
from sandbox.autotask.tenants import Tenant
from sandbox.qbo import books
from tests.infra.company import config_for, connect, sync_in_process
from workers.wiring import Services


@pytest.fixture
def services(
    request: pytest.FixtureRequest, database: str, sandbox: str, redis_url: str, smtp_port: int
) -> Services:
    config = config_for(
        sandbox, database_url=request.getfixturevalue(f"migrated_{database}_url"), redis_url=redis_url, smtp_url=f"smtp://127.0.0.1:{smtp_port}",
        guard_young_seconds=0.0, guard_give_up_seconds=0.0,
    )
    return Services.from_config(config)


def seed(url: str, **options: Any) -> dict[str, Any]:
    answer = requests.post(f"{url}/control/seed/msp", json=options, timeout=60)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


@pytest.mark.parametrize(
    ("database", "region"), [("sqlite", "us"), pytest.param("postgres", "uk", marks=pytest.mark.postgres)]
)
def test_every_document_ends_where_it_should(
    services: Services, sandbox: str, sandbox_world: Any, region: str
) -> None:
    made = seed(sandbox, seed=7, invoices=60, region=region, problems=True, slug=f"firm-{region}", days=20)
    company_id = connect(services, sandbox_world, made, look_back_days=30, match_by=MatchBy.NAME)
    run_id = sync_in_process(services, company_id)
    verdict = requests.get(
        f"{sandbox}/control/audit", params={"ci": made["ci"], "realm": made["realm"], "details": 1}, timeout=30
    ).json()
    with services.sessions() as db:
        assert db.get_one(Run, run_id).finished_at is not None
    assert verdict["duplicates"] == 0, verdict
    assert verdict["missing"] == 0, verdict
    assert verdict["unmarked"] == 0, verdict
    assert verdict["unexplained"] == 0, verdict["details"]
    assert differing(sandbox_world, made) == []


def differing(world: Any, made: dict[str, Any]) -> list[str]:
    """Ledger documents of ours whose total is not, to the cent, that of the source invoice of their number."""
    totals: dict[str, set[Decimal]] = {}
    for row in Tenant(world, int(made["ci"])).rows("Invoices"):
        for number in {row.get("invoiceNumber"), str(row["id"])}:
            totals.setdefault(str(number), set()).add(abs(Decimal(row["invoiceTotal"])))
    ours = [d for d in books.documents(world, str(made["realm"])) if "ref:" in (d["PrivateNote"] or "")]
    assert ours
    return [
        f"{d['DocNumber']}: {d['total']}" for d in ours if Decimal(d["total"]) not in totals.get(d["DocNumber"], set())
    ]
