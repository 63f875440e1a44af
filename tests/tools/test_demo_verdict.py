"""The demo exits 0 only when the sandbox's account leaves nothing open."""

from __future__ import annotations

from typing import Any

import pytest

from tools.demo.verdict import again, agrees, failures, summary

MONTH = {"invoices": 2025, "lines": 42481}


def account(**changes: Any) -> dict[str, Any]:
    """The account of the shared month as it must be, with some figures changed."""
    return {
        "ledger": "qbo", "limits": "on", "seen": 2025, "posted": 1400, "credit_memos": 308,
        "skipped": {"zero_total": 140}, "faults": {"no_customer": 177}, "waiting": 0, "duplicates": 0,
        "missing": 0, "unmarked": 0, "unexplained": 0, "ledger_calls": 204, "source_calls": 2500,
        "seconds": 251.3, "totals": {"GBP": {"expected": 554604.02, "posted": "554604.02"}}, **changes,
    }  # fmt: skip


def test_the_months_known_outcome_passes() -> None:
    assert failures(account(), MONTH) == []
    assert agrees(account())


@pytest.mark.parametrize("name", ["duplicates", "missing", "unmarked", "unexplained"])
def test_one_invoice_out_of_place_fails(name: str) -> None:
    assert failures(account(**{name: 1}), {"invoices": 9, "lines": 12}) == [f"{name}: 1, should be 0"]
    assert not agrees(account(**{name: 1}))


def test_one_cent_fails() -> None:
    off = account(totals={"GBP": {"expected": "554604.02", "posted": "554604.01"}})
    assert failures(off, {}) == ["GBP: posted 554604.01, expected 554604.02"]


@pytest.mark.parametrize(
    "change",
    [{"posted": 1399}, {"skipped": {"zero_total": 141}}, {"faults": {}}, {"waiting": 1}, {"ledger_calls": 205},
     {"totals": {"GBP": {"expected": 1, "posted": 1}}}, {"totals": {}}],
)  # fmt: skip
def test_the_month_must_have_its_own_figures(change: dict[str, Any]) -> None:
    assert len(failures(account(**change), MONTH)) == 1


def test_other_data_is_held_to_agreement_only() -> None:
    day = account(seen=86, posted=61, credit_memos=5, skipped={}, faults={}, totals={})
    assert failures(day, {"invoices": 86, "lines": 411}) == []


def test_the_summary_says_what_needs_a_person() -> None:
    text = "\n".join(summary(account()))
    assert "GBP 554,604.02" in text
    assert "Need a person: 177 no customer." in text
    assert "0.119 a document" in text


@pytest.mark.parametrize(("calls", "wrong"), [(136, 0), (137, 1)])
def test_a_month_in_xero_is_told_in_its_words_and_held_to_its_own_calls(calls: int, wrong: int) -> None:
    month = account(ledger="xero", ledger_calls=calls)
    assert len(failures(month, MONTH)) == wrong
    assert "308 as credit notes" in summary(month)[0] and f"{calls} calls to Xero" in summary(month)[-1]


def test_a_second_load_is_held_to_fewer_calls_and_to_as_many_documents() -> None:
    second = account(ledger="xero", seen=4050, posted=2800, credit_memos=616, ledger_calls=51, seconds=60.0)
    assert again(account(), second, MONTH) == ({"documents": 1708, "ledger_calls": 51, "seconds": 60.0}, [])
    assert len(again(account(), {**second, "ledger_calls": 52}, MONTH)[1]) == 1
    assert again(account(), {**second, "ledger_calls": 52}, {"invoices": 86})[1] == []
    assert len(again(account(), {**second, "posted": 2799, "missing": 1}, MONTH)[1]) == 2
