"""The cut-off question: is everything dated to this day in the books? What is not, what is and should not be, and why.
Database only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Text, and_, func, or_, select, type_coerce
from sqlalchemy.orm import Session

from connectors.ledgers.base import Kind
from domain.reconcile import Outcome
from domain.statuses import Flag, PostingState, RunState, Status
from models import Document, Posting, Run, ToolRow
from sync import operations, orders, reconciling, voids

SET_ASIDE, HELD = "skipped_by_person", "held"
_WAITING = (Status.PENDING, Status.PROCESSING, Status.FAULT)
_THERE = (PostingState.CONFIRMED, PostingState.DONE)
_TAKEN_BACK = (*voids.DECIDABLE, *voids.CORRECTABLE, "order_cancelled_after", "void_queued", "correct_queued")
"""Reasons of documents that the source took back and the ledger still holds."""
_AT_ONCE = 500


class Standing(StrEnum):
    """Why a document is told, in this order."""

    MISSING = "Missing in the ledger"
    """It was posted, and the newest comparison did not find it there."""
    WAITS = "Waits"
    """For a sync, for an answer or for a person (Fault)."""
    DRAFT = "Draft in the ledger"
    """It arrived there and is not approved, as far as is known: no ledger books a draft."""
    UNDUE = "In the books and should not be"
    """Voided or cancelled in the source: the ledger's copy waits for a person, or for its void."""
    LATER = "In the books on a later day"
    """Its period was closed, so it was booked on the first open day, which is after the day that was asked for."""
    SET_ASIDE = "Set aside by a person"
    HELD = "Held by a person"


@dataclass(frozen=True, slots=True)
class CutOff:
    """Documents that are not in the books, or are otherwise than a yes says, in the order in which they are told.
    `compared_at`: when both sides were compared last (UTC); None when they never were, and nobody knows what is
    missing."""

    told: Sequence[tuple[Standing, Document]]
    compared_at: datetime | None

    def count(self, *standings: Standing) -> int:
        return sum(standing in standings for standing, _ in self.told)

    @property
    def absent(self) -> int:
        """What makes it a no. What a person keeps out is an exception to a yes; what should not be there is there."""
        return self.count(Standing.MISSING, Standing.WAITS, Standing.DRAFT)


def answer(db: Session, company_id: int, through: date) -> CutOff:
    """Of every document we know of that is dated to this day. Documents from before the start date are not ours to
    post, of an order that is billed on receipt nothing is to be booked before anything arrives, and what a rule skips
    (a total of zero, a void, another program's mark) is not meant for the books."""
    compared = db.scalars(
        select(Run).where(Run.company_id == company_id, Run.kind == reconciling.KIND,
                          Run.state.in_((RunState.FINISHED, RunState.PROBLEMS)), Run.finished_at.is_not(None))
        .order_by(Run.id.desc()).limit(1)
    ).first()  # fmt: skip
    missing = _missing(db, compared, through) if compared is not None else {}
    found = {row.id: (standing, row) for standing, row in _told(db, company_id, through) if row.id not in missing}
    found |= {row.id: (Standing.MISSING, row) for row in missing.values() if not _taken_back(row)}
    order = {standing: place for place, standing in enumerate(Standing)}
    told = sorted(found.values(), key=lambda each: (order[each[0]], each[1].document_date, each[1].id))
    return CutOff(told, compared.finished_at if compared is not None else None)


def _told(db: Session, company_id: int, through: date) -> list[tuple[Standing, Document]]:
    waits = and_(Document.status.in_(_WAITING), func.coalesce(Document.reason_code, "") != orders.WAITS)
    by_person = and_(Document.status == Status.SKIPPED, Document.reason_code.in_((SET_ASIDE, HELD)))
    draft = and_(
        Document.status == Status.COMPLETE, Document.ledger_kind != Kind.PURCHASE_ORDER,  # orders book nothing
        type_coerce(Document.flags, Text).like(f'%"{Flag.DRAFT}"%'),
    )
    later = and_(Document.status == Status.COMPLETE, Document.ledger_date > through)
    rows = db.execute(
        select(Document, Posting.state).outerjoin(Posting, Posting.id == Document.posting_id).where(
            Document.company_id == company_id, Document.document_date <= through, or_(waits, by_person, draft, later),
            (Document.before_start.is_(False)) | (Document.included_at.is_not(None)),
        )
    ).all()  # fmt: skip
    found = [(_standing(row, state, through), row) for row, state in rows]
    return [(standing, row) for standing, row in found if standing is not None]


def _standing(row: Document, state: str | None, through: date) -> Standing | None:
    """None: it is in the books as it should be, also where a change or a mail of it waits for somebody."""
    flags = row.flags or []
    if row.status == Status.SKIPPED:
        return Standing.HELD if row.reason_code == HELD else Standing.SET_ASIDE
    if state not in _THERE or row.ledger_id is None:
        return Standing.WAITS
    if Flag.VOIDED in flags:
        return None
    if _taken_back(row):
        return Standing.UNDUE
    if Flag.DRAFT in flags and row.ledger_kind != Kind.PURCHASE_ORDER:
        return Standing.DRAFT
    return Standing.LATER if row.ledger_date is not None and row.ledger_date > through else None


def _taken_back(row: Document) -> bool:
    """The source took it back, and nobody has decided to keep it."""
    if row.reason_code in _TAKEN_BACK:
        return True
    return row.status == Status.PROCESSING and row.voided_at is not None and Flag.KEPT not in (row.flags or [])


def _missing(db: Session, compared: Run, through: date) -> dict[int, Document]:
    """Found missing by this comparison, and still in the books by our account: not voided or copied anew since."""
    gone = {(row.data["document_id"], row.data["ledger_id"]) for row in db.scalars(
        select(ToolRow).where(ToolRow.run_id == compared.id, ToolRow.outcome == Outcome.MISSING)
    )}  # fmt: skip
    ids = sorted({document_id for document_id, _ in gone})
    found: dict[int, Document] = {}
    for first in range(0, len(ids), _AT_ONCE):
        rows = db.execute(
            select(Document, Posting).join(Posting, Posting.document_id == Document.id)
            .where(Document.id.in_(ids[first:first + _AT_ONCE]), Document.document_date <= through,
                   Posting.state.in_(_THERE), Posting.operation.in_(("create", operations.CORRECT)))
        )  # fmt: skip
        for row, posting in rows:
            voided = posting.operation == "create" and str(Flag.VOIDED) in (row.flags or [])
            if (row.id, posting.ledger_id) in gone and not voided:
                found[row.id] = row
    return found
