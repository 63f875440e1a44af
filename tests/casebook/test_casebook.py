"""The casebook: every case issued in Autotask, synced over HTTP, and read back from the simulated books."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from domain.settings import ClosedPeriod
from models import Company, Document, Run
from sync import tools, voids
from sync.copy_outcome import KIND, Asked, Outcome
from tests.casebook import stories
from tests.casebook.books import CASES, Books, added, moves, row
from tests.casebook.stories import FIRMS, STORIES, Stories, stories_of
from tests.conventions.source import ROOT
from tests.infra.company import config_for, connect, serve_run, sync_in_process
from workers.wiring import Services

PLACES = [(ledger, name) for ledger in ("quickbooks", "xero") for name in FIRMS if stories_of(name, ledger)]
"""Every ledger and company in which a story makes sense."""


@pytest.fixture
def services(sandbox: str, migrated_sqlite_url: str, redis_url: str, smtp_port: int) -> Services:
    return Services.from_config(config_for(
        sandbox, database_url=migrated_sqlite_url, redis_url=redis_url, smtp_url=f"smtp://127.0.0.1:{smtp_port}",
        guard_young_seconds=0.0, guard_give_up_seconds=0.0,
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


@pytest.mark.parametrize(("ledger", "name"), PLACES)
def test_every_story_is_booked_as_written(services: Services, sandbox_world: Any, ledger: str, name: str) -> None:
    books = Stories(sandbox_world, name, ledger)
    before = books.side.balances()
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
    assert moved(before, books.side.balances()) == added(pair for case in books.cases for pair in moves(case).items())


def moved(before: dict[str, Decimal], after: dict[str, Decimal]) -> dict[str, Decimal]:
    """What changed in a trial balance."""
    return added([*after.items(), *((account, -amount) for account, amount in before.items())])


def happens(services: Services, books: Stories, case: dict[str, Any], words: str) -> None:
    """In Autotask or the ledger, or a person presses a button on the document's page."""
    if not words.startswith("press "):
        books.act(case, words)
        return
    if words in ("press overwrite", "press replace"):
        overwrite(services, books, case, confirmed=words == "press replace")
        return
    press = {"void": voids.void, "correct": voids.correct}[words.split()[1]]
    with services.sessions() as db, db.begin():
        row = db.scalars(select(Document).where(Document.source_id == str(books.ids[case["id"]]))).one()
        assert press(db, row, now=services.now(), who="Robin"), row.reason_code


def overwrite(services: Services, books: Stories, case: dict[str, Any], *, confirmed: bool) -> None:
    """Manually Copy with Overwrite: both sides are shown; `confirmed` replaces exactly the version that was shown."""
    source_id = str(books.ids[case["id"]])
    shown = copied(services, source_id, overwrite=True)
    books.shown[case["id"]] = [f"{change['label']}: {change['by']}" for change in shown["changes"]]
    if confirmed:
        done = copied(services, source_id, overwrite=True, replace=True, version=shown["held"]["version"])
        assert done["invoice"]["ledger_id"] == shown["held"]["ledger_id"]
        assert done["outcome"] == case["expected"].get("outcome", Outcome.REPLACED)
        books.outcomes[case["id"]] = done["outcome"]


def copied(services: Services, source_id: str, **asked: Any) -> dict[str, Any]:
    """The result of one Manually Copy."""
    with services.sessions() as db, db.begin():
        company = db.scalars(select(Company)).one()
        fields = Asked("", source_id=source_id, mail=False, **asked).to_json()
        run, _ = tools.ask(db, company, KIND, fields, now=services.now(), user=None)
        run_id, company_id = run.id, company.id
    tools.read(services.runtime(), company_id, services.source(company_id), services.ledger(company_id), run_id)
    serve_run(services, company_id, run_id)
    with services.sessions() as db:
        return dict(db.get_one(Run, run_id).summary)


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
