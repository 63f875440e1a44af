"""Parser of the QuickBooks Online query language: text in, a ``Query`` value out.

Grammar (Intuit, "Data queries"): ``SELECT *|props|count(*) FROM Entity [WHERE p op v [AND ...]]
[ORDERBY|ORDER BY p [ASC|DESC][, ...]] [STARTPOSITION n] [MAXRESULTS n]``. There is no OR, no join and no
nesting. Which properties an entity can be filtered by is checked in ``select``, not here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.qbo.errors import QboFault, fault

DEFAULT_ROWS = 100

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^'\\]|\\.)*')
    | (?P<word>[A-Za-z_][A-Za-z0-9_.]*)
    | (?P<number>-?\d+(?:\.\d+)?)
    | (?P<op><=|>=|!=|<|>|=)
    | (?P<mark>[(),*])
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Condition:
    """One comparison; ``values`` has exactly one member unless ``op`` is ``IN``."""

    prop: str
    op: str
    values: tuple[str | bool, ...]


@dataclass(frozen=True)
class Query:
    """A parsed statement. ``fields`` empty means ``*``; positions are 1-based."""

    entity: str
    count: bool = False
    fields: tuple[str, ...] = ()
    where: tuple[Condition, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    start: int = 1
    rows: int = DEFAULT_ROWS


@dataclass
class _Tokens:
    items: list[tuple[str, str]]
    at: int = 0

    def peek(self) -> tuple[str, str]:
        return self.items[self.at] if self.at < len(self.items) else ("end", "")

    def take(self) -> tuple[str, str]:
        token = self.peek()
        self.at += 1
        return token

    def word(self, *names: str) -> bool:
        """Consume the next token if it is one of these keywords (any case)."""
        kind, value = self.peek()
        if kind == "word" and value.upper() in names:
            self.at += 1
            return True
        return False

    def mark(self, value: str) -> bool:
        if self.peek() == ("mark", value):
            self.at += 1
            return True
        return False


def _broken(text: str) -> QboFault:
    return fault("4000", f"Error parsing query\nQueryParserError: {text}")


def _tokens(statement: str) -> _Tokens:
    items: list[tuple[str, str]] = []
    position = 0
    end = len(statement.rstrip())
    while position < end:
        match = _TOKEN.match(statement, position)
        if match is None:
            raise _broken(
                f"Encountered unexpected character at {position + 1}: {statement[position : position + 10]!r}"
            )
        kind = match.lastgroup or ""
        items.append((kind, match.group(kind)))
        position = match.end()
    return _Tokens(items)


def parse(statement: str) -> Query:
    """Parse one statement. Raises ``QboFault`` 4000 for grammar and 4001 for a position out of range."""
    tokens = _tokens(statement)
    if not tokens.word("SELECT"):
        raise _broken("Encountered no SELECT at the beginning of the statement")
    count, fields = _projection(tokens)
    if not tokens.word("FROM"):
        raise _broken("Was expecting FROM")
    kind, entity = tokens.take()
    if kind != "word":
        raise _broken("Was expecting an entity name")
    where = _where(tokens) if tokens.word("WHERE") else ()
    order = _order(tokens)
    start, rows = _window(tokens)
    if tokens.peek()[0] != "end":
        raise _broken(f'Encountered " {tokens.peek()[1]} ", was expecting the end of the statement')
    return Query(entity, count, fields, where, order, start, rows)


def _projection(tokens: _Tokens) -> tuple[bool, tuple[str, ...]]:
    names: list[str] = []
    everything = False
    while True:
        kind, value = tokens.take()
        if (kind, value) == ("mark", "*"):
            everything = True
        elif kind == "word" and value.upper() == "COUNT" and tokens.mark("("):
            if not (tokens.mark("*") and tokens.mark(")")):
                raise _broken("Was expecting count(*)")
            return True, ()
        elif kind == "word":
            names.append(value)
        else:
            raise _broken(f"Encountered {value!r} where a property was expected")
        if not tokens.mark(","):
            return False, () if everything else tuple(names)


def _where(tokens: _Tokens) -> tuple[Condition, ...]:
    conditions = [_condition(tokens)]
    while tokens.word("AND"):
        conditions.append(_condition(tokens))
    if tokens.peek()[0] == "word" and tokens.peek()[1].upper() == "OR":
        raise _broken('Encountered " OR ", only AND is supported')
    return tuple(conditions)


def _condition(tokens: _Tokens) -> Condition:
    kind, prop = tokens.take()
    if kind != "word":
        raise _broken(f"Encountered {prop!r} where a property was expected")
    kind, op = tokens.take()
    if kind == "op":
        return Condition(prop, op, (_value(tokens),))
    if kind == "word" and op.upper() == "LIKE":
        return Condition(prop, "LIKE", (_value(tokens),))
    if kind == "word" and op.upper() == "IN":
        return Condition(prop, "IN", _value_list(tokens))
    raise _broken(f"Encountered {op!r} where an operator was expected")


def _value_list(tokens: _Tokens) -> tuple[str | bool, ...]:
    if not tokens.mark("("):
        raise _broken("Was expecting ( after IN")
    values = [_value(tokens)]
    while tokens.mark(","):
        values.append(_value(tokens))
    if not tokens.mark(")"):
        raise _broken("Was expecting ) at the end of the IN list")
    return tuple(values)


def _value(tokens: _Tokens) -> str | bool:
    kind, value = tokens.take()
    if kind == "text":
        return re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.DOTALL)
    if kind == "number":
        return value
    if kind == "word" and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if kind == "word" and value.upper() == "CURRENT_DATE":
        return "CURRENT_DATE"
    raise _broken(f"Encountered {value!r} where a value was expected")


def _order(tokens: _Tokens) -> tuple[tuple[str, bool], ...]:
    if tokens.word("ORDER"):
        if not tokens.word("BY"):
            raise _broken("Was expecting BY after ORDER")
    elif not tokens.word("ORDERBY"):
        return ()
    keys: list[tuple[str, bool]] = []
    while True:
        kind, prop = tokens.take()
        if kind != "word":
            raise _broken("Was expecting a property after ORDER BY")
        descending = tokens.word("DESC")
        if not descending:
            tokens.word("ASC")
        keys.append((prop, descending))
        if not tokens.mark(","):
            return tuple(keys)


def _window(tokens: _Tokens) -> tuple[int, int]:
    start, rows = 1, DEFAULT_ROWS
    while tokens.peek()[0] == "word":
        if tokens.word("STARTPOSITION"):
            start = _whole(tokens, 1)
        elif tokens.word("MAXRESULTS"):
            rows = _whole(tokens, 0)
        else:
            break
    return start, rows


def _whole(tokens: _Tokens, least: int) -> int:
    kind, value = tokens.take()
    if kind != "number" or "." in value:
        raise _broken(f"Encountered {value!r} where a whole number was expected")
    number = int(value)
    if number < least:
        raise fault("4001", f"QueryValidationError: value {number} is too small. Min allowed value is {least}")
    return number
