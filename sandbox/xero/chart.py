"""What a new organisation starts with: accounts, tax rates, tracking, by region.

Codes and names follow Xero's default charts and tax rates; the accounts of a service provider are added.
"""

from __future__ import annotations

from decimal import Decimal

from sandbox.xero.lists import ACCOUNT_TYPES, OPTION, TRACKING, account_keys
from sandbox.xero.organisation import Organisation

# Code, name, type, duty: what a rate of a region is chosen by, or a system account's name.
_ACCOUNTS: tuple[tuple[str, str, str, str], ...] = (
    ("090", "Business Bank Account", "BANK", ""),
    ("200", "Sales", "REVENUE", "sale"),
    ("201", "Services", "REVENUE", "sale"),
    ("202", "Labour", "REVENUE", "sale"),
    ("203", "Hardware", "REVENUE", "sale"),
    ("204", "Discounts given", "REVENUE", "sale"),
    ("260", "Other Revenue", "OTHERINCOME", "sale"),
    ("270", "Interest Income", "OTHERINCOME", "none"),
    ("280", "Rounding Differences", "OTHERINCOME", "none"),
    ("299", "Old Sales", "REVENUE", "archived"),
    ("310", "Cost of Goods Sold", "DIRECTCOSTS", "cost"),
    ("320", "Subcontractors", "DIRECTCOSTS", "cost"),
    ("425", "Freight & Courier", "OVERHEADS", "cost"),
    ("429", "General Expenses", "OVERHEADS", "cost"),
    ("489", "Telephone & Internet", "OVERHEADS", "cost"),
    ("499", "Realised Currency Gains", "EXPENSE", "REALISEDCURRENCYGAIN"),
    ("610", "Accounts Receivable", "CURRENT", "DEBTORS"),
    ("620", "Prepayments", "CURRENT", "cost"),
    ("630", "Inventory", "INVENTORY", "none"),
    ("710", "Office Equipment", "FIXED", "cost"),
    ("800", "Accounts Payable", "CURRLIAB", "CREDITORS"),
    ("815", "Unearned Revenue", "CURRLIAB", "owed"),
    ("820", "Sales Tax", "CURRLIAB", "GST"),
    ("860", "Rounding", "CURRLIAB", "ROUNDING"),
    ("960", "Retained Earnings", "EQUITY", "RETAINEDEARNINGS"),
    ("970", "Owner A Share Capital", "EQUITY", "none"),
)
TAX_NAME = {"UK": "VAT", "AU": "GST", "US": "Sales Tax"}

# Tax type, name, percent, where it may stand: s(ales: revenue, liability, asset, equity), p(urchases: expense,
# liability, asset, equity), b(oth); and the status.
_RATES: dict[str, tuple[tuple[str, str, str, str, str], ...]] = {
    "UK": (
        ("OUTPUT2", "20% (VAT on Income)", "20", "s", "ACTIVE"),
        ("INPUT2", "20% (VAT on Expenses)", "20", "p", "ACTIVE"),
        ("RROUTPUT", "5% (VAT on Income)", "5", "s", "ACTIVE"),
        ("RRINPUT", "5% (VAT on Expenses)", "5", "p", "ACTIVE"),
        ("ZERORATEDOUTPUT", "Zero Rated Income", "0", "s", "ACTIVE"),
        ("ZERORATEDINPUT", "Zero Rated Expenses", "0", "p", "ACTIVE"),
        ("EXEMPTOUTPUT", "Exempt Income", "0", "s", "ACTIVE"),
        ("EXEMPTINPUT", "Exempt Expenses", "0", "p", "ACTIVE"),
        ("NONE", "No VAT", "0", "b", "ACTIVE"),
        ("TAX001", "17.5% (VAT on Income)", "17.5", "s", "DELETED"),
    ),
    "AU": (
        ("OUTPUT", "GST on Income", "10", "s", "ACTIVE"),
        ("INPUT", "GST on Expenses", "10", "p", "ACTIVE"),
        ("EXEMPTOUTPUT", "GST Free Income", "0", "s", "ACTIVE"),
        ("EXEMPTEXPENSES", "GST Free Expenses", "0", "p", "ACTIVE"),
        ("BASEXCLUDED", "BAS Excluded", "0", "b", "ACTIVE"),
        ("NONE", "Tax Exempt", "0", "b", "ACTIVE"),
        ("TAX001", "12.5% (old sales tax)", "12.5", "s", "DELETED"),
    ),
    "US": (
        ("TAX001", "NY Albany", "8", "s", "ACTIVE"),
        ("TAX002", "CA Los Angeles", "9.5", "s", "ACTIVE"),
        ("TAX003", "Old county tax", "7", "s", "DELETED"),
        ("INPUT", "Tax on Purchases", "0", "p", "ACTIVE"),
        ("OUTPUT", "Tax on Sales", "0", "s", "ACTIVE"),
        ("NONE", "Tax Exempt", "0", "b", "ACTIVE"),
    ),
}
_DUTY: dict[str, dict[str, str]] = {
    "UK": {"sale": "OUTPUT2", "cost": "INPUT2", "owed": "OUTPUT2"},
    "AU": {"sale": "OUTPUT", "cost": "INPUT", "owed": "OUTPUT"},
    "US": {"sale": "NONE", "cost": "NONE", "owed": "NONE"},
}
_CLASSES = {"s": "REVENUE", "p": "EXPENSE"}


def load_accounts(org: Organisation, region: str) -> None:
    """The chart of accounts."""
    for code, name, kind, duty in _ACCOUNTS:
        system = duty if duty.isupper() else None
        entity = {
            "Code": code,
            "Name": TAX_NAME[region] if system == "GST" else name,
            "Status": "ARCHIVED" if duty == "archived" else "ACTIVE",
            "Type": kind,
            "TaxType": _DUTY[region].get("sale" if duty == "archived" else duty, "NONE"),
            "Class": ACCOUNT_TYPES[kind],
            "EnablePaymentsToAccount": False,
        }
        if system:
            entity["SystemAccount"] = system
        if kind == "BANK":
            entity |= {"BankAccountNumber": "00000000", "BankAccountType": "BANK", "CurrencyCode": org.currency}
        org.insert("Account", entity, account_keys(entity))


def load_rates(org: Organisation, region: str) -> None:
    """The tax rates of a region; ids are the tax types."""
    for tax_type, name, percent, where, status in _RATES[region]:
        both = ("LIABILITY", "ASSET", "EQUITY")
        classes = {*both, *(_CLASSES[each] for each in ("sp" if where == "b" else where))}
        entity = {
            "Name": name,
            "TaxType": tax_type,
            "Status": status,
            "EffectiveRate": Decimal(percent),
            "CanApplyToAssets": "ASSET" in classes,
            "CanApplyToEquity": "EQUITY" in classes,
            "CanApplyToExpenses": "EXPENSE" in classes,
            "CanApplyToLiabilities": "LIABILITY" in classes,
            "CanApplyToRevenue": "REVENUE" in classes,
        }
        org.insert("TaxRate", entity, {}, ident=tax_type.lower())


def load_tracking(org: Organisation) -> None:
    """One tracking category with two options, as most organisations have."""
    category = org.insert(TRACKING, {"Name": "Department", "Status": "ACTIVE"}, {})
    for name in ("Service", "Sales"):
        org.insert(OPTION, {"Name": name, "Status": "ACTIVE"}, {"category": category["id"]})
