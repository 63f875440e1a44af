"""A ledger document as the ledger holds it now, and what differs from it on either side. Pure.

`Held` is read by a ledger connector. Three states of one invoice are compared: what we wrote last (the frozen
draft), what the source would give now (a fresh draft), and what the ledger holds. Nothing here decides to write.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from domain.documents import Draft

_NET_ONLY = ("bill", "purchase_order")
"""No tax is transferred on purchases: what the ledger adds is its own, and only the net is compared."""


@dataclass(frozen=True, slots=True)
class HeldLine:
    """One line of a ledger document, as it stands there. Amounts are net, in the document's currency."""

    item_id: str | None
    item: str
    text: str
    quantity: Decimal | None
    unit_price: Decimal | None
    amount: Decimal


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
    heads = zip(_labels(ours), _drafted(ours), _drafted(fresh), _held(ours, fresh, held), strict=True)
    found = [Change(label, *states) for label, *states in heads if held.keeps_notes or label not in _NOTES]
    count = max(len(ours.lines), len(fresh.lines), len(held.lines))
    for number in range(count):
        found.append(Change(
            f"Line {number + 1}", _draft_line(ours, number), _draft_line(fresh, number), _held_line(held, number),
        ))
    return tuple(change for change in found if change.in_source or change.in_ledger or change.writes)


def equals(draft: Draft, held: Held) -> list[str]:
    """In which fields the ledger's document is not the draft: empty when it is. The proof that an update arrived."""
    return [change.label for change in compare(draft, draft, held) if change.in_ledger]


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


def _labels(draft: Draft) -> Sequence[str]:
    party = "Vendor" if draft.party.kind == "vendor" else "Customer"
    return (party, "Number", "Date", "Due date", "Currency", "Tax", "Total", "Memo", "Customer memo")


def _drafted(draft: Draft) -> list[str]:
    return [
        draft.party.name, draft.number or "", _day(draft.date), _day(draft.due_date), draft.currency,
        _money(draft.tax_total), _money(draft.total), _memo(draft.memo), _memo(draft.message),
    ]


def _held(ours: Draft, fresh: Draft, held: Held) -> list[str]:
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
        _memo(held.message),
    ]


def _draft_line(draft: Draft, number: int) -> str:
    if number >= len(draft.lines):
        return ""
    line = draft.lines[number]
    return _line(line.item.ledger_id, line.item.name, line.text, line.quantity, line.unit_price, line.amount)


def _held_line(held: Held, number: int) -> str:
    if number >= len(held.lines):
        return ""
    line = held.lines[number]
    return _line(line.item_id, line.item, line.text, line.quantity, line.unit_price, line.amount)


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
