"""The report's CSV: no cell runs as a formula in a spreadsheet, and every row can be read back."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from domain.reasons import reason
from models import RunItem
from sync.reports import CSV_COLUMNS, csv_text, safe

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\0")
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
nasty = st.builds(lambda start, rest: start + rest, st.sampled_from((*FORMULA_STARTS, "", '"', "\n", ",")), texts)


@given(nasty)
def test_a_cell_never_begins_like_a_formula(text: str) -> None:
    assert not safe(text).startswith(FORMULA_STARTS)
    assert safe(text).endswith(text)


@given(nasty, nasty, st.integers(-10**8, 10**8).map(lambda n: Decimal(n) / 10_000))
def test_a_report_reads_back_with_one_row_for_each_document(number: str, party: str, amount: Decimal) -> None:
    item = RunItem(
        status="Fault", reasons=[reason("number_taken", number=number).to_json()], number=number, source_id="7",
        kind="invoice", party_name=party, document_date=dt.date(2026, 11, 13), amount=amount, currency="USD",
    )  # fmt: skip
    rows = list(csv.reader(io.StringIO(csv_text([item], 5, "QuickBooks"), newline="")))
    assert [len(row) for row in rows] == [len(CSV_COLUMNS)] * 2
    assert rows[0] == list(CSV_COLUMNS)
    cells = dict(zip(*rows, strict=True))
    assert cells["Status"] == "Fault"
    texts_of = [cells[name] for name in ("StatusCode", "Number", "Customer", "Ledger number")]
    assert not any(cell.startswith(FORMULA_STARTS) for cell in texts_of)
    assert abs(Decimal(cells["Amount"]) - amount) <= Decimal("0.005")
