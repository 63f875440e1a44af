"""Manually Copy, where the copy cannot be replaced in place or is gone: take it out, then post the invoice anew.

Offered only while nothing is paid, mailed or closed, and done after a person confirmed the version that was shown.
The rule of the write is in `sync.operations.remove`.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from domain.documents import Draft
from domain.held import Held
from domain.statuses import PostingState
from models import Document
from sync import delivery, holds

if TYPE_CHECKING:
    from connectors.ledgers.base import Capabilities

UNSENT = (PostingState.REJECTED, PostingState.NEW)


def verb(held: Held | None, capabilities: Capabilities) -> str:
    """What happens to the copy first: delete, void, or nothing because it is gone."""
    if held is None or not held.live:
        return "again"
    return "delete" if held.kind in capabilities.can_delete else "void"


def obstacles(
    db: Session, row: Document, party_id: str | None, fresh: Draft | None, held: Held | None, closed: date | None,
    capabilities: Capabilities,
) -> list[str]:
    """Why it cannot be taken out and copied again, in words. `party_id` is whom the source bills now."""
    if fresh is None:
        return ["Autotask's version cannot be posted as it is; the reasons stand below"]
    found = []
    kept = row.id in holds.reasons(db, row.company_id, [row])
    if kept or holds.of(db, row.company_id, "party", party_id or "") is not None:
        found.append("A person holds it back: release the hold first")
    days = [fresh.date, held.date if held is not None and held.live else None]
    if closed is not None and any(day is not None and day <= closed for day in days):
        found.append(f"The books are closed through {closed.isoformat()}")
    if held is None:
        return found
    if not held.live:
        if fresh.number is not None and held.kind in capabilities.can_void:
            found.append("Its number stays in use: delete the voided document there, then copy the invoice again")
        return found
    if held.applied or held.linked or held.deposit:
        found.append("Something is paid, credited or deposited on it: a new document would come apart from that")
    if held.mailed or _mail_out(db, row):
        found.append("It was mailed to the customer, or may have been: there is never a second mail")
    if verb(held, capabilities) == "void" and held.kind not in capabilities.can_void:
        found.append("The ledger can neither void nor delete a document of this kind")
    return found


def _mail_out(db: Session, row: Document) -> bool:
    mail = delivery.of(db, row)
    return mail is not None and (bool(mail.sends) or mail.state not in UNSENT)
