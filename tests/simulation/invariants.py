"""The invariants of exactly-once posting as named functions. They read the books and the database, nothing else.

`Watcher.look` runs after every step and checks what one commit changed; `Watcher.sent` looks at every send before
its first byte; `final` reads everything once the world is at rest. Identifiers I01 to I21 are those of the
reliability reference.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from connectors.ledgers.base import Batch, Kind
from connectors.ledgers.memory import Entry
from domain.plan import marker
from domain.reasons import CATALOGUE
from domain.statuses import STATUS_OF, PostingState
from sync.settle import MAX_LOOKUPS, MAX_SENDS
from tests.simulation.kernel import START, Kernel
from tests.simulation.world import Tenant

QUARANTINE = 300.0
CREATIONS = ("customer", "item")
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


ROWS = (
    "SELECT id, company_id, ledger_tenant, source_tenant, kind, source_id, generation, state, payload_sha256,"
    " batch_key, short_id, sends, lookups, fence, ledger_id, confirmed_by, document_id FROM postings"
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
    statuses: dict[int, str] = field(default_factory=dict)
    """Of the documents, before the commit that is looked at."""
    _version: int = -1

    def __post_init__(self) -> None:
        self.db = sqlite3.connect(self.path, isolation_level=None)

    def blame(self, kind: str, company: int, subject: str, text: str) -> None:
        found = Violation(kind, company, subject, text)
        if found not in self.violations:
            self.violations.append(found)
            self.kernel.note(f"VIOLATION {found}", company, who="checker")

    # ---- after every step -----------------------------------------------------------------------------------

    def look(self) -> None:
        version = self.db.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version:
            return
        self._version = version
        leases = dict(self.db.execute("SELECT company_id, fence FROM company_leases"))
        for company_id, fence in leases.items():
            if fence < self.fences.get(company_id, 0):
                self.blame("I09", company_id, "lease", f"fence fell to {fence}")
        self.fences = leases
        rows = {row[0]: Row(*row) for row in self.db.execute(ROWS)}
        for id, row in rows.items():
            before = self.postings.get(id)
            if before != row:
                self._changed(before, row)
        self.postings = rows
        self.statuses = dict(self.db.execute("SELECT id, status FROM documents"))
        self._attempts()

    def _changed(self, before: Row | None, row: Row) -> None:
        subject = f"{row.kind} {row.source_id}"
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
        same = (before.payload_sha256, before.batch_key, before.short_id)
        if before.payload_sha256 and same != (row.payload_sha256, row.batch_key, row.short_id):
            self.blame("I05", row.company_id, subject, "a frozen payload or its key changed")
        if row.fence < before.fence:
            self.blame("I09", row.company_id, subject, f"fence {row.fence} wrote after fence {before.fence}")
        if before.ledger_tenant != row.ledger_tenant:
            self.blame("I03", row.company_id, subject, "its ledger company changed")

    def _moved(self, before: Row, row: Row, subject: str) -> None:
        if row.state not in MOVES[before.state]:
            self.blame("I06", row.company_id, subject, f"moved from {before.state} to {row.state}")
        if (before.state, row.state) == ("READY", "REJECTED") and before.sends:
            self.blame("I06", row.company_id, subject, "was withdrawn although it may be in the ledger")
        stood = self.statuses.get(row.document_id or 0, "")
        if row.state == "SENDING" and stood in ("Fault", "Skipped Over", "Complete"):
            self.blame("I20", row.company_id, subject, f"is sent while it stands as {stood}")
        if before.state not in BY_PEOPLE and row.fence != self.fences[row.company_id]:
            self.blame("I09", row.company_id, subject, f"changed under fence {row.fence}, which is not current")
        if row.state in ("CONFIRMED", "DONE") and not (row.ledger_id and row.confirmed_by):
            self.blame("I07", row.company_id, subject, f"{row.state} without a ledger id and its evidence")
        if row.confirmed_by == "lookup" and before.confirmed_by is None:
            self.recoveries += 1

    def _attempts(self) -> None:
        known = self.attempts
        for row in self.db.execute("SELECT id, finished_at, http_status, outcome, seen, company_id FROM attempts"):
            before = known.get(row[0])
            if before is not None and before[1] is not None and before != row:
                self.blame("I10", row[5], f"attempt {row[0]}", "a completed attempt was changed")
            known[row[0]] = row

    # ---- before every send ----------------------------------------------------------------------------------

    def sent(self, company_id: int, batch: Batch) -> float:
        """I04 and I05 at the moment of the first byte. Returns when the intent was committed, in seconds."""
        digest = hashlib.sha256(batch.body).hexdigest()
        subject = f"batch {batch.key[:8]}"
        found = self.db.execute(
            "SELECT b.id, b.created_at, b.ledger_tenant, b.members FROM batches b"
            " JOIN attempts a ON a.batch_id = b.id"
            " WHERE b.key = ? AND b.body_sha256 = ? AND b.company_id = ? ORDER BY b.id DESC",
            (batch.key, digest, company_id),
        ).fetchone()
        if found is None:
            self.blame("I04", company_id, subject, "no committed batch and attempt for these bytes")
            return self.kernel.now_s
        if found[2] != self.tenants[company_id].books.tenant:
            self.blame("I03", company_id, subject, "sent to another ledger company")
        subset = tuple(member.short_id for member in batch.members)
        if self.bodies.setdefault((batch.key, subset), digest) != digest:
            self.blame("I05", company_id, subject, "one key with another body")
        for posting_id, _ in json.loads(found[3]):
            state = self.db.execute("SELECT state FROM postings WHERE id = ?", (posting_id,)).fetchone()[0]
            if state in ("NEW", "READY"):
                self.blame("I04", company_id, subject, f"posting {posting_id} is sent while it is {state}")
        return (datetime.fromisoformat(found[1]).replace(tzinfo=UTC) - START).total_seconds()

    def unsettled(self) -> list[Row]:
        return [row for row in self.postings.values() if row.state in ("SENDING", "UNKNOWN")]


# ---- at rest ------------------------------------------------------------------------------------------------


def final(watcher: Watcher) -> None:
    """Everything that must hold once nothing moves any more."""
    for check in CHECKS:
        for tenant in watcher.tenants.values():
            for subject, text, *kind in check(watcher, tenant):
                name = kind[0] if kind else check.__name__.split("_")[0].upper()
                watcher.blame(name, tenant.company_id, subject, text)


Finding = Iterator[tuple[str, ...]]


def _ours(tenant: Tenant) -> dict[str, list[Entry]]:
    """Live ledger documents by source id, read from their markers alone."""
    known = {
        marker(str(tenant.company_id), tenant.books.tenant, tenant.source.tenant, "invoice", id): id
        for id in tenant.wanted
    }
    found: dict[str, list[Entry]] = {id: [] for id in tenant.wanted}
    for entry in tenant.books.documents():
        reference = re.search(r"ref:\w{8}", str(entry.body["marker"]))
        if reference is not None:
            found.setdefault(known.get(reference.group(), "?"), []).append(entry)
    return found


def i01_one_document_each(watcher: Watcher, tenant: Tenant) -> Finding:
    for id, entries in _ours(tenant).items():
        for extra in sorted(entries, key=lambda entry: int(entry.id))[1:] if id != "?" else ():
            kind = "residual" if _residual(tenant, entries, extra) else "duplicates"
            yield f"invoice {id}", f"{len(entries)} live documents: {[e.id for e in entries]}", kind
    names = Counter((e.kind, str(e.body["name"]).casefold()) for e in tenant.books.entries if e.kind not in DOCUMENTS)
    for (kind, name), count in names.items():
        if count > 1:
            yield f"{kind} {name}", f"{count} records of one name", "duplicates"


DOCUMENTS = (Kind.INVOICE, Kind.CREDIT_MEMO)


def _residual(tenant: Tenant, entries: list[Entry], extra: Entry) -> bool:
    """The documented residual risk: a kind whose number the ledger does not check, a key the ledger forgot, and
    one of the two sends delivered (or shown by reads) later than the quarantine allows."""
    books = tenant.books
    if books.own_numbers and extra.kind in books.checked_numbers:
        return False
    moments = [books.made_by[entry.id] for entry in entries]
    begin, end = min(m.intended_at for m in moments), max(m.at for m in moments)
    forgot = any(begin <= moment <= end for moment in books.forgotten_at)
    late = any(
        max(m.at, books.shown_at.get(entry.id, 0.0)) - m.intended_at >= QUARANTINE - 1
        for m, entry in zip(moments, entries, strict=True)
    )
    return forgot and late


def wrong_company(watcher: Watcher, tenant: Tenant) -> Finding:
    for entry in _ours(tenant).get("?", ()):
        yield f"ledger document {entry.id}", "belongs to a document of another company", "wrong_company"


def i02_nothing_lost(watcher: Watcher, tenant: Tenant) -> Finding:
    held = _ours(tenant)
    statuses = dict(watcher.db.execute(
        "SELECT source_id, status || ' ' || coalesce(reason_code, '') FROM documents WHERE company_id = ?",
        (tenant.company_id,),
    ))  # fmt: skip
    for id, wanted in tenant.wanted.items():
        stands = statuses.get(id, "never seen")
        if not wanted.posts and held[id]:
            yield f"invoice {id}", f"was posted although: {wanted.why}", "I02"
        elif not wanted.posts or held[id] or wanted.voided:
            continue
        elif wanted.instead_of is None or not held[wanted.instead_of]:
            yield f"invoice {id}", f"eligible ({wanted.why}) and not in the books; it stands as {stands}", "lost"


def i11_totals_agree(watcher: Watcher, tenant: Tenant) -> Finding:
    for id, entries in _ours(tenant).items():
        for entry in entries if id != "?" else ():
            signed = (entry.total or Decimal(0)) * (-1 if entry.kind is Kind.CREDIT_MEMO else 1)
            if signed not in tenant.wanted[id].totals:
                yield f"invoice {id}", f"booked {signed}, the source says {tenant.wanted[id].totals}"


def i21_billed_once(watcher: Watcher, tenant: Tenant) -> Finding:
    billed: dict[str, set[str]] = {}
    for id, entries in _ours(tenant).items():
        for entry in entries:
            for one in entry.body["lines"]:
                billed.setdefault(one["text"], set()).add(id)
    for item, ids in billed.items():
        if len(ids) > 1:
            yield item, f"is billed on {sorted(ids)}"


def i08_done_means_marked(watcher: Watcher, tenant: Tenant) -> Finding:
    for row in watcher.postings.values():
        if row.company_id != tenant.company_id or row.kind in CREATIONS or row.state != "DONE":
            continue
        header = tenant.source.contents[row.source_id].header
        if header.marked_at is None:
            yield f"invoice {row.source_id}", "is DONE, and the source has no mark"
        if not tenant.books.own_numbers and header.number is None:
            yield f"invoice {row.source_id}", "is DONE, and the ledger's number is not in the source"


SETTLED = (PostingState.CONFIRMED, PostingState.DONE, PostingState.NEEDS_HUMAN)


def i20_statuses_tell_the_truth(watcher: Watcher, tenant: Tenant) -> Finding:
    """The status is that of the posting, Complete only with the ledger's id, and every other one says why."""
    live = {entry.id for entry in tenant.books.documents()}
    for id, status, ledger_id, reasons, posting_id in watcher.db.execute(
        "SELECT source_id, status, ledger_id, reasons, posting_id FROM documents WHERE company_id = ?",
        (tenant.company_id,),
    ):
        posting = watcher.postings.get(posting_id)
        state = PostingState(posting.state) if posting else None
        if status == "Complete" and ledger_id not in live:
            yield f"invoice {id}", "is Complete and not in the books"
        asked = status == "Fault" and '"voided_open"' in reasons
        if state in SETTLED and status != STATUS_OF[state] and not asked:
            yield f"invoice {id}", f"stands as {status} while its posting is {state}"
        if status == "Processing Now":
            yield f"invoice {id}", "is still Processing Now at rest", "stuck"
        if status != "Complete":
            codes = [one["code"] for one in json.loads(reasons)]
            if not codes or any(not CATALOGUE[code].fix or not CATALOGUE[code].action for code in codes):
                yield f"invoice {id}", f"is {status} without a cause and a next action: {codes}"


def in_the_books_means_complete(watcher: Watcher, tenant: Tenant) -> Finding:
    """What is in the books stands as Complete, unless a person is asked because it is not certain."""
    statuses = {
        id: ("Complete" if code == "voided_open" else status, watcher.postings.get(posting_id))
        for id, status, posting_id, code in watcher.db.execute(
            "SELECT source_id, status, posting_id, reason_code FROM documents WHERE company_id = ?",
            (tenant.company_id,),
        )
    }
    for id, entries in _ours(tenant).items():
        status, posting = statuses.get(id, ("unknown to the app", None))
        asked = posting is not None and posting.state == "NEEDS_HUMAN"
        if entries and id != "?" and status != "Complete" and not asked:
            yield f"invoice {id}", f"is in the books and stands as {status}"


def i15_at_rest(watcher: Watcher, tenant: Tenant) -> Finding:
    for row in watcher.postings.values():
        waits = row.kind not in CREATIONS and row.state == "CONFIRMED"
        if row.company_id == tenant.company_id and (row.state in ("SENDING", "UNKNOWN", "READY") or waits):
            yield f"{row.kind} {row.source_id}", f"is still {row.state}", "stuck"
    for run_id, phase in watcher.db.execute(
        "SELECT id, phase FROM runs WHERE company_id = ? AND finished_at IS NULL", (tenant.company_id,)
    ):
        yield f"run {run_id}", f"never finished (phase {phase})", "stuck"
    for (id,) in watcher.db.execute(
        "SELECT source_id FROM documents WHERE company_id = ? AND due_at IS NOT NULL", (tenant.company_id,)
    ):
        yield f"invoice {id}", "is still due", "stuck"


def i17_one_report_each(watcher: Watcher, tenant: Tenant) -> Finding:
    for run_id, recipient, count in watcher.db.execute(
        "SELECT run_id, lower(recipient), count(*) FROM outbox WHERE company_id = ? AND run_id IS NOT NULL"
        " GROUP BY 1, 2 HAVING count(*) > 1",
        (tenant.company_id,),
    ):
        yield f"run {run_id}", f"{recipient} gets {count} mails"
    silent = watcher.db.execute(
        "SELECT id FROM runs r WHERE company_id = ? AND recipients LIKE '%address%' AND finished_at IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.run_id = r.id)", (tenant.company_id,),
    )  # fmt: skip
    for (run_id,) in silent:
        yield f"run {run_id}", "finished without a report"


def i18_retries_are_bounded(watcher: Watcher, tenant: Tenant) -> Finding:
    for row in watcher.postings.values():
        if row.company_id == tenant.company_id and (row.sends > MAX_SENDS or row.lookups > MAX_LOOKUPS + MAX_SENDS):
            yield f"{row.kind} {row.source_id}", f"{row.sends} sends and {row.lookups} look-ups"


def i14_rows_stay_in_their_company(watcher: Watcher, tenant: Tenant) -> Finding:
    for table, column, other in (
        ("postings", "document_id", "documents"), ("run_items", "run_id", "runs"),
        ("run_items", "document_id", "documents"), ("attempts", "batch_id", "batches"),
        ("item_claims", "posting_id", "postings"), ("posting_needs", "need_id", "postings"),
    ):  # fmt: skip
        count = watcher.db.execute(
            f"SELECT count(*) FROM {table} a JOIN {other} b ON b.id = a.{column}"
            " WHERE a.company_id = ? AND b.company_id <> a.company_id", (tenant.company_id,),
        ).fetchone()[0]  # fmt: skip
        if count:
            yield table, f"{count} rows point at {other} of another company"


def error_marks_follow_faults(watcher: Watcher, tenant: Tenant) -> Finding:
    """`ERROR` stands at Faults alone, at all that may bear it where it was chosen, and never in a number's place."""
    chosen = watcher.db.execute(
        "SELECT wanted FROM error_mark_states WHERE company_id = ?", (tenant.company_id,)
    ).fetchone()[0]
    rows = watcher.db.execute(
        "SELECT source_id, status, number, ledger_id FROM documents WHERE company_id = ?", (tenant.company_id,)
    ).fetchall()
    wanted = {id for id, status, number, ledger in rows if status == "Fault" and number is None and ledger is None}
    for id in sorted(tenant.source.failed ^ (wanted if chosen else set())):
        told = "bears ERROR" if id in tenant.source.failed else "bears no ERROR"
        may = sorted(wanted) if chosen else "none"
        yield f"invoice {id}", f"{told} at rest; Faults that may bear it: {may}", "marks"


CHECKS: tuple[Callable[[Watcher, Tenant], Finding], ...] = (
    i01_one_document_each, wrong_company, i02_nothing_lost, i08_done_means_marked, i11_totals_agree,
    i14_rows_stay_in_their_company, i15_at_rest, i17_one_report_each, i18_retries_are_bounded,
    i20_statuses_tell_the_truth, in_the_books_means_complete, i21_billed_once, error_marks_follow_faults,
)  # fmt: skip
