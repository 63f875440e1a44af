"""The source's PDF on the ledger document: looked up first, so that a repeat adds no second copy.

An attachment is a posting of its own (operation `attach`) beside the document's and never touches the document's
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

ATTACH = "attach"
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
    """Reserve the attachment of a document that was posted just now, where the company wants it."""
    settings = s.settings(document.company_id)
    if not settings.attach_pdf or posting.ledger_kind not in s.capabilities.can_attach:
        return
    known = s.db.scalars(select(Posting.id).where(
        Posting.document_id == document.id, Posting.operation == ATTACH, Posting.target_id == done.ledger_id,
    ).limit(1)).first()
    if known is not None:
        return
    row = Posting(
        company_id=document.company_id, document_id=document.id, ledger_tenant=posting.ledger_tenant,
        source_tenant=posting.source_tenant, kind=posting.kind, source_id=posting.source_id, operation=ATTACH,
        part="", generation=posting.generation, ledger_kind=posting.ledger_kind, state=PostingState.NEW,
        draft={"name": f"Autotask invoice {document.source_id}.pdf"}, target_id=done.ledger_id,
        terms={"shown": settings.attach_shown}, next_action_at=s.now, created_at=s.now, changed_at=s.now, sends=0,
        lookups=0, marker=posting.marker,
    )
    s.db.add(row)


def of(db: Session, document: Document) -> Posting | None:
    """The document's newest attachment, whatever became of it."""
    return db.scalars(
        select(Posting).where(Posting.document_id == document.id, Posting.operation == ATTACH)
        .order_by(Posting.id.desc()).limit(1)
    ).first()


def holds_up(db: Session, document: Document, now: datetime) -> bool:
    """A mail to the customer shall show the PDF and it does not hang there yet."""
    row = of(db, document)
    open_ = row is not None and row.state == PostingState.NEW and bool(row.terms.get("shown"))
    return open_ and row is not None and now < row.created_at + MAIL_WAITS


def try_again(db: Session, document: Document, *, now: datetime, who: str) -> bool:
    """A person asks for another try. False: it hangs there, or is being tried. The caller rings."""
    exclusive(db, document.company_id)
    row = of(db, document)
    if row is None or row.state != PostingState.REJECTED or not document.ledger_id:
        return False
    row.state, row.target_id, row.reasons, row.lookups = PostingState.NEW, document.ledger_id, [], 0
    row.next_action_at, row.changed_at = now, now
    set_flag(document, Flag.NOT_ATTACHED, on=False)
    step(db, document, now, "attach asked", "A person asked for the PDF to be attached", who=who)
    wake(db, document.company_id, now)
    return True


def next_wake(db: Session, company_id: int, tenant: str) -> datetime | None:
    row = _next(db, company_id, tenant)
    return row.next_action_at if row is not None else None


def _next(db: Session, company_id: int, tenant: str) -> Posting | None:
    return db.scalars(select(Posting).where(
        Posting.company_id == company_id, Posting.ledger_tenant == tenant, Posting.operation == ATTACH,
        Posting.state == PostingState.NEW, Posting.next_action_at.is_not(None),
    ).order_by(Posting.next_action_at).limit(1)).first()


class AttachWork:
    """The attachments' part of one turn of service."""

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
            wait = self.ledger.slot("upload")
        except PlatformError as error:
            self._trouble(error)
            return False
        if wait > 0:
            self.free_at = self.rt.clock.monotonic() + wait
            return False
        late = row.last_sent_at is not None and now < row.last_sent_at + timedelta(seconds=self.rt.times.quarantine)
        with self.lease.transaction("Attaching a PDF") as db:
            own = db.get_one(Posting, row.id)
            if not late:  # the intent, before the first byte: an earlier upload may still arrive until then
                own.sends, own.last_sent_at = own.sends + 1, now
            own.fence, own.changed_at = self.lease.fence, now
        self.running += 1
        self.pool.submit(Attaching(row.id), partial(self._attach, row, look_only=late))
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
            step(db, document, now, "attached", "Autotask's PDF hangs on the document in {the_ledger}")

    def _failed(self, db: Session, row: Posting, document: Document, error: Exception, now: datetime) -> None:
        """Try again ever more slowly, and in the end tell. A limit or a lost connection is not counted."""
        why = reason("not_attached", number=document.ledger_number, message=str(error))
        if isinstance(error, (NotSent, RetryLater, NeedsReconnect, NotAllowed, BadAnswer)):
            row.last_sent_at = None  # nothing of this try can still arrive
        counts = not isinstance(error, (NotSent, RetryLater, NeedsReconnect))
        row.lookups += 1 if counts else 0
        if row.lookups == 1 and not row.reasons:
            step(db, document, now, "not attached", f"{why.sentence()}; it is tried again")
        row.reasons = [why.to_json()]
        if row.lookups < MAX_TRIES and not isinstance(error, TooLarge):
            row.next_action_at = now + timedelta(seconds=min(4.0 * 2.0 ** row.lookups, 600.0))
            return
        row.state, row.next_action_at = PostingState.REJECTED, None
        set_flag(document, Flag.NOT_ATTACHED)
        step(db, document, now, "not attached", why.sentence())

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
    words = {PostingState.DONE: f"attached{shown}", PostingState.REJECTED: "not attached"}
    return words.get(PostingState(row.state), "not attached yet")


def why_not(row: Posting) -> Reason | None:
    return Reason.from_json(row.reasons[0]) if row.reasons else None
