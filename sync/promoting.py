"""Which documents are approved in the ledger after they arrived there as drafts, and asking for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Text, func, select, type_coerce
from sqlalchemy.orm import Session

from connectors.ledgers.base import CLOSED, Done
from domain.documents import Draft
from domain.settings import InitialStatus
from domain.statuses import OPEN_STATES, Flag, PostingState, Status
from models import Document, Posting
from sync import codec
from sync.documents import set_flag, step
from sync.lease import exclusive, wake

if TYPE_CHECKING:
    from sync.settle import Settling

PROMOTE = "promote"
OFFER_AFTER = 10
"""So many drafts a person has looked at in the ledger before approving is offered."""


def want(s: Settling, document: Document, posting: Posting, done: Done) -> None:
    """What follows a creation: a draft is flagged, and approved when that was chosen."""
    if posting.ledger_kind not in s.capabilities.can_promote:
        return
    set_flag(document, Flag.DRAFT, done.echo.status in (InitialStatus.DRAFT, InitialStatus.SUBMITTED))
    draft = codec.load(Draft, posting.draft)
    if draft.promote_to and done.echo.status != draft.promote_to:
        reserve(s.db, document, posting, s.now)


def reserve(db: Session, document: Document, created: Posting, now: datetime, interactive: int = 0) -> None:
    """Reserve the approval of a document that is in the ledger. An open one is joined."""
    last = db.scalars(
        select(Posting).where(Posting.document_id == document.id, Posting.operation == PROMOTE)
        .order_by(Posting.generation.desc()).limit(1)
    ).first()
    if last is not None and last.state in OPEN_STATES:
        return
    db.add(Posting(
        company_id=document.company_id, document_id=document.id, ledger_tenant=created.ledger_tenant,
        source_tenant=created.source_tenant, kind=created.kind, source_id=created.source_id, operation=PROMOTE,
        part=created.part, generation=last.generation + 1 if last is not None else 1,
        ledger_kind=document.ledger_kind, state=PostingState.NEW, draft=created.draft, marker=created.marker,
        target_id=document.ledger_id, terms={}, ledger_number=document.ledger_number, next_action_at=now,
        interactive=interactive, created_at=now, changed_at=now, sends=0, lookups=0,
    ))
    db.flush()
    step(db, document, now, "approval planned", "It will be approved in {the_ledger}")


def _drafts(company_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        Document.company_id == company_id, Document.status == Status.COMPLETE,
        type_coerce(Document.flags, Text).like(f'%"{Flag.DRAFT}"%'),
    )


def shown(db: Session, company_id: int, found: Mapping[tuple[str, str], Done], now: datetime) -> None:
    """What the ledger was seen to hold, by kind and id: what people approved there is a draft no more."""
    for row in db.scalars(select(Document).where(*_drafts(company_id)).order_by(Document.id)):
        there = found.get((row.ledger_kind or "", row.ledger_id or ""))
        if there is not None and there.echo.status in (InitialStatus.APPROVED, CLOSED):
            set_flag(row, Flag.DRAFT, on=False)
            step(db, row, now, "approved", "{the_ledger} shows it as approved: somebody did it there")


def waiting(db: Session, company_id: int) -> int:
    """How many documents of ours stand in the ledger as drafts, as far as we know."""
    return db.execute(select(func.count()).select_from(Document).where(*_drafts(company_id))).scalar_one()


def ask(db: Session, document: Document, created: Posting, now: datetime, who: str) -> None:
    """A person has one draft looked at again and approved. Repeating is safe; the caller rings."""
    exclusive(db, document.company_id)
    db.refresh(created)
    created.draft = {**created.draft, "promote_to": str(InitialStatus.APPROVED)}
    step(db, document, now, "approval asked", "A person asked for it to be approved", who=who)
    reserve(db, document, created, now, interactive=1)
    wake(db, document.company_id, now)


def approve_all(db: Session, company_id: int, now: datetime, who: str) -> int:
    """A person has every draft of ours approved. Returns how many; repeating is safe. The caller rings."""
    exclusive(db, company_id)
    rows: Sequence[Document] = db.scalars(select(Document).where(*_drafts(company_id)).order_by(Document.id)).all()
    for document in rows:
        ask(db, document, db.get_one(Posting, document.posting_id), now, who)
    wake(db, company_id, now)
    return len(rows)
