"""Each tool as staff use it, from the row at the foot of Settings, in a real browser against real processes.

Pictures of what they see are left in test-results/tools.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.site import Site
from tests.infra import browser as browsers
from tools.demo.story import Story
from tools.demo.walker import Walker
from tools.environment import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.slow, pytest.mark.xdist_group("main_job"),
              pytest.mark.timeout(300)]  # fmt: skip

PICTURES = ROOT / "test-results" / "tools"
PATIENCE_MS = 60_000
INVOICES = 6
DONE = "Do It Now"


@dataclass
class Staff:
    """A member of the company's staff with a browser."""

    page: Page
    base: str

    def open(self, tool: str) -> None:
        """The row of tools at the foot of Settings."""
        self.page.goto(f"{self.base}/settings/invoices")
        row = self.page.get_by_role("region", name="Tools")
        row.scroll_into_view_if_needed()
        row.get_by_role("link", name=tool, exact=True).click()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def result(self, *words: str) -> None:
        """The result is there by itself when the workers are done, with these words."""
        expect(self.page).to_have_url(re.compile(r"/(tools/results|runs)/\d+"))
        for word in words:
            expect(self.page.locator("main").get_by_text(re.compile(word)).first).to_be_visible(timeout=PATIENCE_MS)

    def picture(self, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


@pytest.fixture(scope="module")
def story(site: Site) -> Story:
    """A company that an admin connected, set up and posted the first invoice for."""
    company = site.seed(seed=41, invoices=INVOICES, lines=2, known_customers=True)
    made = Story(Walker(), site.sandbox_url, site.url, company)
    made.connect()
    start = datetime.now(tz=UTC).date() - timedelta(days=60)
    made.settings({"start_date": start.isoformat(), "look_back_days": "60", "match_by": "name"})
    made.scan_again()
    made.first_posting()
    return made


def test_staff_use_each_of_the_seven_tools(browser: Browser, site: Site, story: Story) -> None:
    with browsers.context(browser) as context:
        page = context.new_page()
        complaints = browsers.watch(page)
        page.goto(f"{site.url}/demo/sign-in")
        page.get_by_role("button", name="Sign in as staff").click()
        staff = Staff(page, story.base)
        _compare(staff)
        _check(staff)
        _troubleshoot(staff)
        mark = site.api.get("journal/mark")["mark"]
        number = _manual_copy(staff)
        _sync_now(staff)
        _error_logs(staff)
        _clear(staff)
    assert complaints == []
    _the_books(site, story, number, mark)
    assert {path.stem for path in PICTURES.iterdir()} >= {
        "compare", "check", "troubleshoot", "manual-copy", "sync-now", "error-logs", "clear-in-process"}


def _compare(staff: Staff) -> None:
    staff.open("compare items")
    staff.page.get_by_label("ACTIONS").select_option(label="Show Comparison")
    staff.page.get_by_label("Match Item Using").select_option(label="Billing Code Name")
    staff.press(DONE)
    staff.result("billing codes?", "Match")
    staff.picture("compare")


def _check(staff: Staff) -> None:
    staff.open("Check for Invoices")
    staff.page.get_by_label("Invoice Max Age").fill("60")
    staff.page.get_by_label("Other Email").fill("office@sandbox.invalid")
    staff.press(DONE)
    staff.result(r"\d+ (of \d+ )?(invoices?|ready)", "Check again")
    staff.picture("check")


def _troubleshoot(staff: Staff) -> None:
    staff.open("Troubleshoot")
    staff.press(DONE)
    staff.result("Connections", "Nothing was changed on either side")
    staff.picture("troubleshoot")


def _manual_copy(staff: Staff) -> str:
    """One that is not in the books yet, by its number; again without Overwrite writes nothing."""
    staff.page.goto(f"{staff.base}/documents")
    pending = staff.page.locator("main tbody tr").filter(has_text="Pending Sync").first
    wanted = pending.get_by_role("link").first.inner_text().strip()
    for words in ("copied|is in QuickBooks|Copied", "exist|already"):
        staff.open("Manually Copy an Invoice")
        staff.page.get_by_label("Autotask Invoice ID").fill(wanted)
        staff.press(DONE)
        staff.result(words)
    staff.picture("manual-copy")
    return wanted


def _sync_now(staff: Staff) -> None:
    staff.open("Sync Invoices Now")
    staff.press("Sync Now")
    staff.page.get_by_role("button", name=re.compile(r"^Post \d+ documents?$")).click()
    staff.result("Finished")
    staff.picture("sync-now")


def _error_logs(staff: Staff) -> None:
    staff.open("View Error Logs")
    expect(staff.page.get_by_role("heading", level=1)).to_have_text(re.compile("Error Logs"))
    staff.picture("error-logs")


def _clear(staff: Staff) -> None:
    """Nothing is stuck here; clearing what is stuck is in tests/tools_pages/test_in_process.py."""
    staff.open("Clear In-Process Status")
    expect(staff.page.get_by_text("Nothing is in process")).to_be_visible(timeout=PATIENCE_MS)
    staff.picture("clear-in-process")


def _the_books(site: Site, story: Story, number: str, mark: int) -> None:
    """By the sandbox: the invoice copied by hand is there once, and nothing is there twice."""
    documents = site.api.get(f"books/{story.company.realm}")["documents"]
    numbers = Counter(str(each["DocNumber"]) for each in documents if each["live"])
    assert numbers[number] == 1 and set(numbers.values()) == {1}
    written = [row for row in site.api.get("journal", since_id=mark, platform="qbo") if row["effects"]]
    assert written
