"""A simulated company per region and ledger for the casebook: cases become invoices, the books are read back.

Not here: the cases (cases.toml), the two ledgers (sides.py) and what the product makes of them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sandbox.autotask import actions
from sandbox.autotask.tenants import Tenant
from sandbox.autotask.views import moment_text
from sandbox.seeds import msp
from sandbox.seeds.catalogue import CODES
from sandbox.world import World
from tests.casebook.sides import RECEIVABLE, QuickBooksSide, Side, XeroSide

CASES: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "cases.toml").read_text())["case"]
SIDES: dict[str, Callable[[World, str, str], Side]] = {"quickbooks": QuickBooksSide, "xero": XeroSide}
ITEMS = {
    "MS-WKS": "Services", "LAB-REM": "Labour", "HW-FWL": "Hardware", "BLK-10": "Unearned Revenue",
    "DISC": "Discounts given",
}
"""The items of the cases' billing codes, and the account each books on."""
HOME = {"us": "NY Albany", "uk": "UK VAT", "au": "Australia"}
PROFILES: dict[str, dict[str, str | None]] = {
    "quickbooks": {"us": None, "uk": None, "au": None},
    "xero": {region: f"xero-{region}" for region in HOME},
}
CLOSED_DAYS_AGO = 30


class Books:
    """One region's Autotask and a company of one ledger, with the cases of that region issued in Autotask."""

    def __init__(self, world: World, region: str, ledger: str) -> None:
        self.region = region
        self.made = msp.generate(
            world, invoices=0, region=region, known_customers=True, slug=f"casebook-{ledger}-{region}",
            profile=PROFILES[ledger][region],
        )
        self.tenant = Tenant(world, int(self.made["ci"]))
        self.side = SIDES[ledger](world, str(self.made["realm"]), region)
        self.today = world.clock.now().date()
        self.codes = {row["externalNumber"]: row for row in self.tenant.rows("BillingCodes")}
        self.categories = {row["name"]: row["id"] for row in self.tenant.rows("TaxCategories")}
        self.terms = {row["name"]: row["id"] for row in self.tenant.rows("PaymentTerms")}
        self.cases = cases_of(region, ledger)
        with world.store.transaction():
            self._furnish()
            self.ids = {case["id"]: self._issue(case) for case in self.cases}

    def day(self, days_ago: int) -> date:
        return self.today - timedelta(days=days_ago)

    def _furnish(self) -> None:
        """Items with their accounts, a discount code, terms of another name, and the closed period."""
        discount = {**self.codes["MS-WKS"], "name": "Discount", "externalNumber": "DISC"}
        discount.pop("id")
        self.codes["DISC"] = {**discount, "id": self.tenant.add("BillingCodes", discount)}
        fifteen = {"name": "Fifteen days", "paymentDueInDays": 15, "isActive": True}
        self.terms["Fifteen days"] = self.tenant.add("PaymentTerms", fifteen)
        self.side.furnish(ITEMS, self.day(CLOSED_DAYS_AGO))

    def _issue(self, case: dict[str, Any]) -> int:
        at = datetime.combine(self.day(case.get("days_ago", 3)), time(10), UTC)
        region = next(row["id"] for row in self.tenant.rows("TaxRegions") if row["name"] == HOME[self.region])
        header: dict[str, Any] = {"taxGroup": region}
        if "term" in case:
            header["paymentTerm"] = self.terms[case["term"]]
        if "due_in" in case:
            header["dueDate"] = moment_text(at + timedelta(days=case["due_in"]))
        company = next(row["id"] for row in self.tenant.rows("Companies")
                       if row["id"] and row.get("parentCompanyID") is None and not row.get("isTaxExempt"))
        return actions.issue(
            self.tenant, company, [self._line(line) for line in case["lines"]], at=at,
            number=f"CASE-{case['id']}", **header,
        )

    def _line(self, line: dict[str, Any]) -> dict[str, Any]:
        code, amount = self.codes[line["code"]], Decimal(line["amount"])
        known = next((each for each in CODES if each.number == line["code"]), CODES[0])
        kind = {"billingItemType": self.tenant.pick("billingItemType", known.item_type),
                "subType": self.tenant.pick("subType", known.sub_type)}
        tax = {"taxDollars": Decimal(line["tax"])} if "tax" in line else {}
        category = self.categories[line["category"]] if "category" in line else code.get("taxCategoryID")
        return {
            **kind, **tax, "billingCodeID": code["id"], "itemName": code["name"], "description": code["name"],
            "lineItemFullDescription": code["name"], "taxCategoryID": category, "extendedPrice": amount,
            "quantity": Decimal(line.get("quantity", "1")), "rate": Decimal(line.get("rate", line["amount"])),
        }

    def found(self, case: dict[str, Any]) -> dict[str, Any]:
        """What the ledger holds of a case, as far as `expected` tells it. Empty: nothing."""
        told, wanted = self.side.found(f"CASE-{case['id']}", self.today), case["expected"]
        for name in ("text", "note"):
            if name in wanted and name in told:
                told[name] = wanted[name] if wanted[name] in told[name] else ""
        return {name: value for name, value in told.items() if name in wanted}


def cases_of(region: str, ledger: str) -> list[dict[str, Any]]:
    """The cases of a region, with what this ledger's books must show where it differs: a table of its name."""
    return [{**case, "expected": case.get(ledger, case["expected"])} for case in CASES if case["region"] == region]


def moves(case: dict[str, Any]) -> dict[str, Decimal]:
    """What a case does to the trial balance, from journals written by hand; money paid goes to undeposited funds."""
    wanted = case["expected"]
    journals = [wanted.get("journal", {}), *(each["journal"] for each in wanted.get("also", []))]
    journals += [{"UND": case["paid"], RECEIVABLE: f"-{case['paid']}"}] if "paid" in case else []
    return added(pair for journal in journals for pair in ((name, Decimal(text)) for name, text in journal.items()))


def added(pairs: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """Sums by account; what adds up to nothing is left out."""
    found: dict[str, Decimal] = {}
    for account, amount in pairs:
        found[account] = found.get(account, Decimal(0)) + amount
    return {account: amount for account, amount in found.items() if amount}


def row(case: dict[str, Any]) -> str:
    """The case as a row of docs/casebook.md."""
    told = booked(case["expected"])
    if "xero" in case and booked(case["xero"]) != told:
        told = f"{told}; Xero: {booked(case['xero'])}"
    return f"| {' | '.join((case['id'], case['region'].upper(), case['what'], told, case['rule']))} |"


def booked(wanted: dict[str, Any]) -> str:
    """One document in words."""
    if "journal" not in wanted:
        return f"nothing: {wanted['reason']}"
    sides = [f"{'Cr' if amount.startswith('-') else 'Dr'} {account} {amount.lstrip('-')}"
             for account, amount in wanted["journal"].items()]
    kind = "credit memo" if wanted["kind"] == "CreditMemo" else "invoice"
    return f"{kind}: {' · '.join(sides) or 'void, all effects 0.00'}"
