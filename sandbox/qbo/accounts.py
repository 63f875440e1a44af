"""Account types, the accounts the books need by role, and which accounts an item may use.

Types and subtypes are those of Intuit's schema; the subtype list holds what the profiles and tests use and
every type takes its own default when none is sent.
"""

from __future__ import annotations

from typing import Any

from sandbox.qbo.errors import fault, required, too_long
from sandbox.qbo.realm import Realm

# Account type -> (classification, default subtype).
TYPES: dict[str, tuple[str, str]] = {
    "Bank": ("Asset", "Checking"),
    "Accounts Receivable": ("Asset", "AccountsReceivable"),
    "Other Current Asset": ("Asset", "OtherCurrentAssets"),
    "Fixed Asset": ("Asset", "OtherFixedAssets"),
    "Other Asset": ("Asset", "OtherLongTermAssets"),
    "Accounts Payable": ("Liability", "AccountsPayable"),
    "Credit Card": ("Liability", "CreditCard"),
    "Other Current Liability": ("Liability", "OtherCurrentLiabilities"),
    "Long Term Liability": ("Liability", "OtherLongTermLiabilities"),
    "Equity": ("Equity", "OpeningBalanceEquity"),
    "Income": ("Revenue", "SalesOfProductIncome"),
    "Other Income": ("Revenue", "OtherMiscellaneousIncome"),
    "Cost of Goods Sold": ("Expense", "SuppliesMaterialsCogs"),
    "Expense": ("Expense", "OfficeGeneralAdministrativeExpenses"),
    "Other Expense": ("Expense", "OtherMiscellaneousExpense"),
}
SUBTYPES: dict[str, str] = {subtype: kind for kind, (_, subtype) in TYPES.items()} | {
    "CashOnHand": "Bank",
    "Savings": "Bank",
    "MoneyMarket": "Bank",
    "TrustAccounts": "Bank",
    "RentsHeldInTrust": "Bank",
    "UndepositedFunds": "Other Current Asset",
    "Inventory": "Other Current Asset",
    "PrepaidExpenses": "Other Current Asset",
    "SalesTaxPayable": "Other Current Liability",
    "GlobalTaxPayable": "Other Current Liability",
    "DeferredRevenue": "Other Current Liability",
    "TrustAccountsLiabilities": "Other Current Liability",
    "RetainedEarnings": "Equity",
    "ServiceFeeIncome": "Income",
    "DiscountsRefundsGiven": "Income",
    "OtherPrimaryIncome": "Income",
    "NonProfitIncome": "Income",
    "UnappliedCashPaymentIncome": "Income",
    "CostOfLaborCos": "Cost of Goods Sold",
    "OtherCostsOfServiceCos": "Cost of Goods Sold",
    "ShippingFreightDeliveryCos": "Cost of Goods Sold",
    "Travel": "Expense",
    "BankCharges": "Expense",
    "SuppliesMaterials": "Expense",
    "OtherBusinessExpenses": "Expense",
    "ExchangeGainOrLoss": "Other Expense",
}
ITEM_INCOME = ("Income", "Other Income", "Other Current Liability")
ITEM_EXPENSE = ("Cost of Goods Sold", "Expense", "Other Expense")
_NUMBER_LIMIT = {"AU": 20, "CA": 20}


def check_account(realm: Realm, draft: dict[str, Any]) -> None:
    """Complete type, subtype, classification and currency. Raises ``QboFault`` 6010 for a bad pair."""
    kind, subtype = draft.get("AccountType"), draft.get("AccountSubType")
    if kind is None and subtype is None:
        raise fault("6010", "AccountType or AccountSubType must be given", "AccountType")
    if kind is None:
        kind = SUBTYPES.get(str(subtype))
    if kind not in TYPES:
        raise fault("6010", f"AccountType {kind} is not known", "AccountType")
    if subtype is not None and SUBTYPES.get(subtype, kind) != kind:
        raise fault("6010", f"AccountSubType {subtype} does not belong to {kind}", "AccountSubType")
    limit = _NUMBER_LIMIT.get(realm.country, 7)
    if len(str(draft.get("AcctNum") or "")) > limit:
        raise too_long("AcctNum", limit, len(str(draft["AcctNum"])))
    draft["AccountType"] = kind
    draft["AccountSubType"] = subtype or TYPES[kind][1]
    draft["Classification"] = TYPES[kind][0]
    code = (draft.get("CurrencyRef") or {}).get("value") or realm.currency
    draft["CurrencyRef"] = realm.currency_ref(code)


def check_item(realm: Realm, draft: dict[str, Any]) -> None:
    """The accounts an item names must be of a fitting type; sold items need an income account."""
    if draft["Type"] in ("Service", "Inventory") and not draft.get("IncomeAccountRef"):
        raise required("IncomeAccountRef")
    if draft["Type"] == "Inventory":
        for name in ("ExpenseAccountRef", "AssetAccountRef", "InvStartDate", "QtyOnHand"):
            if draft.get(name) is None:
                raise required(name)
    for name, allowed in (("IncomeAccountRef", ITEM_INCOME), ("ExpenseAccountRef", ITEM_EXPENSE)):
        if draft.get(name):
            account = realm.resolve("Account", draft[name], inactive_ok=True)
            if account["AccountType"] not in allowed:
                raise fault("6430", f"You must select an account of type {', '.join(allowed)}", name)


def by_role(realm: Realm, role: str, currency: str | None = None) -> str:
    """Id of the account with a duty: ``receivable``, ``payable``, ``tax``, ``undeposited``, ``discount``, ``exchange``.

    Receivables and payables have one account per currency.
    """
    foreign = currency is not None and currency != realm.currency and role in ("receivable", "payable")
    if foreign:
        return ensure_foreign(realm, str(currency))[role]
    roles: dict[str, str] = realm.settings["roles"]
    return roles[role]


def ensure_foreign(realm: Realm, currency: str) -> dict[str, str]:
    """The receivable and payable accounts of a foreign currency, made on first use."""
    found: dict[str, str] | None = realm.store.get(realm.space, "_foreign", currency)
    if found is None:
        found = {
            "receivable": _make(realm, f"Accounts Receivable (A/R) - {currency}", "Accounts Receivable", currency),
            "payable": _make(realm, f"Accounts Payable (A/P) - {currency}", "Accounts Payable", currency),
        }
        realm.store.put(realm.space, "_foreign", currency, found, {})
        name = realm.currency_ref(currency)["name"]
        if not realm.find("CompanyCurrency", "name", f"/{name.casefold()}"):
            entity = {"Code": currency, "Name": name, "Active": True}
            ident = realm.new_id("CompanyCurrency")
            realm.insert("CompanyCurrency", entity, ident, {"name": f"/{name.casefold()}"})
    return found


def _make(realm: Realm, name: str, kind: str, currency: str) -> str:
    draft: dict[str, Any] = {"Name": name, "AccountType": kind, "CurrencyRef": {"value": currency}}
    check_account(realm, draft)
    draft |= {"Active": True, "SubAccount": False, "FullyQualifiedName": name}
    ident = realm.new_id("Account")
    realm.insert("Account", draft, ident, {"name": f"/{name.casefold()}"})
    return ident
