"""Billing items and the one live document that holds each (I21). Taken when a posting is reserved (sync.prepare);
here is what a confirmed void sets free."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models import Document, ItemClaim, Posting


def release(db: Session, document: Document) -> None:
    """The document is out of the books: its items may be billed again."""
    postings = select(Posting.id).where(Posting.document_id == document.id)
    db.execute(delete(ItemClaim).where(ItemClaim.posting_id.in_(postings)))
