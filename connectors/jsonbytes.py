"""JSON in and out without ever passing through a float: exact amounts, one spelling per value.

The standard encoder cannot print a Decimal as a number. Equal values give equal bytes, which is what makes a
frozen payload comparable.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any


def dump(value: object) -> bytes:
    """Compact UTF-8 JSON. Keys keep their order; half a surrogate pair becomes `?` instead of an error."""
    return _text(value).encode("utf-8", "replace")


def load(body: bytes | str) -> Any:
    """Parse JSON with numbers as Decimal or int. Raises ValueError, also for NaN and Infinity."""
    text = body.decode("utf-8") if isinstance(body, bytes) else body
    return json.loads(text, parse_float=Decimal, parse_constant=_no_constant)


def number(value: Decimal) -> str:
    """A Decimal as JSON writes it: no exponent, digits as they are. Raises ValueError unless finite."""
    if not value.is_finite():
        raise ValueError(f"{value} is not a number JSON can carry")
    return format(value, "f")


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, Mapping):
        inner = ",".join(f"{json.dumps(str(key))}:{_text(item)}" for key, item in value.items())
        return "{" + inner + "}"
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return "[" + ",".join(_text(item) for item in value) + "]"
    if isinstance(value, float):
        raise ValueError("a float has no place in a payload")
    return json.dumps(value, ensure_ascii=False)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
