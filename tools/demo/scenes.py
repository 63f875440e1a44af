"""The two companies of the demo: the real month, synced and judged, and a generated MSP that waits.

Here: what is seeded, what is chosen, when the judge is asked. Not here: pressing buttons (story.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tools.demo.sandbox_api import SandboxApi
from tools.demo.stage import Stage
from tools.demo.story import Company, Story, retail_settings
from tools.demo.verdict import agrees
from tools.demo.walker import Walker
from tools.waiting import WaitedTooLong, wait_until

LOOK_BACK_DAYS = 30
# After the run's end the last marks and the report mail may still be on their way.
SETTLE_S = 180.0
SAY_EVERY_S = 20.0
PROFILES: dict[str, dict[str, str]] = {"quickbooks": {}, "xero": {"profile": "xero-uk"}}
MSP = {
    "seed": 7, "invoices": 120, "region": "us", "known_customers": True, "problems": True, "orders": 20,
    "order_problems": 12, "further_order_problems": True,
}  # fmt: skip
"""Twelve: the thirteenth order problem closes the books, which would stop its invoices too."""

XERO_MSP = {
    "seed": 8, "invoices": 40, "region": "uk", "profile": "xero-uk", "known_customers": True, "problems": True,
}  # fmt: skip


@dataclass
class Scenes:
    """Everything a scene needs; one browser, so that one admin owns both companies."""

    stage: Stage
    api: SandboxApi
    say: Callable[[str], None]
    walker: Walker = field(default_factory=Walker)
    _month: tuple[Story, dict[str, Any]] = field(init=False, repr=False)

    def real_month(
        self, data: Path | None, *, ledger: str = "quickbooks", fix: bool = False
    ) -> tuple[dict[str, Any], dict[str, int]]:
        """Seed, connect, set, post one by hand and the rest by Sync Now; return account and seeded counts.

        `fix`: then take the fix that Error Logs offer for invoices without a company.
        """
        options = {**_data(data), **PROFILES[ledger]}
        company, made = self.api.seed("retail", **options)
        counts: dict[str, int] = made["counts"]
        self.say(f"Seeded {counts['invoices']:,} real invoices with {counts['lines']:,} lines.")
        story = self._story(company)
        start = date.fromisoformat(made["first_day"]) - timedelta(days=1)
        story.connect()
        self.say("Connected both platforms through the consent pages.")
        story.settings(retail_settings(start, ledger))
        self.say("Saved Settings, Invoices.")
        story.scan_again()
        story.first_posting()
        self.say("Posted the first invoice by hand.")
        mark = int(self.api.get("journal/mark")["mark"])
        run_url = story.sync_now()
        self.say(f"Sync Now runs: {run_url}")
        story.wait_for_run(run_url, self._progress())
        today = datetime.now(tz=UTC).astimezone(ZoneInfo(made["time_zone"])).date()
        query = {
            "ci": made["ci"],
            "realm": made["realm"],
            "since_mark": mark,
            "window_start": (today - timedelta(days=LOOK_BACK_DAYS)).isoformat(),
            "start": start.isoformat(),
            "skip_zero": "1",
        }
        if fix:
            self.say("Choosing a customer for the invoices without one, as Error Logs offer.")
            story.wait_for_run(story.choose_customer_for_all(), self._progress())
            query["stand_in"] = "1"
        self._month = story, query
        return self._judged(query), counts

    def month_again(self, data: Path | None) -> dict[str, Any]:
        """The same invoices once more under new numbers, posted by Sync Now; the account of all of them."""
        story, query = self._month
        self.api.post("seed/retail", again="R-", **_data(data))
        mark = int(self.api.get("journal/mark")["mark"])
        story.wait_for_run(story.sync_now(), self._progress())
        return self._judged({**query, "since_mark": mark})

    def waiting_msp(self) -> None:
        """A generated MSP with every problem of the catalogue, connected and waiting for its first posting."""
        story = self._waiting(MSP, match_by="name")
        self.say(f"The generated MSP is connected and waits for its first posting: {story.base}/first-posting")

    def waiting_xero(self) -> None:
        """Another one in the UK, in the books of Xero, of the same admin, who signs in with a second identity."""
        story = self._waiting(XERO_MSP, match_by="number", untaxed_code="No VAT")
        self.say(f"Another MSP, in Xero, is connected and waits for its first posting: {story.base}/first-posting")

    def _waiting(self, seed: dict[str, Any], **chosen: str) -> Story:
        company, _ = self.api.seed("msp", **seed)
        story = self._story(company)
        story.connect()
        start = datetime.now(tz=UTC).date() - timedelta(days=60)
        story.settings({"start_date": start.isoformat(), "look_back_days": "60", **chosen})
        story.scan_again()
        return story

    def _story(self, company: Company) -> Story:
        return Story(self.walker, self.stage.ports.sandbox_url, self.stage.ports.web_url, company)

    def _progress(self) -> Callable[[dict[str, Any]], None]:
        """A look at the run now and then: what is posted, and that every process is alive."""
        said = 0.0

        def look(status: dict[str, Any]) -> None:
            nonlocal said
            self.stage.check()
            if time.monotonic() - said >= SAY_EVERY_S:
                said = time.monotonic()
                self.say(f"  {progress_line(status)}")

        return look

    def _judged(self, query: dict[str, Any]) -> dict[str, Any]:
        """The sandbox's account, asked until everything agrees or nothing more can be expected."""
        account: dict[str, Any] = {}

        def settled() -> bool:
            nonlocal account
            self.stage.check()
            account = self.api.get("audit", **query)
            return agrees(account)

        try:
            wait_until(settled, timeout_s=SETTLE_S, what="books, marks and reports agree", every_s=2.0)
        except WaitedTooLong as error:
            # Not the end of the demo but its result: the account says what does not agree.
            self.say(f"Still open: {error}.")
        return account


def _data(data: Path | None) -> dict[str, str]:
    return {"data": str(data.resolve())} if data else {}


def progress_line(status: dict[str, Any]) -> str:
    """A run's status in words: what it does, and what became of its documents so far."""
    kinds = (("complete", "posted"), ("processing", "in hand"), ("pending", "pending"), ("faults", "need a person"),
             ("skipped", "skipped over"))  # fmt: skip
    counts = ", ".join(f"{status[name]:,} {words}" for name, words in kinds if status.get(name))
    return f"{status.get('step') or status['state']}{': ' if counts else ''}{counts}."
