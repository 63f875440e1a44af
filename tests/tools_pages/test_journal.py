"""What tools that only read leave in the sandbox's journal: reads, and nothing created, changed or removed."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from sqlalchemy import select

from domain.settings import MatchBy, Numbering
from models import Company, Document, Run, ToolRow
from sandbox.world import World
from sync import tools
from sync.check import Asked
from tests.infra.company import config_for, connect
from workers.wiring import Services


@pytest.fixture
def services(sandbox: str, migrated_sqlite_url: str, redis_url: str) -> Services:
    config = config_for(
        sandbox, database_url=migrated_sqlite_url, redis_url=redis_url,
        platform_limits="off", guard_young_seconds=0.0, guard_give_up_seconds=0.0,
    )
    return Services.from_config(config)


@pytest.fixture
def company_id(services: Services, sandbox: str, sandbox_world: World) -> int:
    options = {"seed": 7, "invoices": 40, "region": "us", "problems": True, "slug": "firm", "days": 20}
    made = requests.post(f"{sandbox}/control/seed/msp", json=options, timeout=60).json()
    return connect(services, sandbox_world, made, look_back_days=30, match_by=MatchBy.NAME)


def carry_out(services: Services, company_id: int, kind: str, asked: dict[str, Any]) -> int:
    with services.sessions() as db, db.begin():
        run, _ = tools.ask(db, db.get_one(Company, company_id), kind, asked, now=services.now(), user=None)
        run_id = run.id
    source, ledger = services.source(company_id), services.ledger(company_id)
    tools.read(services.runtime(), company_id, source, ledger, run_id)
    return run_id


def test_a_check_makes_no_writing_call(services: Services, company_id: int, sandbox_world: World) -> None:
    before = sandbox_world.journal.mark()
    run_id = carry_out(services, company_id, "check", Asked(Numbering.SOURCE, 30).to_json())
    called = sandbox_world.journal.rows(since_id=before)
    assert called
    assert [row["operation"] for row in called if row["effects"]] == []
    with services.sessions() as db:
        found = db.scalars(select(ToolRow).where(ToolRow.run_id == run_id)).all()
        assert db.scalars(select(Document)).first() is None
    assert len(found) >= 40
    assert {"ready", "stopped"} <= {row.outcome for row in found}
    assert len({value["code"] for row in found for value in row.data["reasons"]}) >= 8


def test_a_comparison_makes_no_writing_call(services: Services, company_id: int, sandbox_world: World) -> None:
    before = sandbox_world.journal.mark()
    run_id = carry_out(services, company_id, "compare", {"match_by": "name"})
    called = sandbox_world.journal.rows(since_id=before)
    assert called
    assert [row["operation"] for row in called if row["effects"]] == []
    with services.sessions() as db:
        assert db.get_one(Run, run_id).state == "Finished"
        assert "missing" in {row.outcome for row in db.scalars(select(ToolRow).where(ToolRow.run_id == run_id))}
