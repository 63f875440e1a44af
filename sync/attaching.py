"""What hangs on the ledger document beside its content: the source's PDF, and a note in its history.

Both are looked up before they are repeated, so that nothing hangs there twice. Each is a posting of its own (operation
`attach`, `note`) beside the document's and never touches the document's
status: the books are right without it. It is NEW until it hangs there (DONE) or was tried too often (REJECTED); the
bytes are not kept, each try reads them again. One call at a time, under the company's lease.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.errors import BadAnswer, NeedsReconnect, NotAllowed, NotSent, PlatformError, RetryLater
from connectors.ledgers.base import Done, Kind, Ledger
from connectors.sources.base import Source
from domain.reasons import Reason, reason
from domain.statuses import Flag, PostingState
from models import Document, Posting
from sync.documents import set_flag, step
from sync.lease import Lease, exclusive, wake
from sync.runtime import Finished, Pool, Runtime

if TYPE_CHECKING:
    from sync.settle import Settling

ATTACH, NOTE = "attach", "note"
OPERATIONS = (ATTACH, NOTE)
MAX_TRIES = 8
MAIL_WAITS = timedelta(minutes=15)
"""So long a mail that shall show the PDF waits for it; then it goes without."""
ATTACHED, WAITS = "attached", "waits"


class TooLarge(BadAnswer):
    """The PDF is larger than the ledger takes."""


@dataclass(frozen=True, slots=True)
class Attaching:
    posting_id: int


def want(s: Settling, document: Document, posting: Posting, done: Done) -> None:
    """Reserve what shall hang on a document that was posted just now, as the company wants it."""
    settings = s.settings(document.company_id)
    if settings.attach_pdf and posting.ledger_kind in s.capabilities.can_attach:
        name = f"Autotask invoice {document.source_id}.pdf"
        _reserve(s, document, posting, done, ATTACH, {"name": name}, {"shown": settings.attach_shown})
    if settings.history_note and posting.ledger_kind in s.capabilities.can_note:
        text = note_text(document, posting, s.capabilities.note_length)
        _reserve(s, document, posting, done, NOTE, {"text": text}, {})


def note_text(document: Document, posting: Posting, most: int) -> str:
    """Where a document comes from and what was adjusted. The marker is first and never cut: the note is found by it."""
    number = f" {document.number}" if document.number else ""
    told = [str(each) for each in (posting.draft or {}).get("notes") or ()]
    head = f"Bookbridge ({posting.marker}): Autotask invoice{number}, id {document.source_id}, of "
    return " ".join([f"{head}{document.document_date.isoformat()}.", *told])[:most].rstrip()


def _reserve(
    s: Settling, document: Document, posting: Posting, done: Done, operation: str, draft: dict[str, Any],
    terms: dict[str, Any],
) -> None:
    known = s.db.scalars(select(Posting.id).where(
        Posting.document_id == document.id, Posting.operation == operation, Posting.target_id == done.ledger_id,
    ).limit(1)).first()
    if known is not None:
        return
    row = Posting(
        company_id=document.company_id, document_id=document.id, ledger_tenant=posting.ledger_tenant,
        source_tenant=posting.source_tenant, kind=posting.kind, source_id=posting.source_id, operation=operation,
        part="", generation=posting.generation, ledger_kind=posting.ledger_kind, state=PostingState.NEW,
        draft=draft, target_id=done.ledger_id, terms=terms, next_action_at=s.now, created_at=s.now, changed_at=s.now,
        sends=0, lookups=0, marker=posting.marker,
    )
    s.db.add(row)


def of(db: Session, document: Document, operation: str = ATTACH) -> Posting | None:
    """The document's newest attachment (or note), whatever became of it."""
    return db.scalars(
        select(Posting).where(Posting.document_id == document.id, Posting.operation == operation)
        .order_by(Posting.id.desc()).limit(1)
    ).first()


def holds_up(db: Session, document: Document, now: datetime) -> bool:
    """A mail to the customer shall show the PDF and it does not hang there yet."""
    row = of(db, document)
    open_ = row is not None and row.state == PostingState.NEW and bool(row.terms.get("shown"))
    return open_ and row is not None and now < row.created_at + MAIL_WAITS


def try_again(db: Session, document: Document, *, now: datetime, who: str) -> bool:
    """A person asks for another try of what was given up. False: there is nothing of it. The caller rings."""
    exclusive(db, document.company_id)
    rows = [row for each in OPERATIONS if (row := of(db, document, each)) and row.state == PostingState.REJECTED]
    if not rows or not document.ledger_id:
        return False
    for row in rows:
        row.state, row.target_id, row.reasons, row.lookups = PostingState.NEW, document.ledger_id, [], 0
        row.next_action_at, row.changed_at = now, now
        what = "the PDF to be attached" if row.operation == ATTACH else "the note to be written"
        step(db, document, now, f"{row.operation} asked", f"A person asked for {what}", who=who)
    set_flag(document, Flag.NOT_ATTACHED, on=False)
    wake(db, document.company_id, now)
    return True


def _next(db: Session, company_id: int, tenant: str) -> Posting | None:
    return db.scalars(select(Posting).where(
        Posting.company_id == company_id, Posting.ledger_tenant == tenant, Posting.operation.in_(OPERATIONS),
        Posting.state == PostingState.NEW, Posting.next_action_at.is_not(None),
    ).order_by(Posting.next_action_at).limit(1)).first()


class AttachWork:
    """The part of one turn of service that hangs files and notes on documents."""

    def __init__(
        self, rt: Runtime, lease: Lease, company_id: int, source: Source, ledger: Ledger, pool: Pool
    ) -> None:
        self.rt, self.lease, self.company_id = rt, lease, company_id
        self.source, self.ledger, self.pool = source, ledger, pool
        self.running = 0
        self.free_at = 0.0

    def owns(self, tag: Any) -> bool:
        return isinstance(tag, Attaching)

    def start(self) -> bool:
        """Start the next attachment; False when none is due or the platforms are not to be asked now."""
        if self.running or self.rt.clock.monotonic() < self.free_at:
            return False
        now = self.lease.now()
        with self.rt.sessions() as db:
            row = _next(db, self.company_id, self.ledger.tenant)
        if row is None or row.next_action_at is None or row.next_action_at > now:
            return False
        try:
            wait = self.ledger.slot("upload" if row.operation == ATTACH else "note")
        except PlatformError as error:
            self._trouble(error)
            return False
        if wait > 0:
            self.free_at = self.rt.clock.monotonic() + wait
            return False
        late = row.last_sent_at is not None and now < row.last_sent_at + timedelta(seconds=self.rt.times.quarantine)
        with self.lease.transaction("Attaching a PDF" if row.operation == ATTACH else "Writing a note") as db:
            own = db.get_one(Posting, row.id)
            if not late:  # the intent, before the first byte: an earlier upload may still arrive until then
                own.sends, own.last_sent_at = own.sends + 1, now
            own.fence, own.changed_at = self.lease.fence, now
        self.running += 1
        hang = self._attach if row.operation == ATTACH else self._note
        self.pool.submit(Attaching(row.id), partial(hang, row, look_only=late))
        return True

    def _attach(self, row: Posting, *, look_only: bool) -> str:
        """In a helper thread: HTTP only. Looks first; an earlier upload may be there already."""
        kind, target, name = Kind(row.ledger_kind), row.target_id or "", str(row.draft["name"])
        if self.ledger.attached(kind, target, name):
            return ATTACHED
        if look_only:
            return WAITS
        content = self.source.original(row.kind, row.source_id)
        if len(content) > self.ledger.capabilities.attachment_bytes:
            raise TooLarge(f"The PDF has {len(content) / 1e6:.1f} MB, more than is taken.")
        self.rt.failpoint("before_attach")
        self.ledger.attach(kind, target, name, content, shown=bool(row.terms.get("shown")))
        self.rt.failpoint("after_attach")
        return ATTACHED

    def _note(self, row: Posting, *, look_only: bool) -> str:
        """In a helper thread: HTTP only. What was never sent needs no look."""
        kind, target = Kind(row.ledger_kind), row.target_id or ""
        if row.sends and self.ledger.noted(kind, target, row.marker):
            return ATTACHED
        if look_only:
            return WAITS
        self.rt.failpoint("before_note")
        self.ledger.note(kind, target, str(row.draft["text"]))
        self.rt.failpoint("after_note")
        return ATTACHED

    def harvest(self, finished: Sequence[Finished]) -> None:
        with self.lease.transaction() as db:
            for one in finished:
                self.running -= 1
                row = db.get_one(Posting, one.tag.posting_id)
                row.fence, row.changed_at = self.lease.fence, self.lease.now()
                self._settle(db, row, one)
        for one in finished:
            if one.error is not None:
                self._trouble(one.error)

    def _settle(self, db: Session, row: Posting, one: Finished) -> None:
        now, document = self.lease.now(), db.get_one(Document, row.document_id)
        if one.error is not None:
            self._failed(db, row, document, one.error, now)
        elif one.value == WAITS:
            row.next_action_at = (row.last_sent_at or now) + timedelta(seconds=self.rt.times.quarantine)
        else:
            row.state, row.reasons, row.next_action_at = PostingState.DONE, [], None
            row.ledger_id = row.target_id
            told = "Autotask's PDF hangs on the document" if row.operation == ATTACH else "A note stands in the history"
            step(db, document, now, "attached" if row.operation == ATTACH else "noted", f"{told} in {{the_ledger}}")

    def _failed(self, db: Session, row: Posting, document: Document, error: Exception, now: datetime) -> None:
        """Try again ever more slowly, and in the end tell. A limit or a lost connection is not counted."""
        about = "not_attached" if row.operation == ATTACH else "not_noted"
        why = reason(about, number=document.ledger_number, message=str(error))
        if document.ledger_id != row.target_id:  # that copy was taken out, and the one in its place has its own
            row.state, row.reasons, row.next_action_at = PostingState.REJECTED, [why.to_json()], None
            return
        if isinstance(error, (NotSent, RetryLater, NeedsReconnect, NotAllowed, BadAnswer)):
            row.last_sent_at = None  # nothing of this try can still arrive
        counts = not isinstance(error, (NotSent, RetryLater, NeedsReconnect))
        row.lookups += 1 if counts else 0
        if row.lookups == 1 and not row.reasons:
            step(db, document, now, about.replace("_", " "), f"{why.sentence()}; it is tried again")
        row.reasons = [why.to_json()]
        if row.lookups < MAX_TRIES and not isinstance(error, TooLarge):
            row.next_action_at = now + timedelta(seconds=min(4.0 * 2.0 ** row.lookups, 600.0))
            return
        row.state, row.next_action_at = PostingState.REJECTED, None
        if row.operation == ATTACH:
            set_flag(document, Flag.NOT_ATTACHED)
        step(db, document, now, about.replace("_", " "), why.sentence())

    def _trouble(self, error: Exception) -> None:
        wait = 5.0
        if isinstance(error, RetryLater):
            wait = max(0.0, (error.until - self.rt.clock.now()).total_seconds())
        elif isinstance(error, (NeedsReconnect, NotAllowed)):
            wait = 60.0
        self.free_at = self.rt.clock.monotonic() + wait


def status(row: Posting | None) -> str:
    """Where the attachment stands, in words; empty when none was wanted."""
    if row is None:
        return ""
    shown = ", shown to the customer" if row.terms.get("shown") else ""
    verb = "attached" if row.operation == ATTACH else "written"
    words = {PostingState.DONE: f"{verb}{shown}", PostingState.REJECTED: f"not {verb}"}
    return words.get(PostingState(row.state), f"not {verb} yet")


def why_not(row: Posting) -> Reason | None:
    return Reason.from_json(row.reasons[0]) if row.reasons else None
