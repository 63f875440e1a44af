"""Dates and terms: the first open day, fiscal years, due dates and terms by name, by the map, or left to the ledger."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from domain.dates import Dating, date_document, fiscal_year
from domain.documents import Catalog, SourceHeader, Term
from domain.known import Entry, Facts, Lists
from domain.reasons import Reason
from domain.settings import ClosedPeriod, DueDate, InvoiceSettings, TermRule
from domain.taxes import TaxModel

DAY, DUE = dt.date(2026, 10, 15), dt.date(2026, 10, 30)
HEADER = SourceHeader(
    "invoice", "1", "AT-1", "175", DAY, dt.datetime(2026, 10, 15, tzinfo=dt.UTC), DUE, Decimal(100), Decimal(0),
    term_id="30",
)  # fmt: skip
FACTS = Facts(
    ledger="QuickBooks", currency="USD", country="US", multi_currency=False, tax_model=TaxModel.EXPLICIT_TOTAL,
    own_numbers=True, closed_through=None, latin1_only=False, number_length=21, party_name_length=500,
    item_name_length=100, line_text_length=4000, quantity_decimals=5, taxed_lines=750,
)  # fmt: skip
STOP = InvoiceSettings(start_date=dt.date(2026, 1, 1))
MOVE = replace(STOP, closed_period=ClosedPeriod.OPEN_DAY)
NET_30 = Entry("3", "Net 30", True, {"days": "30"})
LISTS = Lists(catalog=Catalog(terms={"30": Term("30", "net 30", 30)}), terms_by_name={"net 30": (NET_30,)})


def dated(
    header: SourceHeader = HEADER, chosen: InvoiceSettings = MOVE, lists: Lists = LISTS, **facts: object
) -> Dating:
    found = date_document(header, chosen, lists, replace(FACTS, **facts))  # type: ignore[arg-type]
    assert isinstance(found, Dating)
    return found


def test_a_closed_period_stops_by_default_and_its_last_day_is_closed() -> None:
    closed = replace(FACTS, closed_through=DAY)
    why = date_document(HEADER, STOP, LISTS, closed)
    assert isinstance(why, Reason)
    assert (why.code, dict(why.params)) == ("closed_period", {"date": "15 October 2026", "closed": "15 October 2026"})
    assert dated(chosen=STOP, closed_through=DAY - dt.timedelta(days=1)).date == DAY


def test_the_first_open_day_keeps_the_due_date_and_says_where_it_comes_from() -> None:
    found = dated(closed_through=dt.date(2026, 10, 31))
    assert (found.date, found.due_date, found.moved_from) == (dt.date(2026, 11, 1), DUE, DAY)
    assert found.remark == "dated 15 October 2026 in Autotask, books closed through 31 October 2026"
    assert len(found.notes) == 1


@pytest.mark.parametrize(
    ("closed", "month", "warned"),
    [(dt.date(2026, 12, 31), 1, True), (dt.date(2026, 12, 31), 4, False), (dt.date(2027, 3, 31), 4, True)],
)
def test_another_fiscal_year_is_warned_of(closed: dt.date, month: int, warned: bool) -> None:
    notes = dated(closed_through=closed, fiscal_month=month).notes
    assert any("fiscal year" in note for note in notes) is warned
    assert fiscal_year(dt.date(2026, 3, 31), 4) == 2025


def test_a_ledger_that_takes_no_early_due_date_gets_the_documents_date_and_the_memo_says_so() -> None:
    found = dated(closed_through=dt.date(2026, 10, 31), takes_early_due=False)
    assert found.due_date == found.date == dt.date(2026, 11, 1)
    assert found.remark.endswith("due 30 October 2026 in Autotask")
    early = dated(replace(HEADER, due_date=dt.date(2026, 10, 1)), STOP, takes_early_due=False)
    assert (early.due_date, early.remark) == (DAY, "due 1 October 2026 in Autotask")


def test_a_credit_has_neither_due_date_nor_terms() -> None:
    found = dated(replace(HEADER, total=Decimal(-100)), closed_through=dt.date(2026, 10, 31))
    assert (found.due_date, found.term, found.date) == (None, None, dt.date(2026, 11, 1))


@pytest.mark.parametrize(
    ("source", "due"),
    [(DueDate.SOURCE, DUE), (DueDate.TERMS, dt.date(2026, 11, 14)), (DueDate.DOCUMENT, DAY)],
)
def test_the_due_date_comes_from_where_it_was_chosen_to(source: DueDate, due: dt.date) -> None:
    found = dated(chosen=replace(STOP, due_date=source))
    assert (found.due_date, found.term and found.term.ledger_id) == (due, "3")


def test_terms_of_another_name_come_from_the_map_and_unknown_ones_are_not_sent() -> None:
    lists = replace(LISTS, catalog=Catalog(terms={"30": Term("30", "Thirty days", 30)}))
    chosen = replace(STOP, due_date=DueDate.TERMS, term_map=(TermRule("30", "3"),))
    mapped = dated(chosen=chosen, lists=lists)
    assert (mapped.term and mapped.term.name, mapped.due_date, mapped.notes) == ("Net 30", dt.date(2026, 11, 14), ())
    unknown = dated(chosen=replace(chosen, term_map=(TermRule("30", "gone"),)), lists=lists)
    assert (unknown.term, unknown.due_date, len(unknown.notes)) == (None, None, 2)
    inactive = replace(lists, terms_by_name={"net 30": (replace(NET_30, active=False),)})
    assert dated(chosen=chosen, lists=inactive).term is None


def test_a_mapped_name_never_beats_an_equal_one() -> None:
    other = Entry("4", "Net 60", True, {"days": "60"})
    lists = replace(LISTS, terms_by_name={**LISTS.terms_by_name, "net 60": (other,)})
    found = dated(chosen=replace(STOP, term_map=(TermRule("30", "4"),)), lists=lists)
    assert found.term and found.term.ledger_id == "3"
