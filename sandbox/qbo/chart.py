"""What a new simulated company starts with: chart of accounts, terms, tax codes. Plain tables and their loader."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.qbo import agencies, lists
from sandbox.qbo.realm import Realm

# (name, type, subtype, role or None); roles are the accounts the server itself posts to.
ACCOUNTS: tuple[tuple[str, str, str, str | None], ...] = (
    ("Checking", "Bank", "Checking", None),
    ("Accounts Receivable (A/R)", "Accounts Receivable", "AccountsReceivable", "receivable"),
    ("Undeposited Funds", "Other Current Asset", "UndepositedFunds", "undeposited"),
    ("Inventory Asset", "Other Current Asset", "Inventory", None),
    ("Accounts Payable (A/P)", "Accounts Payable", "AccountsPayable", "payable"),
    ("Unearned Revenue", "Other Current Liability", "OtherCurrentLiabilities", None),
    ("Deferred Revenue", "Other Current Liability", "DeferredRevenue", None),
    ("Opening Balance Equity", "Equity", "OpeningBalanceEquity", None),
    ("Retained Earnings", "Equity", "RetainedEarnings", None),
    ("Services", "Income", "ServiceFeeIncome", None),
    ("Labour", "Income", "ServiceFeeIncome", None),
    ("Hardware", "Income", "SalesOfProductIncome", None),
    ("Sales", "Income", "SalesOfProductIncome", None),
    ("Discounts given", "Income", "DiscountsRefundsGiven", "discount"),
    ("Rounding", "Other Income", "OtherMiscellaneousIncome", None),
    ("Cost of Goods Sold", "Cost of Goods Sold", "SuppliesMaterialsCogs", None),
    ("Freight", "Cost of Goods Sold", "ShippingFreightDeliveryCos", None),
    ("Office Expenses", "Expense", "OfficeGeneralAdministrativeExpenses", None),
    ("Exchange Gain or Loss", "Other Expense", "ExchangeGainOrLoss", "exchange"),
)
TAX_ACCOUNT = {
    "US": "Sales Tax Payable", "GB": "VAT Control", "AU": "GST Liabilities Payable", "CA": "GST/HST Payable",
}  # fmt: skip
TERMS: tuple[tuple[str, int], ...] = (("Due on receipt", 0), ("Net 15", 15), ("Net 30", 30), ("Net 60", 60))

# Per tax model: agency, and the codes with their percent; None has no rate and books no tax.
AGENCIES = {"GB": "HM Revenue & Customs (VAT)", "AU": "Australian Taxation Office", "US": "State sales tax agency",
            "CA": "Canada Revenue Agency"}  # fmt: skip
VAT_CODES: dict[str, tuple[tuple[str, str | None, str], ...]] = {
    "GB": (
        ("20.0% S", "20", "Standard"),
        ("5.0% R", "5", "Reduced"),
        ("0.0% Z", "0", "Zero-rated"),
        ("Exempt", "0", "Exempt from VAT"),
        ("No VAT", None, "Outside the scope of VAT"),
    ),
    "AU": (
        ("GST", "10", "Goods and services tax"),
        ("GST free", "0", "GST free"),
        ("Out of Scope", None, "Outside the scope of GST"),
    ),
}

# Older US companies and Canada: further agencies, rates as (name, percent, agency or None for the first), and codes
# over them as (name, description, ((rate, what it applies on), …)).
NET, ON_TOP = "TaxOnAmount", "TaxOnAmountPlusTax"
Rates = tuple[tuple[str, str, str | None], ...]
Codes = tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...]
CA_AGENCIES = ("Revenu Québec", "BC Ministry of Finance")
CA_RATES: Rates = (
    ("GST", "5", None), ("HST ON", "13", None), ("QST", "9.975", "Revenu Québec"),
    ("PST BC", "7", "BC Ministry of Finance"), ("QST on top", "9.5", "Revenu Québec"), ("Zero", "0", None),
)  # fmt: skip
CA_CODES: Codes = (
    ("GST", "GST alone", (("GST", NET),)),
    ("HST ON", "Harmonized tax, Ontario", (("HST ON", NET),)),
    ("GST/QST QC - 9.975", "Québec", (("GST", NET), ("QST", NET))),
    ("GST/PST BC", "British Columbia", (("GST", NET), ("PST BC", NET))),
    ("GST/QST compounded", "QST on amount and GST, as before 2013", (("GST", NET), ("QST on top", ON_TOP))),
    ("Zero-rated", "Zero-rated", (("Zero", NET),)),
    ("Exempt", "Exempt", (("Zero", NET),)),
    ("Out of Scope", "Outside the scope of GST/HST", ()),
)
GROUP_AGENCIES = ("County sales tax agency", "California sales tax agency")
GROUP_RATES: Rates = (
    ("New York State", "4", None), ("Albany County", "4", "County sales tax agency"),
    ("California", "7.25", "California sales tax agency"), ("Los Angeles", "2.25", "County sales tax agency"),
)  # fmt: skip
GROUP_CODES: Codes = (
    ("NY Albany", "State and county", (("New York State", NET), ("Albany County", NET))),
    ("CA Los Angeles", "State and city", (("California", NET), ("Los Angeles", NET))),
)


def load_accounts(realm: Realm) -> dict[str, str]:
    """Create the chart of accounts; returns the roles (duty -> account id)."""
    roles: dict[str, str] = {}
    rows = (*ACCOUNTS, (TAX_ACCOUNT[realm.country], "Other Current Liability", "SalesTaxPayable", "tax"))
    for name, kind, subtype, role in rows:
        ident = lists.seed(realm, "Account", Name=name, AccountType=kind, AccountSubType=subtype)
        if role:
            roles[role] = ident
    return roles


def load_terms(realm: Realm) -> None:
    for name, days in TERMS:
        lists.seed(realm, "Term", Name=name, DueDays=days)
    for name, kind in (("Cash", "NON_CREDIT_CARD"), ("Cheque", "NON_CREDIT_CARD"), ("Visa", "CREDIT_CARD")):
        lists.seed(realm, "PaymentMethod", Name=name, Type=kind)


def load_tax(realm: Realm) -> dict[str, str]:
    """Create tax codes and rates; returns settings to keep (ids the AST model refers to)."""
    agency = agencies.add_agency(realm, AGENCIES[realm.country], realm.settings["roles"]["tax"])
    if realm.country == "CA":
        return _load_codes(realm, agency, CA_AGENCIES, CA_RATES, CA_CODES)
    if realm.country in VAT_CODES:
        for name, percent, description in VAT_CODES[realm.country]:
            rate = None if percent is None else add_rate(realm, name, Decimal(percent), agency)
            add_code(realm, realm.new_id("TaxCode"), name, description, [rate] if rate else [])
        return {}
    for ident, taxable in (("TAX", True), ("NON", False)):
        add_code(realm, ident, ident, "Taxable" if taxable else "Non-taxable", [], taxable=taxable, group=False)
    if realm.switch("tax_model") == "groups":
        return _load_codes(realm, agency, GROUP_AGENCIES, GROUP_RATES, GROUP_CODES)
    rate = add_rate(realm, "Combined sales tax", Decimal(realm.switch("ast_rate")), agency)
    code = realm.new_id("TaxCode")
    add_code(realm, code, "Automated sales tax", "Set by automated sales tax", [rate], group=True)
    return {"ast_rate_id": rate, "ast_code_id": code}


def _load_codes(realm: Realm, first: str, more: tuple[str, ...], rates: Rates, codes: Codes) -> dict[str, str]:
    agency = {name: agencies.add_agency(realm, name) for name in more}
    ids = {name: add_rate(realm, name, Decimal(text), agency.get(whose or "", first)) for name, text, whose in rates}
    for name, description, parts in codes:
        add_code(
            realm, realm.new_id("TaxCode"), name, description, [ids[rate] for rate, _ in parts],
            applied=[basis for _, basis in parts],
        )  # fmt: skip
    return {}


def add_rate(realm: Realm, name: str, percent: Decimal, agency: str) -> str:
    """One tax rate in percent; returns its id."""
    ident = realm.new_id("TaxRate")
    realm.insert(
        "TaxRate",
        {
            "Name": name,
            "Description": name,
            "Active": True,
            "RateValue": percent,
            "AgencyRef": {"value": agency},
            "SpecialTaxType": "ZERO_RATE" if not percent else "NONE",
            "DisplayType": "ReadOnly",
            "EffectiveTaxRate": [{"RateValue": percent, "EffectiveDate": "2011-01-04T00:00:00Z"}],
        },
        ident,
        {},
    )
    return ident


def add_code(
    realm: Realm,
    ident: str,
    name: str,
    description: str,
    rates: list[str],
    *,
    taxable: bool = True,
    group: bool = True,
    applied: list[str] | None = None,
) -> None:
    """One tax code over rates that apply to sales and purchases alike; `applied`: what each applies on."""
    entity: dict[str, Any] = {
        "Name": name,
        "Description": description,
        "Active": True,
        "Taxable": taxable,
        "TaxGroup": group,
        "Hidden": False,
    }
    details = []
    for order, rate in enumerate(rates):
        found = realm.record("TaxRate", rate)
        label = found["entity"]["Name"] if found else rate
        basis = applied[order] if applied else NET
        details.append({"TaxRateRef": {"value": rate, "name": label}, "TaxTypeApplicable": basis, "TaxOrder": order})
    if group:
        entity["SalesTaxRateList"] = {"TaxRateDetail": details}
        entity["PurchaseTaxRateList"] = {"TaxRateDetail": details}
    realm.insert("TaxCode", entity, ident, {})
