"""Reading as a whole: lists, the passes over an area (`sync.passes`), and the run going over to posting.

Needs no lease. A scan reads for one run, or for the schedule; a poll is its cheap look.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from connectors.errors import PlatformError
from connectors.ledgers.base import Ledger
from connectors.sources.base import Source
from domain.settings import SyncState
from domain.statuses import RunState, Status
from models import Document, Run
from sync import due, list_compare, lookback, mirror, one_order, pauses, reports, safety, stamped, voids
from sync.areas import AREAS, INVOICES, Area, PassSettings, named
from sync.lease import exclusive, wake
from sync.passes import POSTING_RUNS, Scan, posts
from sync.runtime import Runtime


def scan(
    rt: Runtime, company_id: int, source: Source, ledger: Ledger, run_id: int | None, *, whole: bool = False,
    known: bool = False, area: Area = INVOICES,
) -> None:
    """Lists, headers, lines, plans. With a run, what can be posted is released to it, and the run goes over to posting.

    A run's own area is read; without a run `area` is. A retry reads exactly its documents, whatever they are.
    A platform that does not answer ends the run as Failed with its sentence, unless something was released already:
    then that is posted and the sentence stands on the run. `known`: lists and headers were read a moment ago.
    """
    if run_id is not None:
        with rt.sessions() as db:
            area = named(db.get_one(Run, run_id).area)
    reading = Scan(rt, company_id, source, ledger.capabilities, run_id, area)
    if run_id is not None and not _start_reading(rt, run_id):
        return
    try:
        retry = run_id is not None and _is_retry(rt, run_id)
        if not known:
            reading.progress("Reading lists that changed in the ledger")
            within = mirror.DAY if run_id is None else mirror.CLOSING_DATE_AGE
            mirror.refresh(
                rt, company_id, ledger, source, whole=whole, profile_within=timedelta(0) if retry else within
            )
        if retry and run_id is not None:
            _read_again(rt, company_id, source, ledger, run_id)
        elif run_id is not None and _kind(rt, run_id) == one_order.KIND:
            _read_one(reading)
        elif not _read(reading, known):
            return
    except PlatformError as error:
        if run_id is None:
            raise
        reading_failed(rt, run_id, error.message)
        return
    if run_id is not None:
        _go_posting(rt, company_id, run_id, ledger)


def _read(reading: Scan, known: bool) -> bool:
    """The passes over one area. False: a safety stop ended the run."""
    rt, company_id, run_id, area = reading.rt, reading.company_id, reading.run_id, reading.area
    with rt.sessions() as db:
        settings = area.load(db, company_id)
    if not known:
        reading.progress(f"Reading {area.words} from Autotask: headers")
        reading.headers(settings)
        # After the headers: what bills a voided invoice's items again was issued later than the void.
        lookback.look(rt, company_id, reading.source, area, posts=_writes(rt, run_id, settings))
    if run_id is not None:
        with rt.sessions() as db, db.begin():
            voids.tell(db, db.get_one(Run, run_id), rt.clock.now(), area.kind)
            stamped.tell(db, db.get_one(Run, run_id), rt.clock.now(), area.kind)
    if run_id is not None and _stopped(reading, run_id, settings):
        return False
    reading.lines(settings)
    reading.second_look(settings)
    return True


def _read_again(rt: Runtime, company_id: int, source: Source, ledger: Ledger, run_id: int) -> None:
    """The documents of a retry, area by area."""
    for area in AREAS:
        reading = Scan(rt, company_id, source, ledger.capabilities, run_id, area, anew=True)
        with rt.sessions() as db:
            settings = area.load(db, company_id)
        reading.again(settings)
        reading.second_look(settings)


def poll(rt: Runtime, company_id: int, source: Source, area: Area = INVOICES) -> bool:
    """The schedule's cheap look: one call when nothing is new. True when a scan has something to do."""
    reading = Scan(rt, company_id, source, area=area)
    with rt.sessions() as db:
        settings = area.load(db, company_id)
    reading.headers(settings)
    with rt.sessions() as db:
        if due.reading(db, company_id, rt.clock.now(), rt.times.stale_run, area.name):
            return False  # A run reads these very documents now; reading them twice side by side costs calls.
    return unplanned(rt, company_id, area)


def unplanned(rt: Runtime, company_id: int, area: Area) -> bool:
    """Whether documents of the area wait to be read or planned."""
    with rt.sessions() as db:
        return db.execute(select(Document.id).where(
            Document.company_id == company_id, Document.kind == area.kind, Document.before_start.is_(False),
            Document.status == Status.PENDING, Document.due_at.is_(None), or_(
                Document.lines.is_(None), Document.reread_at.is_not(None),
                Document.reason_code == "waits_for_reading",  # its lines came with those of its order
            ),
        ).limit(1)).first() is not None


def _read_one(reading: Scan) -> None:
    """One order that a person named. Nothing of that name: the run says so."""
    rt, area, run_id = reading.rt, reading.area, reading.run_id or 0
    with rt.sessions() as db:
        asked, settings = one_order.asked_for(db.get_one(Run, run_id)), area.load(db, reading.company_id)
    header, why = one_order.find(reading.source, asked)
    if header is None:
        reading_failed(rt, run_id, why)
        return
    reading.one(header, settings)


def _kind(rt: Runtime, run_id: int) -> str:
    with rt.sessions() as db:
        return db.get_one(Run, run_id).kind


def _is_retry(rt: Runtime, run_id: int) -> bool:
    return _kind(rt, run_id) == "retry"


def _writes(rt: Runtime, run_id: int | None, settings: Any) -> bool:
    """Whether something may be written without another question: by this run, or by the schedule."""
    if run_id is None:
        return writes_by_itself(settings)
    with rt.sessions() as db:
        return posts(db, db.get_one(Run, run_id), settings)


def writes_by_itself(settings: PassSettings) -> bool:
    return settings.sync_state in (SyncState.ON, SyncState.NEXT_BATCH)


def _alone_with(db: Session, run_id: int) -> Run:
    """The run as it is now: nobody joins it, stops it or ends it until the transaction ends."""
    run = db.get_one(Run, run_id)
    exclusive(db, run.company_id)
    db.refresh(run)
    return run


def _start_reading(rt: Runtime, run_id: int) -> bool:
    with rt.sessions() as db, db.begin():
        run = _alone_with(db, run_id)
        if run.finished_at is not None or run.phase not in ("queued", "reading"):
            return False
        run.phase, run.heartbeat_at = "reading", rt.clock.now()
        return True


def _stopped(reading: Scan, run_id: int, settings: Any) -> bool:
    """The safety stops, before the first write. Names of parties are read here rather than with the lines."""
    rt = reading.rt
    with rt.sessions() as db:
        run = db.get_one(Run, run_id)
        if run.kind != "sync" or run.confirmed or not posts(db, run, settings):
            return False
        parties = safety.waiting_parties(db, run.company_id, reading.area.kind)
    reading.read_parties(parties)
    with rt.sessions() as db, db.begin():
        run = db.get_one(Run, run_id)
        message = safety.why_stopped(db, run, settings)
        if message is not None:
            reports.finish_run(db, run, rt.clock.now(), state=RunState.STOPPED, message=message)
        return message is not None


def reading_failed(rt: Runtime, run_id: int, message: str) -> None:
    """What was released already (by an earlier reading of the run too) is posted, with the sentence on the run."""
    with rt.sessions() as db, db.begin():
        run = _alone_with(db, run_id)
        if run.finished_at is not None or run.phase == "posting":
            return
        if due.released(db, run_id):
            run.message, run.phase = message, "posting"
            wake(db, run.company_id, rt.clock.now())
        else:
            reports.finish_run(db, run, rt.clock.now(), state=RunState.FAILED, message=message)


def _go_posting(rt: Runtime, company_id: int, run_id: int, ledger: Ledger) -> None:
    with rt.sessions() as db, db.begin():
        run = _alone_with(db, run_id)
        now = rt.clock.now()
        run.heartbeat_at = now
        if run.kind == "first_scan":
            reports.finish_first_scan(db, run, now)
            list_compare.after_scan(db, run, ledger.capabilities, now)
            return
        paused = pauses.why(db, company_id) if run.kind in POSTING_RUNS else None
        if paused is not None and not due.released(db, run_id):
            reports.finish_run(db, run, now, state=RunState.STOPPED, message=paused)
            return
        run.phase, run.step = "posting", "Posting"
        wake(db, company_id, now)
    rt.ring(company_id)
