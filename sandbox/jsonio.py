"""JSON with exact decimal numbers: what goes over the wire and into the store.

Numbers with a fraction are read as Decimal and printed digit for digit; nothing here ever makes a float.
"""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask import Flask
from flask.json.provider import JSONProvider

# json has no hook that prints a raw number, so a Decimal leaves as a string between two control characters and
# the marks are taken off with its quotation marks. No text of a platform begins or ends with such a character.
_OPEN, _SHUT = "\x00", "\x01"


def _default(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{_OPEN}{value:f}{_SHUT}"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def dumps(value: Any, *, indent: int | None = None, sort_keys: bool = False) -> str:
    """Print `value` as ASCII JSON; a Decimal becomes a plain number with exactly its digits."""
    separators = None if indent else (",", ":")
    text = json.dumps(value, default=_default, indent=indent, sort_keys=sort_keys, separators=separators)
    return text.replace('"\\u0000', "").replace('\\u0001"', "")


def loads(text: str | bytes) -> Any:
    """Read JSON; numbers with a fraction or exponent become Decimal. ValueError: it is not JSON."""
    return json.loads(text, parse_float=Decimal)


class ExactJSON(JSONProvider):
    """Makes `jsonify` and `request.get_json` of Flask use the exact functions above."""

    def __init__(self, app: Flask) -> None:
        super().__init__(app)

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Print one answer; Flask's own options are not used."""
        return dumps(obj)

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Read one request body."""
        return loads(s)
