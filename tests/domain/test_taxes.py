"""Tax outside the US: the codes' rates give the source's tax, or the document is a Fault with the difference."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from domain.documents import SourceDocument, SourceHeader, SourceLine
from domain.known import Entry
from domain.matching import fold
from domain.money import round_money
from domain.taxes import TaxModel, TaxResult, choose_tax

STANDARD = Entry("20", "UK Standard", True, {"rate": "20"})
REDUCED = Entry("5", "UK Reduced", True, {"rate": "5"})
ZERO = Entry("0", "0.0% Z", True, {"rate": "0"})
CODES = {entry.id: entry for entry in (STANDARD, REDUCED, ZERO)}
amounts = st.lists(st.integers(1, 500_000).map(lambda n: Decimal(n) / 100), min_size=1, max_size=6)


def document(nets: list[Decimal], tax: Decimal, region: str | None, *, taxed: bool = True) -> SourceDocument:
    lines = tuple(
        SourceLine(str(n), "Labor", "", "Work", Decimal(1), net, net, net / 5 if taxed else Decimal(0), "1")
        for n, net in enumerate(nets)
    )
    moment = dt.datetime(2026, 11, 13, tzinfo=dt.UTC)
    header = SourceHeader("invoice", "1", "AT-1", "175", moment.date(), moment, None, sum(nets, tax), tax, region)
    return SourceDocument(header, lines)


def chosen(document: SourceDocument, model: TaxModel = TaxModel.CODE_PER_LINE, untaxed: str | None = "0") -> TaxResult:
    by_name = {fold(entry.name): (entry,) for entry in CODES.values()}
    return choose_tax(document, model, "GBP", codes=CODES, codes_by_name=by_name, rules=(), untaxed_code=untaxed)


@given(amounts)
def test_a_tax_that_the_code_gives_exactly_is_accepted(nets: list[Decimal]) -> None:
    tax = round_money(sum(nets, Decimal(0)) / 5, "GBP")
    result = chosen(document(nets, tax, "UK Standard"))
    assert result.reasons == ()
    assert {reference.ledger_id for reference in result.codes if reference} == {"20"}
    assert not result.send_amount


@given(amounts, st.sampled_from((Decimal("0.01"), Decimal("-0.01"), Decimal("12.34"))))
def test_a_tax_that_is_off_by_a_cent_is_a_fault_with_the_difference(nets: list[Decimal], off: Decimal) -> None:
    tax = round_money(sum(nets, Decimal(0)) / 5, "GBP") + off
    codes = [why.code for why in chosen(document(nets, tax, "UK Standard")).reasons]
    assert codes == (["tax_differs"] if tax else codes)


@given(amounts)
def test_a_taxed_document_without_a_code_is_never_posted(nets: list[Decimal]) -> None:
    tax = round_money(sum(nets, Decimal(0)) / 5, "GBP") + 1
    assert [why.code for why in chosen(document(nets, tax, "Atlantis")).reasons] == ["tax_unmapped"]


@given(amounts)
def test_an_untaxed_document_takes_the_code_chosen_for_it_or_waits(nets: list[Decimal]) -> None:
    free = document(nets, Decimal(0), "No tax", taxed=False)
    assert {reference.ledger_id for reference in chosen(free).codes if reference} == {"0"}
    assert [why.code for why in chosen(free, untaxed=None).reasons] == ["untaxed_code_missing"]


@given(amounts)
def test_in_the_us_the_amount_travels_explicitly(nets: list[Decimal]) -> None:
    taxed = document(nets, Decimal("8.25"), None)
    result = chosen(taxed, TaxModel.EXPLICIT_TOTAL)
    assert result.send_amount
    assert result.reasons == ()
    assert [why.code for why in chosen(taxed, TaxModel.NONE).reasons] == ["tax_off"]
    assert [why.code for why in chosen(taxed, TaxModel.NOT_SET_UP).reasons] == ["tax_not_set_up"]
    nothing_taxed = document(nets, Decimal("8.25"), None, taxed=False)
    assert [why.code for why in chosen(nothing_taxed, TaxModel.EXPLICIT_TOTAL).reasons] == ["tax_without_line"]
