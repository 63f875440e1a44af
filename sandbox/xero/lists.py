"""The lists that are only read, or written one object at a time: accounts, tax rates, tracking, currencies, themes.

Source: Xero's entity pages; fact sheet section 3.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.xero import wire
from sandbox.xero.elements import Call, Element
from sandbox.xero.errors import Invalid, not_found
from sandbox.xero.organisation import Organisation

TRACKING, OPTION = "TrackingCategory", "TrackingOption"
ACCOUNT_TYPES = {
    "BANK": "ASSET",
    "CURRENT": "ASSET",
    "FIXED": "ASSET",
    "INVENTORY": "ASSET",
    "NONCURRENT": "ASSET",
    "PREPAYMENT": "ASSET",
    "EQUITY": "EQUITY",
    "DEPRECIATN": "EXPENSE",
    "DIRECTCOSTS": "EXPENSE",
    "EXPENSE": "EXPENSE",
    "OVERHEADS": "EXPENSE",
    "CURRLIAB": "LIABILITY",
    "LIABILITY": "LIABILITY",
    "TERMLIAB": "LIABILITY",
    "PAYG": "LIABILITY",
    "OTHERINCOME": "REVENUE",
    "REVENUE": "REVENUE",
    "SALES": "REVENUE",
}
MOST_TRACKING, MOST_OPTIONS, OPTION_LENGTH = 2, 100, 100


def account_keys(entity: Mapping[str, Any]) -> dict[str, str | None]:
    """The look-up values of an account."""
    return {"code": entity.get("Code"), "system": entity.get("SystemAccount")}


def write_account(call: Call, element: Element) -> Element:
    """Create an account (PUT), or change name or status of one by its id (POST)."""
    org = call.org
    if not call.creating:
        old = org.record("Account", str(element.get("AccountID", "")))
        if old is None:
            raise not_found()
        if old["entity"].get("SystemAccount"):
            raise Invalid(["System accounts cannot be updated."], {"AccountID": old["id"]})  # inferred
        kept = {name: element[name] for name in ("Name", "Status", "Description", "TaxType") if name in element}
        draft = {**old["entity"], **kept}
        return present_account(org.replace(old, draft, account_keys(draft)))
    code, kind = str(element.get("Code", "")), str(element.get("Type", ""))
    if kind not in ACCOUNT_TYPES or not 0 < len(code) <= 10 or not element.get("Name"):
        raise Invalid(["Name, Type and a Code of at most 10 characters are required."])  # inferred
    if org.account(code) is not None:
        raise Invalid(["Please enter a unique Code."])
    draft = {
        "Code": code,
        "Name": str(element["Name"])[:150],
        "Type": kind,
        "TaxType": str(element.get("TaxType", "NONE")),
        "Class": ACCOUNT_TYPES[kind],
        "Status": "ACTIVE",
        "EnablePaymentsToAccount": bool(element.get("EnablePaymentsToAccount")),
    }
    return present_account(org.insert("Account", draft, account_keys(draft)))


def present_account(record: Mapping[str, Any]) -> dict[str, Any]:
    """The account as an answer shows it."""
    return {
        **record["entity"],
        "ShowInExpenseClaims": False,
        "HasAttachments": False,
        "UpdatedDateUTC": wire.ms(wire.moment(record["touched"])),
        "AddToWatchlist": False,
    }


def tracking_categories(org: Organisation, *, archived: bool = False) -> list[dict[str, Any]]:
    """Categories with their options; archived ones only on request."""
    return [
        present_tracking(org, found)
        for found in org.records(TRACKING)
        if archived or found["entity"]["Status"] == "ACTIVE"
    ]


def present_tracking(org: Organisation, record: Mapping[str, Any]) -> dict[str, Any]:
    """A category with its options."""
    options = [present_option(each) for each in org.find(OPTION, "category", record["id"])]
    return {**record["entity"], "Options": options}


def present_option(record: Mapping[str, Any]) -> dict[str, Any]:
    entity = dict(record["entity"])
    return {**entity, "HasValidationErrors": False, "IsDeleted": False, "IsArchived": entity["Status"] != "ACTIVE"}


def write_tracking(call: Call, element: Element) -> Element:
    """Create a category (PUT), or change its name or status (POST to its id)."""
    org = call.org
    if call.creating:
        active = [each for each in org.records(TRACKING) if each["entity"]["Status"] == "ACTIVE"]
        if len(active) >= MOST_TRACKING:
            raise Invalid(["Maximum number of active tracking categories has been reached"])  # inferred
        if not element.get("Name"):
            raise Invalid(["Name must be supplied"])  # inferred
        record = org.insert(TRACKING, {"Name": str(element["Name"])[:100], "Status": "ACTIVE"}, {})
    else:
        old = org.record(TRACKING, str(element.get("TrackingCategoryID", "")))
        if old is None:
            raise not_found()
        changed = {name: element[name] for name in ("Name", "Status") if name in element}
        record = org.replace(old, {**old["entity"], **changed}, {})
    return present_tracking(org, record)


def write_option(call: Call, category: str, element: Element) -> Element:
    """Add an option to a category. Raises ``Invalid`` for a name that is in use or one option too many."""
    org, category = call.org, category.lower()
    if org.record(TRACKING, category) is None:
        raise not_found()
    name = str(element.get("Name") or "").strip()
    options = org.find(OPTION, "category", category)
    if not 0 < len(name) <= OPTION_LENGTH:
        raise Invalid([f"Name must have 1 to {OPTION_LENGTH} characters"])  # inferred
    if len(options) >= MOST_OPTIONS:
        raise Invalid([f"A tracking category can have at most {MOST_OPTIONS} options"])  # inferred
    if any(each["entity"]["Name"].casefold() == name.casefold() for each in options):
        raise Invalid(["The tracking option name must be unique"])  # inferred
    return present_option(org.insert(OPTION, {"Name": name, "Status": "ACTIVE"}, {"category": category}))


def tracking_of(org: Organisation, sent: Mapping[str, Any]) -> dict[str, Any] | None:
    """The tracking a line means, by ids or by names; None when there is no such active category or option."""
    for category in org.records(TRACKING):
        entity = category["entity"]
        if entity["Status"] != "ACTIVE" or not _means(sent, "TrackingCategoryID", "Name", category["id"], entity):
            continue
        for option in org.find(OPTION, "category", category["id"]):
            named = option["entity"]
            if named["Status"] == "ACTIVE" and _means(sent, "TrackingOptionID", "Option", option["id"], named):
                return {
                    "Name": entity["Name"],
                    "Option": named["Name"],
                    "TrackingCategoryID": category["id"],
                    "TrackingOptionID": option["id"],
                    "Options": [],
                }
    return None


def _means(sent: Mapping[str, Any], by_id: str, by_name: str, ident: str, entity: Mapping[str, Any]) -> bool:
    if sent.get(by_id):
        return str(sent[by_id]).lower() == ident
    return str(sent.get(by_name, "")).casefold() == str(entity["Name"]).casefold()


def currencies(org: Organisation) -> list[dict[str, Any]]:
    """The currencies the organisation is subscribed to."""
    return [{"Code": code, "Description": code} for code in org.settings["currencies"]]


def add_currency(call: Call, element: Element) -> Element:
    """Subscribe to a currency. Raises ``Invalid`` where the plan has one currency only."""
    code = str(element.get("Code", "")).upper()
    if not call.org.settings["multicurrency"]:
        raise Invalid(["The organisation's plan does not include multi-currency"])  # inferred
    call.org.keep(call.org.settings | {"currencies": [*dict.fromkeys([*call.org.settings["currencies"], code])]})
    return {"Code": code, "Description": code}


def present_theme(record: Mapping[str, Any]) -> dict[str, Any]:
    """A branding theme; the one with SortOrder 0 is the default."""
    born = wire.ms(wire.moment(record["born"]), "")
    return {**record["entity"], "Type": "INVOICE", "CreatedDateUTC": born}


def organisation(org: Organisation) -> dict[str, Any]:
    """GET /Organisation."""
    facts = org.settings
    shown = {
        "Name": facts["name"],
        "LegalName": facts["name"],
        "PaysTax": facts["pays_tax"],
        "Version": facts["version"],
        "OrganisationType": "COMPANY",
        "BaseCurrency": facts["currency"],
        "CountryCode": facts["country"],
        "IsDemoCompany": False,
        "OrganisationStatus": "ACTIVE",
        "FinancialYearEndDay": 31,
        "FinancialYearEndMonth": 12,
        "SalesTaxBasis": facts["tax_basis"],
        "SalesTaxPeriod": "QUARTERLY",
        "DefaultSalesTax": "Tax Exclusive",
        "DefaultPurchasesTax": "Tax Exclusive",
    }
    for name, lock in (("PeriodLockDate", "period_lock"), ("EndOfYearLockDate", "year_lock")):
        if facts.get(lock):
            shown[name] = wire.day(facts[lock])
    return {
        **shown,
        "CreatedDateUTC": wire.ms(wire.moment(facts["born"]), ""),
        "Timezone": facts["timezone"],
        "OrganisationEntityType": "COMPANY",
        "ShortCode": facts["shortcode"],
        "OrganisationID": org.id,
        "Edition": "BUSINESS",
        "Class": facts["plan"],
        "Addresses": [],
        "Phones": [],
        "ExternalLinks": [],
        "PaymentTerms": {},
    }


def actions(org: Organisation) -> list[dict[str, str]]:
    """GET /Organisation/Actions: what the plan allows."""
    allowed = {
        "CreateApprovedInvoice": True,
        "CreateDraftInvoice": True,
        "CreateApprovedBill": True,
        "CreatePurchaseOrder": True,
        "UseMulticurrency": bool(org.settings["multicurrency"]),
    }
    return [{"Name": name, "Status": "ALLOWED" if yes else "NOT-ALLOWED"} for name, yes in allowed.items()]
