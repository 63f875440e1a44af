"""Exact numbers in and out, and one spelling per value."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors import jsonbytes


def test_decimals_keep_their_digits_and_never_show_an_exponent() -> None:
    value = {"a": Decimal("150.00"), "b": Decimal("1E+2"), "c": Decimal("1E-7"), "d": Decimal("90071992547409.93")}
    assert jsonbytes.dump(value) == b'{"a":150.00,"b":100,"c":0.0000001,"d":90071992547409.93}'


def test_what_is_dumped_loads_as_the_same_value() -> None:
    value = {"text": 'O\'Neil "x" \\ 🙂\n', "list": [1, True, None, Decimal("0.1")], "empty": {}}
    assert jsonbytes.load(jsonbytes.dump(value)) == value


def test_half_a_surrogate_pair_does_not_stop_a_payload() -> None:
    assert jsonbytes.dump({"name": "x\ud83d"}) == b'{"name":"x?"}'


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), 1.5])
def test_what_json_cannot_carry_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"not a number|float"):
        jsonbytes.dump({"a": value})


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "{", ""])
def test_what_is_not_json_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):
        jsonbytes.load(text)
