"""Companies of the casebook with something special: what they chose, and what happens to their invoices afterwards.

Not here: the stories' cases (stories.toml). QuickBooks only: voids, payments and sub-customers are its own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
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
from sandbox.qbo import currencies, ledger, lists, preferences, writes
from sandbox.seeds import msp
from sandbox.world import World
from tests.casebook.books import CLOSED_DAYS_AGO, HOME, ITEMS, Books, added, booked
from tests.casebook.sides import QuickBooksSide, journal

STORIES: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "stories.toml").read_text())["case"]
EURO_RATE = "1.08"


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

    side: QuickBooksSide

    def __init__(self, world: World, name: str) -> None:
        self.region, self.firm = name.split(",")[0], FIRMS[name]
        many = {"multi_currency": True} if self.firm.euros else {}
        self.made = msp.generate(
            world, invoices=0, region=self.region, known_customers=not many, profile=self.firm.profile, switches=many,
            slug=f"stories-{name.replace(', ', '-').replace(' ', '-')}", books={"multicurrency": True} if many else {},
        )  # fmt: skip
        self.tenant = Tenant(world, int(self.made["ci"]))
        self.side = QuickBooksSide(world, str(self.made["realm"]), self.region)
        account = self.side.accounts
        self.side.short |= {account["Deferred Revenue"]: "DEF", account["Undeposited Funds"]: "UND"}
        self.today = world.clock.now().date()
        self.codes = {row["externalNumber"]: row for row in self.tenant.rows("BillingCodes")}
        self.categories = {row["name"]: row["id"] for row in self.tenant.rows("TaxCategories")}
        self.cases = [case for case in STORIES if case["region"] == name]
        self.again: dict[str, int] = {}
        self.shown: dict[str, list[str]] = {}
        """By case: what the last comparison of both sides showed, and on which side it had changed."""
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
            "rounding_account": account["Rounding"], "closed_period": ClosedPeriod.OPEN_DAY, "line_map": rules,
        }  # fmt: skip
        if self.firm.settings.get("tax_source") is TaxSource.LEDGER:
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
        self._people()
        for name, tax in (("Exempt", "Exempt"), ("Outside", "No VAT")) if self.region == "uk" else ():
            self.categories[name] = self.tenant.add("TaxCategories", {"name": name, "isActive": True})
            pair = {"taxRegionID": self._tax_region(HOME["uk"]), "taxCategoryID": self.categories[name]}
            self.tenant.add("Taxes", {**pair, "taxName": tax, "taxRate": Decimal(0), "isCompounded": False})
        if self.firm.euros:
            rate = {"SourceCurrencyCode": "EUR", "Rate": Decimal(EURO_RATE), "AsOfDate": self.day(90).isoformat()}
            currencies.write_rate(self.side.realm, rate)

    def _people(self) -> None:
        """Companies that cases name: exempt ones, branches of the first company, and two kept in euros."""
        rows = [row for row in self.tenant.rows("Companies") if row["id"] and not row.get("isTaxExempt")]
        first = next(row for row in rows if row.get("parentCompanyID") is None)
        self.people = {"": int(first["id"])}
        wanted: dict[str, dict[str, Any]] = {
            "Exempt Clinic": {"isTaxExempt": True}, "Exempt School": {"isTaxExempt": True},
            "North Branch": {"parentCompanyID": first["id"]}, "South Branch": {"parentCompanyID": first["id"]},
        }  # fmt: skip
        lists.seed(self.side.realm, "Customer", DisplayName="Exempt School")
        if self.firm.euros:
            euro = next(row["id"] for row in self.tenant.rows("Currencies") if row["name"] == "EUR")
            wanted |= {"Lisbon Hotel": {"currencyID": euro}, "Porto Hotel": {"currencyID": euro}}
            lists.seed(self.side.realm, "Customer", DisplayName="Porto Hotel")
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
                through = self.day(int(how)).isoformat()
                preferences.change(self.side.realm, "AccountingInfoPrefs", BookCloseDate=through)
            elif what == "pay":
                self._pay(f"CASE-{case['id']}", Decimal(how))
            elif what == "edit":
                [item] = self.tenant.rows("BillingItems", invoiceID=invoice)
                actions.edit(self.tenant, invoice, {"extendedPrice": {item["id"]: how}})
            elif what == "class":
                self._put_class(f"CASE-{case['id']}", how)

    def _put_class(self, number: str, name: str) -> None:
        """A person in the ledger gives the document's lines a class."""
        [record] = self._records(number)
        lines = [{**line} for line in record["entity"]["Line"]]
        reference = {"value": lists.seed(self.side.realm, "Class", Name=name)}
        for line in lines:
            if "SalesItemLineDetail" in line:
                line["SalesItemLineDetail"] = {**line["SalesItemLineDetail"], "ClassRef": reference}
        body = {**record["entity"], "Line": lines, "sparse": True}
        writes.perform(self.side.realm, writes.entity_named("Invoice"), "update", body)

    def _pay(self, number: str, amount: Decimal) -> None:
        realm = self.side.realm
        [record] = self._records(number)
        link = {"Amount": amount, "LinkedTxn": [{"TxnId": record["id"], "TxnType": "Invoice"}]}
        body = {"CustomerRef": record["entity"]["CustomerRef"], "TotalAmt": amount, "Line": [link]}
        writes.perform(realm, writes.entity_named("Payment"), "create", body)

    # ---- read back ------------------------------------------------------------------------------------------

    def found(self, case: dict[str, Any]) -> dict[str, Any]:
        self._know_receivables()
        told = super().found(case)
        if not told:
            return {}
        [entity] = [row["entity"] for row in self._records(f"CASE-{case['id']}")]
        parent, _, name = str(entity["CustomerRef"]["name"]).rpartition(":")
        further = {
            "customer": f"under its parent: {name}" if parent else name, "codes": self._codes(entity),
            "also": self._also(case), "classes": self._classes(entity), "shown": self.shown.get(case["id"], []),
            "mails": sum(f"CASE-{case['id']} from" in mail["subject"] for mail in messages(self.tenant.world)),
        }  # fmt: skip
        return {**told, **{name: value for name, value in further.items() if name in case["expected"]}}

    def _records(self, number: str) -> list[dict[str, Any]]:
        return [row for kind in ("Invoice", "CreditMemo") for row in self.side.realm.records(kind)
                if row["entity"].get("DocNumber") == number]

    def _also(self, case: dict[str, Any]) -> list[dict[str, Any]]:
        """Further documents of a case: its correction, and what bills it again."""
        again = self.tenant.row("Invoices", self.again.get(case["id"])) or {}
        numbers = (f"CASE-{case['id']}-C", str(again.get("invoiceNumber")))
        return [{"kind": row["kind"], "journal": journal(row["journal"], self.side.short)}
                for number in numbers for row in self._records(number)]

    def _classes(self, entity: dict[str, Any]) -> list[str]:
        details = [line["SalesItemLineDetail"] for line in entity["Line"] if "SalesItemLineDetail" in line]
        return [each["ClassRef"]["name"] for each in details if "ClassRef" in each]

    def _codes(self, entity: dict[str, Any]) -> list[str]:
        names = {row["id"]: row["entity"]["Name"] for row in self.side.realm.records("TaxCode")}
        details = [line["SalesItemLineDetail"] for line in entity["Line"] if "SalesItemLineDetail" in line]
        return [names[each["TaxCodeRef"]["value"]] for each in details]

    def balances(self) -> dict[str, Decimal]:
        """The trial balance; receivables of every currency are one, in home units."""
        self._know_receivables()
        rows = ledger.trial_balance(self.side.realm)
        return added((self.side.short.get(row["id"], row["name"]), row["debit"] - row["credit"]) for row in rows)

    def _know_receivables(self) -> None:
        """A foreign currency gets a receivable account of its own when the first customer is kept in it."""
        for row in self.side.realm.records("Account"):
            if row["entity"]["Name"].startswith("Accounts Receivable"):
                self.side.short[row["id"]] = "AR"


def row(case: dict[str, Any]) -> str:
    """The case as a row of docs/casebook.md."""
    wanted = case["expected"]
    told = "; ".join(booked(each) for each in (wanted, *wanted.get("also", []))) + (
        f", asked: {wanted['reason']}" if "reason" in wanted and "journal" in wanted else "")
    region, _, special = case["region"].partition(", ")
    place = region.upper() + (f", {special}" if special else "")
    return f"| {case['id']} | {place} | {case['what']} | {told} | {case['rule']} |"
