"""What a document's reasons mean for each check stage: the columns of "Check Ready". Pure.

A stage is passed when it was looked at and nothing speaks against it. A document set aside is looked at no further.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from domain.documents import Party, SourceDocument
from domain.reasons import Reason, Stage, Turn, reason


class Outcome(StrEnum):
    """Whether a document would be posted by the next Sync."""

    READY = "ready"
    STOPPED = "stopped"
    WAITING = "waiting"
    SKIPPED = "skipped"


class Cell(StrEnum):
    """One stage of one document."""

    PASSED = "passed"
    STOPPED = "stopped"
    WAITING = "waiting"
    UNNEEDED = "unneeded"
    UNSEEN = "unseen"
    """Not looked at, because something before it stands in the way."""


def in_order(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """By check stage, so that the first one is the StatusCode; within a stage as they were found."""
    order = list(Stage)
    return tuple(sorted(reasons, key=lambda each: order.index(each.entry.stage)))


def bill_to_reason(document: SourceDocument, parties: Mapping[str, Party]) -> Reason | None:
    """The first line that is for another company than the one billed, and for one that is not known."""
    for number, line in enumerate(document.lines, 1):
        if line.party_id and line.party_id != document.header.party_id and line.party_id not in parties:
            return reason("bill_to_unknown", line=number, party=line.party_id)
    return None


def outcome_of(reasons: Sequence[Reason]) -> Outcome:
    """A skip outranks a fault, a fault outranks waiting (as in `domain.plan.Plan.turn`)."""
    turns = {reason.turn for reason in reasons}
    if Turn.SKIP in turns:
        return Outcome.SKIPPED
    if Turn.FAULT in turns:
        return Outcome.STOPPED
    return Outcome.WAITING if Turn.WAIT in turns else Outcome.READY


def cells(reasons: Sequence[Reason], *, taxed: bool) -> dict[Stage, Cell]:
    """Every stage in its order. `taxed`: the document carries tax, so that a tax value is needed."""
    skipped = outcome_of(reasons) is Outcome.SKIPPED
    stopped = any(reason.turn is Turn.FAULT for reason in reasons)
    return {stage: _cell(stage, reasons, skipped=skipped, stopped=stopped, taxed=taxed) for stage in Stage}


def _cell(stage: Stage, reasons: Sequence[Reason], *, skipped: bool, stopped: bool, taxed: bool) -> Cell:
    turns = {reason.turn for reason in reasons if reason.entry.stage is stage}
    if turns:
        return Cell.WAITING if turns == {Turn.WAIT} else Cell.STOPPED
    if skipped or (stopped and stage is Stage.TOTALS):
        return Cell.UNSEEN
    return Cell.UNNEEDED if stage is Stage.TAX and not taxed else Cell.PASSED
