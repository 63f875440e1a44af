"""The ten kinds of lines an invoice of work can have, and how the source's own words are read as one of them. Pure."""

from __future__ import annotations

from enum import StrEnum

from domain.documents import SourceLine


class LineKind(StrEnum):
    LABOUR = "Labor"
    SERVICES = "Services/Bundles"
    CHARGES = "Charges"
    BLOCKS = "Block Purchases"
    RETAINERS = "Retainer Purchases"
    TICKETS = "Ticket Purchases"
    SUBSCRIPTIONS = "Subscriptions"
    EXPENSES = "Expenses"
    MILESTONES = "Milestones"
    SETUP_FEES = "Contract Setup Fees"


PREPAID = (LineKind.BLOCKS, LineKind.RETAINERS, LineKind.TICKETS)
"""Owed to the customer until it is worked off: no income yet (R28)."""

LONG_SERVICES = "Services/Bundles for longer periods"
"""Services billed for more months at once than Settings say: income of later months, too (R29)."""

ROW_KINDS = (*map(str, LineKind), LONG_SERVICES)
"""What a row of the table of lines can be for."""

# Words of the source's list of types, the more particular first. Autotask developer help, BillingItems.
_WORDS = (
    ("block", LineKind.BLOCKS),
    ("retainer", LineKind.RETAINERS),
    ("incident", LineKind.TICKETS),
    ("ticket purchase", LineKind.TICKETS),
    ("setup fee", LineKind.SETUP_FEES),
    ("recurring service", LineKind.SERVICES),
    ("subscription", LineKind.SUBSCRIPTIONS),
    ("milestone", LineKind.MILESTONES),
    ("expense", LineKind.EXPENSES),
    ("labor", LineKind.LABOUR),
    ("cost", LineKind.CHARGES),
    ("charge", LineKind.CHARGES),
)


def kind_of(line_type: str) -> LineKind | None:
    """The kind of a line by the source's word for its type; None for a word that is not known."""
    folded = line_type.casefold()
    return next((kind for word, kind in _WORDS if word in folded), None)


def kinds_of(line: SourceLine, longest_months: int) -> tuple[str, ...]:
    """What a line counts as in the table of lines, the more particular first; empty for a word that is not known."""
    kind = kind_of(line.line_type)
    known = (str(kind),) if kind is not None else ()
    return (LONG_SERVICES, *known) if line.months is not None and line.months > longest_months else known
