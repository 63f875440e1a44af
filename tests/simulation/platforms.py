"""The simulated connectors of one process: calls take virtual time, get lost, arrive late or answer with trouble.

The ledger's server is in `books`. The network is a timer of the kernel: bytes on their way arrive whether the sender
lives or not, and sometimes twice. Every fault says how many documents had a step of theirs changed by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from connectors.errors import NeedsReconnect, NotSent, RetryLater, Unavailable
from connectors.http import LostAnswer
from connectors.ledgers.base import (
    Alike,
    Answer,
    Batch,
    Capabilities,
    Change,
    Changes,
    Done,
    Kind,
    LedgerProfile,
    Member,
    Outcome,
    Refused,
    Sought,
    Unknown,
)  # fmt: skip
from connectors.ledgers.memory import MemoryLedger
from connectors.limits import Used
from connectors.sources.base import Mark, SourceCheck, Todo, Voided
from connectors.sources.memory import MemorySource
from domain.documents import AnyDraft, Catalog, Party, SourceDocument, SourceHeader, Window
from domain.held import Held
from domain.todos import TodoDraft, TodoLists
from tests.simulation.books import DOCUMENTS, SimBooks, documents_of
from tests.simulation.dialects import Dialect
from tests.simulation.faults import Faults
from tests.simulation.kernel import Kernel

T = TypeVar("T")
WRITE_TIMEOUT = 60.0


@dataclass
class Line:
    """The way to one platform of one company: latency and the trouble that concerns every call."""

    kernel: Kernel
    faults: Faults
    company_id: int
    platform: str
    away_until: float = 0.0
    """The grant is not accepted until then."""
    limited_until: float = 0.0
    """The day's calls are used up until then."""

    def latency(self) -> float:
        return self.faults.rng.choice((0.05, 0.2, 0.2, 0.6, 1.5))

    def trouble(self, documents: int) -> None:
        if self.kernel.now_s < self.away_until:
            self.faults.touch("outage", documents)
            raise NeedsReconnect(f"{self.platform} does not accept the connection.", platform=self.platform)
        if self.kernel.now_s < self.limited_until:
            self.faults.touch("day_limit", documents)
            until = self._in(self.limited_until - self.kernel.now_s)
            raise RetryLater("The day's calls are used up.", until, platform=self.platform)

    def read(self, name: str, work: Callable[[], T], documents: int = 0) -> T:
        """`documents`: how many are read, or waited for."""
        with self.kernel.holding(documents):
            self.kernel.sleep(self.latency(), name)
            self.trouble(documents)
            if self.faults.happens("read_unavailable", documents=documents):
                raise Unavailable(f"{self.platform} did not answer.", platform=self.platform)
            if self.faults.happens("read_retry_later", documents=documents):
                raise RetryLater("Too many requests.", self.until(), platform=self.platform)
            found = work()
            self.kernel.sleep(self.latency(), f"{name} answered")
            return found

    def until(self) -> datetime:
        return self._in(self.faults.seconds(1, 60))

    def _in(self, seconds: float) -> datetime:
        """So many seconds from now, by the clock of the process that asks."""
        return self.kernel.now() + timedelta(seconds=self.kernel.current.process.skew_s + seconds)

    def slot(self) -> float:
        return self.faults.seconds(0.1, 20) if self.faults.happens("slot_wait") else 0.0


class SimLedger:
    """The connector of one process to one company's books.

    `on_send` lets the checker look at every intent; it answers when that intent was committed. `token` is asked before
    each call, as the real connectors ask for theirs, for so many documents: it raises NotSent when there is none just
    now.
    """

    def __init__(self, line: Line, books: SimBooks, dialect: Dialect, members: int,
                 on_send: Callable[[int, Batch], float], token: Callable[[int], object]) -> None:  # fmt: skip
        self.line, self.books, self.dialect, self.on_send, self._token = line, books, dialect, on_send, token
        self.inner = MemoryLedger(books)
        self.tenant = self.inner.tenant
        self.capabilities: Capabilities = replace(dialect.capabilities(self.inner), batch_members=members)

    # ---- reads ----------------------------------------------------------------------------------------------

    def check(self) -> LedgerProfile:
        return self._read("ledger check", lambda: replace(self.inner.check(), **self.dialect.profile))

    def changes(self, kinds: Sequence[Kind], since: datetime) -> Changes:
        return self._read("ledger changes", lambda: self.inner.changes(kinds, since))

    def lists(self, kinds: Sequence[Kind]) -> Changes:
        return self._read("ledger lists", lambda: self.inner.lists(kinds))

    def find(self, sought: Sequence[Sought]) -> Mapping[str, Sequence[Done]]:
        documents = sum(1 for one in sought if one.kind in DOCUMENTS)
        found = self._read("look-up", lambda: self.inner.find(sought), documents)
        self.line.faults.touch("stale_read", self.books.hidden_from(sought))
        self.line.kernel.note(f"looked up {len(sought)}: {_found(found)}", self.line.company_id)
        return found

    def read(self, kind: Kind, ids: Sequence[str]) -> Mapping[str, Held]:
        return self._read("ledger read", lambda: self.inner.read(kind, ids), len(ids))

    def alike(self, sought: Sequence[Alike]) -> Mapping[str, Sequence[Held]]:
        return self._read("alike", lambda: self.inner.alike(sought))

    def original(self, kind: Kind, ledger_id: str) -> bytes:
        return self._read("original", lambda: self.inner.original(kind, ledger_id))

    def attached(self, kind: Kind, ledger_id: str, name: str) -> bool:
        return self._read("attached", lambda: self.inner.attached(kind, ledger_id, name), 1)

    def attach(self, kind: Kind, ledger_id: str, name: str, content: bytes, *, shown: bool) -> None:
        self._hang("attach", lambda: self.inner.attach(kind, ledger_id, name, content, shown=shown))

    def noted(self, kind: Kind, ledger_id: str, marker: str) -> bool:
        return self._read("noted", lambda: self.inner.noted(kind, ledger_id, marker), 1)

    def note(self, kind: Kind, ledger_id: str, text: str) -> None:
        self._hang("note", lambda: self.inner.note(kind, ledger_id, text))

    def _read(self, name: str, work: Callable[[], T], documents: int = 0) -> T:
        with self.line.kernel.holding(documents):
            self._token(documents)
        return self.line.read(name, work, documents)

    def _hang(self, name: str, work: Callable[[], None]) -> None:
        """A write of its own: it can be lost, or stored without an answer. Nothing arrives late here."""
        faults = self.line.faults

        def upload() -> None:
            if faults.happens("request_lost", documents=1):
                raise LostAnswer("The upload got no answer.", platform=self.line.platform)
            work()
            if faults.happens("answer_lost", documents=1):
                raise LostAnswer("The upload got no answer.", platform=self.line.platform)

        self._read(name, upload, 1)

    # ---- pure -----------------------------------------------------------------------------------------------

    def payload(self, draft: AnyDraft, references: Mapping[tuple[str, str], str]) -> bytes:
        return self.inner.payload(draft, references)

    def change(self, change: Change) -> bytes:
        return self.inner.change(change)

    def compose(self, members: Sequence[Member]) -> bytes:
        return self.inner.compose(members)

    def link(self, kind: Kind, ledger_id: str) -> str:
        return self.inner.link(kind, ledger_id)

    def call_of(self, kind: Kind, operation: str) -> str:
        return self.dialect.call_of(kind, operation)

    def slot(self, operation: str) -> float:
        return self.line.slot()

    def usage(self) -> Sequence[Used]:
        return self.inner.usage()

    # ---- the write ------------------------------------------------------------------------------------------

    def send(self, batch: Batch) -> Answer:
        kernel, faults = self.line.kernel, self.line.faults
        kernel.step("about to send")
        name = f"batch {batch.key[:8]} of {len(batch.members)}"
        n = documents_of(batch)
        self._token(n)
        intended_at = self.on_send(self.line.company_id, batch)
        self.line.trouble(n)
        if faults.happens("not_sent", documents=n):
            kernel.note(f"{name}: connection refused", self.line.company_id)
            raise NotSent("The connection was refused.")
        if faults.happens("retry_later", documents=n):
            kernel.note(f"{name}: too many requests", self.line.company_id)
            raise RetryLater("Too many requests.", self.line.until())
        if faults.happens("error_before_commit", documents=n):
            return self._unknown(batch, name, "500 before anything was stored")
        if faults.happens("request_lost", documents=n):
            kernel.sleep(WRITE_TIMEOUT, "waits for an answer")
            return self._unknown(batch, name, "the request was lost")
        return self._on_the_wire(batch, name, intended_at)

    def _on_the_wire(self, batch: Batch, name: str, intended_at: float) -> Answer:
        kernel, faults = self.line.kernel, self.line.faults
        travel, n = self.line.latency(), documents_of(batch)
        if faults.happens("delivered_late", documents=n):
            travel = faults.seconds(5, faults.bounds.late)
        answers: list[Answer] = []

        def arrives() -> None:
            answer = self.books.deliver(batch, intended_at)
            kernel.note(f"{name} reached the ledger: {_told(answer)}", self.line.company_id, who="network")
            answers.append(answer)

        kernel.at(travel, arrives)
        if faults.happens("delivered_twice", documents=n):
            kernel.at(travel + faults.seconds(1, faults.bounds.late), lambda: self._twin(batch, name, intended_at))
        back = self.line.latency()
        kernel.sleep(min(travel + back, WRITE_TIMEOUT), "waits for an answer")
        if not answers or faults.happens("answer_lost", documents=n):
            return self._unknown(batch, name, "no answer in time")
        if faults.happens("error_after_commit", documents=n):
            return self._unknown(batch, name, "500 after it was stored")
        answer = answers[0]
        if faults.happens("cut_off"):
            kept = faults.rng.randrange(len(batch.members))
            faults.touch("cut_off", sum(1 for one in batch.members[kept:] if one.kind in DOCUMENTS))
            outcomes: dict[str, Outcome] = dict(answer.outcomes)
            for member in batch.members[kept:]:
                outcomes[member.short_id] = Unknown("the answer was cut off")
            answer = replace(answer, outcomes=outcomes)
        kernel.note(f"{name} answered: {_told(answer)}", self.line.company_id)
        return answer

    def _twin(self, batch: Batch, name: str, intended_at: float) -> None:
        """The network delivers the same bytes once more."""
        answer = self.books.deliver(batch, intended_at)
        self.line.kernel.note(f"{name} arrived again: {_told(answer)}", self.line.company_id, who="network")

    def _unknown(self, batch: Batch, name: str, evidence: str) -> Answer:
        self.line.kernel.note(f"{name}: UNKNOWN, {evidence}", self.line.company_id)
        return Answer({member.short_id: Unknown(evidence) for member in batch.members}, None, None)


class SimSource:
    """The connector of one process to one company's source."""

    def __init__(self, line: Line, inner: MemorySource) -> None:
        self.line, self.inner, self.tenant = line, inner, inner.tenant

    def check(self) -> SourceCheck:
        return self.line.read("source check", self.inner.check)

    def headers(self, kind: str, window: Window) -> Iterator[list[SourceHeader]]:
        waiting = sum(1 for one in self.inner.contents.values() if not (one.header.marked_at or one.header.voided))
        yield from self.line.read("headers", lambda: list(self.inner.headers(kind, window)), waiting)

    def headers_by_id(self, kind: str, ids: Sequence[str]) -> list[SourceHeader]:
        return self.line.read("headers by id", lambda: self.inner.headers_by_id(kind, ids), len(ids))

    def voided(self, kind: str, since: datetime) -> list[Voided]:
        return self.line.read("voids", lambda: self.inner.voided(kind, since))

    def headers_by_number(self, kind: str, number: str) -> list[SourceHeader]:
        return self.line.read("headers by number", lambda: self.inner.headers_by_number(kind, number))

    def documents(self, headers: Sequence[SourceHeader]) -> Iterator[list[SourceDocument]]:
        yield from self.line.read("lines", lambda: list(self.inner.documents(headers)), len(headers))

    def parties(self, ids: Sequence[str]) -> list[Party]:
        return self.line.read("parties", lambda: self.inner.parties(ids))

    def vendors(self) -> list[Party]:
        return self.line.read("vendors", self.inner.vendors)

    def catalog(self) -> Catalog:
        return self.line.read("catalog", self.inner.catalog)

    def original(self, kind: str, id: str) -> bytes:
        return self.line.read("original", lambda: self.inner.original(kind, id), 1)

    def marks(self, kind: str, ids: Sequence[str]) -> list[Mark]:
        return self.line.read("marks", lambda: self.inner.marks(kind, ids), len(ids))

    def todo_lists(self) -> TodoLists:
        return self.line.read("to-do lists", self.inner.todo_lists)

    def find_todos(self, marker: str) -> list[Todo]:
        return self.line.read("find to-dos", lambda: self.inner.find_todos(marker))

    def create_todo(self, draft: TodoDraft) -> str:
        made: list[str] = []
        self._write(f"to-do {draft.marker}", lambda: made.append(self.inner.create_todo(draft)))
        return made[0]

    def change_todo(self, id: str, text: str) -> None:
        self._write(f"change to-do {id}", lambda: self.inner.change_todo(id, text))

    def complete_todo(self, id: str, text: str, at: datetime) -> None:
        self._write(f"complete to-do {id}", lambda: self.inner.complete_todo(id, text, at))

    def slot(self, operation: str) -> float:
        return self.line.slot()

    def usage(self) -> Sequence[Used]:
        return self.inner.usage()

    def mark_synced(self, kind: str, id: str, *, number: str | None, at: datetime) -> None:
        self._write(f"mark {id}", lambda: self.inner.mark_synced(kind, id, number=number, at=at))

    def clear_mark(self, kind: str, id: str) -> None:
        self._write(f"clear mark {id}", lambda: self.inner.clear_mark(kind, id))

    def set_error(self, kind: str, id: str) -> None:
        self._write(f"ERROR on {id}", lambda: self.inner.set_error(kind, id))

    def clear_error(self, kind: str, id: str, *, number: str | None) -> None:
        self._write(f"clear ERROR on {id}", lambda: self.inner.clear_error(kind, id, number=number))

    def _write(self, name: str, work: Callable[[], None]) -> None:
        line = self.line
        with line.kernel.holding(1):
            line.kernel.sleep(line.latency(), name)
            line.trouble(1)
            if line.faults.happens("mark_lost", documents=1):
                raise Unavailable(f"{line.platform} did not answer.", platform=line.platform)
            work()
            line.kernel.note(f"{name} stored", line.company_id)
            line.kernel.sleep(line.latency(), f"{name} answered")
            if line.faults.happens("mark_answer_lost", documents=1):
                raise Unavailable(f"{line.platform} did not answer.", platform=line.platform)


def _told(answer: Answer) -> str:
    parts = []
    for short_id, outcome in answer.outcomes.items():
        detail = f" {outcome.number or outcome.echo.name or outcome.ledger_id}" if isinstance(outcome, Done) else ""
        if isinstance(outcome, Refused):
            detail = f" {outcome.faults[0].refusal.value}"
        parts.append(f"{short_id}={type(outcome).__name__}{detail}")
    return ", ".join(parts)


def _found(found: Mapping[str, Sequence[Done]]) -> str:
    return ", ".join(f"{key}:{len(records)}" for key, records in found.items())
