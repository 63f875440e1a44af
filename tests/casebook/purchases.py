"""The two simulated ledgers of the casebook as places where bills arrive, read in the same words.

Not here: the cases (orders.toml), Autotask's side of them (orders.py) and what the product makes of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from domain.order_settings import OrderNumbers
from domain.settings import InitialStatus
from sandbox.qbo import currencies, lists, preferences
from sandbox.qbo import ledger as qbo_ledger
from sandbox.seeds.ledger import Books, opened
from sandbox.world import World
from tests.casebook.books import added
from tests.casebook.sides import QuickBooksSide, XeroSide, journal

PAYABLE = "AP"
EURO_RATE = "1.08"
STATES = {"AUTHORISED": "Open", "BILLED": "Closed"}
"""Of a purchase order in Xero, in the words of the cases."""


class Buys(Protocol):
    """One ledger company that buys. `seeds`: how somebody puts vendors, items and bills into it by hand."""

    accounts: dict[str, str]
    seeds: Books

    def furnish_purchases(self, closed: date, *, euros: bool) -> None:
        """Stocked goods, a customer, a class and a place; books closed through a day; a rate of the euro."""
        ...

    def chosen_purchases(self, tax_code: str | None) -> dict[str, Any]:
        """The accounts and lists of Settings → Purchase Orders, by this ledger's ids."""
        ...

    def code(self, name: str) -> str:
        """The id of a tax code."""
        ...

    def bought(self, vendor: str, today: date) -> list[dict[str, Any]]:
        """Live bills and purchase orders of a vendor, oldest first, in the words of `expected`, each with its `id`."""
        ...

    def balances(self) -> dict[str, Decimal]: ...


class QuickBooksPurchases(QuickBooksSide):
    """A realm. Purchase tax is on the account of its country; every currency has a payable account of its own."""

    def __init__(self, world: World, realm: str, region: str) -> None:
        super().__init__(world, realm, region)
        self.seeds = opened(world, realm)
        names = {"COGS": "Cost of Goods Sold", "FRT": "Freight", "EXP": "Office Expenses", "STOCK": "Inventory Asset",
                 "VIN": self.tax_accounts[region]}  # fmt: skip
        self.short |= {self.accounts[name]: short for short, name in names.items()}

    def furnish_purchases(self, closed: date, *, euros: bool) -> None:
        stocked = {"AssetAccountRef": "Inventory Asset", "ExpenseAccountRef": "Cost of Goods Sold",
                   "IncomeAccountRef": "Hardware"}  # fmt: skip
        refs = {field: {"value": self.accounts[name]} for field, name in stocked.items()}
        lists.seed(self.realm, "Item", Name="Battery", Type="Inventory", QtyOnHand=5, TrackQtyOnHand=True,
                   InvStartDate="2026-01-01", **refs)
        self.seeds.customer("Quay Dental")
        lists.seed(self.realm, "Class", Name="Projects")
        lists.seed(self.realm, "Department", Name="North")
        preferences.change(self.realm, "AccountingInfoPrefs", BookCloseDate=closed.isoformat())
        if euros:
            rate = {"SourceCurrencyCode": "EUR", "Rate": Decimal(EURO_RATE), "AsOfDate": "2026-01-01"}
            currencies.write_rate(self.realm, rate)

    def chosen_purchases(self, tax_code: str | None) -> dict[str, Any]:
        account = self.accounts
        return {
            "payable": account["Accounts Payable (A/P)"], "freight_account": account["Freight"],
            "created_item_account": account["Office Expenses"],
            "tax_code": self.code(tax_code) if tax_code else None,
        }  # fmt: skip

    def tracked(self) -> dict[str, Any]:
        """The class and the location that a company may choose for all its orders."""
        return {"order_class": self._named("Class", "Projects"), "location": self._named("Department", "North")}

    def code(self, name: str) -> str:
        return self._named("TaxCode", name)

    def _named(self, kind: str, name: str) -> str:
        return next(str(row["id"]) for row in self.realm.records(kind) if row["entity"]["Name"] == name)

    def bought(self, vendor: str, today: date) -> list[dict[str, Any]]:
        self._know_payables()
        found = [row for kind in ("PurchaseOrder", "Bill") for row in self.realm.records(kind)
                 if row["entity"]["VendorRef"]["name"] == vendor]
        return [self._told(row, today) for row in sorted(found, key=lambda row: int(row["id"]))]

    def _told(self, row: Mapping[str, Any], today: date) -> dict[str, Any]:
        entity = row["entity"]
        details = [line[line["DetailType"]] for line in entity["Line"]]
        return {
            "id": row["id"], "kind": row["kind"], "number": entity.get("DocNumber", ""),
            "journal": journal(row.get("journal") or [], self.short),
            "days_ago": (today - date.fromisoformat(entity["TxnDate"])).days, "lines": len(entity["Line"]),
            "text": str(entity["Line"]), "note": str(entity.get("PrivateNote")), "state": entity.get("POStatus", ""),
            "currency": entity["CurrencyRef"]["value"], "total": f"{Decimal(str(entity['TotalAmt'])):.2f}",
            "customers": [each["CustomerRef"]["name"] for each in details if "CustomerRef" in each],
            "billable": [each["BillableStatus"] for each in details if "CustomerRef" in each],
            "classes": sorted({each["ClassRef"]["name"] for each in details if "ClassRef" in each}),
            "location": (entity.get("DepartmentRef") or {}).get("name", ""),
        }  # fmt: skip

    def stock(self, item: str) -> str:
        """How many of a stocked item are on hand."""
        found = self.realm.record("Item", self._named("Item", item))
        return str(found["entity"]["QtyOnHand"]) if found else ""

    def balances(self) -> dict[str, Decimal]:
        self._know_payables()
        rows = qbo_ledger.trial_balance(self.realm)
        return added((self.short.get(row["id"], row["name"]), row["debit"] - row["credit"]) for row in rows)

    def _know_payables(self) -> None:
        """A foreign currency gets a payable account of its own with the first vendor kept in it."""
        for row in self.realm.records("Account"):
            if row["entity"]["AccountType"] == "Accounts Payable":
                self.short[row["id"]] = PAYABLE


class XeroPurchases(XeroSide):
    """An organisation. Lines stand on accounts; a bill's note is a line of text that books nothing."""

    codes: Mapping[str, str] = {"20.0% S": "INPUT2", "GST": "INPUT", "No VAT": "NONE", "": "NONE"}

    def __init__(self, world: World, tenant: str, region: str) -> None:
        super().__init__(world, tenant, region)
        self.seeds = opened(world, tenant)
        names = {"COGS": "Cost of Goods Sold", "FRT": "Freight & Courier", "EXP": "General Expenses",
                 PAYABLE: "Accounts Payable"}  # fmt: skip
        self.short |= {self.accounts[name]: short for short, name in names.items()}
        self.short[self.org.system_account("GST")] = "VIN"

    def furnish_purchases(self, closed: date, *, euros: bool) -> None:
        self.seeds.customer("Quay Dental")
        self.org.keep(self.org.settings | {"period_lock": closed.isoformat()})

    def chosen_purchases(self, tax_code: str | None) -> dict[str, Any]:
        return {
            "freight_account": self.accounts["Freight & Courier"], "tax_code": self.code(tax_code or ""),
            "created_item_account": self.accounts["General Expenses"], "numbers": OrderNumbers.SOURCE,
            "initial_status": InitialStatus.APPROVED, "payable": None,
        }  # fmt: skip

    def code(self, name: str) -> str:
        return self.codes[name]

    def bought(self, vendor: str, today: date) -> list[dict[str, Any]]:
        found = [row for kind in ("PurchaseOrder", "Invoice") for row in self.org.records(kind)
                 if (kind == "PurchaseOrder" or row["entity"]["Type"] == "ACCPAY") and self._contact(row) == vendor]
        return [self._told(row, today) for row in sorted(found, key=lambda row: (row["born"], row["kind"]))]

    def _contact(self, row: Mapping[str, Any]) -> str:
        contact = self.org.record("Contact", row["entity"]["ContactID"])
        return str(contact["entity"]["Name"]) if contact else ""

    def _told(self, row: Mapping[str, Any], today: date) -> dict[str, Any]:
        entity = row["entity"]
        kind = {"Invoice": "Bill"}.get(row["kind"], row["kind"])
        return {
            "id": row["id"], "kind": kind, "journal": journal(row.get("journal") or [], self.short),
            "number": entity.get("InvoiceNumber" if kind == "Bill" else "PurchaseOrderNumber", ""),
            "days_ago": (today - date.fromisoformat(entity["Date"])).days,
            "lines": sum(1 for line in entity["LineItems"] if line.get("AccountCode")),
            "note": str(entity["LineItems"]) + str(entity.get("Reference")),
            "state": STATES.get(entity["Status"], entity["Status"]),
            "currency": entity["CurrencyCode"], "total": f"{Decimal(str(entity['Total'])):.2f}",
        }  # fmt: skip
