"""The tools' pages in the real application: forms and their refusals, results, files, roles."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from models import Run, ToolRow
from sync import settings
from tests.web.site import BASE, NOW, Site


def post(site: Site, path: str, who: str = "A staff", **form: Any) -> Any:
    company_id = site.ids["A"]["company_id"]
    return site.client(who).post(
        f"/c/{company_id}/tools/{path}", base_url=BASE, data={"company_id": company_id, **form}
    )


def get(site: Site, path: str, who: str = "A viewer") -> Any:
    return site.client(who).get(f"/c/{site.ids['A']['company_id']}{path}", base_url=BASE)


def runs(site: Site, kind: str) -> list[Run]:
    with site.db() as db:
        return list(db.scalars(select(Run).where(Run.kind == kind).order_by(Run.id)))


CHECK = {"numbering": "source_id", "max_age_days": "30"}


def test_the_tools_page_leads_to_each_tool(shared_site: Site) -> None:
    text = get(shared_site, "/tools").get_data(as_text=True)
    for title in ("Check Which Invoices are Ready for Billing", "Compare Billing Codes and Items"):
        assert title in text


def test_the_form_of_the_check_starts_with_the_settings(shared_site: Site) -> None:
    text = get(shared_site, "/tools/check").get_data(as_text=True)
    for label in ("Invoice Number Options", "Invoice Max Age", "Other Email", "Do It Now"):
        assert label in text
    assert 'value="14"' in text


@pytest.mark.parametrize("wrong", [
    {"max_age_days": "-1"}, {"max_age_days": "10000"}, {"max_age_days": "two"}, {"max_age_days": ""},
    {"numbering": "none"}, {"other": "office"}, {"other": "a@b.example\nBcc: x@y.example"},
    {"other": ",".join(f"n{n}@people.example" for n in range(50))},
])  # fmt: skip
def test_a_wrong_answer_is_told_at_its_field(site: Site, wrong: dict[str, str]) -> None:
    answer = post(site, "check", **{**CHECK, **wrong})
    assert answer.status_code == 422
    assert "bb-err" in answer.get_data(as_text=True)
    assert runs(site, "check") == []


def test_pressing_twice_joins_the_check_that_is_on(site: Site) -> None:
    first = post(site, "check", **CHECK, other="office@people.example")
    second = post(site, "check", numbering="source", max_age_days="5")
    assert second.headers["Location"] == first.headers["Location"] + "?joined=1"
    [run] = runs(site, "check")
    assert run.summary == {"asked": {"numbering": "source_id", "max_age_days": 30}}
    assert [each["address"] for each in run.recipients] == ["office@people.example"]
    page = site.client("A viewer").get(second.headers["Location"], base_url=BASE).get_data(as_text=True)
    assert "Checking." in page and "its fields hold" in page and 'hx-trigger="every 2s"' in page


def finished(site: Site, kind: str, summary: dict[str, Any], *rows: tuple[str, dict[str, Any]]) -> int:
    company_id = site.ids["A"]["company_id"]
    with site.db() as db, db.begin():
        run = Run(company_id=company_id, kind=kind, trigger="button", state="Finished", phase="finished",
                  summary=summary, started_at=NOW, finished_at=NOW, requested_by_name="Robin")  # fmt: skip
        db.add(run)
        db.flush()
        db.add_all(ToolRow(company_id=company_id, run_id=run.id, outcome=outcome, data=data) for outcome, data in rows)
        return run.id


def checked(site: Site) -> int:
    row = {"source_id": "7", "number": "AT-7", "customer": "<b>Acme</b>", "day": "2026-11-18", "amount": "-12.00",
           "currency": "USD", "stages": {"Items": "stopped"}, "document_id": None, "notes": [],
           "reasons": [{"code": "item_missing", "params": {"item": "Backup"}},
                       {"code": "blank_text", "params": {"line": "4"}}]}  # fmt: skip
    sums = {"stopped": {"USD": {"count": 1, "amount": "-12.00"}}}
    return finished(site, "check", {"sums": sums}, ("stopped", row))


def test_a_result_shows_every_reason_and_leads_nowhere_dead(site: Site) -> None:
    run_id = checked(site)
    text = get(site, f"/tools/results/{run_id}").get_data(as_text=True)
    assert "0 of 1 invoice is ready" in text
    assert "Item “Backup” is not in QuickBooks" in text and "Line 4 has no text" in text
    assert "<b>Acme</b>" not in text and "&lt;b&gt;Acme" in text
    assert get(site, f"/runs/{run_id}").headers["Location"].endswith(f"/tools/results/{run_id}")
    assert "Check Which Invoices" in get(site, "/runs").get_data(as_text=True)
    assert get(site, f"/tools/results/{run_id}?tab=ready").status_code == 200
    assert "Last result" in get(site, "/tools").get_data(as_text=True)


def test_the_file_has_the_same_rows(site: Site) -> None:
    answer = get(site, f"/tools/results/{checked(site)}/result.csv")
    assert answer.mimetype == "text/csv"
    assert "Stopped,7,AT-7,credit memo,<b>Acme</b>,2026-11-18,-12.00,USD" in answer.get_data(as_text=True)


def test_a_result_of_another_company_does_not_exist(site: Site) -> None:
    run_id = checked(site)
    company_id = site.ids["B"]["company_id"]
    answer = site.client("B admin").get(f"/c/{company_id}/tools/results/{run_id}", base_url=BASE)
    assert answer.status_code == 404


def test_copying_asks_for_the_account_first(site: Site) -> None:
    answer = post(site, "compare", action="copy_items", match_by="setting")
    assert answer.status_code == 422 and "account for created items" in answer.get_data(as_text=True)
    with site.db() as db, db.begin():
        settings.change(db, site.ids["A"]["company_id"], now=NOW, user=None, created_item_account="79")
    assert post(site, "compare", action="copy_items", match_by="id").status_code == 302
    assert [run.summary for run in runs(site, "copy_items")] == [{"asked": {"match_by": "id"}}]


def test_the_field_of_settings_is_what_a_comparison_uses_by_default(site: Site) -> None:
    assert post(site, "compare", action="compare", match_by="setting").status_code == 302
    assert runs(site, "compare")[0].summary == {"asked": {"match_by": "number"}}


def test_a_comparison_shows_what_differs(site: Site) -> None:
    row = {
        "code_id": "3",
        "code": "Backup",
        "number": "",
        "name": "Backup",
        "item_id": "",
        "item": "",
        "type": "",
        "notes": [],
    }
    run_id = finished(site, "compare", {"counts": {"missing": 1}}, ("missing", row))
    text = get(site, f"/tools/results/{run_id}").get_data(as_text=True)
    assert "0 of 1 billing code has its item" in text and "Copy the missing items" in text
    assert get(site, f"/tools/results/{run_id}/live").status_code == 200
