"""The plan of one purchase order, or of one bill of it: a draft with what must be created first, or the reasons why
not. Pure (R70 to R82).

What an order becomes is the vendor's choice, else the company's. A bill on receipt is planned once per part
(`domain.order_parts`); `SourceDocument.part` says which. Equal arguments give an equal plan.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from domain.accounts import usable_account
from domain.arrival import arrival
from domain.currencies import currency_reason
from domain.customers import CREATE_NEW
from domain.dates import find_term, first_open_day
from domain.documents import (
    Draft,
    DraftLine,
    ItemDraft,
    OrderedLine,
    PartyDraft,
    Reference,
    SourceDocument,
)
from domain.drafts import build_lines
from domain.formats import format_long_day
from domain.goods import EXPENSE_TYPES, place_goods
from domain.known import Entry, Facts, Lists
from domain.matching import fit_repertoire, fold, ledger_name
from domain.money import plain, round_money
from domain.order_documents import OrderHead, OrderStatus
from domain.order_parts import LedgerOrder, OrderHistory, Part, lines_of, parts_of
from domain.order_settings import Becomes, Freight, OrderNumbers, OrderSettings, VendorNumber
from domain.plan import Plan
from domain.reasons import Reason, reason
from domain.settings import BlankText, ClosedPeriod
from domain.stages import in_order
from domain.vendors import choose_vendor, vendor_currency

BILL, ORDER = "bill", "purchase_order"
PAYABLE_TYPES = ("Accounts Payable",)
FREIGHT = "freight"


@dataclass(frozen=True, slots=True)
class _Scope:
    """What one plan is about."""

    document: SourceDocument
    head: OrderHead
    becomes: Becomes
    history: OrderHistory
    part: Part | None

    @property
    def kind(self) -> str:
        if self.part is not None or self.becomes is Becomes.BILL:
            return BILL
        return ORDER


def becomes_of(party_id: str | None, settings: OrderSettings) -> Becomes | None:
    """What orders of this vendor become; None: nobody chose yet."""
    rule = settings.rule(party_id)
    return (rule.becomes if rule is not None else None) or settings.becomes


def billed_on_receipt(party_id: str | None, settings: OrderSettings) -> bool:
    return becomes_of(party_id, settings) in (Becomes.ON_RECEIPT, Becomes.ORDER_AND_BILLS)


def plan_order(
    document: SourceDocument, settings: OrderSettings, lists: Lists, facts: Facts, *, marker: str
) -> Plan:
    """Decide what happens to an order, or to the bill of one of its parts."""
    stop = _out_of_scope(document)
    if stop is not None:
        return Plan(document, None, (), (stop,))
    becomes = becomes_of(document.header.party_id, settings)
    if becomes is None:
        party = lists.parties.get(document.header.party_id or "")
        return Plan(document, None, (), (reason("becomes_missing", name=party.name if party else "this vendor"),))
    scope = _scope(document, becomes, lists)
    if isinstance(scope, Reason):
        return Plan(document, None, (), (scope,))
    reasons: list[Reason] = [*_plan_of_the_ledger(scope, settings, facts), *_billed_too_much(scope)]
    notes: list[str] = []
    creations: list[PartyDraft | ItemDraft] = []
    draft = _draft(scope, settings, lists, facts, marker, reasons, notes, creations)
    if reasons or draft is None:
        return Plan(document, None, (), in_order(reasons))
    return Plan(document, draft, tuple(creations), ())


# ---- scope ------------------------------------------------------------------------------------------------


def _out_of_scope(document: SourceDocument) -> Reason | None:
    head = document.header.order
    if head is None or head.status in (OrderStatus.NEW, OrderStatus.OTHER):
        return reason("order_not_submitted", status=head.status.value if head else "unknown")
    if document.header.voided or head.status is OrderStatus.CANCELLED:
        return reason("order_cancelled")
    if not document.lines:
        return reason("order_empty")
    if not any(line.quantity for line in document.lines):
        return reason("order_of_nothing")
    if not any(line.extended_price for line in document.lines) and not head.freight:
        return reason("order_zero")
    return None


def _scope(document: SourceDocument, becomes: Becomes, lists: Lists) -> _Scope | Reason:
    head = document.header.order
    if head is None:
        raise ValueError(f"{document.header.kind} {document.header.id} is not an order")
    history = lists.history.get((document.header.id, document.part), OrderHistory())
    if not document.part:
        if becomes is Becomes.ON_RECEIPT:
            return reason("waits_for_receipt", status=head.status.value)
        return _Scope(document, head, becomes, history, None)
    part = next((each for each in parts_of(document) if each.key == document.part), None)
    if part is None:
        return reason("part_taken_back", part=document.part)
    return _Scope(document, head, becomes, history, part)


def _plan_of_the_ledger(scope: _Scope, settings: OrderSettings, facts: Facts) -> list[Reason]:
    if scope.kind == BILL:
        return [] if facts.bills else [reason("no_bills")]
    if not facts.purchase_orders:
        return [reason("no_purchase_orders")]
    if facts.own_order_numbers is (settings.numbers is OrderNumbers.LEDGER):
        return [reason("order_numbering_contradicted")]
    return []


def _billed_too_much(scope: _Scope) -> list[Reason]:
    """Billed never exceeds received (R75)."""
    if scope.part is None:
        return []
    received = {line.id: line.goods.received if line.goods else Decimal(0) for line in scope.document.lines}
    names = {line.id: line.name or line.text[:60] for line in scope.document.lines}
    for line_id, quantity in scope.part.quantities.items():
        billed = scope.history.billed.get(line_id, Decimal(0))
        if billed + quantity > received[line_id]:
            return [reason(
                "billed_above_received", item=names[line_id], billed=_count(billed + quantity),
                received=_count(received[line_id]),
            )]
    return []


def _count(value: Decimal) -> str:
    return f"{value.normalize():f}"


# ---- the draft ----------------------------------------------------------------------------------------------


def _draft(
    scope: _Scope, settings: OrderSettings, lists: Lists, facts: Facts, marker: str, reasons: list[Reason],
    notes: list[str], creations: list[PartyDraft | ItemDraft],
) -> Draft | None:
    header = scope.document.header
    party = lists.parties.get(header.party_id or "")
    vendor, new_vendor, entry = choose_vendor(party, header.party_id, settings, lists, facts, reasons, notes)
    currency, at_one, why = facts.currency, False, None
    if party is not None:
        currency, at_one, why = vendor_currency(party, entry, settings, lists, facts)
    reasons += filter(None, (why, currency_reason(lists, facts)))
    number = _number(scope, settings, facts, reasons)
    payable = _payable(scope.kind, settings, currency, lists, facts, reasons)
    tax_code = _tax_code(header.party_id, settings, lists, facts, reasons)
    lines, new_items = _lines(scope, settings, lists, facts, currency, tax_code, reasons, notes)
    dated = _dated(scope, settings, facts, reasons, notes)
    if reasons or vendor is None:
        return None
    total = sum((line.amount for line in lines), Decimal(0))
    if total < 0:
        reasons.append(reason("order_negative", total=plain(total, currency), currency=currency))
        return None
    creations += [*([new_vendor] if new_vendor else []), *new_items]
    if tax_code is not None and len(lines) > facts.taxed_lines:
        reasons.append(reason("too_many_taxed_lines", lines=len(lines), limit=facts.taxed_lines))
        return None
    if at_one:
        notes.append(f"Confirmed for this vendor: the amount is booked in {currency} at a rate of 1.")
    # The ledger keeps no bill's number unique, so none is approved before it is certainly there.
    status, later = arrival(settings.initial_status, facts, draft_first=scope.kind == BILL or number is None)
    memo = ", ".join(filter(None, (f"Autotask order {header.number or header.id}", dated.remark)))
    text = fit_repertoire((header.comments or "").strip(), latin1_only=facts.latin1_only)
    return Draft(
        kind=scope.kind, party=vendor, number=number, date=dated.date, due_date=_due(scope, dated.date, lists, facts),
        term=_term(scope, settings, lists), currency=currency, lines=tuple(lines), tax_total=Decimal(0),
        send_tax=False, total=total, memo=memo, marker=marker,
        message=text[: facts.customer_memo_length] if scope.kind == ORDER else "", tax_choice="none",
        moved_from=dated.moved_from, location=_chosen("location", settings.location, lists.locations),
        foreign=currency != facts.currency, rate=Decimal(1) if at_one else None, notes=tuple(notes), payable=payable,
        status=status, promote_to=later,
        ship_to=scope.head.ship_to if scope.kind == ORDER else (),
    )


def _number(scope: _Scope, settings: OrderSettings, facts: Facts, reasons: list[Reason]) -> str | None:
    """A bill's number is the vendor's, else the order's, else none (R72); an order's as chosen."""
    header = scope.document.header
    if scope.kind == ORDER:
        number = None if settings.numbers is OrderNumbers.LEDGER else header.number or header.id
        limit = facts.number_length
    else:
        theirs = scope.part.number if scope.part is not None else scope.head.vendor_invoice
        number = (theirs or "").strip() or _own_number(scope, settings)
        limit = facts.bill_number_length
    if number is not None and len(number) > limit:
        reasons.append(reason("order_number_too_long", number=number, length=len(number), limit=limit))
    return number


def _own_number(scope: _Scope, settings: OrderSettings) -> str | None:
    """The order's number, told apart where several bills of one order have none of the vendor's."""
    if settings.bill_number is VendorNumber.NONE:
        return None
    number = scope.document.header.number or scope.document.header.id
    if scope.part is None:
        return number
    unnumbered = [part.key for part in parts_of(scope.document) if part.number is None]
    place = unnumbered.index(scope.part.key) + 1
    return number if place == 1 else f"{number}-{place}"


def _payable(
    kind: str, settings: OrderSettings, currency: str, lists: Lists, facts: Facts, reasons: list[Reason]
) -> Reference | None:
    """The payable account of the order's currency: the chosen one, else the ledger's own for that currency (R81). None
    where the ledger has one for all."""
    if not facts.chooses_payable:
        return None
    if settings.payable is None:
        reasons.append(reason("payable_missing"))
        return None
    usable = usable_account(settings.payable, "bills (AP account)", lists, PAYABLE_TYPES)
    if isinstance(usable, Reason):
        reasons.append(usable)
        return None
    if not facts.multi_currency or _kept_in(usable.ledger_id, lists, facts) == currency:
        return usable
    fitting = [
        entry for entry in lists.accounts.values()
        if entry.active and entry.details.get("type") in PAYABLE_TYPES and _kept_in(entry.id, lists, facts) == currency
    ]
    if len(fitting) == 1:
        return Reference("account", fitting[0].id, fitting[0].name, fitting[0].id)
    if kind == BILL and not fitting and currency != facts.currency:
        return None  # The ledger makes its payable account of that currency with the first bill; an order names one.
    reasons.append(reason("payable_currency", account=usable.name, currency=currency))
    return None


def _kept_in(account_id: str | None, lists: Lists, facts: Facts) -> str:
    entry = lists.accounts.get(account_id or "")
    return str((entry.details.get("currency") if entry else None) or facts.currency)


def _tax_code(
    party_id: str | None, settings: OrderSettings, lists: Lists, facts: Facts, reasons: list[Reason]
) -> Reference | None:
    """The purchase code of every line, where the ledger refuses a line without one (R78)."""
    if not facts.purchase_tax:
        return None
    rule = settings.rule(party_id)
    chosen = (rule.tax_code if rule is not None else None) or settings.tax_code
    if chosen is None:
        reasons.append(reason("purchase_code_missing"))
        return None
    entry = lists.tax_codes.get(chosen)
    if entry is None or not entry.active or entry.details.get("purchases") is False:
        reasons.append(reason("purchase_code_unfit", code=entry.name if entry else chosen))
        return None
    return Reference("tax_code", entry.id, entry.name, entry.id)


# ---- lines ------------------------------------------------------------------------------------------------


def _lines(
    scope: _Scope, settings: OrderSettings, lists: Lists, facts: Facts, currency: str, tax_code: Reference | None,
    reasons: list[Reason], notes: list[str],
) -> tuple[list[DraftLine], tuple[ItemDraft, ...]]:
    taken = lines_of(scope.document, scope.part)
    left_out = sum(1 for line in scope.document.lines if not line.quantity)
    if left_out and scope.part is None:
        notes.append(f"{left_out} line{'s' if left_out > 1 else ''} of quantity 0 left out.")
    places, created = place_goods(taken, settings, lists, facts, reasons, notes)
    bought_for = _bought_for(scope, settings, lists, facts, reasons, notes)
    wanted = replace(scope.document, lines=taken)
    tracked = _chosen("class", settings.order_class, lists.classes) if facts.classes else None
    drafted, told, problems = build_lines(
        wanted, Decimal(1), currency, places, [tax_code] * len(taken), BlankText.NAME,
        decimals=facts.quantity_decimals, text_limit=facts.line_text_length, latin1_only=facts.latin1_only, parties={},
        classes=[tracked] * len(taken), negative_quantities=facts.negative_quantities,
    )
    notes += told
    reasons += problems
    if any(place is None for place in places):
        return [], created
    order = scope.history.order if scope.kind == BILL else None
    billable = settings.billable and bought_for is not None
    lines = [
        replace(line, customer=bought_for, billable=billable, ordered=_ordered(source.id, order))
        for line, source in zip(drafted, taken, strict=True)
    ]
    if billable:
        notes.append(f"{facts.ledger} will offer these lines for invoicing; Autotask bills them already.")
    freight = _freight(scope, settings, currency)
    if freight:
        account = _freight_account(settings, lists, reasons)
        if account is not None:
            lines.append(DraftLine(account, "Freight", Decimal(1), freight, freight, False, tax_code, account=account,
                                   tracked=tracked))
    return lines, created


def _ordered(line_id: str, order: LedgerOrder | None) -> OrderedLine | None:
    there = order.lines.get(line_id) if order is not None else None
    return OrderedLine(order.ledger_id, there) if order is not None and there is not None else None


def _freight(scope: _Scope, settings: OrderSettings, currency: str) -> Decimal:
    """What of the order's freight stands on this document: booked once per order (R76)."""
    whole = round_money(scope.head.freight, currency)
    if scope.part is None:
        return whole
    left = whole - scope.history.freight
    if left <= 0:
        return Decimal(0)
    waiting = [part for part in parts_of(scope.document) if part.key not in scope.history.parts]
    if settings.freight is Freight.FIRST:
        first = waiting and waiting[0].key == scope.part.key
        return left if first and not scope.history.freight else Decimal(0)
    ordered = {line.id: line.quantity for line in scope.document.lines}
    value = sum((line.extended_price for line in lines_of(scope.document, scope.part)), Decimal(0))
    total = sum((line.extended_price for line in scope.document.lines), Decimal(0))
    done = {line: scope.history.billed.get(line, Decimal(0)) + scope.part.quantities.get(line, Decimal(0))
            for line in ordered}
    if all(done[line] >= quantity for line, quantity in ordered.items()) or not total:
        return left
    return min(left, round_money(whole * value / total, currency))


def _freight_account(settings: OrderSettings, lists: Lists, reasons: list[Reason]) -> Reference | None:
    if settings.freight_account is None:
        reasons.append(reason("freight_account_missing"))
        return None
    usable = usable_account(settings.freight_account, "freight", lists, EXPENSE_TYPES)
    if isinstance(usable, Reason):
        reasons.append(usable)
        return None
    return usable


def _bought_for(
    scope: _Scope, settings: OrderSettings, lists: Lists, facts: Facts, reasons: list[Reason], notes: list[str]
) -> Reference | None:
    """The ledger customer the order was purchased for: by link or exact name, never created for an order."""
    party = lists.parties.get(scope.head.customer_id or "")
    if party is None or not settings.purchase_for or not facts.purchases_by_customer:
        return None
    linked = lists.links.get(("customer", party.id))
    found: Sequence[Entry] = ()
    if linked not in (None, CREATE_NEW):
        there = lists.customers.get(linked or "")
        found = (there,) if there is not None else ()
    else:
        name = ledger_name(party.name, facts.party_name_length, latin1_only=facts.latin1_only)
        found = lists.customers_by_name.get(fold(name), ())
    active = [entry for entry in found if entry.active]
    if len(active) == 1:
        return Reference("customer", party.id, active[0].name, active[0].id)
    if settings.billable:
        reasons.append(reason("bought_for_unknown", name=party.name))
    else:
        notes.append(f"Purchased for “{party.name}”, which is no customer in {facts.ledger} yet: the lines name none.")
    return None


def _chosen(kind: str, ledger_id: str | None, entries: Mapping[str, Entry]) -> Reference | None:
    entry = entries.get(ledger_id or "")
    return Reference(kind, entry.id, entry.name, entry.id) if entry is not None and entry.active else None


# ---- dates and terms ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Dated:
    date: dt.date
    moved_from: dt.date | None = None
    remark: str = ""


def _dated(
    scope: _Scope, settings: OrderSettings, facts: Facts, reasons: list[Reason], notes: list[str]
) -> _Dated:
    """The receipt's day, or the day of submission; never before the ledger's order it links to, never closed (R77)."""
    day = scope.part.received_on if scope.part is not None else scope.document.header.document_date
    order = scope.history.order
    if scope.kind == BILL and order is not None and day < order.date:
        notes.append(f"Dated {format_long_day(order.date)}, as the purchase order it belongs to.")
        day = order.date
    closed = facts.closed_through
    if scope.kind == ORDER or closed is None or day > closed:
        return _Dated(day)
    if settings.closed_period is ClosedPeriod.STOP:
        reasons.append(reason("closed_period", date=format_long_day(day), closed=format_long_day(closed)))
        return _Dated(day)
    opens, remark, told = first_open_day(day, closed, facts)
    notes += told
    return _Dated(opens, day, remark)


def _due(scope: _Scope, day: dt.date, lists: Lists, facts: Facts) -> dt.date | None:
    """Of a bill in a ledger without terms: the days of the source's, counted from the bill's own date. Else the ledger
    counts by the terms."""
    term = lists.catalog.terms.get(scope.document.header.term_id or "")
    if facts.keeps_terms or scope.kind == ORDER or term is None or term.days is None:
        return None
    return day + dt.timedelta(days=term.days)


def _term(scope: _Scope, settings: OrderSettings, lists: Lists) -> Reference | None:
    """Of equal name, else the chosen one, else the ledger vendor's own."""
    found = find_term(scope.document.header, (), lists)
    if found is not None or settings.term is None:
        return found
    entries = [entry for each in lists.terms_by_name.values() for entry in each]
    entry = next((entry for entry in entries if entry.id == settings.term and entry.active), None)
    return Reference("term", entry.id, entry.name, entry.id) if entry is not None else None
