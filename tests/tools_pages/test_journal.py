"""What tools that only read leave in the sandbox's journal: reads, and nothing created, changed or removed."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from typing import Any

import pytest
import requests
from sqlalchemy import select

from connectors.ledgers.base import Kind
from domain.compare import Result
from domain.settings import MatchBy, Numbering
from models import Company, Document, Grant, Run, ToolRow
from sandbox.world import World
from sync import diagnosis, tools
from sync.check import Asked
from sync.comparing import COPY, CREATED
from sync.invoices import window
from sync.settings import load_invoices
from sync.tool_report import csv_text, rows_of
from tests.infra.company import config_for, connect, serve_run
from workers import jobs
from workers.wiring import Services


@pytest.fixture
def services(sandbox: str, migrated_sqlite_url: str, redis_url: str) -> Services:
    config = config_for(
        sandbox, database_url=migrated_sqlite_url, redis_url=redis_url,
        guard_young_seconds=0.0, guard_give_up_seconds=0.0,
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


@pytest.mark.parametrize(("kind", "missing"), [("compare", "missing"), ("compare_lists", "item:new")])
def test_a_comparison_makes_no_writing_call(
    services: Services, company_id: int, sandbox_world: World, kind: str, missing: str
) -> None:
    before = sandbox_world.journal.mark()
    run_id = carry_out(services, company_id, kind, {"match_by": "name"})
    called = sandbox_world.journal.rows(since_id=before)
    assert called
    assert [row["operation"] for row in called if row["effects"]] == []
    with services.sessions() as db:
        assert db.get_one(Run, run_id).state == "Finished"
        assert missing in {row.outcome for row in db.scalars(select(ToolRow).where(ToolRow.run_id == run_id))}


def test_every_missing_item_is_created_exactly_once(services: Services, company_id: int, sandbox_world: World) -> None:
    """With the limiter on: served until the run has ended, judged by the journal and the item list."""
    services = Services.from_config(services.config.model_copy(update={"platform_limits": "on"}))
    seen = sandbox_world.journal.mark()
    run_id = carry_out(services, company_id, COPY, {"match_by": "name"})
    serve_run(services, company_id, run_id)
    with services.sessions() as db:
        run = db.get_one(Run, run_id)
        rows = [row for row in db.scalars(select(ToolRow).where(ToolRow.run_id == run_id)) if row.posting_id]
    missing = {row.data["name"].casefold() for row in rows}
    items = Counter(r.name.casefold() for r in services.ledger(company_id).lists((Kind.ITEM,)).records)
    created = [each for row in sandbox_world.journal.rows(since_id=seen) for each in row["effects"]]
    assert len(missing) >= 10 and {items[name] for name in missing} == {1}
    assert [(each["kind"], each["action"]) for each in created] == [("Item", "create")] * len(missing)
    assert run.state == "Finished"
    assert {row.data["name"].casefold() for row in rows if row.outcome == CREATED} == missing
    assert run.summary["counts"][CREATED] == len(missing)
    assert {row.outcome for row in rows} == {CREATED, Result.SHARED}  # two codes are called alike: one item, told


def test_a_diagnosis_makes_no_writing_call_and_its_bundle_has_no_secret(
    services: Services, company_id: int, sandbox_world: World
) -> None:
    with services.sessions() as db:
        looked = window(load_invoices(db, company_id), services.now())
    wanted = next(iter(services.source(company_id).headers("invoice", looked)))[0].id
    before = sandbox_world.journal.mark()
    with services.sessions() as db, db.begin():
        run, _ = tools.ask(
            db, db.get_one(Company, company_id), diagnosis.KIND, {"wanted": wanted}, now=services.now(), user=None
        )
        run_id = run.id
    jobs.troubleshooting(services, company_id, run_id)
    called = sandbox_world.journal.rows(since_id=before)
    assert called
    assert [row["operation"] for row in called if row["effects"]] == []
    with services.sessions() as db:
        run = db.get_one(Run, run_id)
        rows = rows_of(db, run)
        packed = diagnosis.bundle(run, rows, csv_text(run, rows, "QuickBooks"), "QuickBooks")
        grant = db.scalars(select(Grant)).first()
        assert run.state == "Finished", run.message
        assert run.summary["papers"]["source"]["lines"]
        assert grant is not None
        secrets = list(services.secrets_of(db, company_id))
    secrets.append(services.tokens.access_token(grant.id))
    assert {"Clocks", "Limits", "Permissions"} <= {row.data["area"] for row in rows}
    assert [row.data["value"] for row in rows if row.data["area"] == "Clocks"] == ["Agrees with ours"] * 2
    archive = zipfile.ZipFile(io.BytesIO(packed))
    text = "\n".join(archive.read(name).decode() for name in archive.namelist())
    assert len(secrets) >= 4
    for secret in secrets:
        assert secret not in text
