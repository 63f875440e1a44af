"""Companies of the casebook that buy: their purchase orders are written in Autotask, the bills are read back.

Not here: the cases (orders.toml), the ledgers (purchases.py) and what the product makes of them. Each case buys from
a vendor of its own, so that no bill looks like that of another case.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from domain.order_settings import Becomes, Freight, VendorRule
from domain.settings import ClosedPeriod, MissingItem
from sandbox.autotask import purchasing
from sandbox.autotask.tenants import Tenant
from sandbox.seeds import msp
from sandbox.world import World
from tests.casebook.books import CLOSED_DAYS_AGO, PROFILES, added
from tests.casebook.purchases import Buys, QuickBooksPurchases, XeroPurchases

ORDERS: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "orders.toml").read_text())["case"]
SIDES: dict[str, Callable[[World, str, str], Buys]] = {"quickbooks": QuickBooksPurchases, "xero": XeroPurchases}
PRODUCTS = (
    ("Switch", "SW-24", True), ("Cable", "CB-1", True), ("Label maker", "LM-1", False), ("Battery", "BT", False),
)  # fmt: skip
"""Name, code, and whether the ledger has it as an item bought on COGS; Battery is one of its stocked items."""


@dataclass(frozen=True)
class Buyer:
    """How one company is set up. `settings`: what it chose beside the usual; `becomes`: for vendors without a rule."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    switches: Mapping[str, Any] = field(default_factory=dict)
    books: Mapping[str, Any] = field(default_factory=dict)
    tax_code: str | None = None
    tracked: bool = False


BUYERS = {
    "us": Buyer(), "uk": Buyer(tax_code="20.0% S"), "au": Buyer(tax_code="GST"),
    "us, by value and tracked": Buyer({"freight": Freight.BY_VALUE, "billable": True}, tracked=True),
    "us, euros": Buyer(switches={"multi_currency": True}, books={"multicurrency": True}),
    "us, euros unsaid": Buyer(books={"multicurrency": True}),
}  # fmt: skip
"""By a case's `region`: the tax region, and behind a comma what is special."""


class Orders:
    """One company with its orders submitted; `act` is what happens next. `only`: these cases instead of all."""

    def __init__(self, world: World, name: str, ledger: str, *only: str) -> None:
        self.buyer, region = BUYERS[name], name.split(",")[0]
        slug = f"orders-{ledger}-{name.replace(', ', '-').replace(' ', '-')}"
        self.made = msp.generate(
            world, invoices=0, region=region, slug=slug, profile=PROFILES[ledger][region], books=dict(self.buyer.books),
            switches={"inventory": True, **self.buyer.switches},
        )  # fmt: skip
        self.tenant = Tenant(world, int(self.made["ci"]))
        self.side = SIDES[ledger](world, str(self.made["realm"]), region)
        self.ledger, self.today = ledger, world.clock.now().date()
        self.cases = [case for case in orders_of(name, ledger) if not only or case["id"] in only]
        self.typed: dict[str, str] = {}
        """By case: the bill that somebody typed in before."""
        with world.store.transaction():
            self._furnish()
            self.ids = {case["id"]: self._order(case) for case in self.cases}
            self.again = {case["id"]: self._order(case) for case in self.cases if case.get("twice")}

    def day(self, days_ago: int) -> date:
        return self.today - timedelta(days=days_ago)

    def at(self, days_ago: int) -> datetime:
        return datetime.combine(self.day(days_ago), time(15), UTC)

    def settings(self) -> dict[str, Any]:
        """What the company chose, and for each case's vendor what its orders become."""
        rules = tuple(
            VendorRule(str(self.vendors[case["id"]]), Becomes(case["becomes"]),
                       self.side.code(case["code"]) if "code" in case else None, case.get("confirmed", False))
            for case in self.cases
        )  # fmt: skip
        more = self.side.tracked() if self.buyer.tracked and isinstance(self.side, QuickBooksPurchases) else {}
        return {
            "days": 60, "missing_item": MissingItem.CREATE, "closed_period": ClosedPeriod.OPEN_DAY, "vendors": rules,
            **self.side.chosen_purchases(self.buyer.tax_code), **more, **self.buyer.settings,
        }

    # ---- what is there ----------------------------------------------------------------------------------------

    def _furnish(self) -> None:
        self.tenant.add("InventoryLocations", {"locationName": "Main store", "isActive": True, "isDefault": True})
        self.side.furnish_purchases(self.day(CLOSED_DAYS_AGO), euros=bool(self.buyer.books))
        self.products = {name: self._product(name, code) for name, code, _ in PRODUCTS}
        for name, code, known in PRODUCTS:
            if known:
                self.side.seeds.purchasable(name, code)
        companies = [row for row in self.tenant.rows("Companies") if row["id"] and row.get("parentCompanyID") is None]
        self.pattern = companies[0]
        self.customer = self._company("Quay Dental")
        self.vendors = {case["id"]: self._vendor(case) for case in self.cases}

    def _product(self, name: str, code: str) -> int:
        return self.tenant.add("Products", {
            "name": name, "description": f"{name}, boxed", "sku": code, "isActive": True, "isSerialized": False,
        })  # fmt: skip

    def _company(self, name: str, **more: Any) -> int:
        row = {**self.pattern, "companyName": name, "companyNumber": name[:20], "isTaxExempt": False, **more}
        row.pop("id")
        return self.tenant.add("Companies", row)

    def _vendor(self, case: dict[str, Any]) -> int:
        """In Autotask, and unless the case has a new one in the ledger too."""
        name = vendor_of(case)
        more: dict[str, Any] = {"companyType": self.tenant.pick("companyType", "Vendor")}
        if "currency" in case:
            codes = {row["name"]: row["id"] for row in self.tenant.rows("Currencies")}
            more["currencyID"] = codes[case["currency"]]
        if not case.get("new"):
            self.side.seeds.vendor(name, case.get("kept_in"))
        if case.get("also_customer"):
            self.side.seeds.customer(name)
        return self._company(name, **more)

    def _order(self, case: dict[str, Any]) -> int:
        header: dict[str, Any] = {"freight": case.get("freight"), "vendorInvoiceNumber": case.get("number")}
        if case.get("for_customer"):
            header["purchaseForCompanyID"] = self.customer
        lines = [{"productID": self.products[line["product"]], "quantity": line["quantity"], "unitCost": line["cost"]}
                 for line in case["lines"]]  # fmt: skip
        vendor, at = self.vendors[case["id"]], self.at(case.get("days_ago", 3))
        id = purchasing.order(self.tenant, vendor, lines, at=at, **header)
        for receipt in case.get("receive", ()):
            self._receive(id, receipt)
        if "typed" in case:
            typed = case["typed"]
            self.typed[case["id"]] = self.side.seeds.bill(vendor_of(case), typed["number"], Decimal(typed["amount"]))
        return id

    def _receive(self, order: int, receipt: Mapping[str, Any]) -> None:
        at = self.at(receipt.get("days_ago", 1))
        purchasing.receive(self.tenant, order, receipt["quantities"], number=receipt.get("number"), at=at)

    # ---- what happens next ----------------------------------------------------------------------------------

    def act(self, case: dict[str, Any], act: dict[str, Any]) -> None:
        """Something happens to a case's order in Autotask."""
        with self.tenant.world.store.transaction():
            if act["what"] == "cancel":
                purchasing.cancel(self.tenant, self.ids[case["id"]])
            elif act["what"] == "receive":
                self._receive(self.ids[case["id"]], act)

    # ---- read back ------------------------------------------------------------------------------------------

    def found(self, case: dict[str, Any]) -> dict[str, Any]:
        """What the ledger and Autotask hold of a case, as far as `expected` tells it."""
        wanted = case["expected"]
        there = [each for each in self.side.bought(vendor_name(case), self.today)
                 if each["id"] != self.typed.get(case["id"])]  # fmt: skip
        names = [set(each) for each in wanted["documents"]] or [set()]
        documents = [
            {name: value for name, value in _parts(each, wanted["documents"], place).items()
             if name in names[min(place, len(names) - 1)]}
            for place, each in enumerate(there)
        ]
        order = self.tenant.row("PurchaseOrders", self.ids[case["id"]]) or {}
        told: dict[str, Any] = {"documents": documents, "mark": order.get("externalPONumber") or ""}
        if "stock" in wanted and isinstance(self.side, QuickBooksPurchases):
            told["stock"] = self.side.stock("Battery")
        return {name: value for name, value in told.items() if name in wanted}


def _parts(there: dict[str, Any], wanted: list[dict[str, Any]], place: int) -> dict[str, Any]:
    """Of texts only the part that is expected, where they hold it."""
    expected = wanted[place] if place < len(wanted) else {}
    parts = {name: expected[name] if expected[name] in there[name] else there[name]
             for name in ("text", "note") if name in expected}  # fmt: skip
    return {**there, **parts}


def orders_of(region: str, ledger: str) -> list[dict[str, Any]]:
    """The cases of a company, with what this ledger must show where it differs: a table of its name."""
    cases = [case for case in ORDERS if case["region"] == region and ledger in case.get("ledgers", [ledger])]
    return [{**case, "expected": case.get(ledger, case["expected"])} for case in cases]


def vendor_of(case: dict[str, Any]) -> str:
    """As Autotask calls it."""
    return f"Vendor {case['id']}"


def vendor_name(case: dict[str, Any]) -> str:
    """As the ledger calls it."""
    return str(case["expected"].get("vendor", vendor_of(case)))


def moves(case: dict[str, Any]) -> dict[str, Decimal]:
    """What a case does to the trial balance, from journals written by hand."""
    journals = [each.get("journal", {}) for each in case["expected"]["documents"]]
    return added((name, Decimal(text)) for journal in journals for name, text in journal.items())


def row(case: dict[str, Any]) -> str:
    """The case as a row of docs/casebook.md."""
    told = booked(case["expected"])
    if "xero" in case and booked(case["xero"]) != told:
        told = f"{told}; Xero: {booked(case['xero'])}"
    region, _, special = case["region"].partition(", ")
    place = region.upper() + (f", {special}" if special else "")
    return f"| {case['id']} | {place} | {case['what']} | {told} | {case['rule']} |"


def booked(wanted: dict[str, Any]) -> str:
    """What is in the books, in words."""
    told = []
    for each in wanted["documents"]:
        sides = [f"{'Cr' if amount.startswith('-') else 'Dr'} {account} {amount.lstrip('-')}"
                 for account, amount in each.get("journal", {}).items()]
        name = {"Bill": "bill", "PurchaseOrder": "purchase order"}[each["kind"]]
        number = f" {each['number']}" if each.get("number") else ""
        told.append(f"{name}{number}: {' · '.join(sides) or 'no journal'}")
    asked = ", ".join(wanted.get("reasons", ()))
    if not told:
        return f"nothing: {asked}" if asked else "nothing"
    return "; ".join(told) + (f"; asked: {asked}" if asked else "")
