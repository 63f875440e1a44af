"""A call that the ledger refuses as a whole names no culprit: its members go again in calls of half the size.

Nothing of such a call was done, so each member ends and its next generation is reserved, under a new key, with the
number of members that may travel with it. The one that is refused alone is the culprit. Within the caller's
transaction; nothing here talks to a platform.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlalchemy.orm import Session

from connectors.ledgers.base import Kind, Ledger, Refusal, Refused
from domain.reasons import reason
from domain.statuses import PostingState, Status
from models import Document, ItemClaim, Posting, PostingNeed, ToolRow
from sync.documents import drop, set_status, step
from sync.operations import rule_of

if TYPE_CHECKING:
    from sync.settle import Settling

MOST, AFTER_LOOKUP = "most", "divide"
"""In a posting's terms: how many may travel in its call; how many of the next generation, once it is proven absent."""
SORTS_OF_CALLS = 4
CONCERN_ALL = frozenset({Refusal.SUBSCRIPTION, Refusal.TRANSIENT})
"""Refusals of the company or of the moment: no member is to blame."""


def divides(refused: Refused, members: int) -> bool:
    """Whether smaller calls would tell more."""
    return refused.whole and members > 1 and refused.faults[0].refusal not in CONCERN_ALL


def divide(s: Settling, posting: Posting, refused: Refused, members: int) -> None:
    """One member of a call of `members` that was refused as a whole."""
    most, fault = members // 2, refused.faults[0]
    if posting.sends > 1:  # this no proves nothing of an earlier send whose answer was lost
        posting.terms = {**(posting.terms or {}), AFTER_LOOKUP: most}
        s.refused_after_lost(posting, reason("ledger_refused", message=fault.message, code=fault.code), fault.message)
        return
    succeed(s, posting, most)


def proven_absent(s: Settling, posting: Posting) -> bool:
    """The look-up that followed a whole refusal found nothing: it goes again in a smaller call. False: no such one."""
    most = (posting.terms or {}).get(AFTER_LOOKUP)
    if most is None:
        return False
    succeed(s, posting, most)
    return True


def succeed(s: Settling, posting: Posting, most: int) -> None:
    """End this generation, which is certainly not in the ledger, and reserve the next one."""
    terms = {name: value for name, value in (posting.terms or {}).items() if name != AFTER_LOOKUP}
    following = Posting(
        company_id=posting.company_id, document_id=posting.document_id, ledger_tenant=posting.ledger_tenant,
        source_tenant=posting.source_tenant, kind=posting.kind, source_id=posting.source_id,
        operation=posting.operation, part=posting.part, generation=posting.generation + 1,
        ledger_kind=posting.ledger_kind, state=PostingState.NEW, draft=posting.draft, marker=posting.marker,
        plan_digest=posting.plan_digest, target_id=posting.target_id, terms={**terms, MOST: most},
        ledger_number=posting.ledger_number, next_action_at=s.now, interactive=posting.interactive, fence=s.fence,
        created_at=s.now, changed_at=s.now, sends=0, lookups=0,
    )
    s.db.add(following)
    s.db.flush()
    _hand_over(s.db, posting, following)
    drop(s.db, posting, PostingState.REJECTED, [], s.now)
    document = s.document(posting)
    if document is not None:
        set_status(s.db, document, Status.PENDING, [reason("divided", most=most)], s.now)
        step(s.db, document, s.now, "divided", f"Refused with its whole call; goes again in one of {most} at most")


def _hand_over(db: Session, posting: Posting, following: Posting) -> None:
    """Whatever points to the former generation: its document, billing items, who waits for it, the tool's row."""
    for table, column in (
        (ItemClaim, ItemClaim.posting_id), (PostingNeed, PostingNeed.need_id), (ToolRow, ToolRow.posting_id),
        (Document, Document.posting_id),
    ):
        db.execute(
            update(table).where(table.company_id == posting.company_id, column == posting.id)
            .values({column: following.id})
        )


# ---- composing calls ----------------------------------------------------------------------------------------


def looked_at(ledger: Ledger) -> int:
    """How many due writes are looked at to find a full call: a call may hold those of one sort only."""
    sorts = SORTS_OF_CALLS if ledger.call_of(Kind.INVOICE, "create") else 1
    return ledger.capabilities.batch_members * sorts


def together(postings: Sequence[Posting], ledger: Ledger) -> Sequence[Posting]:
    """Those that travel in the next call: as many as may go with the first of them where calls were divided, else the
    largest part that the ledger takes in one call."""
    if not postings:
        return postings
    most = _most(postings[0])
    parts: dict[str, list[Posting]] = {}
    for posting in postings:
        if _most(posting) == most:
            operation = rule_of(posting).writes or posting.operation
            parts.setdefault(ledger.call_of(Kind(posting.ledger_kind), operation), []).append(posting)
    return max(parts.values(), key=len)[: most or ledger.capabilities.batch_members]


def goes(postings: Sequence[Posting], members: int, *, wait: bool) -> bool:
    """Whether a call with these is sent now: a full one, or nothing is worth waiting for."""
    return bool(postings) and (not wait or len(postings) >= members or _most(postings[0]) is not None)


def _most(posting: Posting) -> int | None:
    most: int | None = (posting.terms or {}).get(MOST)
    return most
