"""The ledgers' words: each token has one for every ledger, and a text is filled by its company's."""

from __future__ import annotations

from dataclasses import fields

import pytest

from domain.ledger_words import LEDGERS, NEUTRAL, QUICKBOOKS, STORED, XERO, Words, words_named, words_of
from domain.reasons import CATALOGUE, reason


@pytest.mark.parametrize("words", [*LEDGERS.values(), NEUTRAL], ids=lambda words: words.the_ledger)
def test_every_ledger_has_a_word_for_every_token(words: Words) -> None:
    assert [field.name for field in fields(words) if not getattr(words, field.name).strip()] == []


def test_a_text_is_filled_by_the_company_it_belongs_to() -> None:
    text = "{The_ledger} took the {credit_memo}. {Credit_memo} 7 is in {the_ledgers} books; {unknown} stays"
    told = "Xero took the credit note. Credit note 7 is in Xero’s books; {unknown} stays"
    assert XERO.fill(text) == told
    assert STORED.fill(XERO.fill(text)) == told
    assert words_of("quickbooks") is QUICKBOOKS and words_named("QuickBooks Online") is QUICKBOOKS


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_a_reason_without_a_ledger_is_the_same_once_it_is_filled(code: str) -> None:
    why = reason(code)
    for told in (why.sentence, why.cause, why.fix):
        assert XERO.fill(told()) == told("Xero")
    assert XERO.fill(CATALOGUE[code].title).count("{") == 0


def test_no_reason_of_one_ledger_names_the_other() -> None:
    for code in CATALOGUE:
        why = reason(code)
        told = why.sentence("Xero") + why.cause("Xero") + why.fix("Xero")
        assert "QuickBooks" not in told, code
