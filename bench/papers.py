"""Generated invoices with awkward amounts, and what the books must hold after them, added up by hand.

The sums come from the figures drawn here and from nothing else: no rule of the product takes part. Money is Decimal
with two decimals, labour's extended price has four; every rounding is half up, away from zero.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

CENT, FOUR = Decimal("0.01"), Decimal("0.0001")
# Billing code → (account of its item in the generated books, labour with four decimals).
SOLD = {
    "LAB-REM": ("Labour", True), "LAB-ONS": ("Labour", True), "MS-WKS": ("Services", False),
    "MS-SRV": ("Services", False), "SUB-MAIL": ("Services", False), "EXP-TRV": ("Services", False),
    "HW-FWL": ("Hardware", False), "HW-LAP": ("Hardware", False),
}  # fmt: skip


class Taxing(StrEnum):
    """Whose tax ends in the books."""

    SENT = "sent"
    """The amount on the invoice, whatever a rate would give."""
    ONE_RATE = "one rate"
    """The ledger's own rate on the sum of the taxed lines, whatever was sent."""
    BY_RATE = "by rate"
    """Each rate on the sum of its lines."""


@dataclass(frozen=True)
class Law:
    """How a generated provider is taxed: region → category → percents of its taxes (empty: no tax there)."""

    regions: dict[str, dict[str, tuple[Decimal, ...]]]
    taxing: Taxing
    tax_account: str
    own_percent: Decimal = Decimal(8)
    """The ledger's rate under `Taxing.ONE_RATE`."""


@dataclass(frozen=True)
class PaperLine:
    code: str
    category: str
    quantity: Decimal
    rate: Decimal
    extended: Decimal
    percents: tuple[Decimal, ...]
    tax: Decimal

    @property
    def net(self) -> Decimal:
        return cents(self.extended)


@dataclass(frozen=True)
class Paper:
    """One invoice, or a credit when its total is negative."""

    region: str
    lines: tuple[PaperLine, ...]

    @property
    def tax(self) -> Decimal:
        return sum((line.tax for line in self.lines), Decimal(0))

    @property
    def total(self) -> Decimal:
        return cents(sum((line.extended for line in self.lines), Decimal(0)) + self.tax)

    def booked_tax(self, law: Law) -> Decimal:
        if law.taxing is Taxing.SENT:
            return self.tax
        if law.taxing is Taxing.ONE_RATE:
            return cents(sum((line.net for line in self.lines if line.tax), Decimal(0)) * law.own_percent / 100)
        bases: dict[Decimal, Decimal] = defaultdict(Decimal)
        for line in self.lines:
            for percent in line.percents:
                bases[percent] += line.net
        return sum((cents(base * percent / 100) for percent, base in bases.items()), Decimal(0))

    def rounding(self, law: Law) -> Decimal:
        """What is left of the total: it goes on a line of its own. A tax only the ledger knows leaves nothing here."""
        tax = self.tax if law.taxing is Taxing.ONE_RATE else self.booked_tax(law)
        return self.total - tax - sum((line.net for line in self.lines), Decimal(0))

    def waits(self, law: Law) -> bool:
        """More than half a cent per line, and once more per line whose tax the ledger computes, is no rounding."""
        taxed = sum(1 for line in self.lines if any(line.percents)) if law.taxing is Taxing.BY_RATE else 0
        limit = CENT / 2 * (len(self.lines) + taxed)
        own = self.booked_tax(law) - self.tax if law.taxing is Taxing.BY_RATE else Decimal(0)
        return abs(self.rounding(law)) > limit or abs(own) > limit

    def booked_total(self, law: Law) -> Decimal:
        """What the customer owes by the ledger."""
        return sum((line.net for line in self.lines), Decimal(0)) + self.rounding(law) + self.booked_tax(law)


@dataclass
class Sums:
    """By account, credit positive; and the figures beside it."""

    accounts: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    receivable: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    documents: int = 0
    credits: int = 0
    waiting: int = 0
    differing: int = 0
    rounding_lines: int = 0
    rounding_sum: Decimal = Decimal(0)
    rounding_absolute: Decimal = Decimal(0)


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def draw(law: Law, count: int, seed: int) -> list[Paper]:
    """The same papers for the same arguments: one to twelve lines, every tenth a credit, discounts now and then."""
    dice = random.Random(seed)
    return [_paper(law, dice, -1 if place % 10 == 9 else 1) for place in range(count)]


def _paper(law: Law, dice: random.Random, sign: int) -> Paper:
    region = dice.choice(sorted(law.regions))
    lines = [_line(law.regions[region], dice, sign) for _ in range(dice.randint(1, 12))]
    if len(lines) > 2 and dice.random() < 0.2:
        lines.append(_discount(lines[0]))
    return Paper(region, tuple(lines))


def _line(categories: dict[str, tuple[Decimal, ...]], dice: random.Random, sign: int) -> PaperLine:
    code = dice.choice(sorted(SOLD))
    category = dice.choice(sorted(categories))
    rate = Decimal(dice.randint(500, 99_999)) / 100
    if SOLD[code][1]:
        quantity = sign * (Decimal(dice.randint(16, 600)) / 60).quantize(FOUR)
        extended = (quantity * rate).quantize(FOUR, ROUND_HALF_UP)
    elif dice.random() < 0.1:
        quantity = sign * Decimal(dice.randint(1_000_000, 99_999_999)) / 10_000_000
        extended = cents(quantity * rate)
    else:
        quantity = Decimal(sign * dice.randint(1, 24))
        extended = quantity * rate
    percents = categories[category]
    return PaperLine(code, category, quantity, rate, extended, percents, cents(extended * sum(percents) / 100))


def _discount(line: PaperLine) -> PaperLine:
    """A tenth off the first line, taxed as it is."""
    extended = -cents(line.extended / 10)
    tax = cents(extended * sum(line.percents) / 100)
    quantity = Decimal(-1 if extended < 0 else 1)
    return PaperLine("MS-WKS", line.category, quantity, abs(extended), extended, line.percents, tax)


def by_hand(papers: list[Paper], law: Law) -> Sums:
    """What the books must hold: nothing of the papers that wait."""
    sums = Sums()
    for paper in papers:
        if paper.waits(law):
            sums.waiting += 1
            continue
        for line in paper.lines:
            sums.accounts[SOLD[line.code][0]] += line.net
        tax, left = paper.booked_tax(law), paper.rounding(law)
        sums.accounts[law.tax_account] += tax
        sums.accounts["Rounding"] += left
        sums.tax += tax
        sums.receivable += paper.booked_total(law)
        sums.documents += 1
        sums.credits += paper.total < 0
        sums.differing += paper.booked_total(law) != paper.total
        sums.rounding_lines += left != 0
        sums.rounding_sum += left
        sums.rounding_absolute += abs(left)
    return sums
