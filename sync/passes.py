"""One pass over one area of the source: headers become rows, lines are read, plans made, what can be posted released.

Needs no lease: it inserts and updates documents, and hands those that can be posted to the serving process. Reading
twice is safe. Memory does not grow with the number of documents: pages are stored and forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, and_, or_, select, update
from sqlalchemy.orm import Session

from connectors.ledgers.base import Capabilities
from connectors.sources.base import Source
from domain.documents import SourceHeader, SourceLine
from domain.matching import fold, loose
from domain.settings import SyncState
from domain.statuses import Status
from models import Company, Document, PartyEntry, Run, RunItem
from sync import codec, holds, one_order, pauses, release, requests, stamped
from sync.areas import INVOICES, Area, PassSettings
from sync.connection import succeeded
from sync.documents import add_to_run, end_unsent, park, set_status
from sync.documents import load as load_documents
from sync.lease import exclusive
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

POSTING_RUNS = ("sync", "retry", one_order.KIND)
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

    def one(self, header: SourceHeader, settings: Any) -> None:
        """Exactly this document, and what it makes, for the run."""
        with self.rt.sessions() as db, db.begin():
            self._store_headers(db, [header], settings)
            self._take_in(db, header)
        self._read_lines([header] if not header.voided else [], settings)
        with self.rt.sessions() as db, db.begin():
            exclusive(db, self.company_id)
            ids = self._take_in(db, header)
            self._set_aside(db, [header], settings)
        self._judge(ids, settings)

    def _take_in(self, db: Session, header: SourceHeader) -> list[int]:
        run = db.get_one(Run, self.run_id)
        return one_order.take_in(db, run, header, self.source.tenant, self.rt.clock.now())

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
            may_post = run is not None and posts(db, run, settings)
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
                elif may_post and run is not None and not run.stop_requested:
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


def posts(db: Session, run: Run, settings: PassSettings) -> bool:
    """Whether what the run finds ready is handed on at once. Under Review first a person releases it; while posting
    is paused it stands ready."""
    if pauses.current(db, run.company_id) is not None:
        return False
    return run.kind in POSTING_RUNS and run.finished_at is None and settings.sync_state is not SyncState.REVIEW
