"""Tax, first rule: the ledger ends with Autotask's tax, or the document waits with the difference. Pure.

US: lines are taxable or not and the amount travels explicitly. Elsewhere each line takes a tax code, found by the
name of the invoice's tax region, else by the name of the one Autotask tax for that region and category; the code's
rate must give Autotask's tax (R13 to R20 of the accounting rules).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from domain.documents import Reference, SourceDocument, SourceLine, TaxRule
from domain.matching import fold
from domain.money import plain, round_money
from domain.reasons import Reason, reason


class TaxModel(StrEnum):
    """How a ledger company treats sales tax."""

    NONE = "none"
    """Sales tax is switched off."""
    EXPLICIT_TOTAL = "explicit_total"
    """Lines are taxable or not; the document carries the amount (QuickBooks, US)."""
    CODE_PER_LINE = "code_per_line"
    """Each line carries a tax code and the ledger computes (elsewhere)."""
    NOT_SET_UP = "not_set_up"
    """Automated tax is present but was never set up: a taxed document cannot be posted."""


class TaxCode(Protocol):
    """A ledger tax code; details: rate (percent as decimal text)."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def active(self) -> bool: ...
    @property
    def details(self) -> Mapping[str, str | bool | None]: ...


@dataclass(frozen=True, slots=True)
class TaxResult:
    """`codes` has one entry per line (None where the ledger takes no code)."""

    codes: tuple[Reference | None, ...]
    send_amount: bool
    reasons: tuple[Reason, ...]


def choose_tax(
    document: SourceDocument, model: TaxModel, currency: str, *,
    codes: Mapping[str, TaxCode], codes_by_name: Mapping[str, Sequence[TaxCode]],
    rules: Sequence[TaxRule], untaxed_code: str | None,
) -> TaxResult:
    """Tax codes for the lines, whether the amount is sent, and what stands against it."""
    tax = document.header.tax_total
    none = (None,) * len(document.lines)
    if model is TaxModel.CODE_PER_LINE:
        return _codes(document, currency, codes, codes_by_name, rules, untaxed_code)
    if tax == 0:
        return TaxResult(none, model is TaxModel.EXPLICIT_TOTAL, ())
    shown = plain(tax, currency)
    if model is TaxModel.NONE:
        return TaxResult(none, False, (reason("tax_off", tax=shown),))
    if model is TaxModel.NOT_SET_UP:
        return TaxResult(none, False, (reason("tax_not_set_up", tax=shown),))
    if not any(line.tax for line in document.lines):
        return TaxResult(none, False, (reason("tax_without_line", tax=shown),))
    return TaxResult(none, True, ())


def _codes(
    document: SourceDocument, currency: str, codes: Mapping[str, TaxCode],
    codes_by_name: Mapping[str, Sequence[TaxCode]], rules: Sequence[TaxRule], untaxed_code: str | None,
) -> TaxResult:
    chosen: list[TaxCode | None] = []
    reasons: list[Reason] = []
    for line in document.lines:
        code, problem = _code(document, line, codes, codes_by_name, rules, untaxed_code)
        chosen.append(code)
        if problem is not None and problem not in reasons:
            reasons.append(problem)
    references = tuple(Reference("tax_code", code.id, code.name, code.id) if code else None for code in chosen)
    if not reasons:
        reasons += _differs(document, chosen, currency)
    return TaxResult(references, False, tuple(reasons))


def _code(
    document: SourceDocument, line: SourceLine, codes: Mapping[str, TaxCode],
    codes_by_name: Mapping[str, Sequence[TaxCode]], rules: Sequence[TaxRule], untaxed_code: str | None,
) -> tuple[TaxCode | None, Reason | None]:
    region = document.header.tax_region or ""
    taxed = line.tax != 0 or (document.header.tax_total != 0 and not any(item.tax for item in document.lines))
    if taxed or document.header.tax_total == 0:
        found = _named(region, codes_by_name) or _named(_one_tax(region, line.tax_category, rules), codes_by_name)
        if found is not None:
            return found, None
        if taxed:
            return None, reason("tax_unmapped", region=region or "(none)")
    untaxed = codes.get(untaxed_code or "")
    if untaxed is None or not untaxed.active:
        return None, reason("untaxed_code_missing")
    return untaxed, None


def _named(name: str | None, codes_by_name: Mapping[str, Sequence[TaxCode]]) -> TaxCode | None:
    if not name:
        return None
    active = [code for code in codes_by_name.get(fold(name), ()) if code.active]
    return active[0] if len(active) == 1 else None


def _one_tax(region: str, category: str | None, rules: Sequence[TaxRule]) -> str | None:
    """The name of the one Autotask tax of a region and category; None when there are several or none."""
    names = {rule.name for rule in rules if rule.region == region and rule.category == category}
    return names.pop() if len(names) == 1 else None


def _differs(document: SourceDocument, chosen: Sequence[TaxCode | None], currency: str) -> list[Reason]:
    """What the codes' rates give, per rate over the document, against Autotask's tax."""
    net: dict[str, Decimal] = {}
    rates: dict[str, Decimal] = {}
    for line, code in zip(document.lines, chosen, strict=True):
        if code is None:
            continue
        net[code.id] = net.get(code.id, Decimal(0)) + round_money(line.extended_price, currency)
        rates[code.id] = Decimal(str(code.details.get("rate") or 0))
    expected = sum((round_money(net[key] * rates[key] / 100, currency) for key in net), Decimal(0))
    charged = document.header.tax_total
    if expected == round_money(charged, currency):
        return []
    names = sorted({code.name for code in chosen if code})
    return [reason(
        "tax_differs", ledger=plain(expected, currency), source=plain(charged, currency),
        difference=plain(charged - expected, currency), code="”, “".join(names),
    )]
