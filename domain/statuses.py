"""The one vocabulary of states: documents, runs, postings and flags. Pages, mails and CSV all read it here."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """A document's status: whose turn it is."""

    PENDING = "Pending Sync"
    PROCESSING = "Processing Now"
    COMPLETE = "Complete"
    FAULT = "Fault"
    SKIPPED = "Skipped Over"


class RunState(StrEnum):
    IN_PROCESS = "In process"
    FINISHED = "Finished"
    PROBLEMS = "Finished with problems"
    FAILED = "Failed"
    STOPPED = "Stopped"
    RESUBMITTED = "Resubmitted"


class PostingState(StrEnum):
    """One intended ledger write. Nothing ever moves SENDING or UNKNOWN back to NEW."""

    NEW = "NEW"
    READY = "READY"
    SENDING = "SENDING"
    UNKNOWN = "UNKNOWN"
    CONFIRMED = "CONFIRMED"
    DONE = "DONE"
    REJECTED = "REJECTED"
    NEEDS_HUMAN = "NEEDS_HUMAN"
    SKIPPED = "SKIPPED"


class Flag(StrEnum):
    DIAGNOSTIC = "Diagnostic Mode"
    CHANGED_SOURCE = "Changed in Autotask"
    CHANGED_LEDGER = "Changed in {the_ledger}"
    VOIDED = "Voided"
    KEPT = "Kept"
    """Voided in the source and left in the ledger by a person's decision."""
    CORRECTED = "Corrected"
    """Voided in the source and taken back by another document, because its period is closed."""
    ROUNDED = "Rounded"
    DIFFERS = "Differs"
    RATE_ONE = "Rate 1"
    """In a foreign currency, and the ledger booked one of it as one of its own."""
    MARK_CLEARED = "Mark cleared in Autotask"
    ACCEPTED = "Difference accepted"
    REDATED = "On the first open day"
    NOT_ATTACHED = "PDF not attached"
    DRAFT = "Draft in {the_ledger}"
    """It arrived as a draft and is not approved, as far as we know."""
    NOT_MAILED = "Not mailed"
    """Wanted to be mailed to the customer by the ledger, and certainly was not."""


OPEN_STATES = (PostingState.NEW, PostingState.READY, PostingState.SENDING, PostingState.UNKNOWN)
LIVE_STATES = (*OPEN_STATES, PostingState.CONFIRMED, PostingState.DONE, PostingState.NEEDS_HUMAN)

STATUS_OF: dict[PostingState, Status] = {
    PostingState.NEW: Status.PENDING,
    PostingState.READY: Status.PENDING,
    PostingState.SENDING: Status.PROCESSING,
    PostingState.UNKNOWN: Status.PROCESSING,
    PostingState.CONFIRMED: Status.COMPLETE,
    PostingState.DONE: Status.COMPLETE,
    PostingState.REJECTED: Status.FAULT,
    PostingState.NEEDS_HUMAN: Status.FAULT,
    PostingState.SKIPPED: Status.SKIPPED,
}
