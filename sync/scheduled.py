"""The schedule's minute: one cheap look, reading when something is new, and a run only when there is one to tell of.

What is found is read and planned first; a run begins when documents can be posted or Faults were never reported.
A run above the run limit stands as Stopped until a person answers: the schedule starts no second one.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import Session

from connectors.ledgers.base import Ledger
from connectors.sources.base import Source
from domain.settings import SyncState
from domain.statuses import RunState, Status
from models import Company, Document, Run, RunItem
from sync import gather, lookback, pauses, requests, safety, voids
from sync.areas import AREAS, INVOICES, Area
from sync.runtime import Runtime
from sync.settings import load_orders

RELEASABLE = ("waits_for_sync", "run_stopped", "waits_for_release", "changed_since_preview")


def look(rt: Runtime, company_id: int, source: Source, ledger: Callable[[], Ledger]) -> None:
    """One call per area when nothing is new, and every ten minutes another one for voids. `ledger` is only asked for
    when something is. Raises as reads do: what happens to one area keeps the others from being read only then."""
    for area in AREAS:
        if _reads(rt, company_id, area):
            _look(rt, company_id, source, ledger, area)


def _reads(rt: Runtime, company_id: int, area: Area) -> bool:
    """Orders are looked for once days are set; 0 is Paused."""
    with rt.sessions() as db:
        return area is INVOICES or not load_orders(db, company_id).paused


def _look(rt: Runtime, company_id: int, source: Source, ledger: Callable[[], Ledger], area: Area) -> None:
    unread = gather.poll(rt, company_id, source, area)
    if unread:
        gather.scan(rt, company_id, source, ledger(), None, area=area)
    else:
        with rt.sessions() as db:
            posts = gather.writes_by_itself(area.load(db, company_id))
        lookback.look_when_idle(rt, company_id, source, area, posts=posts)
    run_id = _begin(rt, company_id, area)
    if run_id is not None:
        gather.scan(rt, company_id, source, ledger(), run_id, known=True)


def _begin(rt: Runtime, company_id: int, area: Area) -> int | None:
    """The schedule's run when one is due; None also while another run is open: that one takes what is ready."""
    with rt.sessions() as db, db.begin():
        company = db.get_one(Company, company_id)
        if not _wanted(db, company, area):
            return None
        run, new = requests.ask(
            db, company, kind="sync", trigger="schedule", now=rt.clock.now(), user=None, area=area.name
        )
        return run.id if new else None


def _wanted(db: Session, company: Company, area: Area) -> bool:
    settings = area.load(db, company.id)
    if settings.sync_state is SyncState.OFF or (area is INVOICES and company.first_posted_at is None):
        return False
    if _paused_and_told(db, company.id):
        return False
    review = settings.sync_state is SyncState.REVIEW
    running = requests.open_run(db, company.id, area=area.name) is not None
    if running or not _something_to_tell(db, company, area, review=review):
        return False
    if review:
        return True  # Nothing is posted, so no limit is asked.
    last = db.scalars(
        select(Run).where(Run.company_id == company.id, Run.kind == "sync", Run.area == area.name)
        .order_by(Run.id.desc()).limit(1)
    ).first()
    above = last is not None and last.trigger == "schedule" and last.state == RunState.STOPPED
    if above and last is not None and not last.stop_requested:
        return safety.why_stopped(db, last, settings) is None
    return True


def _paused_and_told(db: Session, company_id: int) -> bool:
    """While posting is paused one run says so; the next one begins when a person has resumed it."""
    pause = pauses.current(db, company_id)
    return pause is not None and db.execute(select(Run.id).where(
        Run.company_id == company_id, Run.kind == "sync", Run.started_at >= pause.began_at
    ).limit(1)).first() is not None


def _something_to_tell(db: Session, company: Company, area: Area, *, review: bool) -> bool:
    """Documents that can be posted, or Faults that no sync has reported.

    Under Review first a document that stands ready is told of once.
    """
    reported = exists().where(RunItem.document_id == Document.id, Run.id == RunItem.run_id, Run.kind == "sync")
    ready = and_(
        Document.status == Status.PENDING, Document.due_at.is_(None), Document.lines.is_not(None),
        Document.reread_at.is_(None), Document.reason_code.in_(RELEASABLE),
    )
    if review:
        ready = and_(ready, ~reported)
    return db.execute(select(Document.id).where(
        Document.company_id == company.id, Document.kind == area.kind, Document.before_start.is_(False),
        or_(ready, and_(Document.status == Status.FAULT, ~reported), voids.untold()),
    ).limit(1)).first() is not None
