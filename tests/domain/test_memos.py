"""The customer memo says what was switched on and no more; comments are what a cut takes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from domain.documents import SourceHeader
from domain.memos import customer_memo, private_note
from domain.settings import InvoiceSettings

HEADER = SourceHeader(
    "invoice", "17", "A-17", "7", date(2026, 11, 20), datetime(2026, 11, 20, 9, tzinfo=UTC), None, Decimal(1),
    Decimal(0),
    tax_region="Kent", order_number="PO 9", comments=" Thank you \u263a ",
)  # fmt: skip
OFF = InvoiceSettings(date(2026, 1, 1), memo_order_number=False)


@pytest.mark.parametrize(
    ("switch", "text"),
    [
        ("memo_order_number", "Order number: PO 9"),
        ("memo_tax_group", "Tax group: Kent"),
        ("memo_invoice_date", "Invoice date: 20 November 2026"),
        ("memo_comments", "Thank you"),
    ],
)
def test_each_switch_adds_its_line(switch: str, text: str) -> None:
    assert customer_memo(HEADER, OFF, 1000, latin1_only=True) == ("", None)
    assert customer_memo(HEADER, replace(OFF, **{switch: True}), 1000, latin1_only=True) == (text, None)
    bare = replace(HEADER, order_number=None, tax_region=None, comments=" ")
    empty = switch != "memo_invoice_date"
    assert (customer_memo(bare, replace(OFF, **{switch: True}), 1000, latin1_only=True)[0] == "") is empty


def test_a_long_memo_keeps_what_comes_first_and_says_that_it_was_cut() -> None:
    long = replace(HEADER, comments="word " * 400)
    memo, note = customer_memo(long, replace(OFF, memo_order_number=True, memo_comments=True), 1000, latin1_only=True)
    assert len(memo) <= 1000 and memo.startswith("Order number: PO 9\n") and memo.endswith(" ...")
    assert note == "The customer memo was cut to 1,000 characters."


def test_the_private_note_names_invoice_and_order() -> None:
    assert private_note(HEADER) == "Autotask invoice A-17, order PO 9"
    assert private_note(replace(HEADER, number=None, order_number=None)) == "Autotask invoice 17"
