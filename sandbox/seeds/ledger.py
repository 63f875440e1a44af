"""The door from the seeds to the simulated ledgers: make a company there, put customers and items into it."""

import importlib
from decimal import Decimal
from typing import Any

from sandbox import ledgers
from sandbox.autotask.tenants import INTEGRATION_CODE, Tenant
from sandbox.seeds.xero_ledger import XeroLedger, create_organisation
from sandbox.world import World

SOLD_ON = ("Services", "Labour", "Hardware", "Sales", "Unearned Revenue")


def create_company(world: World, slug: str, profile: str, name: str, currency: str, **more: Any) -> str:
    """Make a company of the profile's ledger and give its realm or tenant id. `more`: how its ledger makes it."""
    if ledgers.of_profile(profile) is ledgers.XERO:
        return create_organisation(world, slug, profile, name, currency, **more)
    profiles = importlib.import_module("sandbox.qbo.profiles")
    return str(profiles.create_company(world, slug=slug, profile=profile, name=name, currency=currency, **more))


def opened(world: World, ledger_id: str) -> "Ledger | XeroLedger":
    """The books of a realm or of an organisation, to put records into."""
    return (
        XeroLedger(world, ledger_id) if ledgers.kind_of(world, ledger_id) is ledgers.XERO else Ledger(world, ledger_id)
    )


class Ledger:
    """Puts records into one QuickBooks company past its API, as if they had always been there."""

    outcomes: dict[str, str | None] = {}  # noqa: RUF012 - a table; see XeroLedger

    def __init__(self, world: World, realm_id: str) -> None:
        self._lists = importlib.import_module("sandbox.qbo.lists")
        self._realm = importlib.import_module("sandbox.qbo.realm").Realm(world, realm_id)
        accounts = {row["entity"]["Name"]: row["id"] for row in self._realm.records("Account")}
        self._income = {name: {"value": accounts[name]} for name in SOLD_ON}
        self.expense = {"value": accounts["Cost of Goods Sold"]}

    def customer(self, name: str, email: str | None = None, *, exempt: bool = False) -> str:
        """A customer of this display name; `exempt`: not taxable."""
        more: dict[str, Any] = {"PrimaryEmailAddr": {"Address": email}} if email else {}
        if exempt:
            more["Taxable"] = False
        return str(self._lists.seed(self._realm, "Customer", DisplayName=name, **more))

    def vendor(self, name: str, currency: str | None = None, *, active: bool = True) -> str:
        """A vendor, whose name no customer may have; in the home currency unless another is named."""
        more: dict[str, Any] = {} if currency in (None, self._realm.currency) else {"CurrencyRef": {"value": currency}}
        return str(self._lists.seed(self._realm, "Vendor", DisplayName=name, Active=active, **more))

    def purchasable(self, name: str, sku: str | None, *, active: bool = True) -> str:
        """An item that is bought on Cost of Goods Sold and sold on Hardware, without stock."""
        more: dict[str, Any] = {"Sku": sku} if sku else {}
        more |= {"ExpenseAccountRef": self.expense, "IncomeAccountRef": self._income["Hardware"], "Active": active}
        return str(self._lists.seed(self._realm, "Item", Name=name, Type="NonInventory", **more))

    def item(self, name: str, sku: str, account: str = "Services", **more: Any) -> str:
        """A service item booked on one of the accounts of `SOLD_ON`."""
        return str(
            self._lists.seed(
                self._realm, "Item", Name=name, Sku=sku, Type="Service", IncomeAccountRef=self._income[account], **more
            )
        )

    def category(self, name: str) -> str:
        """An item that is only a category and cannot be sold."""
        return str(self._lists.seed(self._realm, "Item", Name=name, Type="Category"))

    def bill(self, vendor: str, number: str, amount: Decimal) -> str:
        """A bill of a vendor of this name that somebody typed in; gives its id."""
        [found] = self._realm.find("Vendor", "name", f"/{vendor.casefold()}")
        detail: dict[str, Any] = {"AccountRef": self.expense}
        body: dict[str, Any] = {
            "VendorRef": {"value": found["id"]},
            "DocNumber": number,
            "Line": [{"Amount": amount, "DetailType": "AccountBasedExpenseLineDetail",
                      "AccountBasedExpenseLineDetail": detail}],
        }  # fmt: skip
        if self._realm.switch("tax_model") == "vat":
            codes = [row["id"] for row in self._realm.records("TaxCode")]
            detail["TaxCodeRef"] = {"value": codes[-1]}
            body["GlobalTaxCalculation"] = "TaxExcluded"
        return str(self._perform("Bill", "create", body)["Id"])

    def change(self, kind: str, id: str, changes: dict[str, Any]) -> None:
        """A person changes a record on QuickBooks' own pages."""
        self._perform(kind, "update", {**self._now(kind, id), "sparse": True, **changes})

    def delete(self, kind: str, id: str) -> None:
        """A person deletes a transaction there."""
        self._perform(kind, "delete", self._now(kind, id))

    def close_books(self, through: str | None) -> None:
        """Set the closing date (ISO), or take it away."""
        preferences = importlib.import_module("sandbox.qbo.preferences")
        preferences.change(self._realm, "AccountingInfoPrefs", BookCloseDate=through)

    def _now(self, kind: str, id: str) -> dict[str, Any]:
        found = self._realm.record(kind, id)
        return {"Id": id, "SyncToken": found["entity"]["SyncToken"]}

    def _perform(self, kind: str, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        writes = importlib.import_module("sandbox.qbo.writes")
        return dict(writes.perform(self._realm, writes.entity_named(kind), operation, body))

    def invoice(self, customer: str, item: str, number: str, amount: Decimal, tax_code: str | None) -> None:
        """An invoice somebody else made, under a number of their own."""
        detail: dict[str, Any] = {"ItemRef": {"value": item}}
        body: dict[str, Any] = {
            "CustomerRef": {"value": customer},
            "DocNumber": number,
            "Line": [{"Amount": amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}],
        }
        if tax_code is not None:
            code = next(row["id"] for row in self._realm.records("TaxCode") if row["entity"]["Name"] == tax_code)
            detail["TaxCodeRef"] = {"value": code}
            body["GlobalTaxCalculation"] = "TaxExcluded"
        self._perform("Invoice", "create", body)


Books = Ledger | XeroLedger


def access(world: World, tenant: Tenant, realm: str, counts: dict[str, int]) -> dict[str, Any]:
    """What a caller needs to use a seeded pair: addresses, fake credentials, counts."""
    kind = ledgers.kind_of(world, realm)
    return {
        "slug": tenant.slug,
        "ci": tenant.ci,
        "realm": realm,
        "ledger": kind.platform,
        "counts": counts,
        "autotask": {
            "user": f"api@{tenant.slug}.sandbox.invalid",
            "secret": f"SANDBOX-SECRET-{tenant.slug}",
            "integration_code": INTEGRATION_CODE,
        },
        "pages": {
            "psa": f"{world.public_url}/psa/{tenant.ci}",
            "books": f"{world.public_url}{kind.pages}/{realm}",
        },
    }
