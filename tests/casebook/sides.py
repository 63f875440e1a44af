"""The two simulated ledgers of the casebook, read in the same words: a company with items, a closed period, its books.

Not here: the cases (cases.toml), Autotask's side of them (books.py) and what the product makes of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from domain.settings import InitialStatus, TermRule
from domain.taxmap import TaxEntry, TaxMap
from sandbox.double_entry import signed
from sandbox.qbo import ledger as qbo_ledger
from sandbox.qbo import lists, preferences
from sandbox.qbo.realm import Realm
from sandbox.world import World
from sandbox.xero import items as xero_items
from sandbox.xero import ledger as xero_ledger
from sandbox.xero.organisation import Organisation

ACCOUNTS = {
    "INC-S": "Services", "INC-L": "Labour", "INC-H": "Hardware", "UNE": "Unearned Revenue", "DIS": "Discounts given",
    "RND": "Rounding",
}
RECEIVABLE = "AR"
CODES = {
    "us": {("NY Albany", "Taxable Goods"): "TAX001", ("CA Los Angeles", "Taxable Goods"): "TAX002"},
    "uk": {("UK VAT", "Standard"): "OUTPUT2", ("UK VAT", "Reduced"): "RROUTPUT", ("UK VAT", "Zero"): "ZERORATEDOUTPUT"},
    "au": {("Australia", "GST applies"): "OUTPUT", ("Australia", "GST free"): "EXEMPTOUTPUT"},
}
"""Xero's tax types by Autotask's region and category: their names differ, so a person maps them."""


class Side(Protocol):
    """One ledger company. `accounts`: name → id; `kinds`: what it calls an invoice and a credit, as cases name them."""

    accounts: dict[str, str]

    def furnish(self, items: Mapping[str, str], closed: date) -> None:
        """Items (name → account) that are not there yet, and books closed through a day."""
        ...

    def chosen(self, terms: Mapping[str, int]) -> dict[str, Any]:
        """Settings that a person chooses in such a company. `terms`: Autotask's, name → id."""
        ...

    def found(self, number: str, today: date) -> dict[str, Any]:
        """The live document of a number in the words of `expected`; empty when there is none."""
        ...

    def balances(self) -> dict[str, Decimal]:
        """Account by short name → balance, debit positive."""
        ...


class QuickBooksSide:
    """A realm. Tax is on the account of its country."""

    tax_accounts = {"us": "Sales Tax Payable", "uk": "VAT Control", "au": "GST Liabilities Payable"}  # noqa: RUF012

    def __init__(self, world: World, realm: str, region: str) -> None:
        self.realm = Realm(world, realm)
        self.accounts = {row["entity"]["Name"]: str(row["id"]) for row in self.realm.records("Account")}
        names = {**ACCOUNTS, RECEIVABLE: "Accounts Receivable (A/R)", "TAX": self.tax_accounts[region]}
        self.short = {self.accounts[name]: short for short, name in names.items()}

    def furnish(self, items: Mapping[str, str], closed: date) -> None:
        there = {row["entity"]["Name"] for row in self.realm.records("Item")}
        for name, account in items.items():
            if name not in there:
                account_ref = {"value": self.accounts[account]}
                lists.seed(self.realm, "Item", Name=name, Type="Service", IncomeAccountRef=account_ref)
        preferences.change(self.realm, "AccountingInfoPrefs", BookCloseDate=closed.isoformat())

    def chosen(self, terms: Mapping[str, int]) -> dict[str, Any]:
        fifteen = next(str(row["id"]) for row in self.realm.records("Term") if row["entity"]["Name"] == "Net 15")
        rule = TermRule(str(terms["Fifteen days"]), fifteen)
        return {"rounding_account": self.accounts["Rounding"], "term_map": (rule,)}

    def found(self, number: str, today: date) -> dict[str, Any]:
        records = [row for kind in ("Invoice", "CreditMemo") for row in self.realm.records(kind)
                   if row["entity"].get("DocNumber") == number]
        if not records:
            return {}
        [record] = records
        entity = record["entity"]
        return {
            "kind": record["kind"], "journal": journal(record["journal"], self.short),
            "lines": sum(1 for line in entity["Line"] if line["DetailType"] == "SalesItemLineDetail"),
            "text": str(entity["Line"]), "note": str(entity["PrivateNote"]),
            "days_ago": (today - date.fromisoformat(entity["TxnDate"])).days,
            "open": f"{Decimal(str(entity['Balance'])):.2f}",
            "terms": self._term((entity.get("SalesTermRef") or {}).get("value")),
            **due(entity.get("DueDate"), today),
        }

    def _term(self, ident: str | None) -> str:
        return next((row["entity"]["Name"] for row in self.realm.records("Term") if row["id"] == ident), "")

    def balances(self) -> dict[str, Decimal]:
        return summed(qbo_ledger.trial_balance(self.realm), self.short)


class XeroSide:
    """An organisation. Xero keeps no terms and no private notes; cents stand on its own rounding account."""

    def __init__(self, world: World, tenant: str, region: str) -> None:
        self.org, self.region = Organisation(world, tenant), region
        self.accounts = {row["entity"]["Name"]: str(row["id"]) for row in self.org.records("Account")}
        names = {**ACCOUNTS, RECEIVABLE: "Accounts Receivable"}
        self.short = {self.accounts[name]: short for short, name in names.items()}
        self.short[self.org.system_account("GST")] = "TAX"

    def furnish(self, items: Mapping[str, str], closed: date) -> None:
        codes = {row["entity"]["Name"]: row["entity"]["Code"] for row in self.org.records("Account")}
        for name, account in items.items():
            if not xero_items.by_code(self.org, name):
                element = {"Code": name, "Name": name, "SalesDetails": {"AccountCode": codes[account]}}
                xero_items.store(self.org, element, creating=True)
        self.org.keep(self.org.settings | {"period_lock": closed.isoformat()})

    def chosen(self, terms: Mapping[str, int]) -> dict[str, Any]:
        entries = tuple(TaxEntry(*pair, code) for pair, code in CODES[self.region].items())
        return {
            "rounding_account": self.accounts["Rounding Differences"], "initial_status": InitialStatus.APPROVED,
            "tax_map": TaxMap(entries),
        }

    def found(self, number: str, today: date) -> dict[str, Any]:
        records = [row for kind in ("Invoice", "CreditNote") for row in self.org.records(kind)
                   if row["entity"].get(f"{kind}Number") == number]
        if not records:
            return {}
        [record] = records
        entity = record["entity"]
        return {
            "kind": {"CreditNote": "CreditMemo"}.get(record["kind"], record["kind"]),
            "journal": journal(record["journal"], self.short),
            "lines": len(entity["LineItems"]), "text": str(entity["LineItems"]), "status": entity["Status"],
            "days_ago": (today - date.fromisoformat(entity["Date"])).days,
            "open": f"{xero_ledger.remaining(record):.2f}",
            **due(entity.get("DueDate"), today),
        }

    def balances(self) -> dict[str, Decimal]:
        return summed(xero_ledger.trial_balance(self.org), self.short)


def journal(lines: list[dict[str, Any]], short: Mapping[str, str]) -> dict[str, str]:
    """Account by short name (or id, where it has none) → amount, debit positive."""
    return {short.get(line["account"], line["account"]): f"{signed(line):.2f}" for line in lines}


def summed(rows: list[dict[str, Any]], short: Mapping[str, str]) -> dict[str, Decimal]:
    return {short.get(row["id"], row["name"]): row["debit"] - row["credit"] for row in rows}


def due(day: str | None, today: date) -> dict[str, int]:
    return {"due_days_ago": (today - date.fromisoformat(day)).days} if day else {}
