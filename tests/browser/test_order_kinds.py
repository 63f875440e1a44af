"""Orders through the real processes, page by page without a browser: a bill at once, a bill per receiving, an order.

The sandbox's books are the judge.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.browser.site import Site
from tools.demo.story import Story
from tools.demo.walker import Walker
from tools.waiting import wait_until

pytestmark = [pytest.mark.process, pytest.mark.slow, pytest.mark.xdist_group("main_job"), pytest.mark.timeout(300)]

PATIENCE_S = 90.0
AT_ONCE, ON_RECEIPT, ORDERED = "Alder Components", "Birchwood Distribution", "Cedarline Wholesale"
"""Vendors of the three generated orders; what becomes of theirs is chosen for each."""


@dataclass
class Buying:
    """One company that buys, and the sandbox's view of it."""

    site: Site
    story: Story
    made: dict[str, Any]

    @property
    def walker(self) -> Walker:
        return self.story.walker

    def open(self, path: str) -> None:
        self.walker.get(f"{self.story.base}/{path}")

    def look_at(self, number: str) -> int:
        """Open the order's page, which has it read again; its id in Autotask."""
        self.open("documents?tab=all&kind=order")
        if not self.walker.has_link(number):
            self.open("documents?tab=all")
        self.walker.follow(number)
        found = re.search(r"Autotask ID (\d+)", self.walker.page.text)
        assert found, self.walker.page.text[:500]
        return int(found.group(1))

    def receive(self, order: int, number: str, quantities: list[int] | None) -> None:
        """Goods arrive in Autotask; without quantities all that is still open."""
        sent = {"order": order, "number": number, "quantities": quantities}
        self.site.api.post(f"actions/{self.made['ci']}/receive", **sent)

    def there(self, vendor: str) -> list[dict[str, Any]]:
        """Live bills and orders of a vendor in the ledger."""
        books = self.site.api.get(f"books/{self.made['realm']}")["purchases"]
        return [each for each in books if each["live"] and each["vendor"] == vendor]

    def press_once_offered(self, path: str, button: str) -> None:
        """The books know of a bill a moment before the page does."""

        def offered() -> bool:
            self.site.check()
            self.open(path)
            return self.walker.has_button(button)

        wait_until(offered, timeout_s=PATIENCE_S, what=f"{button} on {path}", every_s=0.3)
        self.walker.press(button)

    def until(self, vendor: str, count: int) -> list[dict[str, Any]]:
        def posted() -> bool:
            self.site.check()
            return len(self.there(vendor)) == count

        wait_until(posted, timeout_s=PATIENCE_S, what=f"{count} of {vendor} in the books", every_s=0.3)
        return self.there(vendor)


def test_each_vendors_orders_become_what_was_chosen_for_it(site: Site) -> None:
    company, made = site.api.seed("msp", seed=61, invoices=1, lines=1, known_customers=True, orders=3)
    buying = Buying(site, Story(Walker(), site.sandbox_url, site.url, company), made)
    _set_up(buying)
    buying.look_at("PO20001")
    buying.walker.press("Post now")
    [bill] = buying.until(AT_ONCE, 1)
    assert bill["type"] == "Bill"
    buying.press_once_offered("orders", "Post orders automatically")
    [ordered] = buying.until(ORDERED, 1)
    assert (ordered["type"], ordered["status"], ordered["journal"]) == ("PurchaseOrder", "Open", [])
    assert buying.there(ON_RECEIPT) == [], "nothing of it has arrived"
    order = buying.look_at("PO20002")
    buying.receive(order, "R-1", [1])
    buying.look_at("PO20002")
    buying.until(ON_RECEIPT, 1)
    buying.receive(order, "R-2", None)
    buying.open("orders/sync-one")
    buying.walker.press("Do It Now", {"order": "PO20002"})
    bills = buying.until(ON_RECEIPT, 2)
    assert [(each["type"], each["DocNumber"]) for each in bills] == [("Bill", "R-1"), ("Bill", "R-2")]
    _the_sandbox_judges(buying, [bill, *bills])


def _set_up(buying: Buying) -> None:
    """Connect both sides; choose what orders become; connect; a choice of their own for two vendors."""
    buying.story.connect()
    start = datetime.now(tz=UTC).date() - timedelta(days=60)
    buying.story.settings({"start_date": start.isoformat()})
    buying.open("settings/orders")
    buying.walker.press("Save", {
        "days": "30", "becomes": "bill", "missing_item": "create", "created_item_account": "Cost of Goods Sold",
        "payable": "Accounts Payable (A/P)", "freight_account": "Freight", "error_todos": False,
    }, among="payable")  # fmt: skip
    buying.walker.press("Connect", among="settings/orders/connect")
    buying.walker.reload_until(
        lambda page: all(vendor in page.text for vendor in (AT_ONCE, ON_RECEIPT, ORDERED)),
        what="three orders are found", timeout_s=PATIENCE_S,
    )  # fmt: skip
    for vendor, becomes in ((ON_RECEIPT, "on_receipt"), (ORDERED, "order")):
        buying.open("settings/orders")
        buying.walker.press("Save the vendor", {"party": vendor, "becomes": becomes})


def _the_sandbox_judges(buying: Buying, bills: list[dict[str, Any]]) -> None:
    """Each order is in the books once and marked; each bill's journal balances, freight stands on the first part."""

    def settled() -> dict[str, Any]:
        return dict(buying.site.api.get("audit/orders", ci=buying.made["ci"], realm=buying.made["realm"]))

    wait_until(lambda: settled()["unmarked"] == 0, timeout_s=PATIENCE_S, what="all orders are marked", every_s=0.3)
    judged = settled()
    assert (judged["bills"], judged["purchase_orders"], judged["posted"]) == (3, 1, 3)
    assert (judged["missing"], judged["duplicates"], judged["strays"], judged["wrong"]) == (0, 0, [], {})
    assert all(sums["expected"] == sums["posted"] for sums in judged["totals"].values()), judged["totals"]
    for bill in bills:
        debit, credit = (sum(Decimal(str(line[side])) for line in bill["journal"]) for side in ("debit", "credit"))
        assert debit == credit == Decimal(str(bill["total"]))
    freight = ["Freight" in {line["account"] for line in bill["journal"]} for bill in bills[1:]]
    assert freight == [True, False]
