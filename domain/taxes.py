"""Tax, chosen once: the source's, the ledger's, or none; and whether the ledger will end with the source's. Pure.

Net amounts are sent whatever is chosen. Where lines are taxable or not (US), the amount travels explicitly or the
ledger computes; where each line takes a code, the ledger always computes and its rate must give the source's tax
within the penny limit. Rules R13 to R25 of the accounting reference. Codes come from the tax map (`taxmap`) alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from domain.documents import Address, DraftLine, Party, Reference, SourceDocument, SourceLine, TaxRow, TaxRule
from domain.money import plain, round_money
from domain.pennies import rounding_limit
from domain.reasons import Reason, reason
from domain.settings import TaxSource
from domain.taxmap import EVERY_CATEGORY, TaxMap, Untaxed, renamed
from domain.taxrates import TaxCode, by_rate, components, ledger_tax, percent_of, rules_for, source_rate
from domain.taxsums import TAXED, UNTAXED

__all__ = ["TaxCode", "TaxModel", "TaxResult", "TaxRules", "booked_tax", "choose_tax", "exemption"]


class TaxModel(StrEnum):
    """How a ledger company treats sales tax."""

    NONE = "none"
    """Sales tax is switched off."""
    EXPLICIT_TOTAL = "explicit_total"
    """Lines are taxable or not; the document carries the amount (QuickBooks, US automated tax)."""
    GROUP_AND_TOTAL = "group_and_total"
    """As before, with one rate group for the document (QuickBooks, older US companies)."""
    CODE_PER_LINE = "code_per_line"
    """Each line carries a tax code and the ledger computes (elsewhere)."""
    NOT_SET_UP = "not_set_up"
    """Automated tax is present but was never set up: a taxed document cannot be posted."""


MARKED_LINES = (TaxModel.EXPLICIT_TOTAL, TaxModel.GROUP_AND_TOTAL)
"""Models in which a line, an item and a customer are taxable or not."""


@dataclass(frozen=True, slots=True)
class TaxRules:
    """What was chosen and what the lists hold. `codes` are the ledger's by id, inactive ones too."""

    source: TaxSource
    model: TaxModel
    tax_map: TaxMap
    codes: Mapping[str, TaxCode]
    rules: Sequence[TaxRule] = ()
    untaxed_code: str | None = None
    per_line: bool = False
    """The ledger rounds the tax of each line."""


@dataclass(frozen=True, slots=True)
class TaxResult:
    """`codes` has one entry per line (None where the ledger takes no code). Amounts have the source's sign.

    `expected` is what the ledger will book: the sum of lines and this is compared with the source's total.
    `ledger_taxed` counts lines whose tax the ledger computes (each may be half a cent off). `untaxed` is the code a
    line without tax takes, e.g. a rounding line. `estimate` is shown only.
    """

    codes: tuple[Reference | None, ...]
    send_amount: bool
    reasons: tuple[Reason, ...]
    expected: Decimal = Decimal(0)
    ledger_taxed: int = 0
    group: Reference | None = None
    untaxed: Reference | None = None
    estimate: Decimal | None = None
    rows: tuple[TaxRow, ...] = ()


def choose_tax(document: SourceDocument, currency: str, rules: TaxRules, party: Party | None = None) -> TaxResult:
    """Tax codes for the lines, whether the amount is sent, what the ledger will book, and what stands against it."""
    return replace(result := _choose(document, currency, rules, party), rows=_rows(document, currency, result, rules))


def booked_tax(
    result: TaxResult, lines: Sequence[DraftLine], codes: Mapping[str, TaxCode], sign: Decimal, currency: str, *,
    per_line: bool = False,
) -> Decimal:
    """The tax a draft of these lines ends with, in its own sign. Where the ledger computes from a rate, that is from
    the lines as they are sent: joined ones were rounded once, which may be a cent away from the sum of their parts."""
    group = codes.get(result.group.ledger_id or "") if result.group and not result.send_amount else None
    nets = [
        (code, line.amount) for line in lines
        if (code := group if group and line.taxed else _code_of(line, codes)) is not None
    ]
    return ledger_tax(nets, currency, per_line=per_line) if nets else round_money(result.expected * sign, currency)


def _code_of(line: DraftLine, codes: Mapping[str, TaxCode]) -> TaxCode | None:
    return codes.get(line.tax_code.ledger_id or "") if line.tax_code else None


def _choose(document: SourceDocument, currency: str, rules: TaxRules, party: Party | None) -> TaxResult:
    tax = document.header.tax_total
    none = (None,) * len(document.lines)
    if rules.source is TaxSource.NONE:
        charged = tax != 0 or any(line.tax for line in document.lines)
        problems = (reason("tax_none_charged", tax=plain(tax, currency)),) if charged else ()
        return TaxResult(none, rules.model in MARKED_LINES, problems)
    if rules.model is TaxModel.CODE_PER_LINE:
        return _by_code(document, currency, rules, party)
    if tax == 0 and not any(line.tax for line in document.lines):
        return TaxResult(none, rules.model in MARKED_LINES, ())
    problem = _stops(document, currency, rules.model)
    if problem is not None:
        return TaxResult(none, False, (problem,), tax)
    return _marked(document, currency, rules, party)


def exemption(
    document: SourceDocument, party: Party, ledger_taxable: object, name: str, rules: TaxRules
) -> Reason | None:
    """A customer exempt on one side only: the next invoice typed by hand would be wrong as well (R21).

    A region without any tax in the source is as good as an exemption there: both sides then charge nothing.
    """
    if rules.source is TaxSource.NONE or rules.model not in MARKED_LINES or not isinstance(ledger_taxable, bool):
        return None
    if party.tax_exempt and ledger_taxable:
        return reason("customer_exempt_here", name=name)
    region = document.header.tax_region
    taxes = document.header.tax_total != 0 or any(rule.rate for rule in rules.rules if rule.region == region)
    if not ledger_taxable and not party.tax_exempt and taxes:
        return reason("customer_exempt_there", name=name)
    return None


def _rows(document: SourceDocument, currency: str, result: TaxResult, rules: TaxRules) -> tuple[TaxRow, ...]:
    """The source's net and tax by code, for reports. The document's tax is the sum of its rows."""
    region = document.header.tax_region or "(no region)"
    found: dict[str, TaxRow] = {}
    for line, chosen in zip(document.lines, result.codes, strict=True):
        code_id = (chosen.ledger_id if chosen else None) or (TAXED if line.tax else UNTAXED)
        name = chosen.name if chosen else "Taxable" if line.tax else "Not taxable"
        row = found.get(code_id) or TaxRow(region, name, code_id, Decimal(0), Decimal(0), _rates(rules, chosen))
        net = round_money(line.extended_price, currency)
        found[code_id] = replace(row, net=row.net + net, tax=row.tax + line.tax)
    rows = [replace(row, tax=round_money(row.tax, currency)) for row in found.values()]
    rest = round_money(document.header.tax_total, currency) - sum((row.tax for row in rows), Decimal(0))
    if rest and rows:  # lines as the source rounds them need not add up to the tax it charged
        most = max(range(len(rows)), key=lambda place: abs(rows[place].tax))
        rows[most] = replace(rows[most], tax=rows[most].tax + rest)
    return tuple(rows)


def _rates(rules: TaxRules, chosen: Reference | None) -> tuple[str, ...]:
    code = rules.codes.get(chosen.ledger_id or "") if chosen else None
    return tuple(part.rate_id for part in components(code)) if code else ()


# ---- lines are taxable or not ---------------------------------------------------------------------------------


def _stops(document: SourceDocument, currency: str, model: TaxModel) -> Reason | None:
    shown = plain(document.header.tax_total, currency)
    if model is TaxModel.NONE:
        return reason("tax_off", tax=shown)
    if model is TaxModel.NOT_SET_UP:
        return reason("tax_not_set_up", tax=shown)
    return None if any(line.tax for line in document.lines) else reason("tax_without_line", tax=shown)


def _marked(document: SourceDocument, currency: str, rules: TaxRules, party: Party | None) -> TaxResult:
    """The amount is sent, or the ledger computes from one rate group or by itself (then the map's rate estimates)."""
    none, charged = (None,) * len(document.lines), document.header.tax_total
    needs_group = rules.model is TaxModel.GROUP_AND_TOTAL
    nets, problems = _mapped(document, rules, required=needs_group)
    groups = {code.id: code for code, _ in nets}
    if len(groups) > 1 and needs_group:
        problems.append(reason("tax_two_groups", groups="”, “".join(sorted(code.name for code in groups.values()))))
    group = _reference(next(iter(groups.values()))) if len(groups) == 1 else None
    taxed = [line for line in document.lines if line.tax]
    send = rules.source is TaxSource.SOURCE
    if problems or send:
        return TaxResult(none, send, tuple(problems), charged, group=group)
    known = len(nets) == len(taxed) and all(percent_of(code) is not None for code, _ in nets)
    computed = ledger_tax(nets, currency) if known else None
    if computed is not None:
        limit = rounding_limit(currency, len(document.lines), len(taxed))
        problems += _too_far(computed, document, nets, currency, limit, party, estimated=not needs_group)
    if needs_group and computed is not None:
        return TaxResult(none, False, tuple(problems), computed, len(taxed), group)
    return TaxResult(none, False, tuple(problems), charged, estimate=computed)


def _mapped(
    document: SourceDocument, rules: TaxRules, *, required: bool
) -> tuple[list[tuple[TaxCode, Decimal]], list[Reason]]:
    """(code, net) of the taxed lines that the map knows. Not `required`: an unmapped region is no problem."""
    nets: list[tuple[TaxCode, Decimal]] = []
    problems: list[Reason] = []
    for line in document.lines:
        if not line.tax:
            continue
        code, problem = _taxed_code(document, line, rules)
        if code is not None:
            nets.append((code, line.extended_price))
        elif problem is not None and problem not in problems and (required or problem.code != "tax_unmapped"):
            problems.append(problem)
    return nets, problems


# ---- a code on every line -------------------------------------------------------------------------------------


def _by_code(document: SourceDocument, currency: str, rules: TaxRules, party: Party | None) -> TaxResult:
    chosen: list[TaxCode | None] = []
    reasons: list[Reason] = []
    # Where no line says that it is taxed although the document is, all of them are taken for taxed and checked.
    all_taxed = document.header.tax_total != 0 and not any(line.tax for line in document.lines)
    for line in document.lines:
        if line.tax or all_taxed:
            code, problem = _taxed_code(document, line, rules)
        else:
            code, problem = _untaxed_code(document, line, currency, rules, party)
        chosen.append(code)
        if problem is not None and problem not in reasons:
            reasons.append(problem)
    spare, _ = _usable(rules.tax_map.untaxed(Untaxed.OUT_OF_SCOPE, rules.untaxed_code), rules, "", "")
    nets = [
        (code, round_money(line.extended_price, currency))
        for line, code in zip(document.lines, chosen, strict=True) if code is not None
    ]
    expected = ledger_tax(nets, currency, per_line=rules.per_line)
    taxed = sum(1 for code, _ in nets if percent_of(code))
    if not reasons:
        limit = rounding_limit(currency, len(document.lines), taxed)
        reasons += _too_far(expected, document, nets, currency, limit, party)
    return TaxResult(
        tuple(_reference(code) if code else None for code in chosen), False, tuple(reasons), expected, taxed,
        untaxed=_reference(spare) if spare else None,
    )


def _taxed_code(document: SourceDocument, line: SourceLine, rules: TaxRules) -> tuple[TaxCode | None, Reason | None]:
    header = document.header
    region = header.tax_region or "(none)"
    entry = rules.tax_map.find(region, header.tax_region_id, line.tax_category)
    if entry is None:
        return None, reason("tax_unmapped", region=region, category=line.tax_category or "every category")
    if renamed(entry, region):
        return None, reason("tax_region_renamed", region=region, before=entry.region)
    return _usable(entry.code, rules, region, entry.code_name)


def _usable(
    code_id: str | None, rules: TaxRules, region: str, name: str
) -> tuple[TaxCode | None, Reason | None]:
    """The code when it can be used now; a deleted code, an inactive one and an inactive rate are three reasons."""
    code = rules.codes.get(code_id or "")
    if code is None:
        return None, reason("tax_code_gone", region=region, code=name or code_id or "")
    if not code.active:
        return None, reason("tax_code_inactive", region=region, code=code.name)
    if code.details.get("rate_active") is False:
        return None, reason("tax_rate_inactive", region=region, code=code.name)
    return code, None


def _untaxed_code(
    document: SourceDocument, line: SourceLine, currency: str, rules: TaxRules, party: Party | None
) -> tuple[TaxCode | None, Reason | None]:
    """The code of a line on which the source charged nothing: the map's own for its region, else by why (R20)."""
    header = document.header
    region = header.tax_region or ""
    taxes = rules_for(rules.rules, region, line.tax_category)
    exempt = party is not None and party.tax_exempt
    entry = None if exempt else rules.tax_map.find(region, header.tax_region_id, line.tax_category)
    if entry is not None and not renamed(entry, region):
        code, problem = _usable(entry.code, rules, region, entry.code_name)
        # A line too small to bear tax keeps the code of its category; a free one must not get a taxed code.
        small = round_money(line.extended_price * source_rate(taxes), currency) == 0
        if code is None and entry.category != EVERY_CATEGORY:
            return None, problem
        if code is not None and (not percent_of(code) or (taxes and small)):
            return code, None
    free = bool(taxes) and source_rate(taxes) == 0
    kind = Untaxed.EXEMPT if exempt else Untaxed.ZERO_RATED if free else Untaxed.OUT_OF_SCOPE
    chosen = rules.tax_map.untaxed(kind, rules.untaxed_code)
    if chosen is None:
        return None, reason("untaxed_code_missing", kind=str(kind))
    return _usable(chosen, rules, f"({kind})", "")


# ---- the ledger's tax against the source's --------------------------------------------------------------------


def _too_far(
    computed: Decimal, document: SourceDocument, nets: Sequence[tuple[TaxCode, Decimal]], currency: str,
    limit: Decimal, party: Party | None, *, estimated: bool = False,
) -> list[Reason]:
    """More than rounding can explain: both figures, the rates, and the address where only the ledger knows."""
    charged = document.header.tax_total
    if abs(computed - charged) <= limit:
        return []
    percents = dict.fromkeys(f"{code.name} {_percent(code)}" for code, _ in nets if by_rate([(code, Decimal(1))]))
    values = {
        "ledger": plain(computed, currency), "source": plain(charged, currency),
        "difference": plain(charged - computed, currency), "limit": plain(limit, currency),
        "rates": ", ".join(percents) or "no rate",
    }
    if estimated:
        return [reason("tax_estimate_differs", **values, address=_place(party.address if party else Address()))]
    return [reason("tax_differs", **values)]


def _percent(code: TaxCode) -> str:
    percent = percent_of(code)
    return "" if percent is None else f"{percent.normalize():f} %"


def _place(address: Address) -> str:
    parts = (address.line1, address.city, address.region, address.postal_code, address.country)
    return ", ".join(part for part in parts if part) or "no address"


def _reference(code: TaxCode) -> Reference:
    return Reference("tax_code", code.id, code.name, code.id)
