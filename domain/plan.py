"""The plan of one document: a draft to post with what must be created first, or the reasons why not. Pure.

`plan` is the only place that decides. Preview, Check Ready, first posting and Sync Now all call it with the same
arguments: the source document, the company's settings, what the lists hold, and facts about the ledger company.
All reasons are collected, not only the first, in the order of the check stages.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from domain.arrival import arrival
from domain.corrected import corrected_numbers
from domain.currencies import currency_reason, rate_to_send
from domain.customers import choose_customer
from domain.dates import Dating, date_document
from domain.documents import Draft, ItemDraft, PartyDraft, Reference, SourceDocument, SourceHeader
from domain.drafts import build_lines, source_difference
from domain.grouping import join_lines
from domain.known import Facts, Lists
from domain.memos import customer_memo, private_note
from domain.money import plain, round_money
from domain.pennies import rounding_limit
from domain.placing import Place, place_lines
from domain.reasons import Reason, Turn, reason
from domain.reissues import bills_again, objection
from domain.rounding import Remainder, RoundingLine, beside_lines, round_off
from domain.settings import BillTo, InitialStatus, InvoiceSettings, Numbering, ZeroTotal
from domain.stages import bill_to_reason, in_order
from domain.subcustomers import bill_below
from domain.taxes import TaxResult, TaxRules, booked_tax, choose_tax, exemption
from domain.themes import choose_theme
from domain.tracking import Tracked, track


@dataclass(frozen=True, slots=True)
class Plan:
    """What would happen to one document. With `draft`, `reasons` is empty."""

    document: SourceDocument
    draft: Draft | None
    creations: tuple[PartyDraft | ItemDraft, ...]
    reasons: tuple[Reason, ...]

    @property
    def turn(self) -> Turn | None:
        """None: can be posted. A skip outranks a fault, a fault outranks waiting."""
        turns = {r.turn for r in self.reasons}
        return next((t for t in (Turn.SKIP, Turn.FAULT, Turn.WAIT) if t in turns), None)


def marker(*identity: str) -> str:
    """The proof in a ledger document that it is ours: the same for every generation of one source document."""
    digest = hashlib.sha256("|".join(identity).encode()).digest()
    return "ref:" + base64.b32encode(digest)[:8].decode()


def effective_number(header: SourceHeader, settings: InvoiceSettings) -> str | None:
    """The number the ledger document carries; None when the ledger numbers."""
    if settings.numbering is Numbering.LEDGER:
        return None
    if settings.numbering is Numbering.SOURCE_ID:
        return f"{settings.number_prefix}{header.id}"
    return header.number or header.id


def plan(
    document: SourceDocument, settings: InvoiceSettings, lists: Lists, facts: Facts, *, marker: str
) -> Plan:
    """Decide what happens to one document. Equal arguments give an equal plan."""
    header = document.header
    skip = _skip_reason(document, settings)
    if skip is not None:
        return Plan(document, None, (), (skip,))
    reasons = _billed_again(document, settings, lists)
    currency = _currency(header, lists, facts)
    reasons += filter(None, (source_reason(document, currency), currency_reason(lists, facts)))
    customer, new_customer = choose_customer(header, currency, settings, lists, facts, reasons)
    customer, new_customers = _sub_customer(document, customer, new_customer, currency, settings, lists, facts, reasons)
    bill_to = bill_to_reason(document, lists.parties) if settings.bill_to is BillTo.CHECK else None
    reasons += [bill_to] if bill_to is not None else []
    number = _number(header, settings, lists, facts, reasons)
    places, new_items = place_lines(document, settings, lists, facts, reasons)
    tracked = track(document, settings, lists, facts, reasons)
    theme = choose_theme(header, settings, lists, facts, reasons)
    tax_rules = _tax_rules(settings, lists, facts)
    reasons += _exempt_on_one_side(document, customer, lists, tax_rules)
    tax = choose_tax(document, currency, tax_rules, lists.parties.get(header.party_id or ""))
    reasons += tax.reasons
    dating = date_document(header, settings, lists, facts)
    if isinstance(dating, Reason):
        reasons.append(dating)
        dating = Dating(header.document_date, None, None)
    # Without a customer the draft is thrown away, but what its lines lack is told as well.
    customer = customer or Reference("customer", header.party_id or "", "")
    creations: list[PartyDraft | ItemDraft] = [*new_customers, *new_items]
    draft = _draft(
        document, settings, lists, facts, customer, number, dating, places, tracked, tax, currency, marker,
        reasons, creations,
    )
    if reasons or draft is None:
        return Plan(document, None, (), in_order(reasons))
    return Plan(document, replace(draft, theme=theme), tuple(creations), ())


def _sub_customer(
    document: SourceDocument, customer: Reference | None, new: PartyDraft | None, currency: str,
    settings: InvoiceSettings, lists: Lists, facts: Facts, reasons: list[Reason],
) -> tuple[Reference | None, list[PartyDraft]]:
    """Whom the document goes to in the end, and the customers to create, a parent before what stands under it."""
    creations = [new] if new is not None else []
    below = bill_below(document, customer, currency, settings, lists, facts) if customer is not None else None
    if below is None:
        return customer, creations
    if isinstance(below, Reason):
        reasons.append(below)
        return customer, creations
    return below[0], [*creations, below[1]] if below[1] is not None else creations


def source_reason(document: SourceDocument, currency: str) -> Reason | None:
    """Do the source's own figures agree, within what rounding per line can explain? (R09)"""
    header = document.header
    if not document.lines:
        return reason("no_lines")
    difference = source_difference(document)
    if abs(difference) <= rounding_limit(currency, len(document.lines)):
        return None
    return reason(
        "source_mismatch",
        found=plain(header.total + difference, currency),
        total=plain(header.total, currency),
        difference=plain(difference, currency),
    )


def _skip_reason(document: SourceDocument, settings: InvoiceSettings) -> Reason | None:
    header = document.header
    if header.voided:
        return reason("voided_in_source")
    if header.total == 0 and settings.zero_total is ZeroTotal.SKIP:
        amounts = [line.extended_price for line in document.lines if line.extended_price != 0]
        if not amounts:
            return reason("zero_total")
        shown = ", ".join(f"{amount:,.2f}" for amount in amounts[:4]) + (", …" if len(amounts) > 4 else "")
        return reason("zero_total_cancels", amounts=shown)
    return None


def _tax_rules(settings: InvoiceSettings, lists: Lists, facts: Facts) -> TaxRules:
    return TaxRules(
        settings.tax_source, facts.tax_model, settings.tax_map, lists.tax_codes, lists.catalog.taxes,
        settings.untaxed_code, facts.tax_per_line,
    )


def _currency(header: SourceHeader, lists: Lists, facts: Facts) -> str:
    party = lists.parties.get(header.party_id or "")
    return (party.currency if party else None) or facts.currency


def _exempt_on_one_side(
    document: SourceDocument, customer: Reference | None, lists: Lists, tax_rules: TaxRules
) -> list[Reason]:
    party = lists.parties.get(document.header.party_id or "")
    entry = lists.customers.get((customer.ledger_id if customer else None) or "")
    if party is None or entry is None:
        return []
    found = exemption(document, party, entry.details.get("taxable"), entry.name, tax_rules)
    return [found] if found else []


def _billed_again(document: SourceDocument, settings: InvoiceSettings, lists: Lists) -> list[Reason]:
    header = document.header
    found = bills_again(document, lists.voided.get(header.party_id or "", ()), settings.void_window_days)
    if found is None or header.id in lists.answered:
        return []
    why = objection(found[0], same_items=found[1])
    return [why] if why is not None else []


# ---- number ---------------------------------------------------------------------------------------


def _number(
    header: SourceHeader, settings: InvoiceSettings, lists: Lists, facts: Facts, reasons: list[Reason]
) -> str | None:
    number = effective_number(header, settings)
    if facts.own_numbers is (settings.numbering is Numbering.LEDGER):
        reasons.append(reason("numbering_contradicted"))
    if number is None:
        return None
    if len(number) > facts.number_length:
        reasons.append(reason("number_too_long", number=number, length=len(number), limit=facts.number_length))
    other = lists.numbers.get(number)
    if other is not None and other != header.id:
        reasons.append(reason("number_repeats", number=number, other=other))
    return number


# ---- the draft ----------------------------------------------------------------------------------------------


def _draft(
    document: SourceDocument, settings: InvoiceSettings, lists: Lists, facts: Facts, customer: Reference,
    number: str | None, dating: Dating, places: Sequence[Place | None], tracked: Tracked, tax: TaxResult, currency: str,
    marker: str, reasons: list[Reason], creations: list[PartyDraft | ItemDraft],
) -> Draft | None:
    header = document.header
    sign = Decimal(-1 if header.total < 0 else 1)
    joined = join_lines(document, places, tax.codes, settings.line_detail, tracked.classes)
    lines, notes, problems = build_lines(
        joined.document, sign, currency, joined.places, joined.tax_codes, settings.blank_text,
        decimals=facts.quantity_decimals, text_limit=facts.line_text_length, latin1_only=facts.latin1_only,
        parties=lists.parties, classes=joined.classes, longest_months=settings.long_service_months,
        negative_quantities=facts.negative_quantities,
    )
    reasons += problems
    if reasons:
        return None
    taxed = any(line.taxed for line in lines)
    if taxed and len(lines) > facts.taxed_lines:
        reasons.append(reason("too_many_taxed_lines", lines=len(lines), limit=facts.taxed_lines))
    tax_total = booked_tax(tax, lines, lists.tax_codes, sign, currency, per_line=facts.tax_per_line)
    total = round_money(header.total * sign, currency)
    credit = header.total < 0
    status, later = arrival(settings.initial_status, facts, draft_first=number is None)
    found = sum((line.amount for line in lines), Decimal(0)) + tax_total
    left = Remainder(found, total, currency, len(lines), tax.ledger_taxed)
    beside = beside_lines(left, settings, facts) if status != InitialStatus.DRAFT and not credit else Decimal(0)
    rounded = round_off(left, settings, lists, facts, tax) if found + beside != total else None
    if isinstance(rounded, Reason):
        reasons.append(rounded)
    if reasons or isinstance(rounded, Reason):
        return None
    if rounded is not None:
        lines.append(replace(rounded.line, tracked=lines[-1].tracked if lines else None))
        creations += [rounded.creation] if rounded.creation else []
    notes += _about_rounding(rounded, beside, currency)
    message, cut = customer_memo(header, settings, facts.customer_memo_length, latin1_only=facts.latin1_only)
    numbers = corrected_numbers(document, lists)
    corrects = f"corrects {', '.join(numbers)}" if numbers else ""
    notes += [f"It names {', '.join(numbers)} of the same customer as what it corrects."] if numbers else []
    rate, rated = rate_to_send(document, currency, settings, lists, facts)
    notes += [told for told in (cut, rated) if told]
    return Draft(
        kind="credit_memo" if credit else "invoice", party=customer, number=number, date=dating.date,
        due_date=dating.due_date, term=dating.term, moved_from=dating.moved_from,
        currency=currency, lines=tuple(lines), tax_total=tax_total, send_tax=tax.send_amount, total=total,
        memo=private_note(header, ", ".join(filter(None, (dating.remark, corrects)))), message=message, marker=marker,
        rounded=rounded.line.amount if rounded else beside, rounding=beside, order_number=header.order_number or "",
        status=status, promote_to=later, mark_sent=settings.mark_sent,
        default_lines=sum(1 for place in places if place is not None and place.by_default),
        tax_choice=settings.tax_source, tax_group=tax.group, notes=(*dating.notes, *notes), rate=rate,
        foreign=currency != facts.currency, location=tracked.location,
        tax_rows=tuple(replace(row, net=row.net * sign, tax=row.tax * sign) for row in tax.rows),
        tax_estimate=None if tax.estimate is None else round_money(tax.estimate * sign, currency),
    )


def _about_rounding(rounded: RoundingLine | None, beside: Decimal, currency: str) -> list[str]:
    if rounded is not None:
        return [f"A rounding line of {plain(rounded.line.amount, currency)} makes the total Autotask's."]
    if beside:
        return [f"A rounding of {plain(beside, currency)} beside the lines makes the total Autotask's."]
    return []
