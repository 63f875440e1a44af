"""The main job in a real browser against real processes: launch, consent, Autotask, settings, first posting,
Sync Now, the run's page, the mail with its CSV. Once with JavaScript and once without.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.person import Person
from tests.browser.site import Site
from tests.infra import browser as browsers
from tools.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.slow, pytest.mark.xdist_group("main_job"),
              pytest.mark.timeout(240)]  # fmt: skip

MAIL_S = 30.0
OTHERS = "SHOP-"
"""What other programs had put into the company's books before."""


@pytest.mark.parametrize(("javascript", "invoices"), [(True, 12), (False, 9)], ids=["javascript", "plain"])
def test_invoices_reach_the_books_and_the_report_the_mailbox(
    browser: Browser, site: Site, javascript: bool, invoices: int
) -> None:
    company = site.seed(seed=invoices, invoices=invoices, lines=3)
    with browsers.context(browser, javascript=javascript) as context:
        page = context.new_page()
        complaints = browsers.watch(page)
        person = Person(page, site, company, javascript)
        person.launch()
        person.consent()
        person.connect_autotask()
        person.settings((datetime.now(tz=UTC) - timedelta(days=30)).date().isoformat())
        person.owe_prepaid_work()
        person.scan_again()
        first = person.first_posting()
        person.sync_now()
        _the_run_page_tells_what_happened(page, invoices - 1)
        report = _report(site, page, invoices - 1)
    assert complaints == []
    assert len(report) == invoices - 1
    assert first not in {row["Number"] for row in report}
    assert {row["Status"] for row in report} == {"Complete"}
    books = [each["DocNumber"] for each in site.api.get(f"books/{company.realm}")["documents"]]
    ours = sorted(number for number in books if not number.startswith(OTHERS))
    assert ours == sorted([first, *(row["Number"] for row in report)])


def _the_run_page_tells_what_happened(page: Page, posted: int) -> None:
    expect(page.get_by_role("heading", name=f"{posted} documents")).to_be_visible()
    records = page.get_by_role("region", name="Records")
    expect(records.locator("tbody tr")).to_have_count(posted)
    expect(records.get_by_role("link", name="Success Records")).to_contain_text(str(posted))
    expect(page.get_by_role("link", name="Download the CSV").first).to_be_visible()


def _report(site: Site, page: Page, posted: int) -> list[dict[str, str]]:
    """The mail as a person finds it in the mailbox, and the rows of the CSV attached to it."""
    mail = page.get_by_role("link", name=f"{posted} posted")

    def arrived() -> bool:
        site.check()
        page.goto(f"{site.sandbox_url}/mailbox/")
        return mail.count() == 1

    wait_until(arrived, timeout_s=MAIL_S, what="the report is in the mailbox", every_s=0.2)
    mail.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"{posted} posted")
    expect(page.frame_locator("iframe").get_by_role("heading").first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name=".csv").click()
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))
