"""Net and tax by region and code, from the source and from the ledger's answer: the tax part of a report (R25). Pure.

Rows of one document are in the document's currency and have its sign: a credit memo takes off what invoices put on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from domain.documents import Draft, TaxRow

TAXED, UNTAXED = "taxed", "untaxed"
"""Code ids where lines are only taxable or not."""


@dataclass(frozen=True, slots=True)
class TaxSum:
    """`ledger_*` None: the ledger did not tell."""

    region: str
    code: str
    net: Decimal
    tax: Decimal
    ledger_net: Decimal | None
    ledger_tax: Decimal | None

    @property
    def differs(self) -> bool:
        return self.ledger_tax is not None and self.ledger_tax != self.tax


def of_document(
    draft: Draft, tax: Decimal | None, nets: Mapping[str, Decimal], taxes: Mapping[str, Decimal]
) -> list[TaxSum]:
    """The draft's rows with what the ledger booked. `tax` is its total, `nets` by code id, `taxes` by rate id.

    Codes that share a rate cannot be told apart in the ledger's answer: they make one row.
    """
    sign = Decimal(-1 if draft.kind == "credit_memo" else 1)
    found = []
    for group in _told_apart(draft.tax_rows, taxes):
        ledger = _ledger_tax(group, draft.tax_rows, tax, taxes)
        known = [nets[row.code_id] for row in group if row.code_id in nets]
        net = sum(known, Decimal(0)) if known else None
        found.append(TaxSum(
            group[0].region, " + ".join(row.code for row in group), sign * sum(row.net for row in group),
            sign * sum(row.tax for row in group), None if net is None else sign * net,
            None if ledger is None else sign * ledger,
        ))
    return found


def _told_apart(rows: Sequence[TaxRow], taxes: Mapping[str, Decimal]) -> list[list[TaxRow]]:
    """Rows in groups that share no rate; without a tax per rate all taxed rows are one group."""
    groups: list[list[TaxRow]] = []
    for row in rows:
        mine = set(row.rates) if taxes else {"all"} if row.tax or row.rates else set()
        near = [
            group for group in groups
            if any(mine & (set(other.rates) if taxes else {"all"} if other.tax or other.rates else set())
                   for other in group)
        ]
        groups = [group for group in groups if group not in near]
        groups.append([*(other for group in near for other in group), row])
    return groups


def _ledger_tax(
    group: Sequence[TaxRow], rows: Sequence[TaxRow], tax: Decimal | None, taxes: Mapping[str, Decimal]
) -> Decimal | None:
    if tax is None:
        return None
    rates = {rate for row in group for rate in row.rates}
    if rates and taxes:
        return sum((taxes.get(rate, Decimal(0)) for rate in rates), Decimal(0))
    bears = [row for row in rows if row.tax or row.rates or row.code_id == TAXED]
    return tax if any(row in bears for row in group) else Decimal(0)


def add_up(sums: Iterable[TaxSum]) -> list[TaxSum]:
    """One row per region and code, in the order of their names."""
    found: dict[tuple[str, str], TaxSum] = {}
    for one in sums:
        so_far = found.get((one.region, one.code))
        found[one.region, one.code] = one if so_far is None else replace(
            so_far, net=so_far.net + one.net, tax=so_far.tax + one.tax,
            ledger_net=_both(so_far.ledger_net, one.ledger_net), ledger_tax=_both(so_far.ledger_tax, one.ledger_tax),
        )
    return [found[key] for key in sorted(found)]


def _both(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other
