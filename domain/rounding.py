"""The rounding line: the remainder that rounding left, on an item of its own, without tax (R10, R11). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from domain.accounts import INCOME_TYPES, usable_account
from domain.documents import DraftLine, ItemDraft
from domain.items import OwnItem, item_on_account
from domain.known import Facts, Lists
from domain.money import plain
from domain.pennies import rounding_limit
from domain.reasons import Reason, reason
from domain.settings import InvoiceSettings, PennyPolicy
from domain.taxes import TaxResult
from domain.taxmap import Untaxed

NAME = "Rounding"


@dataclass(frozen=True, slots=True)
class Remainder:
    """What the lines and tax make, and what the source's total is, in the draft's own sign and currency."""

    found: Decimal
    total: Decimal
    currency: str
    lines: int
    ledger_taxed: int = 0
    """How many of the lines are taxed by the ledger, which rounds as well."""

    @property
    def amount(self) -> Decimal:
        return self.total - self.found

    @property
    def within(self) -> bool:
        return abs(self.amount) <= rounding_limit(self.currency, self.lines, self.ledger_taxed)


@dataclass(frozen=True, slots=True)
class RoundingLine:
    line: DraftLine
    creation: ItemDraft | None


def beside_lines(left: Remainder, settings: InvoiceSettings, facts: Facts) -> Decimal:
    """What a ledger takes beside the lines to make the total the source's; zero where it takes none, or not so much."""
    if not left.within or settings.penny_policy is PennyPolicy.STOP or abs(left.amount) > facts.rounding_most:
        return Decimal(0)
    return left.amount


def round_off(
    left: Remainder, settings: InvoiceSettings, lists: Lists, facts: Facts, tax: TaxResult
) -> RoundingLine | Reason:
    """The line that makes the draft's total the source's, or why there is none."""
    shown = plain(left.amount, left.currency)
    if not left.within or settings.penny_policy is PennyPolicy.STOP:
        return reason(
            "remainder" if not left.within else "remainder_stops", found=plain(left.found, left.currency),
            total=plain(left.total, left.currency), difference=shown,
        )
    if settings.rounding_account is None:
        return reason("rounding_account_missing", amount=shown, total=plain(left.total, left.currency))
    account = usable_account(settings.rounding_account, "rounding lines", lists, INCOME_TYPES)
    if isinstance(account, Reason):
        return account
    # Where lines take a tax code, one without is refused: rounding is out of the tax's scope.
    if tax.untaxed is None and any(tax.codes):
        return reason("untaxed_code_missing", kind=Untaxed.OUT_OF_SCOPE)
    item = OwnItem(account, None) if facts.lines_on_accounts else item_on_account(
        NAME, account, "Rounding difference", lists, facts
    )
    if isinstance(item, Reason):
        return item
    text = "Rounding: the total is rounded once, its lines each"
    line = DraftLine(item.reference, text, Decimal(1), left.amount, left.amount, False, tax.untaxed, account=account)
    return RoundingLine(line, item.creation)
