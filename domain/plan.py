"""The plan of one document: a draft to post with what must be created first, or the reasons why not. Pure.

`plan` is the only place that decides. Preview, Check Ready, first posting and Sync Now all call it with the same
arguments: the source document, the company's settings, what the lists hold, and facts about the ledger company.
All reasons are collected, not only the first, in the order of the check stages.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from domain.documents import (
    Catalog,
    Code,
    Draft,
    ItemDraft,
    Party,
    PartyDraft,
    Reference,
    SourceDocument,
    SourceHeader,
)
from domain.drafts import build_lines, source_difference
from domain.matching import fold, ledger_name, loose
from domain.money import plain, round_money
from domain.pennies import rounding_limit
from domain.reasons import Reason, Turn, reason
from domain.settings import InvoiceSettings, MatchBy, MissingItem, Numbering, ZeroTotal
from domain.taxes import TaxModel, TaxResult, choose_tax

CREATE_NEW = "new"
"""A link that says: a person decided that this party is not one of the ledger's customers."""
UNUSABLE_ITEM_TYPES = frozenset({"Category", "Group"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a ledger list as rules see it (details by kind: see the ledger port's `Record`)."""

    id: str
    name: str
    active: bool
    details: Mapping[str, str | bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """The ledger company and what its connector can do."""

    ledger: str
    currency: str
    country: str
    multi_currency: bool
    tax_model: TaxModel
    own_numbers: bool
    closed_through: date | None
    latin1_only: bool
    number_length: int
    party_name_length: int
    item_name_length: int
    line_text_length: int
    quantity_decimals: int
    taxed_lines: int


@dataclass(frozen=True, slots=True)
class Lists:
    """What planning may look up, prefetched for the documents at hand. Keys of `*_by_name` are folded names."""

    parties: Mapping[str, Party] = field(default_factory=dict)
    catalog: Catalog = field(default_factory=Catalog)
    links: Mapping[tuple[str, str], str] = field(default_factory=dict)
    customers: Mapping[str, Entry] = field(default_factory=dict)
    customers_by_name: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    customers_by_loose: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    vendors_by_name: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    items: Mapping[str, Entry] = field(default_factory=dict)
    items_by_name: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    terms_by_name: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    tax_codes: Mapping[str, Entry] = field(default_factory=dict)
    tax_codes_by_name: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    twins: frozenset[str] = frozenset()
    """Folded names that more than one source party bears."""
    look_alikes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Source party id → names of other source parties that are similar to its own."""
    numbers: Mapping[str, str] = field(default_factory=dict)
    """Effective number → the lowest source id among documents that bear it."""


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


def effective_number(header: SourceHeader, numbering: Numbering) -> str | None:
    """The number the ledger document carries; None when the ledger numbers."""
    if numbering is Numbering.LEDGER:
        return None
    if numbering is Numbering.SOURCE_ID or not header.number:
        return header.id
    return header.number


def plan(
    document: SourceDocument, settings: InvoiceSettings, lists: Lists, facts: Facts, *, marker: str
) -> Plan:
    """Decide what happens to one document. Equal arguments give an equal plan."""
    header = document.header
    skip = _skip_reason(document, settings)
    if skip is not None:
        return Plan(document, None, (), (skip,))
    reasons: list[Reason] = []
    currency = _currency(header, lists, facts)
    mismatch = source_reason(document, currency)
    if mismatch is not None:
        reasons.append(mismatch)
    customer, new_customer = _customer(header, currency, lists, facts, reasons)
    number = _number(header, settings, lists, facts, reasons)
    items, new_items = _items(document, settings, lists, facts, reasons)
    tax = choose_tax(
        document, facts.tax_model, currency,
        codes=lists.tax_codes, codes_by_name=lists.tax_codes_by_name, rules=lists.catalog.taxes,
        untaxed_code=settings.untaxed_code,
    )
    reasons += tax.reasons
    if facts.closed_through is not None and header.document_date <= facts.closed_through:
        reasons.append(reason("closed_period", date=header.document_date, closed=facts.closed_through))
    # Without a customer the draft is thrown away, but what its lines lack is told as well.
    customer = customer or Reference("customer", header.party_id or "", "")
    draft = _draft(document, settings, lists, facts, customer, number, items, tax, currency, marker, reasons)
    if reasons or draft is None:
        return Plan(document, None, (), tuple(reasons))
    creations: tuple[PartyDraft | ItemDraft, ...] = (*([new_customer] if new_customer else []), *new_items)
    return Plan(document, draft, creations, ())


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


def _currency(header: SourceHeader, lists: Lists, facts: Facts) -> str:
    party = lists.parties.get(header.party_id or "")
    return (party.currency if party else None) or facts.currency


# ---- customer -----------------------------------------------------------------------------------------------


def _customer(
    header: SourceHeader, currency: str, lists: Lists, facts: Facts, reasons: list[Reason]
) -> tuple[Reference | None, PartyDraft | None]:
    if not header.party_id:
        reasons.append(reason("no_customer"))
        return None, None
    party = lists.parties.get(header.party_id)
    if party is None:
        reasons.append(reason("customer_unreadable", party=header.party_id))
        return None, None
    name = ledger_name(party.name, facts.party_name_length, latin1_only=facts.latin1_only)
    entry = _existing_customer(party, name, lists, reasons)
    if entry is None and not _is_new(party, name, lists, reasons):
        return None, None
    if not facts.multi_currency and currency != facts.currency:
        reasons.append(reason("customer_currency", name=party.name, document=currency, ledger=facts.currency))
        return None, None
    if entry is not None:
        kept_in = entry.details.get("currency")
        if facts.multi_currency and kept_in and kept_in != currency:
            reasons.append(reason("customer_currency", name=entry.name, document=currency, ledger=kept_in))
            return None, None
        exempt = entry.details.get("taxable") is False and facts.tax_model is TaxModel.EXPLICIT_TOTAL
        if exempt and header.tax_total != 0:
            reasons.append(reason("customer_exempt_there", name=entry.name))
        return Reference("customer", party.id, entry.name, entry.id), None
    draft = PartyDraft(
        key=party.id, name=name, email=party.email, phone=party.phone, address=party.address,
        term=_term(header, lists), currency=currency if facts.multi_currency else None, tax_exempt=party.tax_exempt,
    )
    return Reference("customer", party.id, name), draft


def _existing_customer(party: Party, name: str, lists: Lists, reasons: list[Reason]) -> Entry | None:
    linked = lists.links.get(("customer", party.id))
    if linked == CREATE_NEW:
        return None
    if linked is not None:
        entry = lists.customers.get(linked)
        if entry is None:
            reasons.append(reason("link_gone", name=party.name, ledger_id=linked))
        elif not entry.active:
            reasons.append(reason("customer_inactive", name=entry.name))
            return None
        return entry
    if fold(party.name) in lists.twins:
        reasons.append(reason("customer_twice_in_source", name=party.name, other=party.name))
        return None
    found = lists.customers_by_name.get(fold(name), ())
    active = [entry for entry in found if entry.active]
    if len(active) > 1:
        reasons.append(reason("customer_twice_in_ledger", name=party.name))
        return None
    if not active and found:
        reasons.append(reason("customer_inactive", name=party.name))
        return None
    return active[0] if active else None


def _is_new(party: Party, name: str, lists: Lists, reasons: list[Reason]) -> bool:
    """True when nothing of that name or similar exists; else the reason was added (here or by the caller before)."""
    decided = lists.links.get(("customer", party.id))
    if decided == CREATE_NEW and not lists.customers_by_name.get(fold(name)):
        return True
    if decided not in (None, CREATE_NEW) or fold(party.name) in lists.twins:
        return False
    if lists.customers_by_name.get(fold(name)):
        if decided == CREATE_NEW:
            reasons.append(reason("customer_twice_in_ledger", name=party.name))
        return False
    if any(entry.active for entry in lists.vendors_by_name.get(fold(name), ())):
        reasons.append(reason("customer_is_vendor", name=party.name))
        return False
    others = lists.look_alikes.get(party.id, ())
    if others and decided != CREATE_NEW:
        reasons.append(reason("customer_twice_in_source", name=party.name, other="” and “".join(others[:3])))
        return False
    similar = [entry.name for entry in lists.customers_by_loose.get(loose(name), ()) if entry.active]
    if similar:
        shown = "” or “".join(similar[:3])
        reasons.append(reason("customer_similar", name=party.name, candidates=shown))
        return False
    return True


def _term(header: SourceHeader, lists: Lists) -> Reference | None:
    term = lists.catalog.terms.get(header.term_id or "")
    if term is None:
        return None
    found = [entry for entry in lists.terms_by_name.get(fold(term.name), ()) if entry.active]
    return Reference("term", term.id, found[0].name, found[0].id) if found else None


# ---- number and items ---------------------------------------------------------------------------------------


def _number(
    header: SourceHeader, settings: InvoiceSettings, lists: Lists, facts: Facts, reasons: list[Reason]
) -> str | None:
    number = effective_number(header, settings.numbering)
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


def _items(
    document: SourceDocument, settings: InvoiceSettings, lists: Lists, facts: Facts, reasons: list[Reason]
) -> tuple[dict[str, Reference], tuple[ItemDraft, ...]]:
    """Item references by billing code id, and the items to create. Each problem is told once per item."""
    chosen: dict[str, Reference] = {}
    created: dict[str, ItemDraft] = {}
    told: set[str] = set()
    for number, line in enumerate(document.lines, 1):
        code = lists.catalog.codes.get(line.code_id or "")
        if code is None:
            if line.code_id not in told:
                told.add(line.code_id or "")
                reasons.append(reason("no_billing_code", line=number, text=line.text[:60] or line.name[:60]))
            continue
        if code.id in chosen or code.id in told:
            continue
        name = item_name(code, settings.match_by, facts)
        problem, entry = existing_item(code.id, name, lists)
        if entry is not None:
            chosen[code.id] = Reference("item", fold(name), entry.name, entry.id)
            continue
        if problem is None:
            problem = _may_create(name, settings)
        if problem is not None:
            told.add(code.id)
            if problem not in reasons:
                reasons.append(problem)
            continue
        chosen[code.id] = Reference("item", fold(name), name)
        account = Reference("account", settings.created_item_account or "", "", settings.created_item_account)
        description = ledger_name(code.name or name, facts.line_text_length, latin1_only=facts.latin1_only)
        created.setdefault(fold(name), ItemDraft(fold(name), name, description, account, code.number))
    return chosen, tuple(created.values())


def item_name(code: Code, match_by: MatchBy, facts: Facts) -> str:
    """The name a billing code's item bears: the chosen field; a blank External Number falls back to the name (R07)."""
    value = {MatchBy.NAME: code.name, MatchBy.ID: code.id, MatchBy.NUMBER: code.number or code.name}[match_by]
    return ledger_name(value, facts.item_name_length, latin1_only=facts.latin1_only)


def existing_item(code_id: str, name: str, lists: Lists) -> tuple[Reason | None, Entry | None]:
    linked = lists.links.get(("item", code_id))
    if linked is not None and linked in lists.items:
        found: tuple[Entry, ...] = (lists.items[linked],)
    else:
        found = lists.items_by_name.get(fold(name), ())
    active = [entry for entry in found if entry.active]
    if not active:
        return (reason("item_inactive", item=name), None) if found else (None, None)
    usable = [entry for entry in active if entry.details.get("type") not in UNUSABLE_ITEM_TYPES]
    if not usable:
        return reason("item_unusable", item=name, type=str(active[0].details.get("type")).lower()), None
    return None, usable[0]


def _may_create(name: str, settings: InvoiceSettings) -> Reason | None:
    if settings.missing_item is MissingItem.HOLD:
        return reason("item_missing", item=name)
    return None if settings.created_item_account else reason("no_item_account", item=name)


# ---- the draft ----------------------------------------------------------------------------------------------


def _draft(
    document: SourceDocument, settings: InvoiceSettings, lists: Lists, facts: Facts, customer: Reference,
    number: str | None, items: Mapping[str, Reference], tax: TaxResult, currency: str, marker: str,
    reasons: list[Reason],
) -> Draft | None:
    header = document.header
    sign = Decimal(-1 if header.total < 0 else 1)
    lines, notes, problems = build_lines(
        document, sign, currency, items, tax.codes, settings.blank_text,
        decimals=facts.quantity_decimals, text_limit=facts.line_text_length, latin1_only=facts.latin1_only,
        parties=lists.parties,
    )
    reasons += problems
    if reasons:
        return None
    taxed = any(line.taxed for line in lines)
    if taxed and len(lines) > facts.taxed_lines:
        reasons.append(reason("too_many_taxed_lines", lines=len(lines), limit=facts.taxed_lines))
    tax_total = round_money(header.tax_total * sign, currency)
    total = round_money(header.total * sign, currency)
    found = sum((line.amount for line in lines), Decimal(0)) + tax_total
    if found != total:
        reasons.append(reason(
            "remainder", found=plain(found, currency), total=plain(total, currency),
            difference=plain(total - found, currency),
        ))
    if reasons:
        return None
    credit = header.total < 0
    memo = f"Autotask invoice {header.number or header.id}"
    if header.order_number:
        memo += f", order {header.order_number}"
    return Draft(
        kind="credit_memo" if credit else "invoice", party=customer, number=number, date=header.document_date,
        due_date=None if credit else header.due_date, term=None if credit else _term(header, lists),
        currency=currency, lines=tuple(lines), tax_total=tax_total, send_tax=tax.send_amount, total=total,
        memo=memo, marker=marker, notes=tuple(notes),
    )
