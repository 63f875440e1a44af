"""The casebook: every case issued in Autotask, synced over HTTP, and read back from the simulated books."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from domain.settings import ClosedPeriod
from models import Document
from sync import voids
from tests.casebook import stories
from tests.casebook.books import CASES, Books, added, moves, row
from tests.casebook.stories import FIRMS, STORIES, Stories
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
@pytest.mark.parametrize("ledger", ["quickbooks", "xero"])
def test_every_case_is_booked_as_written(services: Services, sandbox_world: Any, ledger: str, region: str) -> None:
    books = Books(sandbox_world, region, ledger)
    before = books.side.balances()
    company_id = connect(
        services, sandbox_world, books.made, closed_period=ClosedPeriod.OPEN_DAY, **books.side.chosen(books.terms)
    )
    sync_in_process(services, company_id)
    with services.sessions() as db:
        rows = {each.source_id: each for each in db.scalars(select(Document).where(Document.company_id == company_id))}
    found = {case["id"]: told(books.found(case), rows[str(books.ids[case["id"]])], case) for case in books.cases}
    assert found == {case["id"]: case["expected"] for case in books.cases}
    assert moved(before, books.side.balances()) == added(pair for case in books.cases for pair in moves(case).items())


@pytest.mark.parametrize("name", FIRMS)
def test_every_story_is_booked_as_written(services: Services, sandbox_world: Any, name: str) -> None:
    books = Stories(sandbox_world, name)
    before = books.balances()
    company_id = connect(services, sandbox_world, books.made, **books.settings())
    sync_in_process(services, company_id)
    for turn in range(max(len(case.get("acts", ())) for case in books.cases)):
        for case in books.cases:
            if turn < len(case.get("acts", ())):
                happens(services, books, case, case["acts"][turn])
        sync_in_process(services, company_id)
    with services.sessions() as db:
        rows = {each.source_id: each for each in db.scalars(select(Document).where(Document.company_id == company_id))}
    found = {case["id"]: told(books.found(case), rows[str(books.ids[case["id"]])], case) for case in books.cases}
    assert found == {case["id"]: case["expected"] for case in books.cases}
    assert moved(before, books.balances()) == added(pair for case in books.cases for pair in moves(case).items())


def moved(before: dict[str, Decimal], after: dict[str, Decimal]) -> dict[str, Decimal]:
    """What changed in a trial balance."""
    return added([*after.items(), *((account, -amount) for account, amount in before.items())])


def happens(services: Services, books: Stories, case: dict[str, Any], words: str) -> None:
    """In Autotask or the ledger, or a person presses a button on the document's page."""
    if not words.startswith("press "):
        books.act(case, words)
        return
    press = {"void": voids.void, "correct": voids.correct}[words.split()[1]]
    with services.sessions() as db, db.begin():
        row = db.scalars(select(Document).where(Document.source_id == str(books.ids[case["id"]]))).one()
        assert press(db, row, now=services.now(), who="Robin"), row.reason_code


def told(found: dict[str, Any], document: Document, case: dict[str, Any]) -> dict[str, Any]:
    """What the product says beside what the books say; a reason where nothing was posted, or a person is asked."""
    if not found:
        return {"reason": document.reason_code}
    asked = {"reason": document.reason_code} if "reason" in case["expected"] else {}
    return {**found, **asked, **({"flags": document.flags} if "flags" in case["expected"] else {})}


def test_the_casebook_shows_every_case() -> None:
    text = (ROOT / "docs" / "casebook.md").read_text()
    rows = [*map(row, CASES), *map(stories.row, STORIES)]
    assert [each for each in rows if each not in text] == []
    assert len({case["id"] for case in (*CASES, *STORIES)}) == len(rows)
