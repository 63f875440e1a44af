"""What differs between two drafts of one document, field by field in people's words. Pure.

Fields are taken from the drafts' own shape, so one that is added later is compared as well.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from decimal import Decimal
from typing import Any

from domain.documents import Draft, DraftLine, ItemDraft, PartyDraft, Reference
from domain.formats import format_day

LABELS = {
    "kind": "Document", "party": "Customer", "number": "Number", "date": "Date", "due_date": "Due date",
    "term": "Terms",
    "currency": "Currency", "tax_total": "Tax", "send_tax": "Tax sent as an amount", "total": "Total", "memo": "Memo",
    "message": "Customer memo", "email": "E-mail", "item": "item", "text": "text", "quantity": "quantity",
    "unit_price": "price", "amount": "amount", "taxed": "taxed", "tax_code": "tax code", "tracked": "class",
    "service_date": "service date",
}  # fmt: skip
APART = frozenset({"marker", "lines", "notes"})
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Difference:
    label: str
    before: str
    after: str


Creations = Sequence[PartyDraft | ItemDraft]


def differences(
    before: Draft, after: Draft, made_before: Creations = (), made_after: Creations = ()
) -> list[Difference]:
    """Empty when both would write the same."""
    found = _fields(before, after, "")
    if len(before.lines) != len(after.lines):
        found.append(Difference("Lines", str(len(before.lines)), str(len(after.lines))))
    for number, (old, new) in enumerate(zip(before.lines, after.lines, strict=False), 1):
        found += _fields(old, new, f"Line {number}, ")
    created = _created(made_before), _created(made_after)
    if created[0] != created[1]:
        found.append(Difference("Creates", *created))
    return found


def _fields(old: Draft | DraftLine, new: Draft | DraftLine, prefix: str) -> list[Difference]:
    names = [each.name for each in fields(old) if each.name not in APART]
    told = [(name, in_words(getattr(old, name)), in_words(getattr(new, name))) for name in names]
    return [
        Difference(prefix + LABELS.get(name, name.replace("_", " ")), first, second)
        for name, first, second in told if first != second
    ]


def in_words(value: Any) -> str:
    """One field of a draft as text; a record that does not exist yet is called new."""
    if value is None or value == "" or value == ():
        return NOTHING
    if isinstance(value, Reference):
        return value.name if value.ledger_id else f"{value.name} (new)"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, Decimal):
        text = f"{value:,f}"
        return text.rstrip("0").rstrip(".") if text.count(".") and len(text.partition(".")[2]) > 2 else text
    if isinstance(value, dt.date):
        return format_day(value)
    if isinstance(value, tuple | list):
        return ", ".join(in_words(each) for each in value)
    if is_dataclass(value):
        return ", ".join(in_words(getattr(value, each.name)) for each in fields(value))
    return str(value).replace("_", " ") if value in ("invoice", "credit_memo") else str(value)


def _created(made: Creations) -> str:
    told = [
        f"item {each.name} on account {each.account.ledger_id or each.account.name}" if isinstance(each, ItemDraft)
        else f"customer {each.name}"
        for each in made
    ]
    return "; ".join(told) or NOTHING
