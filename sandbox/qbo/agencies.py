"""Which liability account takes the tax of which agency, and how a document's tax falls to them.

QuickBooks keeps a payable account per tax agency (Intuit, "Manage sales tax"). The first agency of a company has the
account of its country, every further one an account of its own, made when the agency is made.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from sandbox.qbo import lists
from sandbox.qbo.accounts import by_role
from sandbox.qbo.realm import Realm, money

ACCOUNTS = "agency_accounts"


def add_agency(realm: Realm, name: str, account: str | None = None) -> str:
    """One agency; returns its id. Without an account it gets "<name> Payable"."""
    ident = realm.new_id("TaxAgency")
    realm.insert("TaxAgency", {"DisplayName": name, "Active": True}, ident, {})
    if account is None:
        account = lists.seed(
            realm, "Account", Name=f"{name} Payable", AccountType="Other Current Liability",
            AccountSubType="SalesTaxPayable",
        )  # fmt: skip
    known: dict[str, str] = realm.settings.get(ACCOUNTS) or {}
    realm.settings = {**realm.settings, ACCOUNTS: {**known, ident: account}}
    realm.store.kv_set(realm.space, "settings", realm.settings)
    return ident


def payable(realm: Realm, total: Decimal, detail: dict[str, Any] | None, rate: Decimal) -> list[tuple[str, Decimal]]:
    """(account, amount in home currency) per agency of the tax lines, zeros left out.

    What the lines do not explain (an amount sent in place of the computed one) falls to the company's first agency.
    """
    shares: dict[str, Decimal] = defaultdict(Decimal)
    for line in (detail or {}).get("TaxLine", ()):
        shares[_account(realm, line["TaxLineDetail"]["TaxRateRef"]["value"])] += Decimal(str(line["Amount"]))
    shares[by_role(realm, "tax")] += total - sum(shares.values(), Decimal(0))
    return [(account, money(amount * rate)) for account, amount in shares.items() if amount]


def _account(realm: Realm, rate_id: str) -> str:
    found = realm.record("TaxRate", rate_id)
    agency = found["entity"].get("AgencyRef", {}).get("value") if found else None
    known: dict[str, str] = realm.settings.get(ACCOUNTS) or {}
    return known.get(str(agency)) or by_role(realm, "tax")
