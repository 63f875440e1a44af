"""What a person looked at, and what is not the same any more when it is about to be sent. Pure.

A plan's *face* is every value of its draft and of what it would create, as flat text. References count by the name
they bear: a customer that was new at the preview and exists by now is the same customer, so creating it for one
document changes no other one. Equal inputs give an equal face, and an equal face an equal digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal

from domain.documents import Draft

Face = dict[str, str]
_LEFT_OUT = frozenset({"notes", "ledger_id"})
_WORDS = {"party": "customer", "unit price": "price"}
MOST_TOLD = 4


def face(draft: Draft) -> Face:
    """Every value that is sent, by its path (`lines.3.amount`)."""
    return dict(_flat("", draft))


def digest(seen: Mapping[str, str]) -> str:
    """Equal for equal faces only; 64 hexadecimal characters."""
    return hashlib.sha256(json.dumps(seen, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """In words, in the order of the document: "total 100.00 → 120.00"; empty when both say the same."""
    told: dict[str, str] = {}
    gone, come = _lines(before) - _lines(after), _lines(after) - _lines(before)
    for path in [*after, *(path for path in before if path not in after)]:
        number = _line(path)
        if number is not None and number in gone | come:
            continue
        old, new = before.get(path, ""), after.get(path, "")
        if old != new:
            told.setdefault(_label(path), f"{_label(path)} {_short(old)} → {_short(new)}")
    lines = [f"line {number + 1} is new" for number in sorted(come)]
    lines += [f"line {number + 1} is gone" for number in sorted(gone)]
    return (*told.values(), *lines)


def sentence(told: tuple[str, ...]) -> str:
    """The first differences as one text, with the number of the others."""
    more = len(told) - MOST_TOLD
    shown = "; ".join(told[:MOST_TOLD])
    return f"{shown}; {more:,} more" if more > 0 else shown


def _flat(path: str, value: object) -> Iterator[tuple[str, str]]:
    if is_dataclass(value):
        for each in fields(value):
            if each.name not in _LEFT_OUT:
                yield from _flat(f"{path}.{each.name}" if path else each.name, getattr(value, each.name))
    elif isinstance(value, tuple | list):
        for number, part in enumerate(value):
            yield from _flat(f"{path}.{number}", part)
    elif isinstance(value, Decimal):
        yield path, _number(value)
    elif value is not None and value != "":
        yield path, str(value)


def _number(value: Decimal) -> str:
    """At least two decimals, so that money reads as money; no zeros beyond them."""
    text = f"{value.normalize():f}"
    whole, _, rest = text.partition(".")
    return f"{whole}.{rest.ljust(2, '0')}"


def _line(path: str) -> int | None:
    parts = path.split(".")
    return int(parts[1]) if parts[0] == "lines" and len(parts) > 1 else None


def _lines(seen: Mapping[str, str]) -> set[int]:
    return {number for path in seen if (number := _line(path)) is not None}


def _label(path: str) -> str:
    """`lines.2.item.name` → "line 3 item"; `due_date` → "due date"."""
    parts = [part for part in path.split(".") if part not in ("lines", "name", "key", "kind")] or [path]
    number = _line(path)
    if number is not None:
        parts = [f"line {number + 1}", *parts[1:]]
    words = " ".join(parts).replace("_", " ")
    for known, word in _WORDS.items():
        words = words.replace(known, word)
    return words


def _short(text: str) -> str:
    if not text:
        return "nothing"
    return text if len(text) <= 60 else text[:57].rstrip() + "..."
