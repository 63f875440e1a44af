"""Whatever Autotask issues: the draft's total is Autotask's, and what the ledger will make of it is too, or it waits.

The ledger's own arithmetic is written a second time here, from the draft alone: lines, then each rate once over the
sum of its lines.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.documents import Catalog, Code, Draft, SourceDocument, SourceLine
from domain.known import Entry
from domain.plan import plan
from domain.settings import LineDetail, TaxSource
from domain.taxes import TaxModel
from domain.taxmap import TaxEntry, TaxMap
from tests.domain import strategies as some
from tests.domain.test_rounding import CHOSEN, FACTS, LISTS, document, line

PERCENTS = {"Standard": Decimal(20), "Reduced": Decimal(5), "Zero": Decimal(0)}
CODES = {
    "20": Entry("20", "20.0% S", True, {"rate": "20"}), "5": Entry("5", "5.0% R", True, {"rate": "5"}),
    "0": Entry("0", "0.0% Z", True, {"rate": "0"}), "91": Entry("91", "No VAT", True, {"rate": None}),
}  # fmt: skip
MAP = TaxMap(
    (TaxEntry("UK", "Standard", "20"), TaxEntry("UK", "Reduced", "5"), TaxEntry("UK", "Zero", "0")),
    zero_rated="0", exempt="0", out_of_scope="91",
)  # fmt: skip
TWO_CODES = Catalog({"1": Code("1", "Labour", "LAB"), "2": Code("2", "Hardware", "HW")})
UK = replace(FACTS, currency="GBP", country="GB", tax_model=TaxModel.CODE_PER_LINE)
CENT = Decimal("0.01")
amounts = st.one_of(some.cents, some.fine)


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


@st.composite
def lines(draw: st.DrawFn, categories: tuple[str, ...], most: int = 400) -> tuple[SourceLine, ...]:
    """One to `most` lines of any sign, quantities with up to seven decimals, labour with four; each taxed by itself."""
    found = []
    for number in range(draw(st.integers(1, most))):
        category = draw(st.sampled_from(categories))
        one = line(number, draw(amounts), draw(some.quantities))
        tax = cents(one.extended_price * PERCENTS[category] / 100)
        code = draw(st.sampled_from(("1", "2")))
        found.append(replace(one, tax_category=category, tax=tax, code_id=code, group_id=code))
    return tuple(found)


def issued(of: tuple[SourceLine, ...], off: Decimal = Decimal(0)) -> SourceDocument:
    tax = sum((each.tax for each in of), Decimal(0))
    net = sum((each.extended_price for each in of), Decimal(0))
    made = document(of, cents(net + tax) + off)
    return replace(made, header=replace(made.header, tax_total=tax, tax_region="UK"))


def ledger_makes(draft: Draft) -> Decimal:
    """The total a ledger with a rate per line books for this draft."""
    bases: dict[Decimal, Decimal] = defaultdict(Decimal)
    for each in draft.lines:
        code = CODES.get((each.tax_code.ledger_id if each.tax_code else None) or "")
        bases[Decimal(str((code.details.get("rate") if code else None) or 0))] += each.amount
    tax = sum((cents(base * percent / 100) for percent, base in bases.items()), Decimal(0))
    return sum((each.amount for each in draft.lines), Decimal(0)) + tax


@settings(max_examples=60)
@given(
    lines(("Standard", "Reduced", "Zero")), st.sampled_from(LineDetail), st.integers(-2, 2),
    st.sampled_from((TaxSource.SOURCE, TaxSource.LEDGER)),
)  # fmt: skip
def test_with_a_rate_on_every_line_the_ledger_ends_with_autotasks_total_or_it_waits(
    of: tuple[SourceLine, ...], detail: LineDetail, off: int, source: TaxSource
) -> None:
    chosen = replace(CHOSEN, line_detail=detail, tax_source=source, tax_map=MAP)
    made = issued(of, off * CENT)
    found = plan(made, chosen, replace(LISTS, catalog=TWO_CODES, tax_codes=CODES), UK, marker="ref:ABCD1234")
    if found.draft is None:
        assert {why.code for why in found.reasons} <= {"source_mismatch", "remainder", "tax_differs"}
        return
    assert found.draft.total == abs(made.header.total) == ledger_makes(found.draft)
    taxed = sum(1 for each in of if each.tax_category != "Zero")
    assert abs(found.draft.rounded) <= CENT / 2 * (len(of) + taxed)


@settings(max_examples=60)
@given(lines(("Standard", "Zero")), st.sampled_from(LineDetail))
def test_with_the_amount_sent_lines_and_tax_make_autotasks_total(
    of: tuple[SourceLine, ...], detail: LineDetail
) -> None:
    chosen = replace(CHOSEN, line_detail=detail)
    made = issued(of)
    found = plan(made, chosen, replace(LISTS, catalog=TWO_CODES), FACTS, marker="ref:ABCD1234")
    if found.draft is None:
        assert {why.code for why in found.reasons} <= {"remainder", "tax_without_line"}
        return
    draft = found.draft
    sent = sum((each.amount for each in draft.lines), Decimal(0)) + draft.tax_total
    assert draft.send_tax and draft.total == abs(made.header.total) == sent
    assert abs(draft.tax_total) == abs(made.header.tax_total)


def test_the_tax_of_joined_lines_is_that_of_the_line_they_became() -> None:
    """0.1418 three times at 20 %: apart they book 0.42 and 0.08, joined 0.43 and 0.09."""
    of = tuple(
        replace(line(n, Decimal("0.1418")), tax_category="Standard", tax=Decimal("0.03"), code_id="1") for n in range(3)
    )
    known = replace(LISTS, catalog=TWO_CODES, tax_codes=CODES)
    for detail, tax in ((LineDetail.EVERY, "0.08"), (LineDetail.ITEM, "0.09"), (LineDetail.DOCUMENT, "0.09")):
        found = plan(issued(of), replace(CHOSEN, line_detail=detail, tax_map=MAP), known, UK, marker="ref:ABCD1234")
        assert found.draft is not None and found.draft.tax_total == Decimal(tax)
        assert found.draft.total == Decimal("0.52") == ledger_makes(found.draft)
