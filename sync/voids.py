"""Documents that are in the ledger and were voided in the source: noticed, voided there too, or kept with a reason.

The open copy overstates receivables, so it is a Fault until a person decides. What is voided is released to be billed
again only when the ledger says that it is void (sync.operations). Repeating any of it is safe.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.sources.base import Source, Voided
from domain.reasons import Reason, reason
from domain.statuses import Flag, Status
from models import Document, Posting
from sync.documents import set_flag, set_status, step
from sync.lease import exclusive
from sync.operations import VOID, reserve
from sync.runtime import Runtime

WINDOW_DAYS = 14
"""Voids are looked for that far back, whatever the look-back of new invoices is."""
DECIDABLE = ("voided_open", "void_paid", "void_refused", "void_changing", "void_closed")


def look(rt: Runtime, company_id: int, source: Source, kind: str) -> int:
    """Ask the source what was voided lately; documents in the books become Faults. Returns how many. One read."""
    found = source.voided(kind, rt.clock.now() - timedelta(days=WINDOW_DAYS))
    if not found:
        return 0
    noticed = 0
    for start in range(0, len(found), 500):
        part = {one.id: one for one in found[start : start + 500]}
        with rt.sessions() as db, db.begin():
            exclusive(db, company_id)
            rows = db.scalars(select(Document).where(
                Document.company_id == company_id, Document.source_tenant == source.tenant, Document.kind == kind,
                Document.source_id.in_(part), Document.status == Status.COMPLETE, Document.ledger_id.is_not(None),
            ).order_by(Document.id)).all()
            for row in rows:
                noticed += _notice(db, row, part[row.source_id], rt.clock.now())
    return noticed


def _notice(db: Session, row: Document, voided: Voided, now: datetime) -> int:
    if {Flag.VOIDED, Flag.KEPT} & set(row.flags or []):
        return 0
    when = f" on {voided.at:%d %b %Y}" if voided.at else ""
    told = reason("voided_open", number=row.ledger_number or row.number, when=when)
    row.run_id = None  # the run that posted it is over; the next one tells of the void
    set_status(db, row, Status.FAULT, [told], now)
    step(db, row, now, "voided_in_autotask", told.sentence())
    return 1


def decidable(row: Document) -> bool:
    """It waits for a person to say what becomes of the copy in the ledger."""
    return row.status == Status.FAULT and row.reason_code in DECIDABLE and row.ledger_id is not None


def void(db: Session, row: Document, *, now: datetime, who: str) -> bool:
    """Void in the ledger too; what was shown as paid may be set free, and no more. False: there is nothing to decide.

    The caller rings. In a closed period nothing is voided.
    """
    exclusive(db, row.company_id)
    db.expire(row)
    if not decidable(row) or row.reason_code == "void_closed":
        return False
    shown = Reason.from_json(row.reasons[0]).params
    terms = {"by": who, "applied": shown["applied"]} if "applied" in shown else {"by": who}
    draft = db.get_one(Posting, row.posting_id).draft
    reserve(db, row, VOID, draft, terms=terms, now=now, interactive=1)
    freed = f"; {terms['applied']} paid on it is set free" if "applied" in terms else ""
    step(db, row, now, "void_asked", f"A person asked for it to be voided in QuickBooks{freed}", who=who)
    return True


def keep(db: Session, row: Document, *, why: str, now: datetime, who: str) -> bool:
    """Leave the copy in the ledger as it is, with a reason. Its billing items stay taken."""
    exclusive(db, row.company_id)
    db.expire(row)
    if not decidable(row):
        return False
    set_flag(row, Flag.KEPT)
    set_status(db, row, Status.COMPLETE, [], now)
    step(db, row, now, "kept", f"Voided in Autotask and kept in QuickBooks: {why}", who=who)
    return True
