"""The plan: pure, never silent, and a draft that adds up to the source's total to the cent."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.documents import SourceDocument, SourceLine
from domain.drafts import quantity_and_price
from domain.journal import journal
from domain.known import Facts, Lists
from domain.money import round_money
from domain.plan import Plan, plan
from domain.reasons import CATALOGUE, Turn
from domain.settings import InvoiceSettings
from tests.domain import strategies as some

MARKER = "ref:ABCD1234"
quick = settings(max_examples=60)


def made(document: SourceDocument, chosen: InvoiceSettings, lists: Lists, facts: Facts) -> Plan:
    return plan(document, chosen, lists, facts, marker=MARKER)


@quick
@given(some.documents(), some.all_settings(), some.lists(), some.facts())
def test_every_document_ends_with_a_draft_or_with_reasons(
    document: SourceDocument, chosen: InvoiceSettings, lists: Lists, facts: Facts
) -> None:
    planned = made(document, chosen, lists, facts)
    assert (planned.draft is None) == bool(planned.reasons)
    assert planned.draft is not None or planned.creations == ()
    for why in planned.reasons:
        assert why.code in CATALOGUE
        assert "–" not in why.sentence(), f"{why.code} lacks a parameter: {why.sentence()}"


@quick
@given(some.documents(), some.all_settings(), some.lists(), some.facts())
def test_equal_inputs_give_an_equal_plan(
    document: SourceDocument, chosen: InvoiceSettings, lists: Lists, facts: Facts
) -> None:
    assert made(document, chosen, lists, facts) == made(document, chosen, lists, facts)


@quick
@given(some.documents(healthy=True), some.all_settings(healthy=True), some.lists(), some.facts(healthy=True))
def test_a_healthy_document_is_posted_with_its_own_total(
    document: SourceDocument, chosen: InvoiceSettings, lists: Lists, facts: Facts
) -> None:
    planned = made(document, chosen, some.empty_ledger(lists), facts)
    draft = planned.draft
    assert draft is not None, [why.sentence() for why in planned.reasons]
    sign = -1 if document.header.total < 0 else 1
    assert draft.kind == ("credit_memo" if sign < 0 else "invoice")
    assert draft.total == document.header.total * sign
    assert sum((line.amount for line in draft.lines), Decimal(0)) + draft.tax_total == draft.total
    assert [line.amount for line in draft.lines] == [line.extended_price * sign for line in document.lines]
    assert len({creation.key for creation in planned.creations}) == len(planned.creations)


@quick
@given(some.documents(healthy=True), some.all_settings(healthy=True), some.lists(), some.facts(healthy=True))
def test_quantity_times_price_is_the_amount_on_every_line(
    document: SourceDocument, chosen: InvoiceSettings, lists: Lists, facts: Facts
) -> None:
    draft = made(document, chosen, some.empty_ledger(lists), facts).draft
    assert draft is not None
    for line in draft.lines:
        assert round_money(line.quantity * line.unit_price, draft.currency) == line.amount
        assert line.quantity == round(line.quantity, facts.quantity_decimals)
        assert len(line.text) <= facts.line_text_length


@given(some.source_lines(1, st.one_of(some.cents, some.fine)), st.sampled_from(("USD", "JPY", "KWD")))
def test_a_line_that_cannot_be_split_goes_as_one_with_its_figures_in_the_text(line: SourceLine, currency: str) -> None:
    amount = round_money(line.extended_price, currency)
    quantity, price, shown = quantity_and_price(line, Decimal(1), amount, currency, 5)
    assert round_money(quantity * price, currency) == amount
    if shown:
        assert (quantity, price) == (1, amount)
        assert f"{abs(line.quantity):f}".rstrip("0").rstrip(".") in shown or line.quantity == 0


@quick
@given(some.documents(healthy=True), some.all_settings(healthy=True), some.lists(), some.facts(healthy=True))
def test_the_journal_balances_and_shows_the_total(
    document: SourceDocument, chosen: InvoiceSettings, lists: Lists, facts: Facts
) -> None:
    draft = made(document, chosen, some.empty_ledger(lists), facts).draft
    assert draft is not None
    rows = journal(draft, receivable="Receivables", tax_account="Tax", income={})
    assert sum(row.debit for row in rows) == sum(row.credit for row in rows)
    assert all((row.debit > 0) != (row.credit > 0) for row in rows)
    owed = sum((row.debit - row.credit for row in rows if row.account == "Receivables"), Decimal(0))
    assert owed == document.header.total


@quick
@given(some.documents(healthy=True), some.all_settings(healthy=True), some.lists(), some.facts(healthy=True))
def test_a_sum_that_is_a_cent_off_is_never_posted(
    document: SourceDocument, chosen: InvoiceSettings, lists: Lists, facts: Facts
) -> None:
    header = replace(document.header, total=document.header.total + Decimal("0.01"))
    off = replace(document, header=header)
    planned = made(off, chosen, some.empty_ledger(lists), facts)
    assert planned.draft is None
    assert planned.turn is Turn.FAULT
