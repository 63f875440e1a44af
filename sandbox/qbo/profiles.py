"""Making a simulated QuickBooks company: by profile, with a chart of accounts and a little life of its own.

Profiles: ``us-ast`` (automated sales tax that honours an explicit TotalTax), ``us-ast-ignores``,
``us-ast-not-set-up``, ``us-groups`` (the older model with rate groups), ``us-none`` (sales tax off), ``uk`` (VAT),
``au`` (GST) and ``ca`` (GST, HST and provincial taxes of three agencies).
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

from sandbox.qbo import chart, lists, preferences
from sandbox.qbo.entities import ENTITIES
from sandbox.qbo.realm import SWITCHES, Realm
from sandbox.qbo.writes import perform
from sandbox.switches import check

US_TAX_ON = {"UsingSalesTax": True, "PartnerTaxEnabled": True}
PROFILES: dict[str, dict[str, Any]] = {
    "us-ast": {"country": "US", "currency": "USD", "tax": US_TAX_ON, "tax_model": "ast"},
    "us-ast-ignores": {
        "country": "US",
        "currency": "USD",
        "tax": US_TAX_ON,
        "tax_model": "ast",
        "honours_total_tax": False,
    },
    "us-ast-not-set-up": {
        "country": "US",
        "currency": "USD",
        "tax_model": "ast",
        "tax": {"UsingSalesTax": True, "PartnerTaxEnabled": False},
    },
    "us-groups": {"country": "US", "currency": "USD", "tax": {"UsingSalesTax": True}, "tax_model": "groups"},
    "us-none": {"country": "US", "currency": "USD", "tax": {"UsingSalesTax": False}, "tax_model": "none"},
    "uk": {"country": "GB", "currency": "GBP", "tax": {"UsingSalesTax": True}, "tax_model": "vat"},
    "au": {"country": "AU", "currency": "AUD", "tax": {"UsingSalesTax": True}, "tax_model": "vat"},
    "ca": {"country": "CA", "currency": "CAD", "tax": {"UsingSalesTax": True}, "tax_model": "vat"},
}


def realm_id(slug: str) -> str:
    """A 16-digit company id, the same for the same slug."""
    return "9130" + str(int(hashlib.sha256(slug.encode()).hexdigest(), 16) % 10**12).zfill(12)


def create_company(
    world: Any,
    slug: str,
    profile: str,
    name: str,
    currency: str | None = None,
    *,
    custom_numbers: bool = True,
    multicurrency: bool = False,
    sku: str = "QuickBooks Online Plus",
    unrelated: bool = True,
    **switches: Any,
) -> str:
    """Create a company and return its realm id. A company that exists is left as it is.

    ``switches`` are those of ``realm.SWITCHES``. ``unrelated`` puts in a customer, a vendor and two invoices
    that have nothing to do with any source. Raises KeyError for an unknown profile or switch.
    """
    ident = realm_id(slug)
    shape = dict(PROFILES[profile])
    tax = shape.pop("tax")
    check(switches, SWITCHES)
    with world.store.transaction():
        realm = Realm(world, ident)
        if realm.exists:
            return ident
        settings = shape | {"slug": slug, "profile": profile, "name": name, "sku": sku} | switches
        if currency:
            settings["currency"] = currency
        _keep(realm, settings)
        realm.insert(
            "Preferences",
            preferences.initial(realm.currency, tax, custom_numbers=custom_numbers, multicurrency=multicurrency),
            "1",
            {},
        )
        realm.insert("CompanyInfo", _company_info(realm), "1", {})
        roles = chart.load_accounts(realm)
        chart.load_terms(realm)
        _keep(realm, realm.settings | {"roles": roles})
        more = chart.load_tax(realm)
        _keep(realm, realm.settings | more)
        world.store.put("intuit", "company", ident, {"id": ident, "slug": slug, "name": name})
        if unrelated:
            _unrelated(realm)
    return ident


def _keep(realm: Realm, settings: dict[str, Any]) -> None:
    realm.settings = settings
    realm.store.kv_set(realm.space, "settings", settings)


def _company_info(realm: Realm) -> dict[str, Any]:
    name, country = realm.settings["name"], realm.country
    address = {"Id": "1", "Line1": "1 Sandbox Street", "City": "Sandbox", "Country": country, "PostalCode": "00000"}
    return {
        "CompanyName": name,
        "LegalName": name,
        "Country": country,
        "CompanyAddr": address,
        "LegalAddr": address,
        "CustomerCommunicationAddr": address,
        "Email": {"Address": "books@sandbox.invalid"},
        "FiscalYearStartMonth": "January",
        "SupportedLanguages": "en",
        "CompanyStartDate": "2020-01-01",
        "NameValue": [
            {"Name": "OfferingSku", "Value": realm.settings["sku"]},
            {"Name": "SubscriptionStatus", "Value": "SUBSCRIBED"},
            {"Name": "NeoEnabled", "Value": "true"},
        ],
    }


def _unrelated(realm: Realm) -> None:
    """Somebody else's work in the same books: a reader must not take it for its own."""
    customer = lists.seed(
        realm,
        "Customer",
        DisplayName="Harbour Street Bakery (walk-in)",
        PrimaryEmailAddr={"Address": "bakery@customers.sandbox.invalid"},
        BillAddr={"Line1": "2 Harbour Street", "City": "Sandbox", "PostalCode": "00001"},
    )
    lists.seed(realm, "Vendor", DisplayName="Sandbox Power and Light")
    account = next(found["id"] for found in realm.records("Account") if found["entity"]["Name"] == "Sales")
    item = lists.seed(realm, "Item", Name="Counter sale", Type="Service", IncomeAccountRef={"value": account})
    for number, amount in (("SHOP-1", "42.50"), ("SHOP-2", "17.20")):
        line: dict[str, Any] = {"ItemRef": {"value": item}}
        body: dict[str, Any] = {"CustomerRef": {"value": customer}, "DocNumber": number}
        if realm.switch("tax_model") == "vat":
            body["GlobalTaxCalculation"] = "TaxExcluded"
            line["TaxCodeRef"] = {"value": _untaxed_code(realm)}
        body["Line"] = [
            {
                "Amount": Decimal(amount),
                "Description": "Counter sale",
                "DetailType": "SalesItemLineDetail",
                "SalesItemLineDetail": line,
            }
        ]
        perform(realm, ENTITIES["invoice"], "create", body)


def _untaxed_code(realm: Realm) -> str:
    """The last code of the country's list: outside the scope of the tax."""
    return str([found["id"] for found in realm.records("TaxCode")][-1])
