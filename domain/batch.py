"""A batch of plans added up before anything is posted: by account, tax code and customer, per currency. Pure.

Currencies are never added together. Credits count negative; what cannot be posted is not in the sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from domain.documents import Draft
from domain.journal import JournalRow

UNTAXED = "No tax code"


@dataclass(slots=True)
class Added:
    """Sums of one currency."""

    count: int = 0
    total: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    accounts: dict[str, Decimal] = field(default_factory=dict)
    """Account → debits less credits."""
    codes: dict[str, tuple[int, Decimal]] = field(default_factory=dict)
    """Tax code → lines and their net amount."""
    customers: dict[str, tuple[int, Decimal]] = field(default_factory=dict)
    """Customer → documents and their total."""

    def to_json(self) -> dict[str, Any]:
        """Lists in the order in which people read them: accounts as in the journal, the others by size."""
        return {
            "count": self.count, "total": str(self.total), "tax": str(self.tax),
            "accounts": [[name, str(amount)] for name, amount in self.accounts.items()],
            "codes": _by_size(self.codes), "customers": _by_size(self.customers),
        }


@dataclass(slots=True)
class Batch:
    """Sums per currency of every draft added so far."""

    by_currency: dict[str, Added] = field(default_factory=dict)

    def add(self, draft: Draft, journal: Sequence[JournalRow]) -> None:
        sign = Decimal(-1 if draft.kind == "credit_memo" else 1)
        sums = self.by_currency.setdefault(draft.currency, Added())
        sums.count += 1
        sums.total += draft.total * sign
        sums.tax += draft.tax_total * sign
        for row in journal:
            sums.accounts[row.account] = sums.accounts.get(row.account, Decimal(0)) + row.debit - row.credit
        for line in draft.lines:
            code = line.tax_code.name if line.tax_code else "Taxed" if line.taxed else UNTAXED
            _count(sums.codes, code, line.amount * sign)
        _count(sums.customers, draft.party.name, draft.total * sign)

    def to_json(self) -> dict[str, Any]:
        return {currency: sums.to_json() for currency, sums in sorted(self.by_currency.items())}


def _count(into: dict[str, tuple[int, Decimal]], name: str, amount: Decimal) -> None:
    number, total = into.get(name, (0, Decimal(0)))
    into[name] = (number + 1, total + amount)


def _by_size(found: dict[str, tuple[int, Decimal]]) -> list[list[Any]]:
    ordered = sorted(found.items(), key=lambda each: (-abs(each[1][1]), each[0]))
    return [[name, number, str(amount)] for name, (number, amount) in ordered]
