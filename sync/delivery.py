"""The mail that the ledger sends to the customer: one per document, ever, and what a person decides about it.

A mail is a posting of its own (operation `send`) beside the document's. There is one row per document whatever is
retried, replaced or posted again, so that a second mail has no row to stand in. Database only; the rule of the write
is in sync.operations.send.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.ledgers.base import Done, Kind
from domain.statuses import OPEN_STATES, Flag, PostingState, Status
from models import Document, Posting
from sync.documents import set_flag, set_status, step
from sync.lease import exclusive, wake

if TYPE_CHECKING:
    from sync.settle import Settling

SEND = "send"
UNSURE = "mail_unsure"


def of(db: Session, document: Document) -> Posting | None:
    """The one mail of the document, whatever became of it."""
    return db.scalars(select(Posting).where(
        Posting.company_id == document.company_id, Posting.source_tenant == document.source_tenant,
        Posting.kind == document.kind, Posting.source_id == document.source_id, Posting.operation == SEND,
    ).order_by(Posting.id.desc()).limit(1)).first()


def want(s: Settling, document: Document, posting: Posting, done: Done) -> None:
    """Reserve the mail of a document that was posted just now, where the company wants it.

    None for credits, for totals of zero, and for documents from before the start date that a person let in (R66).
    """
    posted = posting.ledger_kind == Kind.INVOICE and posting.ledger_kind in s.capabilities.can_mail
    history = document.before_start or document.included_at is not None
    if not posted or history or not done.echo.total or not s.settings(document.company_id).mail_customers:
        return
    row = of(s.db, document)
    if row is not None and (row.sends or row.state not in (PostingState.REJECTED, PostingState.NEW)):
        step(s.db, document, s.now, "not mailed again", "The customer has one mail of this document already, or may "
             "have it; there is never a second one")
        return
    if row is None:
        row = Posting(
            company_id=document.company_id, document_id=document.id, source_tenant=posting.source_tenant,
            kind=posting.kind, source_id=posting.source_id, operation=SEND, part="", generation=1,
            marker=posting.marker, created_at=s.now, sends=0, lookups=0,
        )
        s.db.add(row)
    row.ledger_tenant, row.ledger_kind = posting.ledger_tenant, posting.ledger_kind
    row.target_id, row.ledger_number = done.ledger_id, done.number
    row.draft = {"number": done.number}
    _anew(row, {}, s.now)
    s.db.flush()
    step(s.db, document, s.now, "mail planned", "{the_ledger} will be asked to mail it to the customer")


def unsure(db: Session, document: Document) -> bool:
    """The mail may have gone, and a person has to say."""
    row = of(db, document)
    return row is not None and row.state == PostingState.NEEDS_HUMAN


def may_send(db: Session, document: Document) -> bool:
    """A person may have it mailed: it certainly was not, or nobody can tell and the person says so."""
    row = of(db, document)
    return row is not None and row.state in (PostingState.NEEDS_HUMAN, PostingState.REJECTED)


def it_was_sent(db: Session, document: Document, *, now: datetime, who: str) -> bool:
    """The customer has the mail, says a person. False: there is nothing to decide."""
    exclusive(db, document.company_id)
    db.expire(document)
    row = of(db, document)
    if row is None or row.state != PostingState.NEEDS_HUMAN:
        return False
    row.state, row.reasons, row.next_action_at, row.changed_at = PostingState.DONE, [], None, now
    row.confirmed_by, row.terms = "person", {**row.terms, "by": who}
    step(db, document, now, "mailed", "It was sent, said a person", who=who)
    _settled(db, document, now)
    return True


def send_again(db: Session, document: Document, *, now: datetime, who: str) -> bool:
    """Ask the ledger once more, under a new key; the record is read first.

    False: it is under way or was sent. The caller rings.
    """
    exclusive(db, document.company_id)
    db.expire(document)
    row = of(db, document)
    if row is None or row.state not in (PostingState.NEEDS_HUMAN, PostingState.REJECTED) or not document.ledger_id:
        return False
    row.target_id = document.ledger_id
    _anew(row, {"by": who}, now)
    set_flag(document, Flag.NOT_MAILED, on=False)
    step(db, document, now, "mail asked", "A person asked for it to be mailed", who=who)
    _settled(db, document, now)
    wake(db, document.company_id, now)
    return True


def status(row: Posting | None) -> str:
    """Where the mail stands, in words; empty when none was wanted."""
    if row is None:
        return ""
    if row.state == PostingState.DONE:
        told = {"person": "sent, said a person", "lookup": "sent, as {the_ledger} shows"}
        return told.get(row.confirmed_by or "", "sent")
    if row.state == PostingState.REJECTED:
        return "not sent"
    if row.state == PostingState.NEEDS_HUMAN:
        return "not known whether it was sent"
    return "on its way" if row.state in OPEN_STATES else "not sent"


def _anew(row: Posting, terms: dict[str, str], now: datetime) -> None:
    row.state, row.terms, row.reasons, row.base_version = PostingState.NEW, terms, [], None
    row.payload = row.payload_sha256 = row.batch_key = row.short_id = None
    row.sends, row.lookups, row.first_sent_at, row.last_sent_at = 0, 0, None, None
    row.next_action_at, row.changed_at, row.renew = now, now, False


def _settled(db: Session, document: Document, now: datetime) -> None:
    if document.status == Status.FAULT and document.reason_code == UNSURE:
        set_status(db, document, Status.COMPLETE, [], now)
