"""The ten kinds of lines an invoice of work can have, and how the source's own words are read as one of them. Pure."""

from __future__ import annotations

from enum import StrEnum


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
