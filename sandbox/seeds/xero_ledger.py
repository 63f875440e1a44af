"""The door from the seeds to the simulated Xero: make an organisation, put contacts and items into it."""

import importlib
from decimal import Decimal
from typing import Any

from sandbox.world import World

CODES = {"Services": "201", "Labour": "202", "Hardware": "203", "Sales": "200", "Unearned Revenue": "815"}


def create_organisation(world: World, slug: str, profile: str, name: str, currency: str, **more: Any) -> str:
    """Make an organisation, of one currency unless `more` says `multicurrency`, and give its tenant id."""
    profiles = importlib.import_module("sandbox.xero.profiles")
    return str(profiles.create_organisation(world, slug, profile, name, currency, **{"multicurrency": False} | more))


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
        "not a purchasable item": None,  # a line stands on an account
        "vendor in another currency": "post",  # contacts have none
        "one vendor invoice number on two orders": "post",  # nobody checks the number of a bill
    }

    def __init__(self, world: World, tenant: str) -> None:
        self._contacts = importlib.import_module("sandbox.xero.contacts")
        self._profiles = importlib.import_module("sandbox.xero.profiles")
        self._items = importlib.import_module("sandbox.xero.items")
        self._org = importlib.import_module("sandbox.xero.organisation").Organisation(world, tenant)

    def customer(self, name: str, email: str | None = None, *, exempt: bool = False) -> str:
        """A contact of this name; Xero has no exempt customers, so `exempt` only leaves its default tax at none."""
        more = {"EmailAddress": email} if email else {}
        if exempt:
            more["AccountsReceivableTaxType"] = "NONE"
        element = {"Name": " ".join(name.split()), **more}
        return str(self._contacts.store(self._org, element, creating=True)["id"])

    def vendor(self, name: str, currency: str | None = None, *, active: bool = True) -> str:
        """A contact that is a supplier; `currency` is only its default, no limit."""
        more = {"DefaultCurrency": currency} if currency else {}
        status = "ACTIVE" if active else "ARCHIVED"
        element = {"Name": name, "ContactStatus": status, **more}
        return str(self._contacts.store(self._org, element, creating=True)["id"])

    def purchasable(self, name: str, sku: str | None, *, active: bool = True) -> str:
        """An item that is bought on Cost of Goods Sold and sold on Hardware, without stock. None is ever inactive."""
        sides = {"PurchaseDetails": {"AccountCode": "310"}, "SalesDetails": {"AccountCode": CODES["Hardware"]}}
        element = {"Code": (sku or name)[:30], "Name": name[:50], **sides}
        return str(self._items.store(self._org, element, creating=True)["id"])

    def bill(self, vendor: str, number: str, amount: Decimal) -> str:
        """A bill of a vendor of this name that somebody typed in; gives its id."""
        [found] = self._org.find("Contact", "name", vendor.casefold())
        line = {"Description": "Goods", "UnitAmount": amount, "AccountCode": "310", "TaxType": "NONE"}
        document = {"Type": "ACCPAY", "LineItems": [line]}
        return str(self._profiles.sale(self._org, found["id"], number, amount, **document))

    def change(self, kind: str, id: str, changes: dict[str, Any]) -> None:
        """A person renames a contact, or makes it active again, on Xero's own pages."""
        words = {"Active": ("ContactStatus", "ACTIVE"), "DisplayName": ("Name", changes.get("DisplayName"))}
        if kind not in ("Customer", "Vendor") or not set(changes) <= set(words):
            raise ValueError(f"nobody changes {changes} of a {kind} in Xero")
        element = {"ContactID": id, **dict(words[name] for name in changes)}
        self._contacts.store(self._org, element, creating=False)

    def delete(self, kind: str, id: str) -> None:
        """A person voids a bill there."""
        forms, elements = (importlib.import_module(f"sandbox.xero.{name}") for name in ("forms", "elements"))
        call = elements.Call(self._org, "POST", {})
        importlib.import_module("sandbox.xero.documents").store(call, forms.INVOICE, {"Status": "VOIDED"}, id)

    def close_books(self, through: str | None) -> None:
        """Set the period lock date (ISO), or take it away."""
        self._org.keep(self._org.settings | {"period_lock": through})

    def item(self, name: str, sku: str, account: str = "Services", **more: Any) -> str:
        """An item booked on one of the accounts of `CODES`."""
        element = {"Code": sku, "Name": name[:50], "SalesDetails": {"AccountCode": CODES[account]}, **more}
        return str(self._items.store(self._org, element, creating=True)["id"])

    def invoice(self, customer: str, item: str, number: str, amount: Decimal, tax_code: str | None) -> None:
        """An invoice somebody else made, under a number of their own."""
        self._profiles.sale(self._org, customer, number, amount)
