"""Reading: the header pass and the line pass that turn source documents into rows with a status.

Needs no lease: a scan inserts and updates documents, and hands those that can be posted to the serving process.
Reading twice is safe. Memory does not grow with the number of documents: pages are stored and forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, and_, or_, select, update
from sqlalchemy.orm import Session

from connectors.errors import PlatformError
from connectors.ledgers.base import Capabilities, Ledger
from connectors.sources.base import Source
from domain.documents import SourceHeader, SourceLine
from domain.matching import fold, loose
from domain.settings import SyncState
from domain.statuses import RunState, Status
from models import Company, Document, PartyEntry, Run, RunItem
from sync import (
    codec,
    due,
    holds,
    list_compare,
    lookback,
    mirror,
    pauses,
    release,
    reports,
    requests,
    safety,
    stamped,
    voids,
)
from sync.areas import AREAS, INVOICES, Area, PassSettings, named
from sync.connection import succeeded
from sync.documents import add_to_run, end_unsent, park, set_status
from sync.documents import load as load_documents
from sync.lease import exclusive, wake
from sync.reading import (
    needs_reading,
    new_document,
    planned_party,
    plans_for,
    refresh_header,
    rows_of,
    status_of,
    touchable,
    unfinished,
)
from sync.runtime import Runtime
from sync.tracing import planned as trace_plans

POSTING_RUNS = ("sync", "retry")
PAGE = 100
"""Documents planned and stored in one transaction."""


@dataclass(slots=True)
class Scan:
    """One pass over the source. `run` None: the schedule looks whether there is anything new."""

    rt: Runtime
    company_id: int
    source: Source
    capabilities: Capabilities | None = None
    """Of the ledger; needed by the line pass."""
    run_id: int | None = None
    area: Area = INVOICES
    found: int = 0
    released: int = 0
    new: int = 0
    seen: set[str] = field(default_factory=set)
    anew: bool = False
    """A person mended something: the source's companies are read again, however lately that was."""

    # ---- the passes -----------------------------------------------------------------------------------------

    def headers(self, settings: Any) -> int:
        """The header pass: unsynced documents of the window become or refresh rows. Returns how many are new."""
        for page in self.source.headers(self.area.kind, self.area.window(settings, self.rt.clock.now())):
            with self.rt.sessions() as db, db.begin():
                self._store_headers(db, page, settings)
            self.seen.update(header.id for header in page)
        self._look_after_missing(settings)
        with self.rt.sessions() as db, db.begin():
            db.get_one(Company, self.company_id).last_checked_at = self.rt.clock.now()
            succeeded(db, self.company_id, "source", self.rt.clock.now())
        return self.new

    def lines(self, settings: Any) -> None:
        """The line pass: read what has no lines yet, plan every open document of the window, release it to the run."""
        last = 0
        while not self._stopped():
            with self.rt.sessions() as db:
                rows = db.scalars(self._open(last).limit(PAGE)).all()
                wanted = [codec.load(SourceHeader, row.header) for row in rows if needs_reading(row)]
            if not rows:
                return
            last = rows[-1].id
            self._read_lines(wanted, settings)
            self._judge([row.id for row in rows], settings)
            self.progress(f"Reading {self.area.words} from Autotask: {self.found:,} checked")

    def _stopped(self) -> bool:
        if self.run_id is None:
            return False
        with self.rt.sessions() as db:
            run = db.get_one(Run, self.run_id)
            return run.stop_requested or run.finished_at is not None

    def again(self, settings: Any) -> None:
        """A retry: read exactly the run's documents once more, plan them, release what can be posted now."""
        with self.rt.sessions() as db:
            rows = db.execute(
                select(Document.id, Document.source_id)
                .join(RunItem, RunItem.document_id == Document.id).where(RunItem.run_id == self.run_id)
                .where(Document.status.in_((Status.PENDING, Status.FAULT)), Document.kind == self.area.kind)
            ).all()
        for start in range(0, len(rows), PAGE):
            part = rows[start : start + PAGE]
            headers = self.source.headers_by_id(self.area.kind, [source_id for _, source_id in part])
            with self.rt.sessions() as db, db.begin():
                self._store_headers(db, headers, settings)
                self._set_aside(db, headers, settings)
            self._read_lines([h for h in headers if not h.voided], settings)
            self._judge([row_id for row_id, _ in part], settings)

    # ---- headers --------------------------------------------------------------------------------------------

    def _store_headers(self, db: Session, page: Sequence[SourceHeader], settings: Any) -> None:
        exclusive(db, self.company_id)
        now = self.rt.clock.now()
        company = db.get_one(Company, self.company_id)
        known = {
            row.source_id: row
            for row in db.scalars(select(Document).where(
                Document.company_id == company.id, Document.source_tenant == self.source.tenant,
                Document.kind == self.area.kind, Document.source_id.in_([h.id for h in page]), Document.part == "",
            ))
        }
        for header in page:
            row = known.get(header.id)
            if row is None:
                self.new += 1
                db.add(new_document(company, self.source.tenant, header, settings, now))
            else:
                refresh_header(db, row, header, settings, now)

    def _look_after_missing(self, settings: Any) -> None:
        """Open documents that the window does not show were voided, marked or grew too old: looked at by id."""
        before = self.rt.clock.now() - (timedelta() if self.run_id else timedelta(minutes=10))
        with self.rt.sessions() as db:
            ids = [
                source_id for source_id in db.scalars(
                    select(Document.source_id).where(
                        Document.company_id == self.company_id, Document.source_tenant == self.source.tenant,
                        Document.status.in_((Status.PENDING, Status.FAULT)), Document.kind == self.area.kind,
                        Document.before_start.is_(False), Document.read_at <= before,
                    )
                ) if source_id not in self.seen
            ]
        for start in range(0, len(ids), 500):
            part = ids[start : start + 500]
            headers = self.source.headers_by_id(self.area.kind, part)
            with self.rt.sessions() as db, db.begin():
                self._store_headers(db, headers, settings)
                self._set_aside(db, headers, settings)
                # Also those that are not visible (which proves nothing): asked for again in ten minutes, not at once.
                db.execute(update(Document).where(
                    Document.company_id == self.company_id, Document.source_tenant == self.source.tenant,
                    Document.kind == self.area.kind, Document.source_id.in_(part),
                ).values(read_at=self.rt.clock.now()).execution_options(synchronize_session=False))

    def _set_aside(self, db: Session, headers: Iterable[SourceHeader], settings: Any) -> None:
        now = self.rt.clock.now()
        for header in headers:
            if self.area.taken(header, settings) is None:
                continue
            for row in db.scalars(select(Document).where(
                Document.company_id == self.company_id, Document.source_tenant == self.source.tenant,
                Document.kind == self.area.kind, Document.source_id == header.id,
            )):
                stamped.notice(db, row, header, settings, now)

    # ---- lines ----------------------------------------------------------------------------------------------

    def _open(self, last: int) -> Select[Document]:
        """Open documents after `last`, in the order in which they were found."""
        never_told = ~select(RunItem.id).join(Run, Run.id == RunItem.run_id).where(
            RunItem.document_id == Document.id, Run.kind == "sync"
        ).exists()
        set_aside_untold = and_(Document.status == Status.SKIPPED, Document.reason_code.like("zero_total%"), never_told)
        open_ = Document.status.in_((Status.PENDING, Status.FAULT))
        return (
            select(Document)
            .where(Document.company_id == self.company_id, Document.kind == self.area.kind, Document.id > last)
            .where(Document.source_tenant == self.source.tenant, Document.before_start.is_(False))
            .where(or_(open_, set_aside_untold) if self.run_id else open_)
            .order_by(Document.id)
        )

    def _read_lines(self, headers: Sequence[SourceHeader], settings: Any) -> None:
        if not headers:
            return
        for page in self.source.documents(headers):
            ids = {d.header.party_id for d in page} | {line.party_id for d in page for line in d.lines}
            ids |= {d.header.order.customer_id for d in page if d.header.order is not None}
            self.read_parties({i for i in ids if i})
            with self.rt.sessions() as db, db.begin():
                exclusive(db, self.company_id)
                now = self.rt.clock.now()
                ids_of = [d.header.id for d in page]
                rows = rows_of(db, self.company_id, self.source.tenant, ids_of, self.area.kind)
                for document in page:
                    row = rows[document.header.id]
                    row.lines = codec.dump_text(document.lines, tuple[SourceLine, ...])
                    row.lines_read_at, row.reread_at = now, None
                    if self.area.spread is not None:
                        self.area.spread(db, row, settings, now)

    def read_parties(self, ids: set[str]) -> None:
        """Parties not read within the last day (`anew`: all of them), in one call per 500."""
        fresh = self.rt.clock.now() - timedelta(days=1)
        with self.rt.sessions() as db:
            known = set(db.scalars(select(PartyEntry.source_id).where(
                PartyEntry.company_id == self.company_id, PartyEntry.read_at > fresh,
                PartyEntry.source_id.in_(ids),
            )))
        wanted = sorted(ids if self.anew else ids - known)
        for start in range(0, len(wanted), 500):
            parties = self.source.parties(wanted[start : start + 500])
            with self.rt.sessions() as db, db.begin():
                exclusive(db, self.company_id)
                rows = {
                    row.source_id: row for row in db.scalars(select(PartyEntry).where(
                        PartyEntry.company_id == self.company_id,
                        PartyEntry.source_id.in_([p.id for p in parties]),
                    ))
                }
                for party in parties:
                    row = rows.get(party.id) or PartyEntry(company_id=self.company_id, source_id=party.id)
                    row.name, row.folded, row.loose = party.name, fold(party.name), loose(party.name)
                    row.data = codec.dump(party)
                    row.read_at = self.rt.clock.now()
                    db.add(row)

    # ---- plans ----------------------------------------------------------------------------------------------

    def _judge(self, ids: Sequence[int], settings: Any) -> None:
        """Plan these documents, give each its status, and release what can be posted to the run."""
        capabilities = self.capabilities
        if capabilities is None:
            raise ValueError("the line pass needs the ledger's capabilities")
        with self.rt.sessions() as db, db.begin():
            exclusive(db, self.company_id)
            now = self.rt.clock.now()
            found = sorted(load_documents(db, ids).items())
            rows = [row for _, row in found if row.lines is not None and touchable(db, row)]
            rows = [row for row in rows if self._ours(row)]
            plans = plans_for(db, self.company_id, rows, capabilities, settings)
            trace_plans(db, rows, plans, now)
            run = db.get(Run, self.run_id) if self.run_id else None
            posts = run is not None and _posts(db, run, settings)
            kept_back = holds.reasons(db, self.company_id, rows)
            if run is not None and run.kind in POSTING_RUNS:
                add_to_run(db, run, rows, now)
            released = []
            for row, planned in zip(rows, plans, strict=True):
                self.found += 1
                waits = unfinished(self.rt, row, planned, now)
                row.party_name = planned_party(planned, row)
                if row.id in kept_back:
                    holds.keep_back(db, row, kept_back[row.id], now)
                elif waits is not None:
                    park(db, row)
                    set_status(db, row, Status.PENDING, [waits], now)
                elif planned.draft is None:
                    end_unsent(db, row, planned.reasons, now)
                    set_status(db, row, status_of(planned), planned.reasons, now)
                elif posts and run is not None and not run.stop_requested:
                    released.append(row)
                elif row.due_at is None:
                    release.stand_ready(db, row, planned, settings.sync_state, now)
            if run is not None and released:
                requests.release(db, run, released, now)
                self.released += len(released)
        if released:
            self.rt.ring(self.company_id)

    def _ours(self, row: Document) -> bool:
        """Not due in another run, and not set aside (by a person, a mark, a void) since it was chosen."""
        elsewhere = row.due_at is not None and row.run_id not in (None, self.run_id)
        zero_total = (row.reason_code or "").startswith("zero_total")
        return not elsewhere and row.reason_code != stamped.CODE and (row.status != Status.SKIPPED or zero_total)

    def second_look(self, settings: Any) -> None:
        """Unfinished-invoice guard: what is younger than two minutes is read a second time five seconds later."""
        with self.rt.sessions() as db:
            young = db.scalars(select(Document).where(
                Document.company_id == self.company_id, Document.reread_at.is_not(None),
                Document.status == Status.PENDING, Document.kind == self.area.kind,
            )).all()
            headers = [codec.load(SourceHeader, row.header) for row in young]
        if not headers:
            return
        self.progress(f"Reading {self.area.words} created moments ago a second time")
        self.rt.pause(self.rt.times.reread)
        fresh = self.source.headers_by_id(self.area.kind, [h.id for h in headers])
        with self.rt.sessions() as db, db.begin():
            self._store_headers(db, fresh, settings)
        self._read_lines(fresh, settings)
        self._judge([row.id for row in young], settings)

    def progress(self, text: str) -> None:
        if self.run_id is None:
            return
        with self.rt.sessions() as db, db.begin():
            run = db.get_one(Run, self.run_id)
            run.heartbeat_at, run.step = self.rt.clock.now(), text


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
        return db.execute(select(Document.id).where(
            Document.company_id == company_id, Document.kind == area.kind, Document.before_start.is_(False),
            Document.status == Status.PENDING, Document.due_at.is_(None),
            or_(Document.lines.is_(None), Document.reread_at.is_not(None)),
        ).limit(1)).first() is not None


def _is_retry(rt: Runtime, run_id: int) -> bool:
    with rt.sessions() as db:
        return db.get_one(Run, run_id).kind == "retry"


def _writes(rt: Runtime, run_id: int | None, settings: Any) -> bool:
    """Whether something may be written without another question: by this run, or by the schedule."""
    if run_id is None:
        return writes_by_itself(settings)
    with rt.sessions() as db:
        return _posts(db, db.get_one(Run, run_id), settings)


def writes_by_itself(settings: PassSettings) -> bool:
    return settings.sync_state in (SyncState.ON, SyncState.NEXT_BATCH)


def _posts(db: Session, run: Run, settings: PassSettings) -> bool:
    """Whether what the run finds ready is handed on at once. Under Review first a person releases it; while posting
    is paused it stands ready."""
    if pauses.current(db, run.company_id) is not None:
        return False
    return run.kind in POSTING_RUNS and run.finished_at is None and settings.sync_state is not SyncState.REVIEW


def _start_reading(rt: Runtime, run_id: int) -> bool:
    with rt.sessions() as db, db.begin():
        run = db.get_one(Run, run_id)
        if run.finished_at is not None or run.phase not in ("queued", "reading"):
            return False
        run.phase, run.heartbeat_at = "reading", rt.clock.now()
        return True


def _stopped(reading: Scan, run_id: int, settings: Any) -> bool:
    """The safety stops, before the first write. Names of parties are read here rather than with the lines."""
    rt = reading.rt
    with rt.sessions() as db:
        run = db.get_one(Run, run_id)
        if run.kind != "sync" or run.confirmed or not _posts(db, run, settings):
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
        run = db.get_one(Run, run_id)
        if run.finished_at is not None or run.phase == "posting":
            return
        if due.released(db, run_id):
            run.message, run.phase = message, "posting"
            wake(db, run.company_id, rt.clock.now())
        else:
            reports.finish_run(db, run, rt.clock.now(), state=RunState.FAILED, message=message)


def _go_posting(rt: Runtime, company_id: int, run_id: int, ledger: Ledger) -> None:
    with rt.sessions() as db, db.begin():
        run = db.get_one(Run, run_id)
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
