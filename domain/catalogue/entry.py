"""What one entry of the catalogue of reasons holds, and the words it is made with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """The check stages in the order in which they are looked at; a column each in "Check Ready"."""

    SCOPE = "In scope"
    COMPLETE = "Complete in Autotask"
    CUSTOMER = "Customer"
    BILL_TO = "Bill-to"
    NUMBER = "Number"
    ITEMS = "Items"
    TAX = "Tax"
    TEXT = "Text"
    TOTALS = "Totals"
    LEDGER = "Ledger"


class Turn(StrEnum):
    """What a reason makes of the document."""

    FAULT = "fault"
    SKIP = "skip"
    WAIT = "wait"


class Again(StrEnum):
    """Whether and when a document with this reason is tried again: the words that help pages show."""

    RETRY = "When you press Retry. The next Sync checks it again too, with the lists and settings of then."
    PRESS = "Only when you press Retry: it may be in the books, so it is looked up there first."
    DECIDE = "When you decide on the document's page, not before."
    RELEASE = "When a person includes or releases it, not before."
    ITSELF = "By itself, as soon as what it waits for is over."
    SYNC = "With the next Sync, the schedule's or yours."
    NEVER = "Not by itself: it is set aside until somebody does what stands above."
    TOLD = "There is nothing to try again: it is told where somebody asked."


@dataclass(frozen=True, slots=True)
class Entry:
    """`title` names the cause in lists; `sentence`, `cause` and `fix` are format strings over the reason's
    parameters and `the_ledger`.

    `action` is (label, endpoint key).
    """

    stage: Stage
    turn: Turn
    title: str
    sentence: str
    cause: str
    fix: str
    action: tuple[str, str]
    again: Again


RETRY = ("Retry", "retry")
REISSUE = ("Post anyway", "reissue")
ADOPT = ("Compare and adopt", "adopt")
APPROVE = ("Look again and approve", "approve")
DOCUMENT = ("Open the document", "document")
SETTINGS = ("Open Settings", "settings")
LINES = ("Open Settings, Lines", "lines")
TAX_MAP = ("Open the tax map", "tax_map")
CURRENCIES = ("Open Currencies", "currencies")
CONNECTIONS = ("Open Connections", "connections")


def fault(
    stage: Stage, title: str, sentence: str, cause: str, fix: str, action: tuple[str, str] = RETRY,
    again: Again = Again.RETRY,
) -> Entry:
    """A person's turn."""
    return Entry(stage, Turn.FAULT, title, sentence, cause, fix, action, again)


def wait(
    stage: Stage, title: str, sentence: str, cause: str, fix: str, action: tuple[str, str] = DOCUMENT,
    again: Again = Again.ITSELF,
) -> Entry:
    """Ours: it goes by itself."""
    return Entry(stage, Turn.WAIT, title, sentence, cause, fix, action, again)


def skip(
    stage: Stage, title: str, sentence: str, cause: str, fix: str, action: tuple[str, str] = DOCUMENT,
    again: Again = Again.NEVER,
) -> Entry:
    """Set aside by a rule or a person."""
    return Entry(stage, Turn.SKIP, title, sentence, cause, fix, action, again)
