"""The casebook: every case issued in Autotask, synced over HTTP, and read back from the simulated books."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from domain.settings import ClosedPeriod, TermRule
from models import Document
from sandbox.qbo import ledger
from tests.casebook.books import CASES, Books, row
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
    books = Books(sandbox_world, region)
    before = {each["name"]: each["debit"] - each["credit"] for each in ledger.trial_balance(books.realm)}
    company_id = connect(
        services, sandbox_world, books.made, rounding_account=books.accounts["Rounding"],
        closed_period=ClosedPeriod.OPEN_DAY,
        term_map=(TermRule(str(books.terms["Fifteen days"]), books.ledger_term("Net 15")),),
    )
    sync_in_process(services, company_id)
    with services.sessions() as db:
        rows = {each.source_id: each for each in db.scalars(select(Document).where(Document.company_id == company_id))}
    cases = [case for case in CASES if case["region"] == region]
    found = {case["id"]: told(books.found(case), rows[str(books.ids[case["id"]])], case) for case in cases}
    assert found == {case["id"]: case["expected"] for case in cases}
    after = {each["name"]: each["debit"] - each["credit"] for each in ledger.trial_balance(books.realm)}
    receivable = sum((Decimal(c["expected"]["journal"]["AR"]) for c in cases if "journal" in c["expected"]), Decimal(0))
    assert after["Accounts Receivable (A/R)"] - before["Accounts Receivable (A/R)"] == receivable


def told(found: dict[str, Any], document: Document, case: dict[str, Any]) -> dict[str, Any]:
    """What the product says beside what the books say; a reason where nothing was posted."""
    if not found:
        return {"reason": document.reason_code}
    return {**found, **({"flags": document.flags} if "flags" in case["expected"] else {})}


def test_the_casebook_shows_every_case() -> None:
    text = (ROOT / "docs" / "casebook.md").read_text()
    assert [row(case) for case in CASES if row(case) not in text] == []
    assert len({case["id"] for case in CASES}) == len(CASES)
