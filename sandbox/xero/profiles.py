"""Making a simulated organisation: UK, Australia or US, with its lists and a little work of other people."""

from __future__ import annotations

import hashlib
import uuid
from decimal import Decimal
from typing import Any

from sandbox.switches import check
from sandbox.xero import chart, contacts, documents, items
from sandbox.xero.elements import Call
from sandbox.xero.forms import INVOICE
from sandbox.xero.organisation import SWITCHES, Organisation
from sandbox.xero_identity.settings import SPACE

# `pays_tax` False: not registered. The time zone ids are Xero's, beside the names of the same zones.
PROFILES: dict[str, dict[str, Any]] = {
    "xero-uk": {
        "version": "UK",
        "country": "GB",
        "currency": "GBP",
        "zone": "Europe/London",
        "timezone": "GMTSTANDARDTIME",
        "tax_basis": "ACCRUALS",
    },
    "xero-au": {
        "version": "AU",
        "country": "AU",
        "currency": "AUD",
        "zone": "Australia/Sydney",
        "timezone": "AUSEASTERNSTANDARDTIME",
        "tax_basis": "ACCRUALS",
    },
    "xero-us": {
        "version": "US",
        "country": "US",
        "currency": "USD",
        "zone": "America/New_York",
        "timezone": "EASTERNSTANDARDTIME",
        "tax_basis": "ACCRUALS",
    },
}
# Units of a currency for one of the other, for organisations that have both.
RATES = {"USD": "1.3", "GBP": "1", "EUR": "1.15", "AUD": "1.9", "NZD": "2.1", "CAD": "1.8", "JPY": "190"}


def tenant_id(slug: str) -> str:
    """The tenant id of a slug: the same in every world."""
    return str(uuid.UUID(bytes=hashlib.sha256(f"xero/{slug}".encode()).digest()[:16], version=4))


def create_organisation(
    world: Any,
    slug: str,
    profile: str = "xero-uk",
    name: str = "Example Company",
    currency: str | None = None,
    *,
    multicurrency: bool = True,
    unrelated: bool = True,
    **switches: Any,
) -> str:
    """Create an organisation and return its tenant id. One that exists is left as it is.

    ``switches`` are those of ``organisation.SWITCHES``. ``unrelated`` puts in a customer, a supplier and two invoices
    that have nothing to do with any source. Raises KeyError for an unknown profile or switch.
    """
    check(switches, SWITCHES)
    shape = dict(PROFILES[profile])
    org = Organisation(world, tenant_id(slug))
    with world.store.transaction():
        if org.exists:
            return org.id
        home = currency or shape["currency"]
        subscribed = [home, *(code for code in ("EUR", "USD") if code != home)] if multicurrency else [home]
        shortcode = "!" + hashlib.sha256(org.id.encode()).hexdigest()[:5]
        org.keep(
            shape
            | {"slug": slug, "profile": profile, "name": name, "currency": home, "shortcode": shortcode}
            | {"pays_tax": True, "plan": "PREMIUM" if multicurrency else "STANDARD", "multicurrency": multicurrency}
            | {"currencies": subscribed, "rates": _rates(home), "born": org.now().timestamp()}
            | switches
        )
        _lists(org)
        row = {"id": org.id, "slug": slug, "name": name, "shortcode": shortcode}
        world.store.put(SPACE, "organisation", org.id, row)
        if unrelated:
            _unrelated(org)
    return org.id


def _rates(home: str) -> dict[str, str]:
    base = Decimal(RATES[home])
    return {code: str((Decimal(rate) / base).quantize(Decimal("0.000001"))) for code, rate in RATES.items()}


def _lists(org: Organisation) -> None:
    chart.load_accounts(org, org.settings["version"])
    chart.load_rates(org, org.settings["version"])
    chart.load_tracking(org)
    theme = org.insert("BrandingTheme", {"Name": "Standard", "SortOrder": 0}, {})
    org.insert("BrandingTheme", {"Name": "Special Projects", "SortOrder": 1}, {})
    org.keep(org.settings | {"theme": theme["id"]})


def _unrelated(org: Organisation) -> None:
    """Somebody else's work in the same books: a reader must not take it for its own."""
    customer = contacts.store(
        org,
        {
            "Name": "Harbour Street Bakery (walk-in)",
            "EmailAddress": "bakery@customers.sandbox.invalid",
            "Addresses": [{"AddressType": "POBOX", "AddressLine1": "2 Harbour Street", "City": "Sandbox"}],
        },
        creating=True,
    )
    contacts.store(org, {"Name": "Sandbox Power and Light"}, creating=True)
    items.store(org, {"Code": "COUNTER", "Name": "Counter sale", "SalesDetails": {"AccountCode": "200"}}, creating=True)
    for number, amount in (("SHOP-1", "42.50"), ("SHOP-2", "17.20")):
        sale(org, customer["id"], number, Decimal(amount))


def sale(org: Organisation, contact: str, number: str, amount: Decimal, **more: Any) -> str:
    """An approved invoice somebody made in Xero itself, without tax; its id."""
    line = {"Description": "Counter sale", "Quantity": 1, "UnitAmount": amount, "AccountCode": "200", "TaxType": "NONE"}
    body = {
        "Type": "ACCREC",
        "Contact": {"ContactID": contact},
        "InvoiceNumber": number,
        "DueDate": org.today(),
        "Status": "AUTHORISED",
        "LineItems": [line],
        **more,
    }
    record = documents.store(Call(org, "PUT", {}), INVOICE, body)
    org.store.put(org.space, "Invoice", record["id"], record | {"app": False}, documents.keys_of(record))
    return str(record["id"])
