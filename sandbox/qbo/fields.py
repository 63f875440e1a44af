"""Kinds of property and how a value that a client sent is checked and put in its stored form.

The tables that say which entity has which property are in ``entities``. Rules that need other records
(uniqueness, references, totals) are in ``lists`` and the transaction modules.
Sizes: Intuit's API reference, entity pages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.qbo.errors import fault, required, too_long

_EMAIL = re.compile(r"^[^@\s,;]+@[^@\s,;.]+(\.[^@\s,;.]+)+$")
_MOST = Decimal(10) ** 15


@dataclass(frozen=True)
class Field:
    """One property: its kind, the longest text, the entity a reference points at, the allowed words."""

    kind: str
    limit: int = 0
    target: str = ""
    choices: tuple[str, ...] = ()
    members: Mapping[str, Field] = field(default_factory=dict)


@dataclass(frozen=True)
class Rules:
    """Company-wide choices: the ISO-8859-1 repertoire only (US), and whether numeric text is a number."""

    latin1: bool = False
    numeric_text: bool = True


def text(limit: int) -> Field:
    return Field("text", limit=limit)


def ref(target: str) -> Field:
    return Field("ref", target=target)


def choice(*words: str) -> Field:
    return Field("choice", choices=words)


def record(**members: Field) -> Field:
    return Field("record", members=members)


def records(**members: Field) -> Field:
    return Field("records", members=members)


NUMBER, FLAG, DAY, ANY, READ_ONLY = Field("number"), Field("flag"), Field("day"), Field("any"), Field("read-only")

ADDRESS = record(
    Id=READ_ONLY,
    **{f"Line{n}": text(500) for n in range(1, 6)},
    City=text(255),
    Country=text(255),
    CountryCode=text(255),
    CountrySubDivisionCode=text(255),
    PostalCode=text(30),
    PostalCodeSuffix=text(30),
    Lat=text(50),
    Long=text(50),
    Tag=text(50),
    Note=text(50),
)
EMAIL = Field("email", limit=100)
PHONE = record(
    FreeFormNumber=text(30),
    Id=READ_ONLY,
    DeviceType=text(50),
    CountryCode=text(50),
    AreaCode=text(50),
    ExchangeCode=text(50),
    Extension=text(50),
    Default=FLAG,
    Tag=text(50),
)
WEB = record(URI=text(1000), Id=READ_ONLY, Default=FLAG, Tag=text(50))
MEMO = record(value=text(1000), id=ANY)

BLANKS: tuple[object, ...] = (None, "", [], {})


def clean(kind: str, body: Mapping[str, Any], table: Mapping[str, Field], rules: Rules) -> dict[str, Any]:
    """The writable members of ``body`` in stored form. Blank members come back as ``None``: "clear this".

    Read-only members are dropped without an error, as the real service does. Raises ``QboFault`` 2010 for
    a property the entity does not have, and the code of the first value that does not fit its property.
    """
    result: dict[str, Any] = {}
    for name, value in body.items():
        spec = table.get(name)
        if spec is None:
            raise fault("2010", f"Property Name:{name} specified is unsupported or invalid", kind)
        if spec.kind == "read-only":
            continue
        result[name] = None if value in BLANKS else check(name, value, spec, rules)
    return result


def check(name: str, value: Any, spec: Field, rules: Rules) -> Any:
    """One value in stored form. Numbers may come as text; references keep their ``value`` alone."""
    checker = _CHECKERS[spec.kind]
    return checker(name, value, spec, rules)


def _text(name: str, value: Any, spec: Field, rules: Rules) -> str:
    if isinstance(value, (dict, list, bool)):
        raise fault("2040", f"Property {name} must be a text", name)
    words = str(value)
    if len(words) > spec.limit:
        raise too_long(name, spec.limit, len(words))
    if rules.latin1:
        refuse_beyond_latin1(name, words)
    return words


def refuse_beyond_latin1(name: str, words: str) -> None:
    """US companies keep the ISO-8859-1 repertoire only (Intuit, "Basic field definitions")."""
    try:
        words.encode("latin-1")
    except UnicodeEncodeError as problem:
        bad = words[problem.start]
        raise fault("2040", f"{name} holds the unsupported character U+{ord(bad):04X}", name) from None


def number_of(name: str, value: Any) -> Decimal:
    """A number sent as a JSON number or as numeric text. Raises ``QboFault`` 2090 otherwise."""
    if isinstance(value, (bool, dict, list)):
        raise fault("2090", f"Property {name} must be a number", name)
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise fault("2090", f"Property {name} must be a number: {value}", name) from None
    if not number.is_finite() or abs(number) >= _MOST:
        raise fault("2090", f"Property {name} is out of range: {value}", name)
    return number


def _number(name: str, value: Any, spec: Field, rules: Rules) -> Decimal:
    if isinstance(value, str) and not rules.numeric_text:
        raise fault("2090", f"Property {name} must be a number, not a text", name)
    return number_of(name, value)


def _flag(name: str, value: Any, spec: Field, rules: Rules) -> bool:
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise fault("2060", f"Property {name} must be true or false", name)
    return value


def _day(name: str, value: Any, spec: Field, rules: Rules) -> str:
    try:
        # A time of day is tolerated and dropped, as with the ``date`` type of the schema.
        return date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError:
        raise fault("2180", f"{name} is not a date: {value}", name) from None


def _choice(name: str, value: Any, spec: Field, rules: Rules) -> str:
    if value not in spec.choices:
        raise fault("2170", f"{name}: {value} is not one of {', '.join(spec.choices)}", name)
    return str(value)


def _email(name: str, value: Any, spec: Field, rules: Rules) -> dict[str, str] | None:
    address = value.get("Address") if isinstance(value, dict) else value
    if address in BLANKS:
        return None
    words = str(address)
    if len(words) > spec.limit:
        raise too_long(name, spec.limit, len(words))
    for single in words.split(","):
        if not _EMAIL.match(single.strip()):
            raise fault("2210", f"Email Address does not conform to the RFC 822 Standard: {words}", name)
    return {"Address": words}


def _ref(name: str, value: Any, spec: Field, rules: Rules) -> dict[str, str] | None:
    target = value.get("value") if isinstance(value, dict) else value
    if target in BLANKS:
        return None
    if not isinstance(target, (str, int)):
        raise fault("2030", f"{name} must hold the id of a {spec.target}", name)
    return {"value": str(target)}


def _record(name: str, value: Any, spec: Field, rules: Rules) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        raise fault("2010", f"Property Name:{name} must be an object", name)
    members = clean(name, value, spec.members, rules)
    return {key: member for key, member in members.items() if member is not None} or None


def _records(name: str, value: Any, spec: Field, rules: Rules) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise fault("2010", f"Property Name:{name} must be a list", name)
    found = [_record(name, member, spec, rules) for member in value]
    return [member for member in found if member]


def _any(name: str, value: Any, spec: Field, rules: Rules) -> Any:
    return value


_CHECKERS = {
    "text": _text,
    "number": _number,
    "flag": _flag,
    "day": _day,
    "choice": _choice,
    "email": _email,
    "ref": _ref,
    "record": _record,
    "records": _records,
    "any": _any,
}


def needs(body: Mapping[str, Any], *names: str) -> None:
    """Raise ``QboFault`` 2020 for the first of ``names`` that is absent or blank."""
    for name in names:
        if body.get(name) in BLANKS:
            raise required(name)
