"""Compare Lists in the real application: starting it, its page, linking one row, accepting all exact ones, roles."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from domain.known import Entry
from domain.list_compare import Pair, Same
from models import Audit, Link, MirrorEntry, Run, ToolRow
from sync import list_compare
from tests.tools_pages.test_pages import get, post, runs
from tests.web.site import NOW, Site

HERE = Entry("58", "Nearby", True)
THERE = Entry("59", "Acme", True)
PAIRS = (
    Pair("175", "Nearby <Ltd>", Same.SIMILAR, None, (HERE,), creatable=True),
    Pair("176", "Acme", Same.EXACT, THERE, (THERE,)),
    Pair("177", "Brand New", Same.NEW, creatable=True), Pair("178", "Done", Same.LINKED, HERE),
)  # fmt: skip


def compared(site: Site) -> tuple[int, dict[str, int]]:
    """A finished comparison; returns its run and row ids by key."""
    company_id = site.ids["A"]["company_id"]
    with site.db() as db, db.begin():
        run = Run(company_id=company_id, kind=list_compare.KIND, trigger="button", state="Finished", phase="finished",
                  summary={"counts": {"customer": {"similar": 1, "exact": 1, "new": 1, "linked": 1}, "term": {}}},
                  started_at=NOW, finished_at=NOW, requested_by_name="Robin")  # fmt: skip
        db.add(run)
        db.flush()
        rows = {
            pair.key: ToolRow(company_id=company_id, run_id=run.id, outcome=f"customer:{pair.state}",
                              data=list_compare.row_data("customer", pair))
            for pair in PAIRS
        }  # fmt: skip
        db.add_all(rows.values())
        for entry in (HERE, THERE):
            known = db.scalars(select(MirrorEntry).where(
                MirrorEntry.company_id == company_id, MirrorEntry.kind == "customer",
                MirrorEntry.ledger_id == entry.id,
            )).one_or_none() or MirrorEntry(company_id=company_id, kind="customer", ledger_id=entry.id, version="1")
            known.name, known.folded, known.loose = entry.name, entry.name.casefold(), entry.name.casefold()
            known.active, known.details, known.read_at = True, {}, NOW
            db.add(known)
        db.flush()
        return run.id, {key: row.id for key, row in rows.items()}


def linked(site: Site) -> dict[str, str]:
    with site.db() as db:
        found = db.scalars(select(Link).where(Link.company_id == site.ids["A"]["company_id"], Link.kind == "customer"))
        return {link.source_key: link.ledger_id for link in found}


def audited(site: Site, action: str) -> list[Any]:
    with site.db() as db:
        return list(db.scalars(select(Audit.detail).where(Audit.action == action)))


def test_pressing_twice_joins_the_comparison_that_is_on(site: Site) -> None:
    assert "Compare Lists" in get(site, "/tools/compare").get_data(as_text=True)
    first, second = post(site, "compare/lists"), post(site, "compare/lists")
    assert second.headers["Location"] == first.headers["Location"] + "?joined=1"
    assert len(runs(site, list_compare.KIND)) == 1


def test_the_page_shows_each_state_and_offers_what_can_be_done(site: Site) -> None:
    run_id, _ = compared(site)
    text = get(site, f"/tools/results/{run_id}", "A staff").get_data(as_text=True)
    assert "1 of 4 names asks you" in text and "Nearby &lt;Ltd&gt;" in text and "<Ltd>" not in text
    for word in ("Similar", "Exact", "Linked", "Accept the exact one", "Link This", "Create New"):
        assert word in text
    seen = get(site, f"/tools/results/{run_id}", "A viewer").get_data(as_text=True)
    assert "Nearby" in seen and "Link This" not in seen and "Accept the exact" not in seen
    only = get(site, f"/tools/results/{run_id}?list=customer&tab=new").get_data(as_text=True)
    assert "Brand New" in only and "AccsID 59" not in only
    assert get(site, f"/tools/results/{run_id}?list=term").status_code == 200
    assert "Similar,Customers,175" in get(site, f"/tools/results/{run_id}/result.csv").get_data(as_text=True)


def test_a_row_is_linked_created_or_refused_and_audited(site: Site) -> None:
    run_id, rows = compared(site)
    assert post(site, f"results/{run_id}/rows/{rows['175']}", wanted="58").status_code == 302
    post(site, f"results/{run_id}/rows/{rows['177']}", wanted="new")
    post(site, f"results/{run_id}/rows/{rows['175']}", wanted="59")  # a link is there: refused
    assert linked(site) == {"175": "58", "177": "new"}
    assert [each["ledger"] for each in audited(site, "customer linked")] == ["58", "new"]


def test_all_exact_ones_are_accepted_at_once_and_once(site: Site) -> None:
    run_id, _ = compared(site)
    for _ in range(2):
        assert post(site, f"results/{run_id}/accept", list="customer").status_code == 302
    assert linked(site) == {"176": "59"}
    assert [each["links"] for each in audited(site, "exact matches accepted")] == [1]
    assert post(site, f"results/{run_id}/accept", list="tax_code").status_code == 403
