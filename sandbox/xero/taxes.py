"""Tax rates and prices: what a rate is, on which accounts it may stand, what tax a line bears.

Tax is computed per line, rounded to the cent, and then summed. Source: Xero, rounding-in-xero and api/accounting/
taxrates; fact sheet sections 2.8 and 3.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.xero import wire
from sandbox.xero.organisation import Organisation, r2

KIND = "TaxRate"
_APPLIES = {
    "ASSET": "CanApplyToAssets",
    "EQUITY": "CanApplyToEquity",
    "EXPENSE": "CanApplyToExpenses",
    "LIABILITY": "CanApplyToLiabilities",
    "REVENUE": "CanApplyToRevenue",
}


def rate(org: Organisation, tax_type: str) -> dict[str, Any] | None:
    """The entity of a tax type, or None."""
    found = org.record(KIND, tax_type)
    return found["entity"] if found else None


def problem(org: Organisation, tax_type: str, account: Mapping[str, Any]) -> str | None:
    """Why a tax type cannot stand on an account, in Xero's words; None when it can."""
    found = rate(org, tax_type)
    if found is None:
        return f"The TaxType code '{tax_type}' does not exist"  # inferred
    if found["Status"] != "ACTIVE":
        return "Tax Rate must be active"
    if not found[_APPLIES[account["Class"]]]:
        return f"The TaxType code '{tax_type}' cannot be used with account code '{account.get('Code', '')}'"
    return None


def of_line(amount: Decimal, percent: Decimal, types: str) -> Decimal:
    """The tax on (Exclusive) or within (Inclusive) a line's amount."""
    if types == "NoTax" or not percent:
        return Decimal("0.00")
    if types == "Inclusive":
        return amount - r2(amount / (1 + percent / 100))
    return r2(amount * percent / 100)


def price(value: Decimal, decimals: int) -> Decimal:
    """A unit price as it is kept: 2 decimals, or 4 with ``unitdp=4``."""
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def present(record: Mapping[str, Any]) -> dict[str, Any]:
    """The rate as an answer shows it."""
    entity = dict(record["entity"])
    entity.pop("TaxRateID", None)
    percent = wire.number(entity["EffectiveRate"])
    component = {"Name": "Tax", "Rate": percent, "IsCompound": False, "IsNonRecoverable": False}
    return {**entity, "EffectiveRate": percent, "DisplayTaxRate": percent, "TaxComponents": [component]}
