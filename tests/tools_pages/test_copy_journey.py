"""One invoice copied, compared and replaced over HTTP: the simulated platforms' books and journal are the judge."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import requests

from domain.documents import Window
from models import Company, Run
from sandbox.qbo import books
from sandbox.world import World
from sync import tools
from sync.apply import serve
from sync.copy_outcome import KIND, Asked
from tests.infra.company import config_for, connect
from workers.wiring import Services


def copy(services: Services, company_id: int, text: str, **asked: Any) -> dict[str, Any]:
    with services.sessions() as db, db.begin():
        fields = Asked(text, **asked).to_json()
        run, _ = tools.ask(db, db.get_one(Company, company_id), KIND, fields, now=services.now(), user=None)
        run_id = run.id
    source, ledger = services.source(company_id, interactive=True), services.ledger(company_id)
    tools.read(services.runtime(), company_id, source, ledger, run_id)
    for _ in range(5):
        serve(services.runtime(), company_id, source, ledger)
        with services.sessions() as db:
            run = db.get_one(Run, run_id)
            if run.finished_at is not None:
                return dict(run.summary)
    raise AssertionError(f"the run does not end: {run.step}")


def test_copied_once_compared_without_a_write_and_replaced_in_place(
    sandbox: str, migrated_sqlite_url: str, redis_url: str, sandbox_world: World
) -> None:
    services = Services.from_config(config_for(
        sandbox, database_url=migrated_sqlite_url, redis_url=redis_url,
        guard_young_seconds=0.0, guard_give_up_seconds=0.0,
    ))
    options = {"seed": 3, "invoices": 3, "region": "us", "slug": "firm", "days": 20, "lines": 2}
    made = requests.post(f"{sandbox}/control/seed/msp", json=options, timeout=60).json()
    company_id = connect(services, sandbox_world, made, look_back_days=1)
    realm, source = str(made["realm"]), services.source(company_id)
    [page] = source.headers("invoice", Window(since=services.now() - timedelta(days=60)))
    header = next(one for one in page if one.total > 0)
    before = {row["id"] for row in books.documents(sandbox_world, realm)}

    def ours() -> list[tuple[str, str, Decimal]]:
        rows = [row for row in books.documents(sandbox_world, realm) if row["id"] not in before and row["live"]]
        return [(row["id"], row["DocNumber"], row["total"]) for row in rows]

    assert copy(services, company_id, header.number or header.id)["outcome"] == "copied"
    [(ledger_id, number, total)] = ours()
    assert (number, total) == (header.number or header.id, header.total)

    # A copy is there: nothing is written without Overwrite, and comparing writes nothing either.
    [document] = next(iter(source.documents([header])))
    edit = {"invoice": int(header.id), "changes": {"extendedPrice": {document.lines[0].id: "1.00"}}}
    answer = requests.post(f"{sandbox}/control/actions/firm/edit", json=edit, timeout=30)
    assert answer.status_code == 200, answer.text
    mark = sandbox_world.journal.mark()
    assert copy(services, company_id, header.id, source_id=header.id)["outcome"] == "exists"
    shown = copy(services, company_id, header.id, source_id=header.id, overwrite=True)
    assert (shown["outcome"], shown["obstacles"]) == ("compare", [])
    assert {change["by"] for change in shown["changes"]} == {"source"}
    assert [row["operation"] for row in sandbox_world.journal.rows(since_id=mark) if row["effects"]] == []

    # Confirmed: the same document, Autotask's total, never a second copy.
    version = shown["held"]["version"]
    replaced = copy(services, company_id, header.id, source_id=header.id, replace=True, version=version)
    assert replaced["outcome"] == "replaced", replaced["reasons"]
    [fresh] = source.headers_by_id("invoice", [header.id])
    assert fresh.total != header.total
    assert ours() == [(ledger_id, number, fresh.total)]

    # Another customer: an invoice keeps its own in QuickBooks, so it is taken out and copied again, once.
    other = next(one.party_id for one in page if one.party_id not in (None, header.party_id))
    edit = {"invoice": int(header.id), "changes": {"companyID": int(other or 0)}}
    assert requests.post(f"{sandbox}/control/actions/firm/edit", json=edit, timeout=30).status_code == 200
    shown = copy(services, company_id, header.id, source_id=header.id, overwrite=True)
    assert (shown["outcome"], shown["anew"], shown["anew_obstacles"]) == ("compare", "delete", [])
    again = copy(services, company_id, header.id, source_id=header.id, anew=True, version=shown["held"]["version"])
    assert again["outcome"] == "anew", again["reasons"]
    [(new_id, new_number, new_total)] = ours()
    assert new_id != ledger_id and (new_number, new_total) == (number, fresh.total)
    [marked] = source.marks("invoice", [header.id])
    assert marked.marked_at is not None
