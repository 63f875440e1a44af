"""The filter language of the REST API: thirteen operators, groups, and what it refuses.

`compile_filter` turns the JSON of a filter into a predicate over stored rows. Facts: vendor developer help
("Basic query calls", "Advanced query features") and published clients.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.autotask.entities import Field
from sandbox.autotask.views import Row, View, parse_moment

Predicate = Callable[[Row], bool]
OR_MAX = 500
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "noteq": lambda a, b: a != b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
}
_TEXT: dict[str, Callable[[str, str], bool]] = {
    "beginswith": lambda a, b: a.startswith(b),
    "endswith": lambda a, b: a.endswith(b),
    "contains": lambda a, b: b in a,
}


class QueryError(Exception):
    """A query the service refuses; the text goes into `errors`."""


@dataclass
class _Count:
    """What the limits of one query count."""

    ors: int = 0
    udfs: int = 0


def compile_filter(filters: Any, view: View) -> Predicate:
    """Read the `filter` array (its members are ANDed). Raises QueryError."""
    if not isinstance(filters, list) or not filters:
        raise QueryError("Invalid query syntax. A query needs at least one filter.")
    count = _Count()
    tests = [_compile(part, view, count) for part in filters]
    if count.ors > OR_MAX:
        raise QueryError("Invalid query syntax. Queries are limited to 500 or fewer 'OR' conditions.")
    if count.udfs > 1:
        raise QueryError("Invalid query syntax. A query may filter on one user-defined field only.")
    return _all(tests)


def _all(tests: list[Predicate]) -> Predicate:
    return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)


def _compile(part: Any, view: View, count: _Count) -> Predicate:
    if not isinstance(part, dict):
        raise QueryError("Invalid query syntax. A filter must be an object.")
    part = {str(name).lower(): value for name, value in part.items()}
    op = str(part.get("op", "")).lower()
    if op in ("and", "or"):
        items = part.get("items")
        if not isinstance(items, list) or not items:
            raise QueryError(f"Invalid query syntax. The group '{op}' has no items.")
        tests = [_compile(item, view, count) for item in items]
        if op == "and":
            return _all(tests)
        count.ors += len(tests)
        return lambda row: any(test(row) for test in tests)
    if part.get("udf"):
        count.udfs += 1
        return _udf(part, op)
    return _condition(_field(part, view), op, part, view, count)


def _field(part: dict[str, Any], view: View) -> Field:
    asked = str(part.get("field", ""))
    name = view.entity.by_lower.get(asked.lower())
    if name is None:
        raise QueryError(f"Unable to find {asked} in the {view.entity.singular} Entity.")
    field = view.entity.fields[name]
    if not field.queryable:
        raise QueryError(f"The field {name} of {view.entity.singular} is not queryable.")
    return field


def _condition(field: Field, op: str, part: dict[str, Any], view: View, count: _Count) -> Predicate:
    name = field.name
    if op == "exist":
        return lambda row: view.value(row, name) is not None
    if op == "notexist":
        return lambda row: view.value(row, name) is None
    if "value" not in part:
        raise QueryError(f"Invalid query syntax. The operator '{op}' on {name} needs a value.")
    if op in ("in", "notin"):
        return _membership(field, op == "in", part["value"], view, count)
    wanted, comparable = _wanted(field, part["value"])
    if op in _TEXT:
        if field.kind != "s":
            raise QueryError(f"The operator '{op}' does not apply to {name}.")
        text, folded = _TEXT[op], str(part["value"]).casefold()
        return lambda row: text(str(view.value(row, name) or "").casefold(), folded)
    if op not in _COMPARE:
        raise QueryError(f"'{op}' is not a valid operator.")
    compare = _COMPARE[op]
    if not comparable:
        return lambda row: False
    if name == "id":
        return lambda row: compare(row["id"], wanted)
    return lambda row: _holds(compare, _comparable(field, view.value(row, name)), wanted, op)


def _holds(compare: Callable[[Any, Any], bool], value: Any, wanted: Any, op: str) -> bool:
    if value is None:
        return op == "noteq" and wanted is not None
    if wanted is None:
        return op == "noteq"
    return compare(value, wanted)


def _membership(field: Field, inside: bool, values: Any, view: View, count: _Count) -> Predicate:
    if not isinstance(values, list):
        raise QueryError(f"Invalid query syntax. The value of 'in' on {field.name} must be an array.")
    count.ors += len(values)
    read = [_wanted(field, value) for value in values]
    wanted = {value for value, comparable in read if comparable}
    return lambda row: (_comparable(field, view.value(row, field.name)) in wanted) == inside


def _wanted(field: Field, value: Any) -> tuple[Any, bool]:
    """A filter value ready to compare, and whether it can match at all.

    A text given for a number silently matches nothing; a wrong boolean or date is an error.
    """
    if field.kind == "b":
        if not isinstance(value, bool):
            raise QueryError(f"The value of {field.name} must be true or false.")
        return value, True
    if value is None:
        return None, True
    if field.kind in ("l", "i", "d"):
        if not _is_number(value):
            return None, False
        return (int(value) if value == int(value) else Decimal(value)), True
    if field.kind in ("dt", "date"):
        try:
            return parse_moment(str(value)), True
        except ValueError as error:
            raise QueryError(f"'{value}' is not a valid date for {field.name}.") from error
    return str(value).casefold(), True


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _comparable(field: Field, value: Any) -> Any:
    """A row's value in the form `_wanted` gives."""
    if value is None or field.kind == "b":
        return value
    if field.kind in ("l", "i"):
        return value
    if field.kind in ("dt", "date"):
        return parse_moment(value)
    if field.kind == "d":
        try:
            return Decimal(value)
        except InvalidOperation:
            return None
    return str(value).casefold()


def _udf(part: dict[str, Any], op: str) -> Predicate:
    name, value = str(part.get("field", "")).casefold(), part.get("value")
    if op not in ("eq", "noteq", "exist", "notexist", "contains", "beginswith"):
        raise QueryError(f"'{op}' is not a valid operator for a user-defined field.")

    def test(row: Row) -> bool:
        held = next(
            (
                str(udf.get("value") or "")
                for udf in row.get("userDefinedFields", [])
                if str(udf.get("name", "")).casefold() == name
            ),
            "",
        )
        if op in ("exist", "notexist"):
            return bool(held) == (op == "exist")
        held, wanted = held.casefold(), str(value).casefold()
        if op in _TEXT:
            return _TEXT[op](held, wanted)
        return (held == wanted) == (op == "eq")

    return test


def narrowed(filters: Any, view: View) -> tuple[str, list[Any]] | None:
    """An indexed field and the values it must have, when the filter pins one: spares reading every row."""
    for part in filters if isinstance(filters, list) else []:
        if not isinstance(part, dict):
            continue
        part = {str(name).lower(): value for name, value in part.items()}
        name = view.entity.by_lower.get(str(part.get("field", "")).lower())
        op = str(part.get("op", "")).lower()
        if part.get("udf") or name not in ("id", *view.entity.indexed) or op not in ("eq", "in"):
            continue
        values = part.get("value") if op == "in" else [part.get("value")]
        if isinstance(values, list) and all(_is_number(value) for value in values):
            return name, list(dict.fromkeys(values))
    return None
