"""The cut-off question: is everything dated to this day in the books? What is not, and why. Database only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from domain.reconcile import Outcome
from domain.statuses import Flag, PostingState, RunState, Status
from models import Document, Posting, Run, ToolRow
from sync import operations, orders, reconciling

SET_ASIDE, HELD = "skipped_by_person", "held"
_WAITING = (Status.PENDING, Status.PROCESSING, Status.FAULT)
_THERE = (PostingState.CONFIRMED, PostingState.DONE)
_AT_ONCE = 500


class Absence(StrEnum):
    """Why a document is not in the books, in the order in which it is told."""

    MISSING = "Missing in the ledger"
    """It was posted, and the newest comparison did not find it there."""
    WAITS = "Waits"
    """For a sync, for an answer or for a person (Fault)."""
    SET_ASIDE = "Set aside by a person"
    HELD = "Held by a person"


@dataclass(frozen=True, slots=True)
class CutOff:
    """Documents that are not in the books, in the order in which they are told. `compared_at`: when both sides were
    compared last (UTC); None when they never were, and nobody knows what is missing."""

    absent: Sequence[tuple[Absence, Document]]
    compared_at: datetime | None

    def count(self, why: Absence) -> int:
        return sum(absence is why for absence, _ in self.absent)

    @property
    def yes(self) -> bool:
        """What a person keeps out is an exception to a yes; everything else makes it a no."""
        return not (self.count(Absence.MISSING) or self.count(Absence.WAITS))


def answer(db: Session, company_id: int, through: date) -> CutOff:
    """Of every document we know of that is dated to this day. Documents from before the start date are not ours to
    post, of an order that is billed on receipt nothing is to be booked before anything arrives, and what a rule skips
    (a total of zero, a void, another program's mark) is not meant for the books."""
    compared = db.scalars(
        select(Run).where(Run.company_id == company_id, Run.kind == reconciling.KIND,
                          Run.state.in_((RunState.FINISHED, RunState.PROBLEMS)), Run.finished_at.is_not(None))
        .order_by(Run.id.desc()).limit(1)
    ).first()  # fmt: skip
    found = [(Absence.MISSING, row) for row in (_missing(db, compared, through) if compared is not None else ())]
    found += [(_why(row), row) for row in _kept_out(db, company_id, through)]
    order = {why: place for place, why in enumerate(Absence)}
    found.sort(key=lambda each: (order[each[0]], each[1].document_date, each[1].id))
    return CutOff(found, compared.finished_at if compared is not None else None)


def _kept_out(db: Session, company_id: int, through: date) -> Sequence[Document]:
    waits = and_(Document.status.in_(_WAITING), func.coalesce(Document.reason_code, "") != orders.WAITS)
    by_person = and_(Document.status == Status.SKIPPED, Document.reason_code.in_((SET_ASIDE, HELD)))
    return db.scalars(select(Document).where(
        Document.company_id == company_id, Document.document_date <= through, or_(waits, by_person),
        (Document.before_start.is_(False)) | (Document.included_at.is_not(None)),
    )).all()


def _why(row: Document) -> Absence:
    if row.status != Status.SKIPPED:
        return Absence.WAITS
    return Absence.HELD if row.reason_code == HELD else Absence.SET_ASIDE


def _missing(db: Session, compared: Run, through: date) -> list[Document]:
    """Found missing by this comparison, and still in the books by our account: not voided or copied anew since."""
    gone = {(row.data["document_id"], row.data["ledger_id"]) for row in db.scalars(
        select(ToolRow).where(ToolRow.run_id == compared.id, ToolRow.outcome == Outcome.MISSING)
    )}  # fmt: skip
    ids = sorted({document_id for document_id, _ in gone})
    found: dict[int, Document] = {}
    for first in range(0, len(ids), _AT_ONCE):
        rows = db.execute(
            select(Document, Posting).join(Posting, Posting.document_id == Document.id)
            .where(Document.id.in_(ids[first:first + _AT_ONCE]), Document.status == Status.COMPLETE,
                   Document.document_date <= through, Posting.state.in_(_THERE),
                   Posting.operation.in_(("create", operations.CORRECT)))
        )  # fmt: skip
        for row, posting in rows:
            voided = posting.operation == "create" and str(Flag.VOIDED) in (row.flags or [])
            if (row.id, posting.ledger_id) in gone and not voided:
                found[row.id] = row
    return list(found.values())
