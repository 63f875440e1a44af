"""The door from the seeds to the simulated ledgers: make a company there, put customers and items into it."""

import importlib
from decimal import Decimal
from typing import Any

from sandbox import ledgers
from sandbox.autotask.tenants import INTEGRATION_CODE, Tenant
from sandbox.seeds.xero_ledger import XeroLedger, create_organisation
from sandbox.world import World

SOLD_ON = ("Services", "Labour", "Hardware", "Sales", "Unearned Revenue")


def create_company(world: World, slug: str, profile: str, name: str, currency: str) -> str:
    """Make a company of the profile's ledger and give its realm or tenant id."""
    if ledgers.of_profile(profile) is ledgers.XERO:
        return create_organisation(world, slug, profile, name, currency)
    profiles = importlib.import_module("sandbox.qbo.profiles")
    return str(profiles.create_company(world, slug=slug, profile=profile, name=name, currency=currency))


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

    def customer(self, name: str, email: str | None = None, *, exempt: bool = False) -> str:
        """A customer of this display name; `exempt`: not taxable."""
        more: dict[str, Any] = {"PrimaryEmailAddr": {"Address": email}} if email else {}
        if exempt:
            more["Taxable"] = False
        return str(self._lists.seed(self._realm, "Customer", DisplayName=name, **more))

    def vendor(self, name: str) -> str:
        """A vendor, whose name no customer may have."""
        return str(self._lists.seed(self._realm, "Vendor", DisplayName=name))

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

    def invoice(self, customer: str, item: str, number: str, amount: Decimal, tax_code: str | None) -> None:
        """An invoice somebody else made, under a number of their own."""
        sales = importlib.import_module("sandbox.qbo.writes")
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
        sales.perform(self._realm, sales.entity_named("Invoice"), "create", body)


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
