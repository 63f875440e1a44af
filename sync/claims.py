"""Billing items and the one live document that holds each (I21). Taken when a posting is reserved (sync.prepare);
here is what a confirmed void sets free."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from domain.reasons import reason
from domain.statuses import Status
from models import Document, ItemClaim, Posting
from sync import reissues
from sync.documents import set_status


def release(db: Session, document: Document, now: datetime) -> None:
    """The document is out of the books: its items may be billed again, and what waited for that goes with the next
    Sync, where it is planned anew."""
    postings = select(Posting.id).where(Posting.document_id == document.id)
    db.execute(delete(ItemClaim).where(ItemClaim.posting_id.in_(postings)))
    for waiting in db.scalars(select(Document).where(
        Document.company_id == document.company_id, Document.status == Status.PENDING,
        Document.reason_code == "billed_before",
    )):
        set_status(db, waiting, Status.PENDING, [reason("waits_for_sync")], now)
    reissues.settle(db, document, now, kept=False)


def take(db: Session, document: Document, items: Sequence[str]) -> str | None:
    """Claim what a replacement brings in. Nothing is taken and the other document is named when one holds an item."""
    held = dict(db.execute(
        select(ItemClaim.item_id, Posting.document_id).join(Posting, Posting.id == ItemClaim.posting_id)
        .where(ItemClaim.company_id == document.company_id, ItemClaim.source_tenant == document.source_tenant,
               ItemClaim.item_id.in_(items))
    ).all())
    for owner in sorted({owner for owner in held.values() if owner not in (None, document.id)}):
        other = db.get_one(Document, owner)
        return other.ledger_number or other.number or other.source_id
    db.add_all([
        ItemClaim(company_id=document.company_id, source_tenant=document.source_tenant, item_id=item,
                  posting_id=document.posting_id)
        for item in dict.fromkeys(items) if item not in held
    ])
    return None


def keep_only(db: Session, document: Document, items: Sequence[str]) -> None:
    """After a confirmed replacement: items that are no longer on the document may be billed elsewhere."""
    postings = select(Posting.id).where(Posting.document_id == document.id)
    db.execute(delete(ItemClaim).where(ItemClaim.posting_id.in_(postings), ItemClaim.item_id.not_in(items)))
