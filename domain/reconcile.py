"""Are the books what we say they are? Our documents against the ledger's, one by one. Pure.

Both sides are read by somebody else; nothing here decides to write. A ledger document is ours by its marker, and by
the id that its answer named; a document of ours is in the books only when the ledger says so now. No tax is transferred
on purchases: of bills and purchase orders only the net amount is compared (R78).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from domain import orders

MARKER = re.compile(r"ref:[A-Z2-7]{8}")
"""What `domain.plan.marker` writes into a ledger document."""


PURCHASES = (orders.BILL, orders.ORDER)
"""Kinds whose party is a vendor and whose tax, if any, is the ledger's own."""


class Outcome(StrEnum):
    AGREE = "agree"
    DRIFT = "drift"
    """In the books, with another content than we wrote."""
    MISSING = "missing"
    """We say it is in the books, and the ledger has it not (any more)."""
    DUPLICATE = "duplicate"
    """A second live copy of a document that is in the books already."""
    ORPHAN = "orphan"
    """It bears a marker of ours, and by our account it is not in the books."""


@dataclass(frozen=True, slots=True)
class Ours:
    """A document as we have it. Amounts are as positive as the ledger's own, in the document's currency.

    `posted`: we say that it is in the books (Complete and not void). `total`, `tax` and `open_amount` are what the
    ledger's answer named when it was written; None where it named none. The total of a purchase is its net amount.
    `taken_over`: a person said that a record somebody else made is this one; its content was never ours.
    """

    document_id: int
    source_id: str
    number: str
    marker: str
    kind: str
    posted: bool
    ledger_id: str | None
    party: str
    party_id: str | None
    date: dt.date
    currency: str
    total: Decimal
    tax: Decimal | None
    open_amount: Decimal | None
    taken_over: bool = False

    @property
    def net(self) -> Decimal | None:
        if self.kind in PURCHASES:
            return self.total
        return None if self.tax is None else self.total - self.tax


@dataclass(frozen=True, slots=True)
class Theirs:
    """A live document as the ledger shows it now. `balance` is what of it is open."""

    kind: str
    ledger_id: str
    number: str | None
    marker: str
    party: str
    party_id: str | None
    date: dt.date | None
    currency: str | None
    total: Decimal | None
    tax: Decimal | None
    balance: Decimal | None

    @property
    def net(self) -> Decimal | None:
        tax = Decimal(0) if self.tax is None and self.kind in PURCHASES else self.tax
        return None if self.total is None or tax is None else self.total - tax


@dataclass(frozen=True, slots=True)
class Pair:
    """One line of a reconciliation. `differs`: (field, ours, the ledger's) as texts."""

    outcome: Outcome
    ours: Ours | None
    theirs: Theirs | None
    differs: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """`of` documents that we say are in the books, `agree` are there as we wrote them."""

    of: int
    agree: int
    drift: int
    missing: int
    duplicate: int
    orphan: int

    @property
    def green(self) -> bool:
        """Nothing is there twice, nothing is missing, nothing is there that we do not know of."""
        return not (self.missing or self.duplicate or self.orphan)


def markers_in(text: str | None) -> str:
    """The marker in a ledger document's private text; empty where it has none."""
    found = MARKER.search(text or "")
    return found.group() if found else ""


def reconcile(ours: Sequence[Ours], theirs: Iterable[Theirs]) -> list[Pair]:
    """Every document that one side has, what is wrong first. Ledger documents without a marker of ours are nobody's
    business here, unless they bear an id that we hold."""
    held = {(one.kind, one.ledger_id): one for one in theirs}
    by_marker = {one.marker: one for one in ours}
    pairs: list[Pair] = []
    claimed: set[tuple[str, str]] = set()
    for mine in ours:
        if not mine.posted:
            continue
        key = (mine.kind, mine.ledger_id or "")
        found = held.get(key)
        if found is None:
            pairs.append(Pair(Outcome.MISSING, mine, None))
            continue
        claimed.add(key)
        differs = compared(mine, found)
        pairs.append(Pair(Outcome.DRIFT if differs else Outcome.AGREE, mine, found, differs))
    for key, found in held.items():
        if key in claimed or not found.marker:
            continue
        owner = by_marker.get(found.marker)
        twice = owner is not None and owner.posted and (owner.kind, owner.ledger_id or "") in held
        pairs.append(Pair(Outcome.DUPLICATE if twice else Outcome.ORPHAN, owner, found))
    order = {outcome: place for place, outcome in enumerate(ORDER)}
    return sorted(pairs, key=lambda pair: (order[pair.outcome], _day(pair), _number(pair)))


ORDER = (Outcome.DUPLICATE, Outcome.MISSING, Outcome.ORPHAN, Outcome.DRIFT, Outcome.AGREE)


def compared(ours: Ours, theirs: Theirs) -> tuple[tuple[str, str, str], ...]:
    """What differs. What is open is shown beside it and is no difference: customers pay, and vendors are paid."""
    if ours.taken_over:
        return ()
    bought = ours.kind in PURCHASES
    gross = [] if bought else [("Total", ours.total, theirs.total), ("Tax", ours.tax, theirs.tax)]
    party = "Vendor" if bought else "Customer"
    rows: list[tuple[str, object, object]] = [
        *gross, ("Net", ours.net, theirs.net), ("Currency", ours.currency, theirs.currency),
        (party, ours.party_id, theirs.party_id), ("Date", ours.date, theirs.date),
    ]  # fmt: skip
    named = {party: (ours.party, theirs.party)}
    return tuple(
        (label, *(named.get(label) or (_text(mine), _text(found))))
        for label, mine, found in rows if mine is not None and found is not None and mine != found
    )


def counted(pairs: Iterable[Pair]) -> Counts:
    """The figures of a reconciliation."""
    by: Mapping[Outcome, int] = _tally(pairs)
    of = by[Outcome.AGREE] + by[Outcome.DRIFT] + by[Outcome.MISSING]
    return Counts(of, by[Outcome.AGREE], by[Outcome.DRIFT], by[Outcome.MISSING], by[Outcome.DUPLICATE],
                  by[Outcome.ORPHAN])  # fmt: skip


def _tally(pairs: Iterable[Pair]) -> dict[Outcome, int]:
    found = dict.fromkeys(Outcome, 0)
    for pair in pairs:
        found[pair.outcome] += 1
    return found


def _day(pair: Pair) -> dt.date:
    return pair.ours.date if pair.ours else (pair.theirs and pair.theirs.date) or dt.date.min


def _number(pair: Pair) -> str:
    return pair.ours.number if pair.ours else (pair.theirs and pair.theirs.number) or ""


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:,.2f}"
    return value.isoformat() if isinstance(value, dt.date) else str(value)
