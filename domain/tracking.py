"""Class of a line and location of a document: from department, line of business or territory of the source (R32). Pure.

A rule of the map wins, then an equal name, then the default. The class stands on each line, the location on the head.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.documents import Reference, SourceDocument, SourceLine
from domain.known import Entry, Facts, Lists
from domain.matching import fold
from domain.reasons import Reason, reason
from domain.settings import InvoiceSettings, TrackBy, TrackRule

CLASS, LOCATION = "class", "location"


@dataclass(frozen=True, slots=True)
class Tracked:
    """One class (or None) per source line, and the document's location."""

    classes: tuple[Reference | None, ...]
    location: Reference | None = None


@dataclass(frozen=True, slots=True)
class _Choice:
    kind: str
    by: TrackBy
    rules: Sequence[TrackRule]
    default: str | None
    entries: Mapping[str, Entry]


def track(
    document: SourceDocument, settings: InvoiceSettings, lists: Lists, facts: Facts, reasons: list[Reason]
) -> Tracked:
    """Reasons are added once per cause. Nothing is tracked that was not chosen, or that the ledger has switched off."""
    nothing: tuple[Reference | None, ...] = (None,) * len(document.lines)
    classes, location = nothing, None
    if settings.class_by is not TrackBy.NONE and facts.classes:
        choice = _Choice(CLASS, settings.class_by, settings.class_map, settings.class_default, lists.classes)
        classes = tuple(_keep(_found(line, document, choice, lists), reasons) for line in document.lines)
    if settings.location_by is not TrackBy.NONE and facts.locations:
        choice = _Choice(
            LOCATION, settings.location_by, settings.location_map, settings.location_default, lists.locations
        )
        location = _keep(_location(document, choice, lists), reasons)
    return Tracked(classes, location)


def source_values(by: TrackBy, lists: Lists) -> Mapping[str, str]:
    """Names by id of what a class or location is taken from."""
    return {
        TrackBy.DEPARTMENT: lists.catalog.departments, TrackBy.BUSINESS: lists.catalog.businesses,
        TrackBy.TERRITORY: lists.catalog.territories,
    }.get(by, {})  # fmt: skip


def _keep(found: Reference | Reason | None, reasons: list[Reason]) -> Reference | None:
    if isinstance(found, Reason):
        reasons += [found] if found not in reasons else []
        return None
    return found


def _value(line: SourceLine, document: SourceDocument, by: TrackBy, lists: Lists) -> str | None:
    """The source's id of a line's department, line of business, or its company's territory."""
    if by is TrackBy.DEPARTMENT:
        code = lists.catalog.codes.get(line.code_id or "")
        return code.department_id if code else None
    if by is TrackBy.BUSINESS:
        return line.business_id
    party = lists.parties.get(document.header.party_id or "")
    return party.territory_id if party else None


def _found(line: SourceLine, document: SourceDocument, choice: _Choice, lists: Lists) -> Reference | Reason | None:
    value = _value(line, document, choice.by, lists)
    name = source_values(choice.by, lists).get(value or "", "")
    rule = next((r for r in choice.rules if r.by is choice.by and r.source_id == value), None)
    if rule is not None:
        return _usable(rule.ledger_id, choice)
    same = [each for each in choice.entries.values() if name and each.active and fold(each.name) == fold(name)]
    if len(same) == 1:
        return Reference(choice.kind, same[0].id, same[0].name, same[0].id)
    if choice.default:
        return _usable(choice.default, choice)
    if value is not None:
        return reason(f"{choice.kind}_unmatched", name=name or f"id {value}", by=choice.by.value)
    return reason("class_missing", by=choice.by.value) if choice.kind == CLASS else None


def _usable(ledger_id: str, choice: _Choice) -> Reference | Reason:
    entry = choice.entries.get(ledger_id)
    if entry is None or not entry.active:
        return reason("tracking_gone", kind=choice.kind, name=entry.name if entry else f"id {ledger_id}")
    return Reference(choice.kind, entry.id, entry.name, entry.id)


def _location(document: SourceDocument, choice: _Choice, lists: Lists) -> Reference | Reason | None:
    """That of all lines; lines of several take the default, because a document has one."""
    found = [_found(line, document, choice, lists) for line in document.lines]
    wrong = next((each for each in found if isinstance(each, Reason)), None)
    if wrong is not None:
        return wrong
    several = list(dict.fromkeys(each for each in found if isinstance(each, Reference)))
    if len(several) <= 1:
        return several[0] if several else None
    if choice.default:
        return _usable(choice.default, choice)
    return reason("location_mixed", names="” and “".join(each.name for each in several[:3]))
