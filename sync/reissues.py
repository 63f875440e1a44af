"""What a page of documents may bill again: voided documents of the same customers, and how each of them stands.

The rule is domain.reissues, asked by `domain.plan.plan`; here is what it looks up, and what a person answers to it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from domain.documents import SourceDocument
from domain.known import Lists
from domain.reasons import reason
from domain.reissues import Copy, Earlier, bills_again
from domain.settings import InvoiceSettings
from domain.statuses import Flag, Status
from models import Document
from sync.documents import set_status, step
from sync.lease import exclusive

WAITING = ("reissue_waits", "billed_before")
ASKED = ("reissue_kept", "reissue_like")


def voided(db: Session, company_id: int, parties: Collection[str]) -> dict[str, tuple[Earlier, ...]]:
    """Party id → its documents that were voided in the source after they were posted. Few; often none."""
    found: dict[str, tuple[Earlier, ...]] = {}
    wanted = sorted(parties)
    for start in range(0, len(wanted), 500):
        rows = db.scalars(select(Document).where(
            Document.company_id == company_id, Document.voided_at.is_not(None),
            Document.party_id.in_(wanted[start : start + 500]),
        ))
        for row in rows:
            key = row.party_id or ""
            found[key] = (*found.get(key, ()), earlier(row))
    return found


def earlier(row: Document) -> Earlier:
    """A voided document as the rule sees it."""
    flags = set(row.flags or [])
    copy = Copy.GONE if flags & {Flag.VOIDED, Flag.CORRECTED} else Copy.KEPT if Flag.KEPT in flags else Copy.STANDS
    items = frozenset(str(line["id"]) for line in json.loads(row.lines)) if row.lines else frozenset()
    at = row.voided_at or row.changed_at
    number = row.ledger_number or row.number or row.source_id
    return Earlier(row.id, row.source_id, number, at, row.total, items, copy)


def answered(db: Session, company_id: int, documents: Sequence[SourceDocument]) -> frozenset[str]:
    """Source ids among these that are asked no more: in the ledger already, or a person said to post them anyway."""
    ids = [document.header.id for document in documents]
    found: set[str] = set()
    for start in range(0, len(ids), 500):
        found.update(db.scalars(select(Document.source_id).where(
            Document.company_id == company_id, Document.source_id.in_(ids[start : start + 500]),
            or_(Document.reissue_allowed.is_not(None), Document.status == Status.COMPLETE),
        )))
    return frozenset(found)


def note(row: Document, document: SourceDocument, lists: Lists, settings: InvoiceSettings) -> None:
    """Remember which voided document this one bills again, for the chain that both pages show."""
    found = bills_again(document, lists.voided.get(row.party_id or "", ()), settings.void_window_days)
    if found is not None and row.voided_at is None:
        row.reissue_of = found[0].document_id


def allow(db: Session, row: Document, *, why: str, now: datetime, who: str) -> bool:
    """*Post anyway*: a recorded exception. The caller retries it. False: nothing is asked of it."""
    exclusive(db, row.company_id)
    db.expire(row)
    if row.status != Status.FAULT or row.reason_code not in ASKED:
        return False
    row.reissue_allowed = {"by": who, "at": now.isoformat(), "why": why, "of": row.reissue_of}
    step(db, row, now, "posted_anyway", f"To be posted although it may bill a voided invoice again: {why}", who=who)
    return True


def settle(db: Session, old: Document, now: datetime, *, kept: bool) -> None:
    """The old document is out of the ledger: what waited for that, or was asked about, is planned anew with the next
    Sync. It was kept: what waited is asked about."""
    codes = WAITING if kept else (*WAITING, *ASKED)
    told = [reason("waits_for_sync")]
    if kept:
        at = old.voided_at or now
        told = [reason("reissue_kept", other=old.ledger_number or old.number or old.source_id, when=f"{at:%d %b %Y}")]
    for row in db.scalars(select(Document).where(
        Document.company_id == old.company_id, Document.reissue_of == old.id, Document.reason_code.in_(codes),
        Document.status.in_((Status.PENDING, Status.FAULT)),
    )):
        set_status(db, row, Status.FAULT if kept else Status.PENDING, told, now)


def chain(db: Session, row: Document) -> tuple[list[Document], list[Document]]:
    """What it bills again, oldest first, and what bills it again. A chain is as long as the voids were."""
    before: list[Document] = []
    at = row
    while at.reissue_of is not None and at.reissue_of not in {one.id for one in (row, *before)}:
        found = db.get(Document, at.reissue_of)
        if found is None or found.company_id != row.company_id:
            break
        before.insert(0, found)
        at = found
    after: list[Document] = []
    wanted = [row.id]
    while wanted:
        found_after = db.scalars(select(Document).where(
            Document.company_id == row.company_id, Document.reissue_of.in_(wanted)
        ).order_by(Document.id)).all()
        known = {one.id for one in (row, *before, *after)}
        fresh = [one for one in found_after if one.id not in known]
        after += fresh
        wanted = [one.id for one in fresh]
    return before, after
