"""Which bills the receivings of an order make: one per vendor invoice number (R74). Pure.

A *part* is what one bill bills. Its key is part of what exists once, so it depends on the receivings alone: the
vendor's invoice number of the receiving, else the one on the order, else the day on which it was received.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from domain.documents import SourceDocument, SourceLine
from domain.order_documents import OrderHead, Receipt

KEY_MAX = 100


@dataclass(frozen=True, slots=True)
class Part:
    """Received under one vendor invoice number. `quantities` by source line id, none of them zero."""

    key: str
    number: str | None
    """The vendor's invoice number; None where only the day of receiving is known."""
    received_on: dt.date
    """Of its last receiving."""
    quantities: Mapping[str, Decimal]
    receipts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LedgerOrder:
    """Our purchase order in the ledger: its id, its date, and the ids of its lines by source line id."""

    ledger_id: str
    date: dt.date
    lines: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OrderHistory:
    """What of one order is in the ledger already, other documents of ours than the planned one."""

    billed: Mapping[str, Decimal] = field(default_factory=dict)
    """Quantities by source line id on live bills."""
    parts: frozenset[str] = frozenset()
    """Keys of the parts that are billed."""
    whole: bool = False
    """The order was billed at once."""
    freight: Decimal = Decimal(0)
    """What of the freight is booked."""
    order: LedgerOrder | None = None


def part_key(receipt: Receipt, head: OrderHead) -> str:
    number = (receipt.vendor_invoice or head.vendor_invoice or "").strip()
    return (number or f"received {receipt.received_on.isoformat()}")[:KEY_MAX]


def parts_of(document: SourceDocument) -> tuple[Part, ...]:
    """The order's parts by day and key. What was taken back lessens its own part, or the last ones received."""
    head = document.header.order
    if head is None:
        return ()
    found: dict[str, dict[str, Decimal]] = {}
    days: dict[str, dt.date] = {}
    receipts: dict[str, list[str]] = {}
    taken: list[tuple[SourceLine, Receipt]] = []
    for line in document.lines:
        for receipt in line.goods.receipts if line.goods else ():
            if receipt.quantity < 0:
                taken.append((line, receipt))
                continue
            key = part_key(receipt, head)
            part = found.setdefault(key, {})
            part[line.id] = part.get(line.id, Decimal(0)) + receipt.quantity
            days[key] = max(days.get(key, receipt.received_on), receipt.received_on)
            receipts.setdefault(key, []).append(receipt.id)
    order = sorted(found, key=lambda key: (days[key], key))
    for line, receipt in taken:
        _take_back(line.id, receipt, part_key(receipt, head), found, order)
    return tuple(
        Part(key, _number(key, days[key]), days[key], quantities, tuple(sorted(receipts[key])))
        for key in order if (quantities := {line: count for line, count in found[key].items() if count})
    )


def _take_back(
    line_id: str, receipt: Receipt, key: str, found: dict[str, dict[str, Decimal]], order: list[str]
) -> None:
    left = -receipt.quantity
    named = [key] if receipt.vendor_invoice else []
    for each in [*named, *reversed(order)]:
        there = found.get(each, {}).get(line_id, Decimal(0))
        less = min(left, there)
        if less > 0:
            found[each][line_id] = there - less
            left -= less


def _number(key: str, day: dt.date) -> str | None:
    return None if key == f"received {day.isoformat()}" else key


def lines_of(document: SourceDocument, part: Part | None) -> tuple[SourceLine, ...]:
    """The lines that one ledger document takes, with its own quantities; None: as ordered. None of quantity 0."""
    kept = []
    for line in document.lines:
        quantity = line.quantity if part is None else part.quantities.get(line.id, Decimal(0))
        if quantity:
            kept.append(replace(line, quantity=quantity, extended_price=quantity * line.rate))
    return tuple(kept)


def order_total(document: SourceDocument) -> Decimal:
    """Net, unrounded: what was ordered plus freight. The source keeps no total of an order."""
    head = document.header.order
    lines = sum((line.extended_price for line in document.lines), Decimal(0))
    return lines + (head.freight if head else Decimal(0))


def fully_received(document: SourceDocument) -> bool:
    return bool(document.lines) and all(
        line.goods is not None and line.goods.received >= line.quantity for line in document.lines
    )
