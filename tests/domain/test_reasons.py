"""The catalogue of reasons: each says what happened, why and what to do, with every gap filled by name."""

from __future__ import annotations

import string

import pytest

from domain.ledger_words import NEUTRAL
from domain.reasons import CATALOGUE, Reason, Turn, reason

SHOWN_BY_THE_PAGE = set(NEUTRAL.tokens())


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name} - SHOWN_BY_THE_PAGE


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_a_reason_has_sentence_cause_fix_and_action(code: str) -> None:
    entry = CATALOGUE[code]
    for text in (entry.sentence, entry.cause, entry.fix):
        assert text.strip() == text
        assert text
    assert not entry.sentence.endswith("."), "the sentence stands in tables and subjects"
    assert entry.cause.endswith((".", "{message}"))
    assert entry.fix.endswith(".")
    label, endpoint = entry.action
    assert label
    assert endpoint.isidentifier()


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_text_formats_with_its_parameters_and_without(code: str) -> None:
    entry = CATALOGUE[code]
    names = gaps(entry.sentence) | gaps(entry.cause) | gaps(entry.fix)
    full = reason(code, **{name: f"<{name}>" for name in names})
    for text in (full.sentence("QuickBooks"), full.cause("QuickBooks"), full.fix("Xero")):
        assert "{" not in text
        assert "–" not in text
    for name in gaps(entry.sentence):
        assert f"<{name}>" in full.sentence()
    assert reason(code).sentence()


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_a_reason_survives_storage(code: str) -> None:
    told = reason(code, name="Müller & Söhne", amount="1,234.50")
    assert Reason.from_json(told.to_json()) == told


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(KeyError, match="not in the catalogue"):
        reason("no_such_reason")


def test_a_fault_names_something_a_person_can_do() -> None:
    for code, entry in CATALOGUE.items():
        if entry.turn is Turn.FAULT:
            assert "Nothing needs doing" not in entry.fix, code
