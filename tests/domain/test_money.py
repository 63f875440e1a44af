"""Money: rounded half away from zero once, stored exactly, shown in its currency's own decimals."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import from_units, minor_units, plain, round_money, smallest_unit, to_units
from tests.domain.strategies import CURRENCIES, fine

currencies = st.sampled_from(CURRENCIES)


@given(fine, currencies)
def test_rounding_moves_at_most_half_a_unit_and_twice_is_once(amount: Decimal, currency: str) -> None:
    rounded = round_money(amount, currency)
    assert abs(rounded - amount) * 2 <= smallest_unit(currency)
    assert round_money(rounded, currency) == rounded


@given(fine, currencies)
def test_a_credit_mirrors_its_invoice(amount: Decimal, currency: str) -> None:
    assert round_money(-amount, currency) == -round_money(amount, currency)


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [("0.005", "USD", "0.01"), ("-0.005", "USD", "-0.01"), ("2.5", "JPY", "3"), ("1.2345", "KWD", "1.235")],
)
def test_halves_go_away_from_zero(amount: str, currency: str, expected: str) -> None:
    assert round_money(Decimal(amount), currency) == Decimal(expected)


@given(fine)
def test_four_decimals_are_stored_exactly(amount: Decimal) -> None:
    assert from_units(to_units(amount)) == amount


@given(fine)
def test_a_fifth_decimal_is_refused_rather_than_lost(amount: Decimal) -> None:
    with pytest.raises(ValueError, match="more than four decimals"):
        to_units(amount + Decimal("0.00001"))


@given(fine, currencies)
def test_what_is_shown_is_what_was_rounded(amount: Decimal, currency: str) -> None:
    shown = plain(amount, currency)
    assert Decimal(shown.replace(",", "").replace("\N{MINUS SIGN}", "-")) == round_money(amount, currency)
    assert len(shown.partition(".")[2]) == minor_units(currency)
