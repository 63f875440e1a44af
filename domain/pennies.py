"""How far rounding alone can put two totals apart: the limit of the rounding line (R09 to R11 of the accounting rules).

Autotask can keep labour at four decimals and round only an invoice's total, so its rounded lines may miss the total
by up to half a cent each. What is more than that is never a rounding matter. Pure.
"""

from __future__ import annotations

from decimal import Decimal

from domain.money import smallest_unit


def rounding_limit(currency: str, lines: int, ledger_taxed: int = 0) -> Decimal:
    """Half the currency's smallest unit per line, and once more per line whose tax the ledger computes."""
    return smallest_unit(currency) / 2 * (lines + ledger_taxed)
