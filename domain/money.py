"""Amounts: rounding, minor units and the integer storage form. The only place that rounds money."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

UNITS = 10_000
"""Stored amounts are integers of 1/10,000 of the currency."""

# ISO 4217 minor units that are not two (https://www.iso.org/iso-4217-currency-codes.html).
_MINOR_UNITS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"), 0),
    **dict.fromkeys(("UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


def minor_units(currency: str) -> int:
    """Number of decimals of a currency: USD 2, JPY 0, KWD 3."""
    return _MINOR_UNITS.get(currency, 2)


def smallest_unit(currency: str) -> Decimal:
    return Decimal(1).scaleb(-minor_units(currency))


def round_money(amount: Decimal, currency: str) -> Decimal:
    """Half-up to the currency's smallest unit; half away from zero, so credits mirror invoices."""
    return amount.quantize(smallest_unit(currency), rounding=ROUND_HALF_UP)


def to_units(amount: Decimal) -> int:
    """Storage form. Raises ValueError when the amount has more than four decimals."""
    scaled = amount * UNITS
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{amount} has more than four decimals")
    return int(scaled)


def from_units(units: int) -> Decimal:
    return (Decimal(units) / UNITS).quantize(Decimal("0.0001"))


def plain(amount: Decimal, currency: str) -> str:
    """An amount for sentences, e.g. `1,234.50`; negative with a minus sign."""
    return f"{round_money(amount, currency):,}".replace("-", "\N{MINUS SIGN}")
