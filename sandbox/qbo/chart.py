"""What a new simulated company starts with: chart of accounts, terms, tax codes. Plain tables and their loader."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.qbo import lists
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
TAX_ACCOUNT = {"US": "Sales Tax Payable", "GB": "VAT Control", "AU": "GST Liabilities Payable"}
TERMS: tuple[tuple[str, int], ...] = (("Due on receipt", 0), ("Net 15", 15), ("Net 30", 30), ("Net 60", 60))

# Per tax model: agency, and the codes with their percent; None has no rate and books no tax.
AGENCIES = {"GB": "HM Revenue & Customs (VAT)", "AU": "Australian Taxation Office", "US": "State sales tax agency"}
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
    agency = realm.new_id("TaxAgency")
    realm.insert("TaxAgency", {"DisplayName": AGENCIES[realm.country], "Active": True}, agency, {})
    if realm.country in VAT_CODES:
        for name, percent, description in VAT_CODES[realm.country]:
            rate = None if percent is None else add_rate(realm, name, Decimal(percent), agency)
            add_code(realm, realm.new_id("TaxCode"), name, description, [rate] if rate else [])
        return {}
    for ident, taxable in (("TAX", True), ("NON", False)):
        add_code(realm, ident, ident, "Taxable" if taxable else "Non-taxable", [], taxable=taxable, group=False)
    rate = add_rate(realm, "Combined sales tax", Decimal(realm.switch("ast_rate")), agency)
    code = realm.new_id("TaxCode")
    add_code(realm, code, "Automated sales tax", "Set by automated sales tax", [rate], group=True)
    return {"ast_rate_id": rate, "ast_code_id": code}


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
    realm: Realm, ident: str, name: str, description: str, rates: list[str], *, taxable: bool = True, group: bool = True
) -> None:
    """One tax code over rates that apply to sales and purchases alike."""
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
        details.append(
            {"TaxRateRef": {"value": rate, "name": label}, "TaxTypeApplicable": "TaxOnAmount", "TaxOrder": order}
        )
    if group:
        entity["SalesTaxRateList"] = {"TaxRateDetail": details}
        entity["PurchaseTaxRateList"] = {"TaxRateDetail": details}
    realm.insert("TaxCode", entity, ident, {})
