"""The door from the seeds to the simulated Xero: make an organisation, put contacts and items into it."""

import importlib
from decimal import Decimal
from typing import Any

from sandbox.world import World

CODES = {"Services": "201", "Labour": "202", "Hardware": "203", "Sales": "200", "Unearned Revenue": "815"}


def create_organisation(world: World, slug: str, profile: str, name: str, currency: str) -> str:
    """Make an organisation and give its tenant id."""
    profiles = importlib.import_module("sandbox.xero.profiles")
    return str(profiles.create_organisation(world, slug, profile, name, currency))


class XeroLedger:
    """Puts records into one organisation past its API, as if they had always been there.

    `outcomes`: where this ledger leads a planted problem elsewhere than QuickBooks does; None: it cannot exist here.
    """

    outcomes: dict[str, str | None] = {  # noqa: RUF012 - a table
        "number over the ledger's limit": "post",  # 255 characters
        "customer that is a vendor": "post",  # one list holds both
        "inactive item": None,
        "item that is a category": None,
        "codes that differ in case only": "ask",
        "compound tax": "ask",  # a rate of the ledger, rounded per line
        "quantities with seven decimals": "post",
    }

    def __init__(self, world: World, tenant: str) -> None:
        self._contacts = importlib.import_module("sandbox.xero.contacts")
        self._items = importlib.import_module("sandbox.xero.items")
        self._org = importlib.import_module("sandbox.xero.organisation").Organisation(world, tenant)

    def customer(self, name: str, email: str | None = None, *, exempt: bool = False) -> str:
        """A contact of this name; Xero has no exempt customers, so `exempt` only leaves its default tax at none."""
        more = {"EmailAddress": email} if email else {}
        if exempt:
            more["AccountsReceivableTaxType"] = "NONE"
        element = {"Name": " ".join(name.split()), **more}
        return str(self._contacts.store(self._org, element, creating=True)["id"])

    def vendor(self, name: str) -> str:
        """A contact that is a supplier."""
        return self.customer(name)

    def item(self, name: str, sku: str, account: str = "Services", **more: Any) -> str:
        """An item booked on one of the accounts of `CODES`."""
        element = {"Code": sku, "Name": name[:50], "SalesDetails": {"AccountCode": CODES[account]}, **more}
        return str(self._items.store(self._org, element, creating=True)["id"])

    def invoice(self, customer: str, item: str, number: str, amount: Decimal, tax_code: str | None) -> None:
        """An invoice somebody else made, under a number of their own."""
        importlib.import_module("sandbox.xero.profiles").sale(self._org, customer, number, amount)
