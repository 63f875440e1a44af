"""One help page for each reason of the catalogue, open to everybody and linked from problems."""

from __future__ import annotations

import pytest

from domain import help as texts
from domain.known_issues import ISSUES
from domain.reasons import CATALOGUE
from tests.web import html_checks
from tests.web.site import BASE, Site


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_reason_has_its_page(shared_site: Site, code: str) -> None:
    answer = shared_site.client().get(f"/help/errors/{code}", base_url=BASE)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert html_checks.problems(text) == []
    for part in ("What happened", "Why", "What to do", "Tries again"):
        assert part in text
    page = texts.page(code, "QuickBooks or Xero")
    assert page is not None and page.steps
    assert all(step[0].isupper() and step.endswith(".") and "{" not in step for step in page.steps)


def test_every_reason_has_a_title_of_its_own() -> None:
    titles = [entry.title for entry in CATALOGUE.values()]
    assert all(titles)
    assert len(titles) == len(set(titles))


def test_a_fix_becomes_numbered_steps() -> None:
    page = texts.page("customer_is_vendor", "QuickBooks")
    assert page is not None
    assert page.steps == ("Rename the vendor in QuickBooks (for example “[name] (V)”).", "Retry.")


def test_the_list_leads_to_every_page(shared_site: Site) -> None:
    text = shared_site.client().get("/help/errors", base_url=BASE).get_data(as_text=True)
    assert [code for code in CATALOGUE if f"/help/errors/{code}" not in text] == []


@pytest.mark.parametrize("code", ["nothing", "..%2F..%2Fetc", "<script>"])
def test_an_unknown_code_is_plainly_not_found(shared_site: Site, code: str) -> None:
    answer = shared_site.client().get(f"/help/errors/{code}", base_url=BASE)
    assert answer.status_code == 404
    assert "<script>" not in answer.get_data(as_text=True).split("</head>")[1]


def test_a_problem_leads_to_its_help(shared_site: Site) -> None:
    ids = shared_site.ids["A"]
    client = shared_site.client("A viewer")
    for path in ("errors", f"documents/{ids['fault_id']}"):
        text = client.get(f"/c/{ids['company_id']}/{path}", base_url=BASE).get_data(as_text=True)
        assert "/help/errors/item_missing" in text


def test_known_issues_are_open_to_everybody_and_name_reasons_that_exist(shared_site: Site) -> None:
    assert [code for issue in ISSUES for code in issue.codes if code not in CATALOGUE] == []
    for ledger in ("quickbooks", "xero"):
        answer = shared_site.client().get(f"/help/known-issues?ledger={ledger}", base_url=BASE)
        text = answer.get_data(as_text=True)
        assert answer.status_code == 200 and "{" not in text.partition("<main")[2]
        assert "Incidents at the platforms" in text and all(f'id="{issue.key}"' in text for issue in ISSUES)
    for path in ("/help/errors", "/help/errors/item_missing"):
        assert "/help/known-issues" in shared_site.client().get(path, base_url=BASE).get_data(as_text=True)
