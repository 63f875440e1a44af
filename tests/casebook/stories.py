"""Companies of the casebook with something special: what they chose, and what happens to their invoices afterwards.

Not here: the stories' cases (stories.toml) and the ledgers (story_sides.py).
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from domain.line_kinds import LONG_SERVICES, PREPAID
from domain.settings import ClosedPeriod, LineRule, SubCustomers, TaxSource, VoidPolicy
from domain.taxmap import TaxEntry, TaxMap
from sandbox.autotask import actions
from sandbox.autotask.tenants import Tenant, set_switches
from sandbox.mailbox import messages
from sandbox.seeds import msp
from sandbox.world import World
from tests.casebook.books import CLOSED_DAYS_AGO, HOME, ITEMS, PROFILES, Books, booked
from tests.casebook.story_sides import QuickBooksStories, StorySide, XeroStories

STORIES: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "stories.toml").read_text())["case"]
SIDES: dict[str, Callable[[World, str, str], StorySide]] = {"quickbooks": QuickBooksStories, "xero": XeroStories}


@dataclass(frozen=True)
class Firm:
    """How one company is set up. `settings`: what it chose beside the usual."""

    profile: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    euros: bool = False


FIRMS = {
    "us": Firm(), "uk": Firm(), "au": Firm(),
    "us, ledger computes": Firm("us-ast", {"tax_source": TaxSource.LEDGER}), "us, ignores": Firm("us-ast-ignores"),
    "us, voids too": Firm(settings={"voids": VoidPolicy.VOID}),
    "us, mails": Firm(settings={"mail_customers": True}),
    "us, sub-customers": Firm(settings={"sub_customers": SubCustomers.ON}), "us, euros": Firm(euros=True),
}  # fmt: skip
"""By a case's `region`: the tax region, and behind a comma what is special."""


class Stories(Books):
    """One firm with its cases issued; `act` is what happens next."""

    side: StorySide

    def __init__(self, world: World, name: str, ledger: str) -> None:
        self.region, self.firm = name.split(",")[0], FIRMS[name]
        many = {"multi_currency": True} if self.firm.euros else {}
        self.made = msp.generate(
            world, invoices=0, region=self.region, known_customers=not many, switches=many,
            profile=self.firm.profile or PROFILES[ledger][self.region],
            slug=f"stories-{ledger}-{name.replace(', ', '-').replace(' ', '-')}",
            books={"multicurrency": True} if many else {},
        )  # fmt: skip
        self.tenant = Tenant(world, int(self.made["ci"]))
        self.side = SIDES[ledger](world, str(self.made["realm"]), self.region)
        self.today = world.clock.now().date()
        self.codes = {row["externalNumber"]: row for row in self.tenant.rows("BillingCodes")}
        self.categories = {row["name"]: row["id"] for row in self.tenant.rows("TaxCategories")}
        self.cases = stories_of(name, ledger)
        self.again: dict[str, int] = {}
        self.shown: dict[str, list[str]] = {}
        """By case: what the last comparison of both sides showed, and on which side it had changed."""
        self.outcomes: dict[str, str] = {}
        """By case: what became of replacing it."""
        with world.store.transaction():
            self._furnish()
            self.ids = {case["id"]: self._issue(case) for case in self.cases}

    def settings(self) -> dict[str, Any]:
        """What the firm chose: accounts for what is owed, a tax map where names do not tell."""
        account = self.side.accounts
        rules = (
            *(LineRule("", str(kind), account=account["Unearned Revenue"]) for kind in sorted(PREPAID)),
            LineRule("", LONG_SERVICES, account=account["Deferred Revenue"]),
            LineRule(str(self.codes["DISC-T"]["id"]), "", account=account["Discounts given"]),
        )
        chosen: dict[str, Any] = {
            **self.side.choices(), "closed_period": ClosedPeriod.OPEN_DAY, "line_map": rules,
        }  # fmt: skip
        if self.firm.settings.get("tax_source") is TaxSource.LEDGER and isinstance(self.side, QuickBooksStories):
            code = next(row for row in self.side.realm.records("TaxCode") if row["id"] not in ("TAX", "NON"))
            region = str(self._tax_region("NY Albany"))
            entry = TaxEntry("NY Albany", "", str(code["id"]), str(code["entity"]["Name"]), region)
            chosen["tax_map"] = TaxMap((entry,))
        return {**chosen, **self.firm.settings}

    # ---- what is there --------------------------------------------------------------------------------------

    def _furnish(self) -> None:
        for number, name in (("DISC", "Discount"), ("DISC-T", "Discount by the table")):
            row = {**self.codes["MS-WKS"], "name": name, "externalNumber": number}
            row.pop("id")
            self.codes[number] = {**row, "id": self.tenant.add("BillingCodes", row)}
        self.side.furnish(ITEMS, self.day(CLOSED_DAYS_AGO))
        self.side.prepare(euros=self.firm.euros)
        self._people()
        for name, tax in (("Exempt", "Exempt"), ("Outside", "No VAT")) if self.region == "uk" else ():
            self.categories[name] = self.tenant.add("TaxCategories", {"name": name, "isActive": True})
            pair = {"taxRegionID": self._tax_region(HOME["uk"]), "taxCategoryID": self.categories[name]}
            self.tenant.add("Taxes", {**pair, "taxName": tax, "taxRate": Decimal(0), "isCompounded": False})
        if self.firm.euros:
            self.side.rate(self.day(90))

    def _people(self) -> None:
        """Companies that cases name: exempt ones, branches of the first company, and two kept in euros."""
        rows = [row for row in self.tenant.rows("Companies") if row["id"] and not row.get("isTaxExempt")]
        first = next(row for row in rows if row.get("parentCompanyID") is None)
        self.people = {"": int(first["id"])}
        wanted: dict[str, dict[str, Any]] = {
            "Exempt Clinic": {"isTaxExempt": True}, "Exempt School": {"isTaxExempt": True},
            "North Branch": {"parentCompanyID": first["id"]}, "South Branch": {"parentCompanyID": first["id"]},
        }  # fmt: skip
        if self.firm.euros:
            euro = next(row["id"] for row in self.tenant.rows("Currencies") if row["name"] == "EUR")
            wanted |= {"Lisbon Hotel": {"currencyID": euro}, "Porto Hotel": {"currencyID": euro}}
        if self.firm.settings.get("mail_customers"):
            wanted["Mail Clinic"] = {}
        for name, more in wanted.items():
            row = {**first, "companyName": name, "companyNumber": name, **more}
            row.pop("id")
            self.people[name] = self.tenant.add("Companies", row)
        if "Mail Clinic" in self.people:
            contact = {"firstName": "Pat", "lastName": "Payable", "emailAddress": "payable@customers.sandbox.invalid"}
            whose = {"companyID": self.people["Mail Clinic"], "primaryContact": True, "isActive": 1}
            self.tenant.add("Contacts", {**contact, **whose})

    def _tax_region(self, name: str) -> int:
        return next(int(row["id"]) for row in self.tenant.rows("TaxRegions") if row["name"] == name)

    def _issue(self, case: dict[str, Any]) -> int:
        at = datetime.combine(self.day(case.get("days_ago", 3)), time(10), UTC)
        header: dict[str, Any] = {"taxGroup": self._tax_region(case.get("tax_region", HOME[self.region]))}
        if "total" in case:
            header["invoiceTotal"] = Decimal(case["total"])
        return actions.issue(
            self.tenant, self.people[case.get("company", "")], [self._line(line) for line in case["lines"]],
            at=at, number=f"CASE-{case['id']}", **header,
        )  # fmt: skip

    def _line(self, line: dict[str, Any]) -> dict[str, Any]:
        more: dict[str, Any] = {"companyID": self.people[line["for"]]} if "for" in line else {}
        if "period" in line:
            service = {"name": line["period"], "billingCodeID": self.codes[line["code"]]["id"], "unitPrice": Decimal(0)}
            period = self.tenant.pick("periodType", line["period"])
            more["serviceID"] = self.tenant.add("Services", {**service, "isActive": True, "periodType": period})
        return {**super()._line(line), **more}

    # ---- what happens next ----------------------------------------------------------------------------------

    def act(self, case: dict[str, Any], words: str) -> None:
        """Something happens to a case's invoice, in Autotask or in the ledger."""
        what, _, how = words.partition(" ")
        invoice = self.ids[case["id"]]
        with self.tenant.world.store.transaction():
            if what == "void":
                actions.void(self.tenant, invoice)
            elif what == "reissue":
                set_switches(self.tenant, {"reissue_item_ids": how or "same"})
                self.again[case["id"]] = actions.reissue(self.tenant, invoice)
            elif what == "close":
                self.side.close(self.day(int(how)))
            elif what == "pay":
                self.side.pay(f"CASE-{case['id']}", Decimal(how))
            elif what == "edit":
                [item] = self.tenant.rows("BillingItems", invoiceID=invoice)
                actions.edit(self.tenant, invoice, {"extendedPrice": {item["id"]: how}})
            elif what == "class":
                self.side.put_class(f"CASE-{case['id']}", how)

    # ---- read back ------------------------------------------------------------------------------------------

    def found(self, case: dict[str, Any]) -> dict[str, Any]:
        told = super().found(case)
        if not told:
            return {}
        further = {
            **self.side.further(f"CASE-{case['id']}"), "also": self._also(case),
            "shown": self.shown.get(case["id"], []), "outcome": self.outcomes.get(case["id"]),
            "mails": sum(f"CASE-{case['id']} from" in mail["subject"] for mail in messages(self.tenant.world)),
        }  # fmt: skip
        return {**told, **{name: value for name, value in further.items() if name in case["expected"]}}

    def _also(self, case: dict[str, Any]) -> list[dict[str, Any]]:
        """Further documents of a case: its correction, and what bills it again."""
        again = self.tenant.row("Invoices", self.again.get(case["id"])) or {}
        numbers = (f"CASE-{case['id']}-C", str(again.get("invoiceNumber")))
        return [each for number in numbers for each in self.side.journals(number)]


def stories_of(name: str, ledger: str) -> list[dict[str, Any]]:
    """The stories of a company that make sense in this ledger, with what its books must show where it differs."""
    cases = [case for case in STORIES if case["region"] == name and f"not_in_{ledger}" not in case]
    return [{**case, "expected": case.get(ledger, case["expected"])} for case in cases]


def row(case: dict[str, Any]) -> str:
    """The case as a row of docs/casebook.md."""
    told = _told(case["expected"])
    if "xero" in case and _told(case["xero"]) != told:
        told = f"{told}; Xero: {_told(case['xero'])}"
    elif "not_in_xero" in case:
        told = f"{told}; not in Xero"
    region, _, special = case["region"].partition(", ")
    place = region.upper() + (f", {special}" if special else "")
    return f"| {case['id']} | {place} | {case['what']} | {told} | {case['rule']} |"


def _told(wanted: dict[str, Any]) -> str:
    """What is in the books, in words."""
    told = "; ".join(booked(each) for each in (wanted, *wanted.get("also", [])))
    told += f", asked: {wanted['reason']}" if "reason" in wanted and "journal" in wanted else ""
    return told + (f", the overwriting is {wanted['outcome']}" if "outcome" in wanted else "")
