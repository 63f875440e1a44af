"""Asking the ledger first: a posting that may be in the books is looked up before anything of it goes again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from domain.reasons import reason
from domain.statuses import PostingState, Status
from models import Document, Posting
from sync.documents import set_status
from sync.lease import wake


def look_first(db: Session, posting: Posting, document: Document, now: datetime) -> None:
    """The ledger is asked before anything else; when it has nothing, the next generation may go."""
    posting.state, posting.renew, posting.reasons = PostingState.UNKNOWN, True, []
    posting.next_action_at, posting.lookups, posting.changed_at = now, 0, now
    set_status(db, document, Status.PROCESSING, [reason("checking", evidence="asked again by a person")], now)
    wake(db, document.company_id, now)
