"""The casebook: every case issued in Autotask, synced over HTTP, and read back from the simulated books."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from domain.settings import ClosedPeriod, TermRule
from models import Document
from tests.casebook.books import CASES, Books, row
from tests.casebook.sides import RECEIVABLE
from tests.conventions.source import ROOT
from tests.infra.company import config_for, connect, sync_in_process
from workers.wiring import Services


@pytest.fixture
def services(sandbox: str, migrated_sqlite_url: str, redis_url: str, smtp_port: int) -> Services:
    return Services.from_config(config_for(
        sandbox, database_url=migrated_sqlite_url, redis_url=redis_url, smtp_url=f"smtp://127.0.0.1:{smtp_port}",
        time_factor=20, guard_young_seconds=0.0, guard_give_up_seconds=0.0,
    ))


@pytest.mark.parametrize("region", ["us", "uk", "au"])
def test_every_case_is_booked_as_written(services: Services, sandbox_world: Any, region: str) -> None:
    books = Books(sandbox_world, region, "quickbooks")
    before = books.side.balances()
    company_id = connect(
        services, sandbox_world, books.made, rounding_account=books.side.accounts["Rounding"],
        closed_period=ClosedPeriod.OPEN_DAY,
        term_map=(TermRule(str(books.terms["Fifteen days"]), books.side.term("Net 15")),),
    )
    sync_in_process(services, company_id)
    with services.sessions() as db:
        rows = {each.source_id: each for each in db.scalars(select(Document).where(Document.company_id == company_id))}
    found = {case["id"]: told(books.found(case), rows[str(books.ids[case["id"]])], case) for case in books.cases}
    assert found == {case["id"]: case["expected"] for case in books.cases}
    journals = [case["expected"]["journal"] for case in books.cases if "journal" in case["expected"]]
    receivable = sum((Decimal(journal[RECEIVABLE]) for journal in journals), Decimal(0))
    assert books.side.balances()[RECEIVABLE] - before[RECEIVABLE] == receivable


def told(found: dict[str, Any], document: Document, case: dict[str, Any]) -> dict[str, Any]:
    """What the product says beside what the books say; a reason where nothing was posted."""
    if not found:
        return {"reason": document.reason_code}
    return {**found, **({"flags": document.flags} if "flags" in case["expected"] else {})}


def test_the_casebook_shows_every_case() -> None:
    text = (ROOT / "docs" / "casebook.md").read_text()
    assert [row(case) for case in CASES if row(case) not in text] == []
    assert len({case["id"] for case in CASES}) == len(CASES)
