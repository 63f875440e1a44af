"""What an admin does in the browser, press by press, with or without JavaScript.

Here: the steps, found by the words on the page. Not here: what must be true afterwards (test_main_job.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

from tests.browser.site import Site
from tools.demo.story import Company
from tools.waiting import wait_until

# The processes share the machine with other tests; each wait ends as soon as its condition holds.
PATIENCE_S = 60.0
LOOK_AT = re.compile("^Look at ")


@dataclass
class Person:
    """One admin of one company with one browser."""

    page: Page
    site: Site
    company: Company
    javascript: bool = True

    def launch(self) -> None:
        """My Apps: sign in there, press the app's button."""
        self.page.goto(f"{self.site.sandbox_url}/intuit/myapps")
        self.page.get_by_role("button").first.click()
        self.page.get_by_role("link", name="Get app now").first.click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Connect QuickBooks or Xero and Autotask")

    def consent(self) -> None:
        """Intuit's own page: choose the company and allow."""
        self.button("Sign in with Intuit").click()
        self.page.get_by_label("Company").select_option(self.company.realm)
        self.button("Connect").click()
        expect(self.page).to_have_url(re.compile(r"/c/\d+/connect/autotask$"))

    def connect_autotask(self) -> None:
        page = self.page
        page.get_by_label("Username (key)").fill(self.company.user)
        page.get_by_label("Secret").fill(self.company.secret)
        page.get_by_label("Integration code").fill(self.company.integration_code)
        self.button("Test connection").click()
        expect(page.get_by_role("status").get_by_text(re.compile(r"\d+ companies"))).to_be_visible()
        page.get_by_label("Secret").fill(self.company.secret)  # never shown again, so it is entered again
        self.button("Go to review").click()
        page.locator("#main").get_by_role("button", name="Connect", exact=True).click()
        self.until(self.main.get_by_role("link", name="Choose the first invoice"))

    def settings(self, start_date: str) -> None:
        """Look back far enough, create missing items on a sales account; the rest stays as it is proposed."""
        page = self.page
        page.get_by_role("link", name="Check the settings first").click()
        account = page.get_by_label("Account for created items")
        self.until(account)
        page.get_by_label("Create the item").check()
        account.select_option(index=1)
        page.locator("[name=start_date]").fill(start_date)
        self.button("Save").click()
        if page.get_by_label("Yes, let these older invoices in").count():
            page.get_by_label("Yes, let these older invoices in").check()
            self.button("Save").click()
        expect(page.get_by_text(re.compile("Settings (are )?saved|Saved", re.IGNORECASE)).first).to_be_visible()

    def owe_prepaid_work(self) -> None:
        """Settings → Lines: blocks, retainers and tickets are owed to the customer until they are worked off."""
        page = self.page
        page.goto(re.sub(r"(/c/\d+)/.*", r"\1/settings/lines", page.url))
        for kind in ("Block Purchases", "Retainer Purchases", "Ticket Purchases"):
            page.get_by_label("Kind of line").select_option(kind)
            target = page.locator("#target option", has_text="Unearned Revenue").first
            page.get_by_label("Goes to").select_option(target.get_attribute("value") or "")
            self.button("Add").click()
            expect(page.get_by_role("button", name=re.compile(f"^Remove .*{kind}"))).to_be_visible()

    def scan_again(self) -> None:
        """Twice where a look that began before the settings were saved answered first."""
        self._scan()
        if not self.page.get_by_role("link", name=LOOK_AT).count():
            self._scan()

    def _scan(self) -> None:
        page = self.page
        page.goto(re.sub(r"(/c/\d+)/.*", r"\1/first-scan", page.url))
        self.until(self.button("Scan again"))  # a scan that is still on ends first
        with page.expect_navigation():  # the page of the scan before has the same link
            self.button("Scan again").click()
        self.until(self.main.get_by_role("link", name="Choose the first invoice"))
        self.main.get_by_role("link", name="Choose the first invoice").click()
        page.wait_for_url("**/first-posting*")

    def first_posting(self) -> str:
        """Look at the first document offered and post it; returns its number."""
        page = self.page
        look = page.get_by_role("link", name=LOOK_AT).first
        number = (look.get_attribute("aria-label") or "").removeprefix("Look at ")
        look.click()
        self.button(f"Post {number}").click()
        self.until(page.get_by_role("heading", name=re.compile(f"{number} is in QuickBooks")))
        return number

    def sync_now(self) -> None:
        """Sync Now, confirm count and total, and wait on the run's page until the run has ended."""
        page = self.page
        page.get_by_role("link", name="Tools").first.click()
        self.button("Sync Now").click()
        page.get_by_role("button", name=re.compile(r"^Post \d+ documents?$")).click()
        expect(page).to_have_url(re.compile(r"/runs/\d+$"))
        self.until(page.get_by_text(re.compile(r"Finished")).first)

    @property
    def main(self) -> Locator:
        return self.page.locator("main")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def until(self, wanted: Locator) -> None:
        """Wait for something to appear: the page brings it by itself, or, without JavaScript, after reloads."""
        if self.javascript:
            expect(wanted).to_be_visible(timeout=PATIENCE_S * 1000)
            return

        def there() -> bool:
            self.site.check()
            if wanted.count() and wanted.is_visible():
                return True
            self.page.reload()
            return False

        wait_until(there, timeout_s=PATIENCE_S, what=f"{wanted} is on {self.page.url}", every_s=0.3)
