"""A ledger document as the ledger holds it now, and what differs from it on either side. Pure.

`Held` is read by a ledger connector. Three states of one invoice are compared: what we wrote last (the frozen
draft), what the source would give now (a fresh draft), and what the ledger holds. Nothing here decides to write.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from domain.documents import Draft, Reference

_NET_ONLY = ("bill", "purchase_order")
"""No tax is transferred on purchases: what the ledger adds is its own, and only the net is compared."""


def tracked_as(ident: str | None, name: str) -> tuple[Reference, ...]:
    """A class, location or tracking option as a ledger document names it; empty where it has none."""
    return (Reference("class", ident, name, ident),) if ident else ()


@dataclass(frozen=True, slots=True)
class HeldLine:
    """One line of a ledger document, as it stands there. Amounts are net, in the document's currency."""

    item_id: str | None
    item: str
    text: str
    quantity: Decimal | None
    unit_price: Decimal | None
    amount: Decimal
    tracked: tuple[Reference, ...] = ()
    """The classes or tracking options on it."""


@dataclass(frozen=True, slots=True)
class Held:
    """One ledger document. `version` is the ledger's own (a stale one is refused); `applied` what payments and
    credits have taken off it; `linked` names them ("Payment 190"). `note` is the private text with the marker."""

    kind: str
    ledger_id: str
    version: str
    number: str | None
    date: dt.date | None
    due_date: dt.date | None
    party_id: str | None
    party: str
    currency: str | None
    total: Decimal
    tax: Decimal
    applied: Decimal
    lines: tuple[HeldLine, ...]
    note: str
    message: str = ""
    """What the customer reads on it."""
    email: str | None = None
    mailed: bool = False
    deposit: Decimal = Decimal(0)
    """Money taken with the document itself (a deposit on it)."""
    linked: tuple[str, ...] = ()
    live: bool = True
    keeps_notes: bool = True
    """False: the ledger keeps neither a private note nor a text for the customer; comparisons leave both out."""
    changed_at: dt.datetime | None = None
    location: tuple[Reference, ...] = ()
    located_by_line: bool = False
    """The ledger keeps the location on every line, among what the line is tracked by."""

    @property
    def untouched_by_money(self) -> bool:
        """No payment, credit or deposit stands against it."""
        return not self.applied and not self.linked and not self.deposit


@dataclass(frozen=True, slots=True)
class Change:
    """One field in its three states, as text; "" where a side has nothing.

    `ours` is what we wrote last, `source` what Autotask gives now, `ledger` what the ledger holds now.
    """

    label: str
    ours: str
    source: str
    ledger: str

    @property
    def in_source(self) -> bool:
        return self.source != self.ours

    @property
    def in_ledger(self) -> bool:
        return self.ledger != self.ours

    @property
    def writes(self) -> bool:
        """Replacing would change the ledger here."""
        return self.source != self.ledger


def compare(ours: Draft, fresh: Draft, held: Held) -> tuple[Change, ...]:
    """Field by field and line by line, the fields in which the three states are not the same."""
    names = _names(ours, fresh, held)
    heads = zip(
        _labels(ours), _drafted(ours, held, names), _drafted(fresh, held, names), _held(ours, fresh, held, names),
        strict=True,
    )
    found = [Change(label, *states) for label, *states in heads if held.keeps_notes or label not in _NOTES]
    count = max(len(ours.lines), len(fresh.lines), len(held.lines))
    for number in range(count):
        found.append(Change(
            f"Line {number + 1}", _draft_line(ours, number, held, names), _draft_line(fresh, number, held, names),
            _held_line(held, number, names),
        ))
    return tuple(change for change in found if change.in_source or change.in_ledger or change.writes)


def equals(draft: Draft, held: Held) -> list[str]:
    """In which fields the ledger's document is not the draft: empty when it is. The proof that an update arrived."""
    return [change.label for change in compare(draft, draft, _chosen(draft, held)) if change.in_ledger]


def _chosen(draft: Draft, held: Held) -> Held:
    """Without the class and location that the ledger gives by itself where the draft has none."""
    lines = [
        replace(line, tracked=line.tracked if number < len(draft.lines) and _tracked(draft, number, held) else ())
        for number, line in enumerate(held.lines)
    ]
    return replace(held, lines=tuple(lines), location=held.location if draft.location else ())


def adoption_problems(draft: Draft, held: Held) -> list[str]:
    """What differs between a document somebody else made and the one we would have written: each needs a yes."""
    found = []
    if draft.party.ledger_id is None or held.party_id != draft.party.ledger_id:
        who = "vendor" if draft.party.kind == "vendor" else "customer"
        found.append(f"the {who} is {held.party or 'unknown'}, not {draft.party.name}")
    if held.currency and held.currency != draft.currency:
        found.append(f"the currency is {held.currency}, not {draft.currency}")
    total = held.total - held.tax if held.kind in _NET_ONLY else held.total
    if total != draft.total:
        found.append(f"the total is {_money(total)}, not {_money(draft.total)}")
    return found


_NOTES = ("Memo", "Customer memo")
Names = Mapping[str, str]
"""Of classes and locations, by their ledger ids."""


def _labels(draft: Draft) -> Sequence[str]:
    party = "Vendor" if draft.party.kind == "vendor" else "Customer"
    return (party, "Number", "Date", "Due date", "Currency", "Tax", "Total", "Memo", "Customer memo", "Location")


def _drafted(draft: Draft, held: Held, names: Names) -> list[str]:
    return [
        draft.party.name, draft.number or "", _day(draft.date), _day(draft.due_date), draft.currency,
        _money(draft.tax_total), _money(draft.total), _memo(draft.memo), _memo(draft.message),
        "" if held.located_by_line else _told([draft.location], names),
    ]


def _held(ours: Draft, fresh: Draft, held: Held, names: Names) -> list[str]:
    """The ledger's own values; where it holds what a draft left to it, the draft's blank stands."""
    by_id = {draft.party.ledger_id: draft.party.name for draft in (fresh, ours) if draft.party.ledger_id}
    party = by_id.get(held.party_id or "", held.party or held.party_id or "")
    number = held.number or "" if ours.number or fresh.number else ""
    tax, total = held.tax, held.total
    if held.kind in _NET_ONLY:
        tax, total = ours.tax_total, held.total - held.tax
    due = _day(held.due_date) if ours.due_date or fresh.due_date else ""
    memo = _memo(held.note.replace(ours.marker, "").strip()) if ours.marker else _memo(held.note)
    return [
        party, number, _day(held.date), due, held.currency or ours.currency, _money(tax), _money(total), memo,
        _memo(held.message), _told(held.location, names),
    ]


def _draft_line(draft: Draft, number: int, held: Held, names: Names) -> str:
    if number >= len(draft.lines):
        return ""
    line = draft.lines[number]
    told = _line(line.item.ledger_id, line.item.name, line.text, line.quantity, line.unit_price, line.amount)
    return _with_class(told, _tracked(draft, number, held), names)


def _held_line(held: Held, number: int, names: Names) -> str:
    if number >= len(held.lines):
        return ""
    line = held.lines[number]
    told = _line(line.item_id, line.item, line.text, line.quantity, line.unit_price, line.amount)
    return _with_class(told, line.tracked, names)


def _tracked(draft: Draft, number: int, held: Held) -> tuple[Reference, ...]:
    location = draft.location if held.located_by_line else None
    return tuple(one for one in (draft.lines[number].tracked, location) if one is not None)


def _names(ours: Draft, fresh: Draft, held: Held) -> Names:
    """One name for each class and location: whoever renames one in the ledger changes no document."""
    lines = [line.tracked for draft in (ours, fresh) for line in draft.lines]
    there = [one for line in held.lines for one in line.tracked]
    found = [*there, *held.location, ours.location, fresh.location, *lines]
    return {one.ledger_id: one.name for one in found if one is not None and one.ledger_id}


def _told(found: Sequence[Reference | None], names: Names) -> str:
    """By name and id, since two may share a name."""
    ids = sorted(one.ledger_id or "" for one in found if one is not None)
    return ", ".join(f"{names.get(each) or 'class'} [{each}]" for each in ids)


def _with_class(line: str, found: Sequence[Reference], names: Names) -> str:
    told = _told(found, names)
    return f"{line} · {told}" if told else line


def _line(
    item_id: str | None, item: str, text: str, quantity: Decimal | None, price: Decimal | None, amount: Decimal
) -> str:
    """One line in one text. The item is told by its id too, since its name may be changed in the ledger."""
    told = f"item {item_id}" if item_id else f"new item {item}"
    return f"{_memo(text)} · {told} · {_plain(quantity)} × {_plain(price)} · {_money(amount)}"


def _memo(text: str) -> str:
    return " ".join(text.split())


def _day(day: dt.date | None) -> str:
    return day.isoformat() if day else ""


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def _plain(value: Decimal | None) -> str:
    if value is None:
        return "–"
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
