"""The port through which documents are read and marked. One contract suite runs against every implementation.

Any read may raise `Unavailable`, `RetryLater`, `NeedsReconnect`, `NotAllowed` or `NotSent` (connectors.errors);
repeating a read is safe. Amounts are in the document's currency; instants aware UTC; dates already reduced to the
calendar date that the source shows (DESIGN section 7).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from connectors.limits import Used
from domain.documents import Catalog, Party, SourceDocument, SourceHeader, Window
from domain.todos import TodoDraft, TodoLists


@dataclass(frozen=True, slots=True)
class SourceCheck:
    """What "Test connection" found. `tenant` is the source's database id (Autotask `ci`)."""

    tenant: str
    web_url: str
    api_url: str
    time_zone: str | None
    currency: str | None
    multi_currency: bool
    parties: int
    can_read_invoices: bool
    can_mark_invoices: bool
    has_purchase_orders: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Voided:
    """A document that was voided in the source. `at` is None where the source does not tell when."""

    id: str
    number: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Mark:
    """The sync mark of one document as the source holds it now."""

    id: str
    number: str | None
    """None also where the word for "failed" stands."""
    marked_at: datetime | None
    failed: bool = False
    """The word for "failed" stands where the number would."""


@dataclass(frozen=True, slots=True)
class Todo:
    """A to-do of ours as the source holds it now."""

    id: str
    text: str
    completed_at: datetime | None


class Source(Protocol):
    @property
    def tenant(self) -> str:
        """The source's database id."""
        ...

    def check(self) -> SourceCheck:
        """Find the zone, sign in, say what this user can see. Writes nothing."""
        ...

    def headers(self, kind: str, window: Window) -> Iterator[list[SourceHeader]]:
        """Unsynced, unvoided documents created in the window, in pages of at most 500, ordered by id.

        `kind` is `invoice` or `purchase_order`. An idle poll costs one call. Raises `NotAllowed` for orders where the
        source has none (no inventory module).
        """
        ...

    def headers_by_id(self, kind: str, ids: Sequence[str]) -> list[SourceHeader]:
        """Current headers whatever their state. An id that is missing was not visible: that proves nothing."""
        ...

    def voided(self, kind: str, since: datetime) -> list[Voided]:
        """Documents voided (orders: cancelled) at or after `since`, whether they were synced or not.

        One read per 500."""
        ...

    def headers_by_number(self, kind: str, number: str) -> list[SourceHeader]:
        """Current headers that bear exactly this number, whatever their state; several where a number repeats."""
        ...

    def documents(self, headers: Sequence[SourceHeader]) -> Iterator[list[SourceDocument]]:
        """The same documents with their lines, in pages; lines of up to 500 documents are asked in one query.

        Headers are of one kind. Order lines bring their product and all receivings (`SourceLine.goods`).
        """
        ...

    def parties(self, ids: Sequence[str]) -> list[Party]:
        """Who is billed, with the billing address and e-mail; at most one call per 500 ids and list needed."""
        ...

    def vendors(self) -> list[Party]:
        """Active companies that the source keeps as vendors, by name and id only. One read per 500."""
        ...

    def catalog(self) -> Catalog:
        """Billing codes, terms and taxes, whole."""
        ...

    def original(self, kind: str, id: str) -> bytes:
        """The printed document (PDF)."""
        ...

    def usage(self) -> Sequence[Used]:
        """Calls in the present windows against each limit we keep. Asks the shared store, not the source."""
        ...

    def slot(self, operation: str) -> float:
        """Take a place in the shared limit for one write. 0 when granted, else seconds until asking again."""
        ...

    def mark_synced(self, kind: str, id: str, *, number: str | None, at: datetime) -> None:
        """Set the sync mark, and the number unless None. Absolute values: repeating is safe.

        An order's mark is its External P.O. Number, set to `number`."""
        ...

    def clear_mark(self, kind: str, id: str) -> None:
        """Blank the sync mark. Repeating is safe."""
        ...

    def marks(self, kind: str, ids: Sequence[str]) -> list[Mark]:
        """Read marks back in bulk, at most one call per 500 ids."""
        ...

    def set_error(self, kind: str, id: str) -> None:
        """Write the word for "failed" where the number would stand, whatever stands there: look first.

        An absolute value: repeating is safe.
        """
        ...

    def clear_error(self, kind: str, id: str, *, number: str | None) -> None:
        """Replace that word by the number, or by nothing. Look first. Repeating is safe."""
        ...

    # ---- report_fault: to-dos of the source's own organisation -----------------------------------------------

    def todo_lists(self) -> TodoLists:
        """People who can own a to-do and action types it can have, deactivated ones included."""
        ...

    def find_todos(self, marker: str) -> list[Todo]:
        """To-dos whose text begins with the marker, open or completed, oldest first. One call."""
        ...

    def create_todo(self, draft: TodoDraft) -> str:
        """Write one to-do; returns its id. Not repeatable: the source has no key against a second one.

        `NotSent`, `RetryLater`, `NeedsReconnect` and `NotAllowed` prove that nothing was written. After any other
        error it may have been: look for the marker before anything else.
        """
        ...

    def change_todo(self, id: str, text: str) -> None:
        """Replace the text. Repeating is safe. `BadAnswer`: it is not there any more, or was refused."""
        ...

    def complete_todo(self, id: str, text: str, at: datetime) -> None:
        """Replace the text and complete it. Repeating is safe."""
        ...
