"""Which voided invoice one bills again, and when that is asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from domain.reissues import Copy, Earlier, bills_again, objection
from tests.engine.world import START, invoice, line

OLD = Earlier(1, "9", "AT-9", START, Decimal("100.00"), frozenset({"77"}), Copy.STANDS)
AGAIN = invoice("10", lines=(line("77", "60.00"), line("90", "40.00")), created_at=START + timedelta(hours=1))
OTHER_IDS = invoice("10", created_at=START + timedelta(hours=1))


@pytest.mark.parametrize(
    ("copy", "same", "code"),
    [
        (Copy.STANDS, True, "reissue_waits"), (Copy.KEPT, True, "reissue_kept"), (Copy.GONE, True, None),
        (Copy.STANDS, False, "reissue_like"), (Copy.KEPT, False, "reissue_like"),
    ],
)
def test_what_is_said(copy: Copy, same: bool, code: str | None) -> None:
    found = bills_again(AGAIN if same else OTHER_IDS, [replace(OLD, copy=copy)], 14)
    assert found is not None and found[1] is same
    why = objection(found[0], same_items=found[1])
    assert (why.code if why else None) == code


@pytest.mark.parametrize(
    "old",
    [
        replace(OLD, total=Decimal("100.01")), replace(OLD, copy=Copy.GONE), replace(OLD, source_id="10"),
        replace(OLD, voided_at=START - timedelta(days=15)), replace(OLD, voided_at=START + timedelta(days=2)),
    ],
)
def test_other_ids_alone_ask_only_near_an_equal_total_that_still_stands(old: Earlier) -> None:
    assert bills_again(OTHER_IDS, [old], 14) is None


def test_what_still_stands_comes_before_what_is_gone() -> None:
    gone = replace(OLD, document_id=2, source_id="8", copy=Copy.GONE, voided_at=START + timedelta(minutes=1))
    assert bills_again(AGAIN, [gone, OLD], 14) == (OLD, True)
