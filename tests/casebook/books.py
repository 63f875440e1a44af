"""A simulated company per region for the casebook: cases become invoices, and the books are read back as plain values.

Not here: the cases (cases.toml) and what the product makes of them.
"""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sandbox.autotask import actions
from sandbox.autotask.tenants import Tenant
from sandbox.autotask.views import moment_text
from sandbox.qbo import lists, preferences
from sandbox.qbo.realm import Realm
from sandbox.seeds import msp
from sandbox.seeds.catalogue import CODES
from sandbox.world import World

CASES: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "cases.toml").read_text())["case"]
TAX_ACCOUNTS = {"us": "Sales Tax Payable", "uk": "VAT Control", "au": "GST Liabilities Payable"}
ACCOUNTS = {
    "AR": "Accounts Receivable (A/R)", "INC-S": "Services", "INC-L": "Labour", "INC-H": "Hardware",
    "UNE": "Unearned Revenue", "DIS": "Discounts given", "RND": "Rounding",
}
ITEMS = {
    "MS-WKS": "Services", "LAB-REM": "Labour", "HW-FWL": "Hardware", "BLK-10": "Unearned Revenue",
    "DISC": "Discounts given",
}
"""The items of the cases' billing codes, and the account each books on."""
HOME = {"us": "NY Albany", "uk": "UK VAT", "au": "Australia"}
CLOSED_DAYS_AGO = 30


class Books:
    """One region's two companies, with the cases of that region issued in Autotask."""

    def __init__(self, world: World, region: str) -> None:
        self.region = region
        self.made = msp.generate(world, invoices=0, region=region, known_customers=True, slug=f"casebook-{region}")
        self.tenant, self.realm = Tenant(world, int(self.made["ci"])), Realm(world, str(self.made["realm"]))
        self.today = world.clock.now().date()
        self.codes = {row["externalNumber"]: row for row in self.tenant.rows("BillingCodes")}
        self.categories = {row["name"]: row["id"] for row in self.tenant.rows("TaxCategories")}
        self.terms = {row["name"]: row["id"] for row in self.tenant.rows("PaymentTerms")}
        self.accounts = {row["entity"]["Name"]: row["id"] for row in self.realm.records("Account")}
        with world.store.transaction():
            self._furnish()
            self.ids = {case["id"]: self._issue(case) for case in CASES if case["region"] == region}

    def day(self, days_ago: int) -> date:
        return self.today - timedelta(days=days_ago)

    def ledger_term(self, name: str) -> str:
        return next(str(row["id"]) for row in self.realm.records("Term") if row["entity"]["Name"] == name)

    def _furnish(self) -> None:
        """Items with their accounts, a discount code, terms of another name, and the closed period."""
        discount = {**self.codes["MS-WKS"], "name": "Discount", "externalNumber": "DISC"}
        discount.pop("id")
        self.codes["DISC"] = {**discount, "id": self.tenant.add("BillingCodes", discount)}
        there = {row["entity"]["Name"] for row in self.realm.records("Item")}
        for name, account in ITEMS.items():
            if name not in there:
                account_ref = {"value": self.accounts[account]}
                lists.seed(self.realm, "Item", Name=name, Type="Service", IncomeAccountRef=account_ref)
        fifteen = {"name": "Fifteen days", "paymentDueInDays": 15, "isActive": True}
        self.terms["Fifteen days"] = self.tenant.add("PaymentTerms", fifteen)
        closed = self.day(CLOSED_DAYS_AGO).isoformat()
        preferences.change(self.realm, "AccountingInfoPrefs", BookCloseDate=closed)

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

    # ---- read back ------------------------------------------------------------------------------------------

    def found(self, case: dict[str, Any]) -> dict[str, Any]:
        """What the ledger holds of a case, in the shape and as far as `expected` tells it. Empty: nothing."""
        records = [row for kind in ("Invoice", "CreditMemo") for row in self.realm.records(kind)
                   if row["entity"].get("DocNumber") == f"CASE-{case['id']}"]
        if not records:
            return {}
        [record] = records
        entity, wanted = record["entity"], case["expected"]
        told = {
            "kind": record["kind"], "journal": self._journal(record["journal"]),
            "lines": sum(1 for line in entity["Line"] if line["DetailType"] == "SalesItemLineDetail"),
            "text": wanted.get("text") if wanted.get("text", "") in str(entity["Line"]) else "",
            "note": wanted.get("note") if wanted.get("note", "") in entity["PrivateNote"] else "",
            "days_ago": (self.today - date.fromisoformat(entity["TxnDate"])).days,
            "open": f"{Decimal(str(entity['Balance'])):.2f}",
            "terms": self._term((entity.get("SalesTermRef") or {}).get("value")),
        }
        if "DueDate" in entity:
            told["due_days_ago"] = (self.today - date.fromisoformat(entity["DueDate"])).days
        return {name: value for name, value in told.items() if name in wanted}

    def _journal(self, lines: list[dict[str, Any]]) -> dict[str, str]:
        names = {**{name: short for short, name in ACCOUNTS.items()}, TAX_ACCOUNTS[self.region]: "TAX"}
        by_id = {ident: names.get(name, name) for name, ident in self.accounts.items()}
        amounts = {by_id[line["account"]]: Decimal(str(line["debit"])) - Decimal(str(line["credit"])) for line in lines}
        return {name: f"{amount:.2f}" for name, amount in amounts.items()}

    def _term(self, ident: str | None) -> str:
        return next((row["entity"]["Name"] for row in self.realm.records("Term") if row["id"] == ident), "")


def row(case: dict[str, Any]) -> str:
    """The case as a row of docs/casebook.md."""
    wanted = case["expected"]
    if "journal" not in wanted:
        booked = f"nothing: {wanted['reason']}"
    else:
        sides = [f"{'Cr' if amount.startswith('-') else 'Dr'} {account} {amount.lstrip('-')}"
                 for account, amount in wanted["journal"].items()]
        booked = f"{'credit memo' if wanted['kind'] == 'CreditMemo' else 'invoice'}: {' · '.join(sides)}"
    return f"| {case['id']} | {case['region'].upper()} | {case['what']} | {booked} | {case['rule']} |"
