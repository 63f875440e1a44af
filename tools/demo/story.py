"""What a person does in the demo, press by press: launch, consent, Autotask, settings, first posting, Sync Now.

Every step uses what the page in front of it offers, by the words on its buttons. Not here: HTTP and forms
(walker.py), processes (stage.py), the simulated platforms (sandbox_api.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from tools.demo.pages import Page
from tools.demo.walker import Values, Walker, WalkError
from tools.waiting import wait_until

# Generous: the real month's lists are read within the platforms' limits on a busy machine.
READING = "Reading the lists of"
"""What the page says until every list was read once: the accounts come before the last of them."""
LISTS_S = 180.0
SCAN_S = 600.0
FIRST_POSTING_S = 180.0
RUN_S = 3600.0


@dataclass(frozen=True)
class Door:
    """How one comes from a ledger's own pages into the site: all texts are those of buttons and fields."""

    apps: str
    """The ledger's page of connected apps, below the sandbox's address."""
    launch: str
    """What the links that open the site hold."""
    sign_in: str
    choice: str
    """The consent page's field for the company."""


INTUIT = Door("/intuit/myapps", "/launch", "Sign in with Intuit", "realm")
XERO = Door("/xero-go", "/launch", "Connect to Xero", "tenant")
# Where a page has no such button: the links that lead to it.
TO_THE_DOOR = ("What happens when I connect", "Connect another company")


@dataclass(frozen=True)
class Company:
    """One simulated pair of platforms: a ledger company and the Autotask it is joined to."""

    slug: str
    realm: str
    user: str
    secret: str
    integration_code: str
    door: Door = INTUIT


@dataclass(frozen=True)
class Finished:
    """A run that has come to its end, as its own page tells it."""

    run_url: str
    status: dict[str, Any]


@dataclass
class Story:
    """One admin setting up one company, from My Apps to the report."""

    walker: Walker
    sandbox_url: str
    app_url: str
    company: Company
    base: str = ""

    def connect(self) -> None:
        """My Apps → launch → consent → Autotask tested → review → first scan."""
        walker = self.walker
        self._launch()
        walker.press(self.company.door.sign_in)
        self._consent()
        if walker.url.endswith("/connect/join"):  # the same admin's sign-in with another ledger
            walker.press("Both are me: join")
        match = re.match(r"(.*/c/\d+)(/|$)", walker.url)
        if match is None:
            raise WalkError(f"after consent the site led to {walker.url}, which is no page of a company")
        self.base = match.group(1)
        if not urlsplit(walker.url).path.endswith("/connect/autotask"):
            walker.get(f"{self.base}/connect/autotask")
        fields = {
            "username": self.company.user,
            "secret": self.company.secret,
            "integration_code": self.company.integration_code,
        }
        walker.press("Test connection", fields)
        walker.press("Go to review", fields)
        walker.press("Connect", among="review")

    def _launch(self) -> None:
        """The ledger's apps: sign in there as the company's admin, then press the app's button beside the company."""
        walker, door = self.walker, self.company.door
        walker.get(f"{self.sandbox_url}{door.apps}")
        if not any(door.launch in address for _, address in walker.page.links):
            walker.press(*self._consent_step(walker.page))
        mine = [address for _, address in walker.page.links if door.launch in address]
        if not mine:
            raise WalkError(f"the page of apps ({walker.url}) offers no app to launch")
        # Each company's link comes with its realm where the platform is set to send it; else any of them will do.
        walker.get(next((address for address in mine if self.company.realm in address), mine[0]))
        if not walker.has_button(door.sign_in):
            walker.follow(next((label for label in TO_THE_DOOR if walker.has_link(label)), TO_THE_DOOR[-1]))

    def _consent(self) -> None:
        """The ledger's own pages: sign in as the company's admin, allow, choose the company."""
        walker = self.walker
        for _ in range(4):
            if not walker.url.startswith(self.sandbox_url):
                return
            walker.press(*self._consent_step(walker.page))
        raise WalkError(f"the consent pages did not lead back to the site; the last one was {walker.url}")

    def _consent_step(self, page: Page) -> tuple[str, Values]:
        names = {control.name for form in page.forms for control in form.controls}
        buttons = [button.label for form in page.forms for button in form.buttons]
        label = next((b for b in buttons if not re.search(r"cancel|no thanks|sign out", b, re.IGNORECASE)), "")
        choice = self.company.door.choice
        values: Values = {choice: self.company.realm} if choice in names else {}
        return label, values

    def settings(self, values: Values) -> None:
        """Save Settings → Invoices once the ledger's lists are there to choose from."""
        walker = self.walker
        walker.get(f"{self.base}/settings/invoices")
        walker.reload_until(_lists_are_read, what="the ledger's lists are read", timeout_s=LISTS_S)
        walker.press("Save", values)
        if any(control.name == "confirm_start_date" for f in walker.page.forms for control in f.controls):
            walker.press("Save", {**values, "confirm_start_date": True})
        if "error" in walker.page.title.lower():
            raise WalkError("the settings were not saved: " + "; ".join(walker.page.notes))

    def scan_again(self) -> None:
        """Read both sides under the settings just saved, and wait for the result."""
        walker = self.walker
        walker.get(f"{self.base}/first-scan")
        self._wait_for_scan()
        if walker.has_button("Scan again"):
            walker.press("Scan again")
            self._wait_for_scan()

    def _wait_for_scan(self) -> None:
        self.walker.reload_until(
            lambda page: any("Choose the first invoice" in text for text, _ in page.links),
            what="the first scan is finished",
            timeout_s=SCAN_S,
        )

    def first_posting(self) -> None:
        """Look at the first document offered, post it, and wait until the page says it is in the books."""
        walker = self.walker
        walker.get(f"{self.base}/first-posting")
        walker.follow("Look at it")
        walker.press("Post ", among="document_id")
        walker.reload_until(
            lambda page: any(" is in " in heading for heading in page.headings),
            what="the first document is in the books",
            timeout_s=FIRST_POSTING_S,
        )

    def sync_now(self) -> str:
        """Press Sync Now, confirm what it shows, and return the address of the run's page."""
        walker = self.walker
        walker.get(f"{self.base}/tools/sync-now")
        walker.press("Sync Now")
        if walker.has_button("Post ") and "/runs/" not in walker.url:
            walker.press("Post ")
        if "/runs/" not in walker.url:
            raise WalkError(f"Sync Now led to {walker.url}, which is not the page of a run")
        return walker.url.split("?")[0]

    def choose_customer_for_all(self) -> str:
        """Error Logs → Choose a customer → for all of them. Returns the address of the retry's page."""
        walker = self.walker
        walker.get(f"{self.base}/errors")
        walker.follow("Choose a customer")
        walker.press("Use it for all")
        if "/runs/" not in walker.url:
            raise WalkError(f"choosing a customer led to {walker.url}, which is not the page of a run")
        return walker.url.split("?")[0]

    def wait_for_run(self, run_url: str, look: Callable[[dict[str, Any]], None]) -> Finished:
        """Ask the run's page until the run is finished; look() sees each answer and may end the wait."""
        status: dict[str, Any] = {}

        def finished() -> bool:
            nonlocal status
            status = self.walker.json(f"{run_url}/status.json")
            look(status)
            return bool(status.get("finished"))

        wait_until(finished, timeout_s=RUN_S, what=f"the run is finished ({run_url})", every_s=1.0)
        return Finished(run_url, status)


def retail_settings(start: date, ledger: str) -> Values:
    """What the person chooses for the real month: all of it, matched by External Number, made where missing."""
    own: dict[str, Values] = {
        "quickbooks": {"created_item_account": "Sales", "untaxed_code": "0.0% Z"},
        "xero": {"created_item_account": "Sales", "untaxed_code": "No VAT", "initial_status": "approved"},
    }
    return {
        **own[ledger],
        "look_back_days": "30",
        "start_date": start.isoformat(),
        "match_by": "number",
        "missing_item": "create",
        "run_limit": "5000",
    }


def _lists_are_read(page: Page) -> bool:
    """The form is complete once no list is being read and the accounts a created item may use can be chosen."""
    if READING in page.text:
        return False
    for form in page.forms:
        for control in form.controls:
            if control.name == "created_item_account":
                return len([value for value, _ in control.options if value]) > 0
    return False
