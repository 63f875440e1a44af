"""What tax a rate gives: the source's taxes on top of each other in their order, and a ledger code's components. Pure.

Rates of the source are fractions (0.0825), those of a ledger percents as decimal text ("8.25").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from domain.documents import TaxRule
from domain.money import round_money


class TaxCode(Protocol):
    """A ledger tax code; details: rate and components (see the ledger port's `Record`), rate_active."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def active(self) -> bool: ...
    @property
    def details(self) -> Mapping[str, str | bool | None]: ...


@dataclass(frozen=True, slots=True)
class Component:
    """One rate of a ledger's tax code: on the net, on the taxes of the code before it, or on both."""

    rate_id: str
    percent: Decimal
    on_net: bool = True
    on_tax: bool = False


def source_rate(rules: Sequence[TaxRule]) -> Decimal:
    """All taxes of one region and category as one fraction. A compounded tax applies on the net and on every tax
    before it; the plain ones come first (Autotask developer help, Taxes: isCompounded)."""
    total = sum((rule.rate for rule in rules if not rule.compounded), Decimal(0))
    for rule in rules:
        if rule.compounded:
            total += (1 + total) * rule.rate
    return total


def rules_for(rules: Iterable[TaxRule], region: str, category: str | None) -> tuple[TaxRule, ...]:
    return tuple(rule for rule in rules if rule.region == region and rule.category == category)


def percent_of(code: TaxCode) -> Decimal | None:
    """The percent a sale under the code bears; None where the ledger names none (nothing to estimate from)."""
    rate = code.details.get("rate")
    return None if rate in (None, "") else Decimal(str(rate))


def components(code: TaxCode) -> tuple[Component, ...]:
    """The code's rates in the ledger's order. A code without known components is one rate of its own."""
    text = code.details.get("components")
    if not isinstance(text, str) or not text:
        percent = percent_of(code)
        return (Component(f"code:{code.id}", percent),) if percent else ()
    found = []
    for part in text.split():
        rate_id, _, percent_text = part.rpartition("=")
        percent = Decimal(percent_text.rstrip("+*"))
        alone, both = percent_text.endswith("*"), percent_text.endswith("+")
        found.append(Component(rate_id, percent, on_net=not alone, on_tax=alone or both))
    return tuple(found)


def ledger_tax(nets: Sequence[tuple[TaxCode, Decimal]], currency: str, *, per_line: bool = False) -> Decimal:
    """The tax a ledger computes: per rate over the whole document, each rounded once. Two rates on one document
    never mix (100.00 at 2 % and 100.00 at 3 % are 5.00). `per_line`: the tax of each line is rounded, then added up
    (Xero, "Rounding in Xero")."""
    if per_line:
        return sum((round_money(sum(by_rate([one]).values(), Decimal(0)), currency) for one in nets), Decimal(0))
    return sum((round_money(amount, currency) for amount in by_rate(nets).values()), Decimal(0))


def by_rate(nets: Sequence[tuple[TaxCode, Decimal]]) -> dict[str, Decimal]:
    """Rate id → unrounded tax. Codes that share a rate (a federal tax in two codes) are one figure."""
    found: dict[str, Decimal] = {}
    for code, net in nets:
        so_far = Decimal(0)
        for part in components(code):
            basis = (net if part.on_net else Decimal(0)) + (so_far if part.on_tax else Decimal(0))
            tax = basis * part.percent / 100
            found[part.rate_id] = found.get(part.rate_id, Decimal(0)) + tax
            so_far += tax
    return found
