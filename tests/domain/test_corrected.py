"""The invoice a credit corrects: named in its texts, of the same customer, in the ledger; else nothing is told."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.documents import SourceDocument
from domain.plan import plan
from tests.domain.test_rounding import CHOSEN, FACTS, LISTS, document, line

KNOWN = replace(LISTS, posted=frozenset({("175", "AT-10031"), ("999", "AT-10032"), ("175", "202")}))


def credit(text: str, total: str = "-50.00", comments: str | None = None) -> SourceDocument:
    made = document((replace(line(1, Decimal(total)), text=text),), Decimal(total))
    return replace(made, header=replace(made.header, comments=comments))


def memo(source: SourceDocument) -> str:
    draft = plan(source, CHOSEN, KNOWN, FACTS, marker="ref:ABCD1234").draft
    assert draft is not None
    return draft.memo


@pytest.mark.parametrize(
    "source",
    [credit("Adjustment of AT-10031, two hours too many"), credit("Adjustment", comments="see (AT-10031).")],
)
def test_a_credit_names_what_its_lines_or_comments_show(source: SourceDocument) -> None:
    assert "corrects AT-10031" in memo(source)


@pytest.mark.parametrize(
    "source",
    [
        credit("Goodwill"), credit("Adjustment of AT-10032"), credit("Adjustment of AT-99999"), credit("202 hours"),
        credit("Follows AT-10031", total="50.00"), credit("AT-100311"),
    ],
)  # fmt: skip
def test_nothing_is_told_of_others_invoices_of_what_is_not_there_or_of_an_invoice(source: SourceDocument) -> None:
    assert "corrects" not in memo(source)
