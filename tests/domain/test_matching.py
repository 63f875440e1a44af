"""Names: folding decides sameness, loosening similarity; neither ever sets a digit aside."""

from __future__ import annotations

import re
from collections.abc import Callable

from hypothesis import assume, given
from hypothesis import strategies as st

from domain.matching import fold, ledger_name, loose
from tests.domain.strategies import company_names, names


@given(names)
def test_folding_twice_is_folding_once(name: str) -> None:
    assert fold(fold(name)) == fold(name)


@given(company_names)
def test_loosening_twice_is_loosening_once(name: str) -> None:
    assert loose(loose(name)) == loose(name)


@given(names, st.sampled_from(("  ", "\t", "\u00a0")))
def test_case_and_blanks_do_not_matter(name: str, blank: str) -> None:
    assume(fold(name.upper()) == fold(name))  # ß and its like change with the case itself.
    assert fold(f"{blank}{name.upper()}{blank}") == fold(name)


WAYS = (str.lower, str.swapcase, lambda name: f" {name}  ", lambda name: name.replace(" ", "  "))


@given(names, st.sampled_from(WAYS))
def test_equal_names_are_always_similar(name: str, written: Callable[[str], str]) -> None:
    assume(fold(written(name)) == fold(name))
    assert loose(written(name)) == loose(name)


@given(names)
def test_a_name_never_loosens_to_nothing(name: str) -> None:
    assume(fold(name))
    assert loose(name)


@given(company_names, st.integers(0, 999), st.integers(0, 999))
def test_names_with_other_digits_are_never_similar(name: str, one: int, other: int) -> None:
    assume(one != other)
    assert loose(f"{name} {one}") != loose(f"{name} {other}")


@given(names)
def test_digits_survive(name: str) -> None:
    digits = re.findall(r"\d", fold(name))
    assert re.findall(r"\d", loose(name)) == digits


def test_what_people_mean_by_the_same_company() -> None:
    assert loose("Acme Ltd") == loose("ACME Limited") == loose("acme, ltd.") == loose("The Acme Co")
    assert loose("A.B. Smith & Sons") == loose("AB Smith and Sons")
    assert loose("Acme 2 Ltd") != loose("Acme 3 Limited")


@given(st.text(max_size=80), st.integers(1, 40), st.booleans())
def test_a_name_for_the_ledger_fits_it(name: str, limit: int, latin1: bool) -> None:
    made = ledger_name(name, limit, latin1_only=latin1)
    assert len(made) <= limit
    assert ":" not in made
    assert made == made.strip()
    assert not latin1 or all(ord(character) < 256 for character in made)
