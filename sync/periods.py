"""What closed periods did to the documents of a run, counted by the month they are dated in. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from domain.formats import format_long_day, format_plural
from models import RunItem

CLOSED = ("closed_period", "period_refused")


def sentences(rows: Sequence[RunItem]) -> list[str]:
    """One sentence per month and outcome; empty where no period was closed."""
    moved = Counter((_month(row.document_date), row.ledger_date) for row in rows if row.ledger_date)
    kept = Counter(_month(row.document_date) for row in rows if row.reasons and row.reasons[0]["code"] in CLOSED)
    told = [
        f"{format_plural(number, 'document')} of {month:%B %Y} went on {format_long_day(day)}, the first open day."
        for (month, day), number in sorted(moved.items(), key=str) if day is not None
    ]
    return told + [
        f"{format_plural(number, 'document')} of {month:%B %Y} {'waits' if number == 1 else 'wait'}: "
        "the books are closed."
        for month, number in sorted(kept.items())
    ]


def _month(day: date) -> date:
    return day.replace(day=1)
