"""The dates and terms of a ledger document: which day it stands on, when it is due, under which terms. Pure.

A document dated in a closed period stops, or goes on the first open day with its own date in the memo (R44, R45). Terms
are found by equal name, then by a person's map; where neither knows them nothing is sent, so that the ledger customer's
own terms stay (R43). Credits have neither terms nor a due date (R63).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from domain.documents import Reference, SourceHeader
from domain.formats import format_long_day
from domain.known import Entry, Facts, Lists
from domain.matching import fold
from domain.reasons import Reason, reason
from domain.settings import ClosedPeriod, DueDate, InvoiceSettings, TermRule

ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Dating:
    """`moved_from` is the source's date where another one is booked; `remark` goes into the private note."""

    date: dt.date
    due_date: dt.date | None
    term: Reference | None
    moved_from: dt.date | None = None
    remark: str = ""
    notes: tuple[str, ...] = ()


def date_document(header: SourceHeader, settings: InvoiceSettings, lists: Lists, facts: Facts) -> Dating | Reason:
    """Dates and terms of one document, or why it has to wait."""
    day, closed = header.document_date, facts.closed_through
    if closed is not None and day <= closed and settings.closed_period is ClosedPeriod.STOP:
        return reason("closed_period", date=format_long_day(day), closed=format_long_day(closed))
    notes: list[str] = []
    term, due = None, None
    if header.total >= 0:
        term = find_term(header, settings.term_map, lists)
        due = _due_date(header, term, settings, lists)
        notes += _about_terms(header, term, due, settings, lists, facts)
    if closed is None or day > closed:
        due, told = _not_before(day, due, facts)
        return Dating(day, due, term, remark=told, notes=(*notes, *([_early(day, facts)] if told else [])))
    opens, remark, told_of = first_open_day(day, closed, facts)
    notes += told_of
    due, told = _not_before(opens, due, facts)
    if told:
        notes.append(_early(opens, facts))
    return Dating(opens, due, term, day, ", ".join(filter(None, (remark, told))), tuple(notes))


def first_open_day(day: dt.date, closed: dt.date, facts: Facts) -> tuple[dt.date, str, list[str]]:
    """The day after the closed period, the remark for the private note, and what the preview says of it."""
    opens = closed + ONE_DAY
    remark = f"dated {format_long_day(day)} in Autotask, books closed through {format_long_day(closed)}"
    notes = [
        f"Dated {format_long_day(opens)}, the first open day: it is dated {format_long_day(day)} in Autotask, and the "
        f"books are closed through {format_long_day(closed)}."
    ]
    if fiscal_year(day, facts.fiscal_month) != fiscal_year(opens, facts.fiscal_month):
        notes.append("This moves it into another fiscal year. Look whether a tax return is crossed as well.")
    return opens, remark, notes


def _not_before(day: dt.date, due: dt.date | None, facts: Facts) -> tuple[dt.date | None, str]:
    """The due date as it can be sent, and what the memo says of the one that cannot."""
    if due is None or due >= day or facts.takes_early_due:
        return due, ""
    return day, f"due {format_long_day(due)} in Autotask"


def _early(day: dt.date, facts: Facts) -> str:
    return f"Due {format_long_day(day)}: {facts.ledger} takes no due date before the document's own."


def fiscal_year(day: dt.date, first_month: int) -> int:
    """The calendar year in which the fiscal year of a day begins."""
    return day.year if day.month >= first_month else day.year - 1


# ---- terms ------------------------------------------------------------------------------------------------


def find_term(header: SourceHeader, term_map: Sequence[TermRule], lists: Lists) -> Reference | None:
    """The ledger's terms: of equal name, else those a person chose in the map, if they are active."""
    term = lists.catalog.terms.get(header.term_id or "")
    if term is None:
        return None
    found = [entry for entry in lists.terms_by_name.get(fold(term.name), ()) if entry.active]
    if not found:
        chosen = {rule.ledger_id for rule in term_map if rule.term_id == term.id}
        found = [entry for entry in _terms(lists) if entry.active and entry.id in chosen]
    return Reference("term", term.id, found[0].name, found[0].id) if found else None


def _terms(lists: Lists) -> list[Entry]:
    return [entry for entries in lists.terms_by_name.values() for entry in entries]


def _due_date(
    header: SourceHeader, term: Reference | None, settings: InvoiceSettings, lists: Lists
) -> dt.date | None:
    """Counted from the source's date, which the customer has on paper; None: the ledger counts by its terms."""
    if settings.due_date is DueDate.DOCUMENT:
        return header.document_date
    if settings.due_date is DueDate.SOURCE:
        return header.due_date
    entry = next((each for each in _terms(lists) if term is not None and each.id == term.ledger_id), None)
    told = str(entry.details.get("days") or "") if entry else ""
    return header.document_date + dt.timedelta(days=int(told)) if told.isdigit() else None


def _about_terms(
    header: SourceHeader, term: Reference | None, due: dt.date | None, settings: InvoiceSettings, lists: Lists,
    facts: Facts,
) -> list[str]:
    """What the preview says where terms or a due date are left to the ledger."""
    known = lists.catalog.terms.get(header.term_id or "")
    said = []
    if known is not None and term is None:
        said.append(f"{facts.ledger} has no terms “{known.name}”, so none are sent. Settings can name others for them.")
    if due is None and settings.due_date is DueDate.TERMS:
        said.append(f"The due date is counted by {facts.ledger}, from the customer's own terms.")
    return said
