"""What is due: the queries by which the serving process and the scheduler choose work. Reads only, but one note."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from domain.order_documents import ORDER
from domain.statuses import OPEN_STATES, PostingState, Status
from models import Company, CompanyLease, Document, Posting, PostingNeed, Run, RunItem, ToolRow
from sync import error_marks, glance, pauses, todos
from sync.glance import ENGINES, UNREAD

CREATIONS = ("customer", "vendor", "item")
ALONE = ("send",)
"""Operations that go in a call of their own, after everything else."""
PATIENT_TRIES = 3
READY_STATES = (PostingState.CONFIRMED, PostingState.DONE)
# The other posting of a need. Made once: making an alias costs more than the query it stands in.
_OTHER = aliased(Posting)
_ORDER = aliased(Document)
"""The document of the whole order, beside one of its bills."""


@dataclass(frozen=True, slots=True)
class NotBefore:
    """When each platform may be asked again (limits, outages)."""

    ledger: datetime
    source: datetime
    files: datetime | None = None
    todos: datetime | None = None
    error_marks: datetime | None = None
    """None: as the source."""


def _later(kind: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Invoices go first when both are ready; what a document needs stands with the documents."""
    return kind == ORDER


def _due(company_id: int, tenant: str, now: datetime) -> Select[Posting]:
    return (
        select(Posting).where(Posting.company_id == company_id, Posting.ledger_tenant == tenant)
        .where(Posting.next_action_at <= now, ENGINES)
        .order_by(Posting.interactive.desc(), _later(Posting.kind), Posting.id)
    )


def _postings(company_id: int, tenant: str, state: PostingState, now: datetime) -> Select[Posting]:
    return _due(company_id, tenant, now).where(Posting.state == state)


def to_look_up(db: Session, company_id: int, tenant: str, now: datetime, limit: int) -> Sequence[Posting]:
    """What the ledger is asked about: open answers, and records that are read before they are changed."""
    asked = or_(Posting.state == PostingState.UNKNOWN, UNREAD)
    return db.scalars(_due(company_id, tenant, now).where(asked).limit(limit)).all()


def to_send_again(db: Session, company_id: int, tenant: str, now: datetime, limit: int) -> Sequence[Posting]:
    """Frozen postings that may go (again) under their key: those of one key, as one call has one key."""
    query = _postings(company_id, tenant, PostingState.READY, now)
    first = db.scalars(query.limit(1)).first()
    if first is None:
        return []
    return db.scalars(query.where(Posting.batch_key == first.batch_key).limit(limit)).all()


def _order_on_its_way() -> ColumnElement[bool]:
    """A bill on receipt is planned when its order's own document is settled: it links to the lines of the order in
    the ledger, so that the order closes there. An order that is a Fault, waits for a person or was parked with a
    posting that was never sent holds no bill up: nothing would end that wait."""
    mine = (_ORDER.company_id == Document.company_id, _ORDER.source_tenant == Document.source_tenant,
            _ORDER.kind == Document.kind, _ORDER.source_id == Document.source_id, _ORDER.part == "")
    going = exists().where(
        _OTHER.id == _ORDER.posting_id, _OTHER.operation == "create", _OTHER.state.in_(OPEN_STATES),
        or_(_OTHER.state != PostingState.NEW, _OTHER.next_action_at.is_not(None)),
    )
    due = and_(_ORDER.due_at.is_not(None), _ORDER.prepared.is_(False))
    return and_(Document.part != "", exists().where(*mine, or_(due, going)))


def to_prepare(db: Session, company_id: int, limit: int) -> Sequence[Document]:
    return db.scalars(
        select(Document)
        .where(Document.company_id == company_id, Document.due_at.is_not(None), Document.prepared.is_(False),
               ~_order_on_its_way())
        .order_by(Document.interactive.desc(), _later(Document.kind), Document.id).limit(limit)
    ).all()


def to_create(db: Session, company_id: int, tenant: str, now: datetime, limit: int) -> Sequence[Posting]:
    """New customers and items that a due document needs (the barrier before it), or that a tool's run asked for."""
    query = _postings(company_id, tenant, PostingState.NEW, now).where(Posting.kind.in_(CREATIONS))
    needed = exists().where(
        PostingNeed.need_id == Posting.id, _OTHER.id == PostingNeed.posting_id,
        _OTHER.state == PostingState.NEW, _OTHER.next_action_at.is_not(None),
    )
    return db.scalars(query.where(or_(needed, _asked_for()), ~_missing()).limit(limit)).all()


def _asked_for() -> ColumnElement[bool]:
    """A creation that a person asked for by itself, by a tool's run that is still open."""
    return exists().where(ToolRow.posting_id == Posting.id, Run.id == ToolRow.run_id, Run.finished_at.is_(None))


def creating(db: Session, run_id: int) -> bool:
    """Some creation that this run asked for is not settled yet."""
    return db.execute(
        select(Posting.id).join(ToolRow, ToolRow.posting_id == Posting.id)
        .where(ToolRow.run_id == run_id, Posting.state.in_(OPEN_STATES)).limit(1)
    ).first() is not None


def to_send(db: Session, company_id: int, tenant: str, now: datetime, limit: int) -> Sequence[Posting]:
    """Documents whose customer and items all exist; changes whose record was read."""
    query = _postings(company_id, tenant, PostingState.NEW, now).where(
        Posting.kind.not_in(CREATIONS), Posting.operation.not_in(ALONE), ~UNREAD
    )
    return db.scalars(query.where(~_missing()).limit(limit)).all()


def _missing() -> ColumnElement[bool]:
    """Something that must exist first does not exist yet."""
    return exists().where(
        PostingNeed.posting_id == Posting.id, _OTHER.id == PostingNeed.need_id, _OTHER.state.not_in(READY_STATES)
    )


def to_send_alone(db: Session, company_id: int, tenant: str, now: datetime) -> Sequence[Posting]:
    """The next write that goes in a call of its own; its record was read."""
    query = _postings(company_id, tenant, PostingState.NEW, now).where(Posting.operation.in_(ALONE), ~UNREAD)
    return db.scalars(query.limit(1)).all()


def creations_open(db: Session, company_id: int, tenant: str) -> bool:
    """Creations in flight or about to go: they unlock documents, so a batch of documents can wait to be full."""
    soon = (PostingState.READY, PostingState.SENDING)
    return db.execute(select(Posting.id).where(
        Posting.company_id == company_id, Posting.ledger_tenant == tenant, Posting.kind.in_(CREATIONS),
        Posting.state.in_(soon),
    ).limit(1)).first() is not None


def created_ids(db: Session, posting_ids: Sequence[int]) -> dict[tuple[str, str], str]:
    """(kind, key) → ledger id of everything these postings waited for; they are of one company."""
    rows = db.execute(
        select(Posting.kind, Posting.source_id, Posting.ledger_id)
        .join(PostingNeed, PostingNeed.need_id == Posting.id).where(PostingNeed.posting_id.in_(posting_ids))
        .order_by(Posting.generation)
    )
    return {(kind, key): ledger_id for kind, key, ledger_id in rows if ledger_id}


def reading(db: Session, company_id: int, now: datetime, stale_after: float, area: str | None = None) -> bool:
    """A run (of that area) is still reading, so more documents will come and full batches are worth a wait."""
    of_area = (Run.area == area,) if area is not None else ()
    return db.execute(select(Run.id).where(
        *of_area,
        Run.company_id == company_id, Run.finished_at.is_(None), Run.phase == "reading",
        Run.kind.in_(("sync", "retry", "one_order")),
        Run.heartbeat_at > now - timedelta(seconds=stale_after),
    ).limit(1)).first() is not None


def released(db: Session, run_id: int) -> bool:
    """Some document of the run is due and unsettled."""
    going = Document.status.in_((Status.PENDING, Status.PROCESSING))
    return db.execute(
        select(Document.id).where(Document.run_id == run_id, Document.due_at.is_not(None), going).limit(1)
    ).first() is not None


def withdrawable(db: Session, run_id: int) -> bool:
    """Some document of the run is due and certainly not in the ledger: a stop takes it back."""
    return db.execute(
        select(Document.id).outerjoin(Posting, Posting.id == Document.posting_id)
        .where(Document.run_id == run_id, Document.due_at.is_not(None))
        .where(or_(
            Posting.id.is_(None), Posting.state.in_((PostingState.NEW, PostingState.REJECTED)),
            and_(Posting.state == PostingState.READY, Posting.sends == 0),
        )).limit(1)
    ).first() is not None


def unmarked(run_id: int) -> Select[int]:
    """Postings of the run that are in the books but whose mark in the source is not proven yet."""
    return (
        select(Posting.id).join(Document, Document.id == Posting.document_id)
        .where(Document.run_id == run_id, Posting.state == PostingState.CONFIRMED,
               Posting.next_action_at.is_not(None))
    )


def _marks_fail(db: Session, company_id: int) -> bool:
    """Some mark failed again and again: a source that is away for long holds up marks, not the report."""
    return db.execute(select(Posting.id).where(
        Posting.company_id == company_id, Posting.state == PostingState.CONFIRMED,
        Posting.next_action_at.is_not(None), Posting.write_back_tries > PATIENT_TRIES,
    ).limit(1)).first() is not None


def runs_through(db: Session, company_id: int, *, source_blocked: bool) -> list[int]:
    """Open runs in posting of which nothing is due any more (write-back included, unless the source is away)."""
    runs = db.scalars(select(Run).where(
        Run.company_id == company_id, Run.finished_at.is_(None), Run.phase == "posting"
    )).all()
    source_blocked = source_blocked or (bool(runs) and _marks_fail(db, company_id))
    return [
        run.id for run in runs
        if not released(db, run.id) and not creating(db, run.id)
        and (source_blocked or db.execute(unmarked(run.id).limit(1)).first() is None)
    ]


def next_wake(db: Session, company_id: int, now: datetime, free: NotBefore) -> datetime | None:
    """When the company next has work; None: not before somebody asks."""
    company = db.get_one(Company, company_id)
    ledger, source = company.ledger_tenant or "", company.source_tenant or ""
    seen = glance.at(db, company_id, ledger, source)
    paused = (seen.again or seen.fresh or seen.unprepared) and pauses.current(db, company_id) is not None
    candidates: list[datetime | None] = [_later_of(seen.look_up, free.ledger), _later_of(seen.mark, free.source)]
    if not paused:
        candidates.append(_later_of(seen.again, free.ledger))
    soon = max(free.ledger, now + timedelta(seconds=0.5))
    if not paused and _sendable(db, company_id, ledger, now, seen):
        candidates.append(soon)
    elif not paused and seen.fresh:
        candidates.append(_later_of(_ahead(db, company_id, ledger, now), free.ledger))
    if seen.stamped:
        candidates.append(soon)
    if seen.sending or (seen.posting and runs_through(db, company_id, source_blocked=False)):
        candidates.append(now)
    candidates.append(_later_of(seen.attach, free.files or free.ledger))
    if seen.todo or seen.todos_stirred or seen.todos_abandoned:
        candidates.append(todos.next_wake(db, company_id, source, free.todos or free.source))
    if seen.error_mark or seen.marks_stirred or seen.marks_abandoned:
        candidates.append(error_marks.next_wake(db, company_id, source, free.error_marks or free.source))
    return min((at for at in candidates if at is not None), default=None)


def _later_of(work: datetime | None, free: datetime) -> datetime | None:
    return max(work, free) if work is not None else None


def _sendable(db: Session, company_id: int, tenant: str, now: datetime, seen: glance.Glance) -> bool:
    """Something can be prepared or sent now."""
    if seen.unprepared and to_prepare(db, company_id, 1):
        return True
    return glance.due(seen.fresh, now) and bool(
        to_send(db, company_id, tenant, now, 1) or to_create(db, company_id, tenant, now, 1)
        or to_send_alone(db, company_id, tenant, now)
    )


def _ahead(db: Session, company_id: int, tenant: str, now: datetime) -> datetime | None:
    """When a posting is due whose moment was written down by a clock that is ahead: one that is due waits for another
    posting, and is woken by that one."""
    return db.scalar(
        select(func.min(Posting.next_action_at))
        .where(Posting.company_id == company_id, Posting.ledger_tenant == tenant)
        .where(Posting.state == PostingState.NEW, Posting.next_action_at > now, ENGINES, ~UNREAD)
    )


def something_due(db: Session, company_id: int, now: datetime) -> bool:
    row = db.get(CompanyLease, company_id)
    return bool(row and row.wake_at is not None and row.wake_at <= now and row.holder is None)


def companies_to_ring(db: Session, now: datetime, patience: float) -> list[int]:
    """Companies with something due and a free lease whose last ring is older than `patience` seconds and unanswered. A
    ring that a clock written ahead dates into the future counts as old."""
    return list(db.scalars(
        select(CompanyLease.company_id).where(
            CompanyLease.wake_at <= now,
            or_(CompanyLease.holder.is_(None), CompanyLease.expires_at < now),
            or_(CompanyLease.rung_at.is_(None), CompanyLease.rung_at < now - timedelta(seconds=patience),
                CompanyLease.rung_at > now + timedelta(seconds=patience)),
        )
    ))


def stale_runs(db: Session, now: datetime, stale_after: float) -> list[tuple[int, int, str]]:
    """Runs whose reading died: (company, run, kind). Reading again is safe."""
    rows = db.execute(select(Run.company_id, Run.id, Run.kind).where(
        Run.finished_at.is_(None), Run.phase.in_(("queued", "reading")),
        Run.heartbeat_at < now - timedelta(seconds=stale_after),
    ))
    return [(company_id, run_id, kind) for company_id, run_id, kind in rows]


def tell_progress(db: Session, company_id: int, now: datetime) -> None:
    """How far the open runs are, for their page, and that they are alive."""
    for run in db.scalars(select(Run).where(
        Run.company_id == company_id, Run.finished_at.is_(None), Run.phase == "posting"
    )):
        rows = db.execute(
            select(RunItem.status, func.count()).where(RunItem.run_id == run.id).group_by(RunItem.status)
        ).all()
        done = sum(count for status, count in rows if status == Status.COMPLETE)
        going = sum(count for status, count in rows if status in (Status.PENDING, Status.PROCESSING))
        run.step, run.heartbeat_at = f"Posting: {done:,} of {done + going:,} in the books", now


def tell_open_runs(db: Session, company_id: int, step: str, now: datetime) -> None:
    """What the pages of open runs say while a limit or a connection is waited for, and that the runs are alive."""
    for run in db.scalars(select(Run).where(
        Run.company_id == company_id, Run.finished_at.is_(None), Run.phase == "posting"
    )):
        run.step, run.heartbeat_at = step, now
