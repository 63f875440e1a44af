"""The filter language of ``where=``: comparisons joined by AND and OR, a small part of C#.

Understood: ``==``, ``=``, ``!=``, ``<``, ``<=``, ``>``, ``>=`` over text, ``guid("…")``, ``DateTime(y, m, d)``,
numbers, true, false and null; ``.Contains("…")``, ``.StartsWith("…")``, ``.EndsWith("…")``; parentheses. Anything
else, and a member the endpoint does not filter on, is refused (16). Text compares without case.
Source: Xero, requests-and-responses; the optimised members are those of the entity pages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.xero.errors import bad_query

Row = Mapping[str, Any]
Test = Callable[[Row], bool]
_TOKEN = re.compile(
    r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<number>-?\d+(?:\.\d+)?)|(?P<op>==|!=|<=|>=|=|<|>)|(?P<join>&&|\|\|)'
    r"|(?P<sign>[(),])|(?P<name>[A-Za-z_][A-Za-z0-9_.]*))"
)
_METHODS = ("contains", "startswith", "endswith")


def member(row: Row, path: str) -> Any:
    """The value of a dotted member, or None."""
    value: Any = row
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def parse(text: str, members: Collection[str]) -> Test:
    """The test of a filter. Raises ``CallRefused`` 16 for what cannot be read."""
    parser = _Parser(text, {name.lower(): name for name in members})
    test = parser.either()
    if parser.peek() is not None:
        raise bad_query(f"Unexpected '{parser.peek()}' in the where clause")
    return test


class _Parser:
    """Recursive descent over the tokens of one filter."""

    def __init__(self, text: str, members: Mapping[str, str]) -> None:
        self.members = members
        self.tokens: list[tuple[str, str]] = []
        place = 0
        text = text.strip()
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None or match.end() == place:
                raise bad_query(f"Syntax error in the where clause at {place}")
            self.tokens.append((str(match.lastgroup), match.group(str(match.lastgroup))))
            place = match.end()
        self.place = 0

    def peek(self) -> str | None:
        return self.tokens[self.place][1] if self.place < len(self.tokens) else None

    def take(self, *kinds: str) -> str:
        if self.place >= len(self.tokens) or self.tokens[self.place][0] not in kinds:
            raise bad_query(f"Syntax error in the where clause near '{self.peek() or 'the end'}'")
        self.place += 1
        return self.tokens[self.place - 1][1]

    def _joined(self, *words: str) -> bool:
        if (self.peek() or "").lower() in words:
            self.place += 1
            return True
        return False

    def either(self) -> Test:
        tests = [self.both()]
        while self._joined("or", "||"):
            tests.append(self.both())
        return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)

    def both(self) -> Test:
        tests = [self.one()]
        while self._joined("and", "&&"):
            tests.append(self.one())
        return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)

    def one(self) -> Test:
        if self._joined("("):
            test = self.either()
            if not self._joined(")"):
                raise bad_query("A closing parenthesis is missing in the where clause")
            return test
        path = self.take("name")
        head, _, tail = path.rpartition(".")
        if tail.lower() in _METHODS and head.lower() in self.members:
            return self._method(self.members[head.lower()], tail.lower())
        if path.lower() not in self.members:
            raise bad_query(f"No property or field '{path}' exists that can be filtered")
        return _compared(self.members[path.lower()], self.take("op"), self._value())

    def _method(self, path: str, method: str) -> Test:
        self._expect("(")
        wanted = _unquoted(self.take("text")).casefold()
        self._expect(")")

        def test(row: Row) -> bool:
            value = member(row, path)
            if value is None:
                raise bad_query(f"Object reference not set: {path} is null in some rows, test for it first")
            have = str(value).casefold()
            checks = {"contains": wanted in have, "startswith": have.startswith(wanted)}
            return checks.get(method, have.endswith(wanted))

        return test

    def _expect(self, sign: str) -> None:
        if self.take("sign") != sign:
            raise bad_query(f"'{sign}' is missing in the where clause")

    def _value(self) -> Any:
        if self.tokens[self.place : self.place + 1] and self.tokens[self.place][0] == "text":
            return _unquoted(self.take("text"))
        word = self.take("number", "name")
        if word.lower() in ("guid", "datetime"):
            self._expect("(")
            if word.lower() == "guid":
                value: Any = _unquoted(self.take("text"))
            else:
                parts = [int(self.take("number"))]
                while self._joined(","):
                    parts.append(int(self.take("number")))
                value = _day(parts)
            self._expect(")")
            return value
        constants = {"true": True, "false": False, "null": None}
        if word.lower() in constants:
            return constants[word.lower()]
        try:
            return Decimal(word)
        except ArithmeticError:
            raise bad_query(f"'{word}' is no value") from None


def _day(parts: list[int]) -> str:
    try:
        return date(*parts[:3]).isoformat()
    except (TypeError, ValueError):
        raise bad_query("DateTime needs a year, a month and a day that exist") from None


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def _compared(path: str, op: str, wanted: Any) -> Test:
    key = wanted.casefold() if isinstance(wanted, str) else wanted

    def test(row: Row) -> bool:
        have = member(row, path)
        if isinstance(have, str):
            have = have.casefold()
        if op in ("=", "=="):
            return bool(have == key)
        if op == "!=":
            return bool(have != key)
        if have is None or key is None or isinstance(have, str) != isinstance(key, str):
            return False
        return bool({"<": have < key, "<=": have <= key, ">": have > key, ">=": have >= key}[op])

    return test
