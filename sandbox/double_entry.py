"""The double entry every simulated ledger writes: signed parts in, balanced entries out.

An entry is ``{"account", "debit", "credit"}`` with, on receivables and payables, ``"name"`` (the party's id).
Amounts are Decimal in the home currency.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

Entry = dict[str, Any]


def entry(account: str, amount: Decimal, name: str | None = None) -> Entry:
    """One entry from a signed amount: positive is a debit, negative a credit."""
    line: Entry = {
        "account": account,
        "debit": amount if amount > 0 else Decimal(0),
        "credit": -amount if amount < 0 else Decimal(0),
    }
    if name is not None:
        line["name"] = name
    return line


def signed(line: Mapping[str, Any]) -> Decimal:
    """Debit positive, credit negative."""
    return Decimal(str(line["debit"])) - Decimal(str(line["credit"]))


def gather(parts: Iterable[tuple[str, Decimal, str | None]]) -> list[Entry]:
    """Entries from signed parts, one per (account, name), those of nothing left out.

    Raises ValueError when the parts do not balance: a programming error, not a client's.
    """
    sums: dict[tuple[str, str | None], Decimal] = defaultdict(Decimal)
    for account, amount, name in parts:
        sums[(account, name)] += amount
    if sum(sums.values(), Decimal(0)) != 0:
        raise ValueError("the entries of a document do not balance")
    return [entry(account, amount, name) for (account, name), amount in sums.items() if amount]
