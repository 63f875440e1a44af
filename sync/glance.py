"""What could move in a company, in one question: the serving process asks it before it asks for the work itself.

Most turns of its loop find nothing, or one thing; the questions of each kind of work are then asked only where this one
says there is some. Made once and bound anew, because composing a statement costs more than the database's answer.
Reads only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, exists, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from domain.statuses import PostingState, Status
from models import Document, ErrorMark, ErrorMarkState, Posting, Run, TodoRow, TodoState
from sync import attaching, error_marks, stamped, todos

# Attachments and notes have a worker of their own (sync.attaching). A change is not sent before its record was read.
ENGINES = Posting.operation.not_in(attaching.OPERATIONS)
UNREAD = and_(
    ENGINES, Posting.state == PostingState.NEW, Posting.target_id.is_not(None), Posting.base_version.is_(None))


@dataclass(frozen=True, slots=True)
class Glance:
    """Instants: when the first of its kind is due, None where there is none. UTC."""

    unknown: datetime | None
    unread: datetime | None
    """A record is read before it is changed."""
    again: datetime | None
    fresh: datetime | None
    mark: datetime | None
    """A mark, or a read-back, in the source."""
    attach: datetime | None
    todo: datetime | None
    error_mark: datetime | None
    unprepared: bool
    """A due document was not looked at yet. It is due at once, by whatever clock that was written down."""
    stopping: bool
    stamped: bool
    sending: bool
    todos_stirred: bool
    """Faults changed since to-dos were compared with them."""
    todos_abandoned: bool
    marks_stirred: bool
    marks_abandoned: bool
    posting: bool
    """A run that is posting is open."""

    @property
    def look_up(self) -> datetime | None:
        """The ledger is asked about something: an open answer, or a record that is changed next."""
        return min((at for at in (self.unknown, self.unread) if at is not None), default=None)


def at(db: Session, company_id: int, ledger_tenant: str | None, source_tenant: str | None) -> Glance:
    """A look at what there is; what is added meanwhile is seen by the next one."""
    return Glance(*db.execute(
        _QUESTION, {"company": company_id, "ledger": ledger_tenant or "", "source": source_tenant or ""}
    ).one())


def due(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment <= now


def _question() -> Select[Any]:
    company: BindParameter[int] = bindparam("company")
    ledger: BindParameter[str] = bindparam("ledger")
    source: BindParameter[str] = bindparam("source")
    of_ledger = (Posting.company_id == company, Posting.ledger_tenant == ledger)
    of_source = (Posting.company_id == company, Posting.source_tenant == source)

    def first(column: InstrumentedAttribute[Any], *conditions: ColumnElement[bool]) -> Any:
        return select(column).where(*conditions, column.is_not(None)).order_by(column).limit(1).scalar_subquery()

    def posting(*conditions: ColumnElement[bool]) -> Any:
        return first(Posting.next_action_at, *conditions)

    return select(
        posting(*of_ledger, ENGINES, Posting.state == PostingState.UNKNOWN),
        posting(*of_ledger, UNREAD),
        posting(*of_ledger, ENGINES, Posting.state == PostingState.READY),
        posting(*of_ledger, ENGINES, Posting.state == PostingState.NEW, ~UNREAD),
        posting(*of_source, Posting.state == PostingState.CONFIRMED),
        posting(*of_ledger, Posting.operation.in_(attaching.OPERATIONS), Posting.state == PostingState.NEW),
        first(TodoRow.next_action_at, TodoRow.company_id == company, TodoRow.source_tenant == source,
              TodoRow.ended_at.is_(None), TodoRow.state != todos.SENDING),
        first(ErrorMark.next_action_at, ErrorMark.company_id == company, ErrorMark.source_tenant == source),
        exists().where(Document.company_id == company, Document.prepared.is_(False), Document.due_at.is_not(None)),
        exists().where(Run.company_id == company, Run.stop_requested.is_(True), Run.finished_at.is_(None)),
        exists().where(Document.company_id == company, Document.source_tenant == source,
                       Document.status == Status.PENDING, Document.reason_code == stamped.CODE),
        exists().where(Posting.company_id == company, Posting.state == PostingState.SENDING),
        exists().where(TodoState.company_id == company, TodoState.dirty_at.is_not(None)),
        exists().where(TodoRow.company_id == company, TodoRow.source_tenant == source,
                       TodoRow.state == todos.SENDING),
        exists().where(ErrorMarkState.company_id == company, ErrorMarkState.dirty_at.is_not(None)),
        exists().where(*error_marks.under_way(company, source)),
        exists().where(Run.company_id == company, Run.finished_at.is_(None), Run.phase == "posting"),
    )


_QUESTION = _question()
