"""Asking the ledger first: a posting that may be in the books is looked up before anything of it goes again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.reasons import reason
from domain.statuses import PostingState, Status
from models import Document, Posting
from sync.documents import set_status, step
from sync.lease import wake
from sync.mirror import Sighting

FRESH = timedelta(minutes=2)
"""So old is at most what a look-up said when a creation goes out."""
THERE = "there"
"""In a posting's terms: kind and id under which the reconciliation saw its marker in the ledger."""


@dataclass(frozen=True, slots=True)
class Looking:
    """A question to the ledger that is under way."""

    asked: dict[int, str | None]
    """Posting → the record it would change, for one that is read first."""

    def still_asked(self, db: Session) -> list[Posting]:
        """Not those taken back meanwhile (a stop, a change in the source) or planned anew for another record."""
        postings = db.scalars(select(Posting).where(Posting.id.in_(self.asked)).order_by(Posting.id))
        return [
            posting for posting in postings
            if posting.next_action_at is not None and posting.target_id == self.asked[posting.id]
        ]


def may_be_in_books(posting: Posting) -> bool:
    """It ended, or waits for a person, without proof of what the ledger holds of it: sent, found there with another
    content, or looked for because something of it stood there. What was never sent, or certainly refused, is not."""
    open_end = posting.state in (PostingState.NEEDS_HUMAN, PostingState.SKIPPED)
    return open_end and bool(posting.sends or posting.ledger_id or posting.first_sent_at)


def look_first(
    db: Session, posting: Posting, document: Document, now: datetime, evidence: str = "asked again by a person"
) -> None:
    """The ledger is asked before anything else; when it has nothing, the next generation may go."""
    posting.state, posting.renew, posting.reasons = PostingState.UNKNOWN, True, []
    posting.next_action_at, posting.lookups, posting.changed_at = now, 0, now
    set_status(db, document, Status.PROCESSING, [reason("looked_for", evidence=evidence)], now)
    wake(db, document.company_id, now)


def look_for_earlier(db: Session, posting: Posting, former: Posting, document: Document, now: datetime) -> None:
    """The try before this one was sent, and refused or taken out again: the network may have delivered it once more
    since, when nothing was wrong with it any longer. One look is enough: nothing of this one is on its way."""
    posting.first_sent_at = former.first_sent_at
    look_first(db, posting, document, now, "an earlier try may have arrived once more")


def look_for_copy(db: Session, posting: Posting, document: Document, seen: Sighting, now: datetime) -> None:
    """The reconciliation saw a document of this posting's marker in the ledger: it is taken over, and sent only when
    it is not there."""
    posting.first_sent_at = datetime.fromisoformat(seen.made) if seen.made else document.source_created_at
    posting.last_sent_at = now
    remember_where(posting, seen)
    look_first(db, posting, document, now, "the reconciliation found it there")
    step(db, document, now, "found in the ledger", "The reconciliation found it there; it is looked up first")


def remember_where(posting: Posting, seen: Sighting) -> None:
    """It is looked for under that id: the number it was given may be another one since."""
    if seen.ledger_id:
        posting.terms = {**(posting.terms or {}), THERE: [seen.kind, seen.ledger_id]}


def where(posting: Posting) -> tuple[str, str] | None:
    """Kind and id of the record that is, or may be, this posting's; None where no answer and no reconciliation named
    one."""
    seen = (posting.terms or {}).get(THERE)
    if seen is not None:
        return seen[0], seen[1]
    return (posting.ledger_kind or "", posting.ledger_id) if posting.ledger_id else None
