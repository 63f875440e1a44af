"""Joining lines: as printed, one per item, or one per document; where item, account, tax and class agree (R06). Pure.

Amounts are added as received, at full precision, before they are rounded once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from domain.documents import Reference, SourceDocument, SourceLine
from domain.placing import Place
from domain.settings import LineDetail


@dataclass(frozen=True, slots=True)
class Joined:
    """The document as its lines are to be shown, with the place and tax code of each."""

    document: SourceDocument
    places: tuple[Place | None, ...]
    tax_codes: tuple[Reference | None, ...]
    classes: tuple[Reference | None, ...] = ()


def join_lines(
    document: SourceDocument, places: Sequence[Place | None], tax_codes: Sequence[Reference | None], detail: LineDetail,
    classes: Sequence[Reference | None] = (),
) -> Joined:
    """Lines without a place stay as they are: their reason stops the document anyway."""
    codes = tax_codes or (None,) * len(document.lines)
    tracked = classes or (None,) * len(document.lines)
    groups: dict[object, list[int]] = {}
    for index, line in enumerate(document.lines):
        groups.setdefault(_key(index, line, places[index], (codes[index], tracked[index]), detail), []).append(index)
    if len(groups) == len(document.lines):
        return Joined(document, tuple(places), tuple(codes), tuple(tracked))
    lines = tuple(_join([document.lines[i] for i in found], places[found[0]], detail) for found in groups.values())
    first = [found[0] for found in groups.values()]
    return Joined(
        replace(document, lines=lines), tuple(places[i] for i in first), tuple(codes[i] for i in first),
        tuple(tracked[i] for i in first),
    )


def _key(index: int, line: SourceLine, place: Place | None, code: object, detail: LineDetail) -> object:
    if detail is LineDetail.EVERY or place is None or (detail is LineDetail.PRINTED and line.group_id is None):
        return index
    same = (place.item, place.account, code, line.tax != 0)
    if detail is LineDetail.PRINTED:
        return (line.group_id, line.party_id, same)
    return (line.party_id, same) if detail is LineDetail.ITEM else same


def _join(lines: Sequence[SourceLine], place: Place | None, detail: LineDetail) -> SourceLine:
    if len(lines) == 1:
        return lines[0]
    head = lines[0]
    rates, dates = {line.rate for line in lines}, {line.service_date for line in lines}
    months = {line.months for line in lines}
    quantity = sum((line.quantity for line in lines), Decimal(0)) if len(rates) == 1 else Decimal(1)
    amount = sum((line.extended_price for line in lines), Decimal(0))
    parties = {line.party_id for line in lines}
    return replace(
        head, text=_text(lines, place, detail), quantity=quantity, rate=head.rate if len(rates) == 1 else amount,
        extended_price=amount, tax=sum((line.tax for line in lines), Decimal(0)),
        party_id=head.party_id if len(parties) == 1 else None,
        service_date=head.service_date if len(dates) == 1 else None,
        months=head.months if len(months) == 1 else None,
    )


def _text(lines: Sequence[SourceLine], place: Place | None, detail: LineDetail) -> str:
    """The printed group's own text; one text that all lines share; else the item's name and how many they are."""
    if detail is LineDetail.PRINTED and lines[0].group_text.strip():
        return lines[0].group_text
    texts = {line.text.strip() for line in lines}
    if len(texts) == 1:
        return lines[0].text
    return f"{place.item.name if place else lines[0].name}: {len(lines):,} entries"
