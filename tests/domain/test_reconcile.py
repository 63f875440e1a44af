"""Reconciling as a pure rule: what each side has alone, twice, or differently."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from domain.reconcile import Ours, Outcome, Theirs, counted, markers_in, reconcile


def ours(n: int, *, posted: bool = True, total: str = "100.00") -> Ours:
    return Ours(
        document_id=n, source_id=str(n), number=f"AT-{n}", marker=f"ref:AAAAAAA{chr(65 + n)}",
        kind="invoice", posted=posted,
        ledger_id=str(1000 + n) if posted else None, party="Harbor Point", party_id="7", date=date(2026, 11, 13),
        currency="USD", total=Decimal(total), tax=Decimal("8.00"), open_amount=Decimal(total),
    )  # fmt: skip


def theirs(mine: Ours, ledger_id: str | None = None) -> Theirs:
    return Theirs(
        kind=mine.kind, ledger_id=ledger_id or mine.ledger_id or "1", number=mine.number, marker=mine.marker,
        party=mine.party, party_id=mine.party_id, date=mine.date, currency=mine.currency, total=mine.total,
        tax=mine.tax, balance=mine.open_amount,
    )


@given(st.sets(st.integers(0, 20)), st.sets(st.integers(0, 20)), st.sets(st.integers(0, 20)))
def test_every_document_has_exactly_the_outcome_that_was_arranged(
    posted: set[int], gone: set[int], twice: set[int]
) -> None:
    mine = [ours(n, posted=n in posted) for n in range(21)]
    held = [theirs(one) for one in mine if one.posted and one.document_id not in gone]
    copies = [theirs(one, str(5000 + one.document_id)) for one in mine if one.document_id in twice]
    pairs = reconcile(mine, held + copies)
    counts = counted(pairs)
    assert counts.of == len(posted)
    assert counts.missing == len(posted & gone)
    assert counts.agree == len(posted - gone)
    assert counts.duplicate == len(twice & (posted - gone))
    assert counts.orphan == len(twice - (posted - gone))
    assert counts.green == (not (posted & gone) and not twice)


def test_each_field_that_differs_is_named_and_what_is_paid_is_no_difference() -> None:
    mine = ours(1)
    found = replace(theirs(mine), total=Decimal("101.00"), party_id="8", party="Somebody else", date=date(2026, 11, 14))
    (pair,) = reconcile([mine], [found])
    assert pair.outcome is Outcome.DRIFT
    assert [label for label, *_ in pair.differs] == ["Total", "Net", "Customer", "Date"]
    (paid,) = reconcile([mine], [replace(theirs(mine), balance=Decimal(0))])
    assert paid.outcome is Outcome.AGREE


def test_documents_of_other_people_in_the_ledger_are_nobodys_business() -> None:
    stranger = replace(theirs(ours(3)), marker="", ledger_id="77")
    assert reconcile([ours(1, posted=False)], [stranger]) == []


def test_a_marker_is_found_in_the_private_text() -> None:
    assert markers_in("Autotask invoice 4711 ref:ABCDEFG2") == "ref:ABCDEFG2"
    assert markers_in("reference ref:abc") == ""
    assert markers_in(None) == ""
