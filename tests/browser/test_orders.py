"""Purchase orders in a real browser, against real processes: set-up, first posting, a fault, its to-do, the fix, Retry.

Pictures of what an admin sees are left in test-results/orders, wide and light, narrow and dark.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.site import Site
from tests.infra import browser as browsers
from tools.demo.story import Story
from tools.demo.walker import Walker
from tools.environment import ROOT
from tools.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.slow, pytest.mark.xdist_group("main_job"),
              pytest.mark.timeout(300)]  # fmt: skip

PICTURES = ROOT / "test-results" / "orders"
PATIENCE_S = 60.0
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
FAULTY = "Retired Supplies"
"""The vendor whose ledger record is inactive, until somebody makes it active."""


@dataclass
class Admin:
    """An admin of the company with a browser."""

    page: Page
    base: str

    @property
    def main(self) -> Locator:
        return self.page.locator("main")

    def open(self, path: str) -> None:
        self.page.goto(f"{self.base}/{path}")

    def press(self, name: str | re.Pattern[str]) -> None:
        exact = isinstance(name, str)
        self.main.get_by_role("button", name=name, exact=exact).first.click()

    def follow(self, name: str) -> None:
        self.main.get_by_role("link", name=name, exact=True).first.click()

    def sees(self, words: str) -> None:
        expect(self.main.get_by_text(re.compile(words)).first).to_be_visible(timeout=PATIENCE_S * 1000)

    def until(self, wanted: Locator, what: str) -> None:
        """Pages of lists do not change by themselves: a person looks again."""

        def there() -> bool:
            self.page.reload()
            return wanted.count() > 0

        wait_until(there, timeout_s=PATIENCE_S, what=what, every_s=0.3)

    def picture(self, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png", full_page=True)
        self.page.set_viewport_size(NARROW)
        self.page.emulate_media(color_scheme="dark")
        self.page.screenshot(path=PICTURES / f"{name}-narrow.png", full_page=True)
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= NARROW["width"], f"{name} is {wide} wide on a narrow screen"
        self.page.set_viewport_size(WIDE)
        self.page.emulate_media(color_scheme="light")


def test_orders_are_set_up_posted_and_mended(browser: Browser, site: Site) -> None:
    company, made = site.api.seed("msp", seed=51, invoices=1, lines=1, known_customers=True, orders=3, order_problems=1)
    story = Story(Walker(), site.sandbox_url, site.url, company)
    story.connect()
    story.settings({"start_date": (datetime.now(tz=UTC).date() - timedelta(days=60)).isoformat()})
    with browsers.context(browser, **WIDE) as context:
        page = context.new_page()
        complaints = browsers.watch(page)
        page.goto(f"{site.url}/demo/sign-in")
        page.get_by_role("button", name="Sign in as admin").click()
        admin = Admin(page, story.base)
        _set_up(admin)
        first = _post_one(admin)
        assert len(_bills(site, made)) == 1
        _let_the_rest_follow(site, admin, made)
        number = _read_the_fault(admin)
        _see_its_todo(site, admin, made, number)
        _mend_and_retry(site, admin, made, number)
    assert [each for each in complaints if "422" not in each] == [], "but for the refused settings"
    judged = site.api.get("audit/orders", ci=made["ci"], realm=made["realm"])
    assert (judged["posted"], judged["missing"], judged["duplicates"], judged["unmarked"]) == (4, 0, 0, 0)
    assert all(sums["expected"] == sums["posted"] for sums in judged["totals"].values()), judged["totals"]
    assert judged["todos"]["open"] == 0 and judged["todos"]["all"] == 1
    assert first != number


def _set_up(admin: Admin) -> None:
    """Connection settings and logs → Settings → Step 2 complete → Connect."""
    admin.open("orders")
    admin.sees("Paused")
    admin.picture("paused")
    admin.follow("Settings")
    admin.press("Save")
    expect(admin.main.get_by_text("Choose what an order becomes: there is no default.").first).to_be_visible()
    admin.picture("settings-refused")
    page = admin.page
    page.get_by_label("Number of days in the past to look for unsynced POs").fill("30")
    page.get_by_label("Bill at once").check()
    page.get_by_label("create a new item").check()
    expense = page.get_by_label("for created items, select the expense account to use:")
    expense.select_option(label="Cost of Goods Sold")
    page.get_by_label("Select the AP account to which the bill is credited").select_option(index=1)
    page.get_by_label("Account for freight").select_option(label="Freight")
    page.get_by_label("Type of To-Do Action when there is an error.").select_option(label="To-Do: Phone Call")
    page.get_by_label("Default resource to whom the error To-Dos will be assigned.").select_option(index=1)
    admin.picture("settings")
    admin.press("Save")
    admin.sees("Step 2 complete")
    admin.sees("Bill at once")
    admin.picture("review")
    admin.press("Connect")
    admin.sees("Connected. Autotask is being read for purchase orders now.")


def _post_one(admin: Admin) -> str:
    """The first scan reads at once; one order is looked at and posted by hand. Its number."""
    ready = admin.main.get_by_role("link", name=re.compile("^Look at "))
    admin.until(ready, "an order stands ready")
    admin.picture("found")
    number = str(ready.first.get_attribute("aria-label")).removeprefix("Look at ")
    ready.first.click()
    admin.sees("Ordered, received, billed")
    admin.picture("preview")
    admin.press(re.compile("^Post"))
    done = admin.main.get_by_text(re.compile("Complete")).first
    admin.until(done, "the first order is in the books")
    admin.picture("posted")
    return number


def _let_the_rest_follow(site: Site, admin: Admin, made: dict[str, Any]) -> None:
    admin.open("orders")
    admin.press("Post orders automatically")
    admin.sees("Orders are posted by themselves now.")
    wait_until(lambda: len(_bills(site, made)) == 3, timeout_s=PATIENCE_S, what="the others are bills", every_s=0.3)
    admin.open("orders")
    admin.picture("active")


def _read_the_fault(admin: Admin) -> str:
    """View Your Logs → the entry, with what happened and what to do. Its number."""
    admin.open("orders/logs")
    row = admin.main.locator("tbody tr").filter(has_text=FAULTY)
    admin.until(row, "the faulty order is in the logs")
    admin.picture("logs")
    row.get_by_role("link").first.click()
    admin.sees("is inactive in QuickBooks")
    admin.sees("Make it active in QuickBooks, then Retry.")
    number = admin.main.get_by_role("heading", level=1).inner_text().removeprefix("Order ").strip()
    admin.until(admin.main.get_by_text(re.compile(r"^To-do \d+$")), "its to-do stands beside it")
    admin.picture("entry")
    return number


def _see_its_todo(site: Site, admin: Admin, made: dict[str, Any], number: str) -> None:
    """In Autotask: open, on the resource that was chosen, with what happened, the order's number and a link."""
    todos = admin.page.context.new_page()
    todos.goto(f"{site.sandbox_url}/psa/{made['ci']}/todos")
    todo = todos.locator(".card")
    expect(todo).to_have_count(1)
    for words in ("Open", "assigned to Billing Desk", "is inactive in QuickBooks", number, f"{site.url}/c/"):
        expect(todo).to_contain_text(words)
    todos.screenshot(path=PICTURES / "todo.png", full_page=True)
    todos.close()


def _mend_and_retry(site: Site, admin: Admin, made: dict[str, Any], number: str) -> None:
    """The vendor is made active in the ledger; Retry runs; the bill is there, and the to-do is completed by itself."""
    assert site.api.post("cure/orders", ci=made["ci"], realm=made["realm"])["cured"]
    admin.press("Retry")
    admin.sees("Running|No error: the order is Complete")
    admin.picture("retrying")
    admin.sees("No error: the order is Complete")
    admin.picture("mended")
    admin.follow("Done")
    expect(admin.main.get_by_text("No purchase order has an error.")).to_be_visible()
    assert len(_bills(site, made)) == 4

    def completed() -> bool:
        site.check()
        found = site.api.get("audit/orders", ci=made["ci"], realm=made["realm"])["todos"]
        return bool(found["all"]) and not found["open"]

    wait_until(completed, timeout_s=PATIENCE_S, what="the to-do is completed", every_s=0.3)


def _bills(site: Site, made: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in site.api.get(f"books/{made['realm']}")["purchases"] if each["live"]]
