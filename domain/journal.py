"""What posting a draft would do to the books: debits and credits by account, for previews. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from domain.documents import Draft


@dataclass(frozen=True, slots=True)
class JournalRow:
    """Exactly one of debit and credit is positive. `source` says where the figure comes from."""

    account: str
    source: str
    debit: Decimal
    credit: Decimal


def journal_of_purchase(draft: Draft, accounts: Mapping[str, str]) -> tuple[JournalRow, ...]:
    """Of a bill: what was bought against the payable account. A purchase order books nothing (R70).

    `accounts` maps an item's reference key to the name of its expense account. Tax that the ledger adds by its own
    codes is not in it.
    """
    if draft.kind == "purchase_order":
        return ()
    sums: dict[str, Decimal] = {}
    counts: dict[str, int] = {}
    for line in draft.lines:
        known = line.account.name if line.account is not None else None
        account = known or accounts.get(line.item.key, "Expense account of the item")
        sums[account] = sums.get(account, Decimal(0)) + line.amount
        counts[account] = counts.get(account, 0) + 1
    rows = [
        _row(account, "1 line" if counts[account] == 1 else f"{counts[account]:,} lines", amount)
        for account, amount in sums.items() if amount
    ]
    payable = draft.payable.name if draft.payable is not None else f"Accounts payable {draft.currency}"
    rows.append(_row(payable, draft.party.name, -draft.total))
    return tuple(row for row in rows if row.debit or row.credit)


def journal(draft: Draft, *, receivable: str, tax_account: str, income: Mapping[str, str]) -> tuple[JournalRow, ...]:
    """Rows that balance. `income` maps an item's reference key to the name of its account.

    A credit memo turns every side; a line of the other sign stands on the other side.
    """
    sign = Decimal(-1 if draft.kind == "credit_memo" else 1)
    sums: dict[str, Decimal] = {}
    counts: dict[str, int] = {}
    for line in draft.lines:
        account = income.get(line.item.key, "Income account of the item")
        sums[account] = sums.get(account, Decimal(0)) - line.amount * sign
        counts[account] = counts.get(account, 0) + 1
    rows = [_row(receivable, draft.party.name, draft.total * sign)]
    rows += [
        _row(account, "1 line" if counts[account] == 1 else f"{counts[account]:,} lines", amount)
        for account, amount in sums.items() if amount
    ]
    if draft.tax_total:
        rows.append(_row(tax_account, "tax", -draft.tax_total * sign))
    return tuple(row for row in rows if row.debit or row.credit)


def _row(account: str, source: str, amount: Decimal) -> JournalRow:
    return JournalRow(account, source, max(amount, Decimal(0)), max(-amount, Decimal(0)))
