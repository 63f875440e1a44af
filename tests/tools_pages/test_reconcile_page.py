"""The reconciliation's page: what each side holds of a document, beside each other, from a comparison of the engine."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from sqlalchemy import select

from connectors.ledgers.base import Kind
from models import Run, ToolRow
from sync import reconciling
from tests.engine.test_reconciling import reconcile
from tests.engine.world import World, furnish, invoice, make_world
from tests.infra.database import Sessions
from tests.tools_pages.test_pages import get
from tests.web.site import NOW, Site


@pytest.fixture
def world(sessions: Sessions) -> World:
    made = make_world(sessions)
    furnish(made)
    made.source.put(invoice("1", "110.00", tax="10.00"), invoice("2", "20.00"), invoice("3", "30.00"))
    made.sync()
    return made


def rows(site: Site, world: World) -> dict[str, list[str]]:
    """Number → the cells of its row, of a comparison now, shown as one of the site's company."""
    run = reconcile(world)
    with world.sessions() as there:
        found = [(row.outcome, row.data) for row in there.scalars(select(ToolRow).where(ToolRow.run_id == run.id))]
    with site.db() as db, db.begin():
        made = Run(company_id=site.ids["A"]["company_id"], kind=reconciling.KIND, trigger="button", state=run.state,
                   phase="finished", summary=run.summary, started_at=NOW, finished_at=NOW)  # fmt: skip
        db.add(made)
        db.flush()
        db.add_all(ToolRow(company_id=made.company_id, run_id=made.id, outcome=each, data=data) for each, data in found)
        run_id = made.id
    text = get(site, f"/tools/results/{run_id}", "A viewer").get_data(as_text=True)
    cells = [re.findall(r"<td.*?</td>", row, re.DOTALL) for row in re.findall(r"<tr.*?</tr>", text, re.DOTALL)]
    plain = [[" ".join(re.sub(r"<[^>]*>", " ", cell).split()) for cell in row] for row in cells if len(row) == 10]
    return {row[0].split()[0]: row for row in plain}


def test_both_sides_stand_in_each_row(site: Site, world: World) -> None:
    first, gone, _ = world.books.documents()
    first.total, first.paid = Decimal("111.00"), Decimal("50.00")
    first.number = "BK-7"
    world.books.void(gone.id)
    stranger = world.books._store(Kind.INVOICE, {**gone.body, "marker": "x ref:ZZZZZZZZ", "number": "9"})
    found = rows(site, world)
    number, result, side, customer, day, net, tax, total, open_, why = found["AT-1"]
    assert number == f"AT-1 QuickBooks {first.id}, number BK-7" and result == "Changed in the ledger"
    assert side == "Bookbridge QuickBooks" and customer == "Customer 175 Customer 175"
    assert day == "13 Nov 2026 13 Nov 2026"
    assert (net, tax) == ("USD 100.00 USD 101.00", "USD 10.00 USD 10.00")
    assert (total, open_) == ("USD 110.00 USD 111.00", "USD 110.00 USD 61.00")
    assert why == "Total: 110.00 here, 111.00 in the ledger; Net: 100.00 here, 101.00 in the ledger"
    assert found["AT-2"][3:9] == ["Customer 175 –", "13 Nov 2026 –", "USD 20.00 –", "USD 0.00 –", "USD 20.00 –",
                                  "USD 20.00 –"]  # fmt: skip
    assert found["9"][0] == f"9 QuickBooks {stranger.id}"
    assert found["9"][3:9] == ["– Customer 175", "– 13 Nov 2026", "– USD 20.00", "– USD 0.00", "– USD 20.00",
                               "– USD 20.00"]  # fmt: skip
    assert found["AT-3"][1] == "Agrees" and found["AT-3"][9] == ""
