"""The checker that looks over the shoulder of the running system: after every commit, and before every send.

`Watcher.look` runs after every step and checks what one commit changed; `Watcher.sent` looks at every send before
its first byte. It reads the database and the books, nothing else. Triggers of its own note which rows a commit
touched, so that a step costs what it changed and not what there is. Identifiers are those of the reliability reference.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.ledgers.base import Batch
from tests.simulation.kernel import Kernel
from tests.simulation.world import Tenant

QUARANTINE = 300.0
CREATIONS = ("customer", "vendor", "item")
MOVES: dict[str, set[str]] = {
    "NEW": {"SENDING", "REJECTED"},
    "READY": {"SENDING", "REJECTED"},
    "SENDING": {"READY", "UNKNOWN", "CONFIRMED", "DONE", "REJECTED", "NEEDS_HUMAN"},
    "UNKNOWN": {"READY", "CONFIRMED", "DONE", "REJECTED", "NEEDS_HUMAN"},
    "CONFIRMED": {"DONE"},
    "DONE": set(),
    "REJECTED": set(),
    "NEEDS_HUMAN": {"UNKNOWN", "SKIPPED"},
    "SKIPPED": set(),
}
"""What one commit may do to a posting's state (reliability reference 1.3)."""
MORE_MOVES: dict[str, set[tuple[str, str]]] = {
    "void": {("NEW", "DONE")},  # somebody was quicker
    "send": {("REJECTED", "NEW"), ("NEW", "DONE"), ("NEW", "NEEDS_HUMAN")},
    "attach": {("NEW", "DONE")},
    "promote": {("NEW", "DONE")},
    "note": {("NEW", "DONE")},
    "remove": {("NEW", "DONE")},
    "unlink": {("NEW", "DONE")},
    "close": {("NEW", "DONE"), ("NEW", "SKIPPED"), ("UNKNOWN", "SKIPPED")},
    "create": {
        ("CONFIRMED", "REJECTED"), ("DONE", "REJECTED"),  # its copy was taken out
        ("READY", "UNKNOWN"),  # it would change what bears its number, and that was looked up too long ago
        ("NEW", "UNKNOWN"),  # the reconciliation found a copy of it in the ledger
    },
}
"""What writes that follow a document may do besides."""
KEY = "source_id || CASE WHEN coalesce(part, '') = '' THEN '' ELSE '/' || part END"
"""Of a row of `documents`, as SQL."""
BY_PEOPLE = ("NEW", "NEEDS_HUMAN")
"""A reader or a person may end or reopen these without holding the lease."""


@dataclass(frozen=True)
class Violation:
    """`kind` is duplicates, lost, wrong_company, stuck, residual or the invariant's own name."""

    kind: str
    company: int
    subject: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: company {self.company}, {self.subject}: {self.text}"


@dataclass(frozen=True)
class Row:
    """A posting as one commit left it."""

    id: int
    company_id: int
    ledger_tenant: str
    source_tenant: str
    kind: str
    source_id: str
    generation: int
    state: str
    payload_sha256: str | None
    batch_key: str | None
    short_id: str | None
    sends: int
    lookups: int
    fence: int
    ledger_id: str | None
    confirmed_by: str | None
    document_id: int | None
    operation: str
    last_sent_at: str | None
    part: str
    due: bool
    """Something is to happen with it at a known moment."""

    @property
    def key(self) -> str:
        """What it stands under in a company's `wanted`."""
        return f"{self.source_id}/{self.part}" if self.part else self.source_id


COLUMNS = (
    "id, company_id, ledger_tenant, source_tenant, kind, source_id, generation, state, payload_sha256, batch_key,"
    " short_id, sends, lookups, fence, ledger_id, confirmed_by, document_id, operation, last_sent_at,"
    " coalesce(part, ''), next_action_at IS NOT NULL"
)
WATCHED = ("postings", "documents", "attempts", "company_leases")


def install(path: Path) -> None:
    """The table and the triggers that tell the checker which rows a commit touched."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("CREATE TABLE checker_touched (n INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, row INTEGER)")
        for table in WATCHED:
            for event in ("INSERT", "UPDATE"):
                db.execute(
                    f"CREATE TRIGGER checker_{table}_{event} AFTER {event} ON {table} BEGIN"
                    f" INSERT INTO checker_touched (name, row) VALUES ('{table}', new.rowid); END"
                )


@dataclass
class Watcher:
    """Looks over the shoulder of the running system."""

    kernel: Kernel
    path: Path
    tenants: dict[int, Tenant]
    violations: list[Violation] = field(default_factory=list)
    postings: dict[int, Row] = field(default_factory=dict)
    attempts: dict[int, tuple[object, ...]] = field(default_factory=dict)
    fences: dict[int, int] = field(default_factory=dict)
    bodies: dict[tuple[str, tuple[str, ...]], str] = field(default_factory=dict)
    recoveries: int = 0
    intents: dict[int, float] = field(default_factory=dict)
    """Batch row → when it was committed, in the world's own seconds."""
    statuses: dict[int, str] = field(default_factory=dict)
    """Of the documents, before the commit that is looked at."""
    _commits: int = -1
    _read: int = 0

    def __post_init__(self) -> None:
        self.db = sqlite3.connect(self.path, isolation_level=None)

    def blame(self, kind: str, company: int, subject: str, text: str) -> None:
        found = Violation(kind, company, subject, text)
        if found not in self.violations:
            self.violations.append(found)
            self.kernel.note(f"VIOLATION {found}", company, who="checker")

    # ---- after every step -----------------------------------------------------------------------------------

    def look(self) -> None:
        if self.kernel.commits == self._commits:
            return
        self._commits = self.kernel.commits
        touched: dict[str, set[int]] = {name: set() for name in WATCHED}
        for n, name, row in self.db.execute("SELECT n, name, row FROM checker_touched WHERE n > ?", (self._read,)):
            touched[name].add(row)
            self._read = n
        if touched["company_leases"]:
            self._leases()
        for values in self._rows(f"SELECT {COLUMNS} FROM postings", touched["postings"]):
            row = Row(*values)
            before = self.postings.get(row.id)
            if before != row:
                self._changed(before, row)
                self.postings[row.id] = row
        self.statuses.update(self._rows("SELECT id, status FROM documents", touched["documents"]))
        self._attempts(touched["attempts"])

    def _rows(self, select: str, ids: set[int]) -> Iterator[tuple[Any, ...]]:
        wanted = sorted(ids)
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            yield from self.db.execute(f"{select} WHERE id IN ({', '.join('?' * len(part))}) ORDER BY id", part)

    def _leases(self) -> None:
        leases = dict(self.db.execute("SELECT company_id, fence FROM company_leases"))
        for company_id, fence in leases.items():
            if fence < self.fences.get(company_id, 0):
                self.blame("I09", company_id, "lease", f"fence fell to {fence}")
        self.fences = leases

    def _changed(self, before: Row | None, row: Row) -> None:
        subject = f"{row.kind} {row.key}"
        if before is None:
            if row.ledger_tenant != self.tenants[row.company_id].books.tenant:
                self.blame("I03", row.company_id, subject, "reserved for another ledger company")
            return
        if before.state != row.state:
            self.kernel.note(
                f"{subject}: {before.state} → {row.state}{f' ({row.confirmed_by})' if row.confirmed_by else ''}",
                row.company_id, who="database",
            )  # fmt: skip
            self._moved(before, row, subject)
        ends = self.tenants[row.company_id].dialect.keys_end
        same = before.payload_sha256, *(() if ends else (before.batch_key, before.short_id))
        if before.payload_sha256 and same != (row.payload_sha256, *(() if ends else (row.batch_key, row.short_id))):
            self.blame("I05", row.company_id, subject, "a frozen payload or its key changed")
        if row.fence < before.fence:
            self.blame("I09", row.company_id, subject, f"fence {row.fence} wrote after fence {before.fence}")
        if before.ledger_tenant != row.ledger_tenant:
            self.blame("I03", row.company_id, subject, "its ledger company changed")

    def _moved(self, before: Row, row: Row, subject: str) -> None:
        more = MORE_MOVES.get(row.operation, set())
        if row.state not in MOVES[before.state] and (before.state, row.state) not in more:
            self.blame("I06", row.company_id, subject, f"moved from {before.state} to {row.state}")
        if (before.state, row.state) == ("READY", "REJECTED") and before.sends:
            self.blame("I06", row.company_id, subject, "was withdrawn although it may be in the ledger")
        if before.state in ("CONFIRMED", "DONE") and row.state == "REJECTED":
            held = {entry.id for entry in self.tenants[row.company_id].books.documents()}
            if before.ledger_id in held:
                self.blame("I06", row.company_id, subject, f"was given up while {before.ledger_id} is in the ledger")
        stood = self.statuses.get(row.document_id or 0, "")
        if row.state == "SENDING" and row.operation == "create" and stood in ("Fault", "Skipped Over", "Complete"):
            self.blame("I20", row.company_id, subject, f"is sent while it stands as {stood}")
        withdrawn = (before.state, row.state) == ("READY", "REJECTED")  # Stop takes back what certainly was not sent
        if before.state not in BY_PEOPLE and not withdrawn and row.fence != self.fences[row.company_id]:
            self.blame("I09", row.company_id, subject, f"changed under fence {row.fence}, which is not current")
        if (
            row.state in ("CONFIRMED", "DONE")
            and row.operation in ("create", "update")
            and not (row.ledger_id and row.confirmed_by)
        ):
            self.blame("I07", row.company_id, subject, f"{row.state} without a ledger id and its evidence")
        if row.confirmed_by == "lookup" and before.confirmed_by is None:
            self.recoveries += 1

    def _attempts(self, ids: set[int]) -> None:
        known = self.attempts
        columns = "id, finished_at, http_status, outcome, seen, company_id, batch_id"
        for row in self._rows(f"SELECT {columns} FROM attempts", ids):
            before = known.get(row[0])
            if before is not None and before[1] is not None and before != row:
                self.blame("I10", row[5], f"attempt {row[0]}", "a completed attempt was changed")
            known[row[0]] = row
            self.intents.setdefault(row[6], self.kernel.now_s)

    def in_flight(self, prefix: str) -> int:
        """Documents of which workers whose names begin so have an unanswered send."""
        members = [row[0] for row in self.db.execute(
            "SELECT b.members FROM attempts a JOIN batches b ON b.id = a.batch_id"
            " WHERE a.finished_at IS NULL AND substr(a.worker, 1, ?) = ?", (len(prefix), prefix),
        )]  # fmt: skip
        ids = [posting_id for text in members for posting_id, _ in json.loads(text)]
        return sum(1 for id in ids if id in self.postings and self.postings[id].kind not in CREATIONS)

    def changed_in(self, connection: sqlite3.Connection) -> int:
        """How many documents the connection's transaction has changed, or the one that it committed just now."""
        cursor = sqlite3.Cursor(connection)  # none of the connection's own, which may fail
        return int(cursor.execute(
            "SELECT count(DISTINCT row) FROM checker_touched WHERE name = 'documents' AND n > ?", (self._read,)
        ).fetchone()[0])  # fmt: skip

    # ---- before every send ----------------------------------------------------------------------------------

    def sent(self, company_id: int, batch: Batch) -> float:
        """I04 and I05 at the moment of the first byte. Returns when the intent was committed, in seconds."""
        digest = hashlib.sha256(batch.body).hexdigest()
        subject = f"batch {batch.key[:8]}"
        process = self.kernel.current.process
        found = self.db.execute(
            "SELECT b.id, b.ledger_tenant, b.members, a.fence FROM batches b"
            " JOIN attempts a ON a.batch_id = b.id"
            " WHERE b.key = ? AND b.body_sha256 = ? AND b.company_id = ? AND substr(a.worker, 1, ?) = ?"
            " ORDER BY b.id DESC",
            (batch.key, digest, company_id, len(process.prefix), process.prefix),
        ).fetchone()
        if found is None:
            self.blame("I04", company_id, subject, "no committed batch and attempt for these bytes")
            return self.kernel.now_s
        if found[1] != self.tenants[company_id].books.tenant:
            self.blame("I03", company_id, subject, "sent to another ledger company")
        subset = tuple(member.short_id for member in batch.members)
        if self.bodies.setdefault((batch.key, subset), digest) != digest:
            self.blame("I05", company_id, subject, "one key with another body")
        for posting_id, _ in json.loads(found[2]):
            state, fence = self.db.execute("SELECT state, fence FROM postings WHERE id = ?", (posting_id,)).fetchone()
            overtaken = fence > found[3]  # The sender froze after its intent, and another process serves meanwhile.
            if state in ("NEW", "READY") and not overtaken:
                self.blame("I04", company_id, subject, f"posting {posting_id} is sent while it is {state}")
        return self.intents.get(found[0], self.kernel.now_s)

    def unsettled(self) -> list[Row]:
        """Writes of which it is not known whether the ledger has them."""
        return [row for row in self.postings.values() if row.state in ("SENDING", "UNKNOWN")]
