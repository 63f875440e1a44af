"""What another program marked or numbered in the source between our look and our posting (R61).

Such a document is not posted, and not silently set aside either: the ledger is asked whether it has it. After a few
within a day another app evidently transfers the same invoices, and posting pauses until a person resumes it.
A mark alone is never proof, ours or anybody's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connectors.errors import PlatformError
from connectors.ledgers.base import Done, Kind, Sought
from connectors.sources.base import Source
from domain.documents import SourceHeader
from domain.plan import effective_number
from domain.reasons import Reason, reason
from domain.settings import InvoiceSettings
from domain.statuses import Status
from models import Company, Document, Run, Step
from sync import codec, invoices, orders, pauses
from sync.areas import area_of
from sync.documents import add_to_run, end_unsent, park, set_status, step
from sync.lease import Lease, wake
from sync.reading import marker_of, refresh_header, touchable
from sync.runtime import Runtime

CODE = "stamped_meanwhile"
STEP = "another program"
SET_ASIDE = (
    "voided_in_source", "marked_elsewhere", "numbered_elsewhere", "in_books_elsewhere", "already_posted",
    "order_cancelled", "order_marked_elsewhere",
)
"""Why a document that waited does not wait any more: others dealt with it."""
AFTER = 3
WITHIN = timedelta(days=1)
OLD_LOOK = timedelta(minutes=2)
"""A header read longer ago is read once more before its document is sent."""


# ---- noticing -----------------------------------------------------------------------------------------------


def notice(db: Session, row: Document, header: SourceHeader, settings: Any, now: datetime) -> bool:
    """Keep a void or marked document from being posted; what somebody marked is looked up next, where it has a number
    that the ledger knows it by. False: it is free."""
    area = area_of(row.kind)
    why = area.taken(header, settings)
    if why is None or not touchable(db, row) or orders.our_mark(db, row, header):
        return False
    if not header.voided and invoices.marked_by_us(db, row, header):
        return False
    if header.voided or not area.looked_up:
        end_unsent(db, row, [why], now)
        set_status(db, row, Status.SKIPPED, [why], now)
        step(db, row, now, "skipped", why.sentence())
        _to_be_told(db, row)
    elif row.reason_code != CODE:
        told = reason(CODE, what=why.sentence())
        end_unsent(db, row, [told], now)
        park(db, row)
        set_status(db, row, Status.PENDING, [told], now)
        wake(db, row.company_id, now)
    return True


def look_again(rt: Runtime, lease: Lease, company_id: int, source: Source, ids: Sequence[int]) -> None:
    """Headers read a while ago are read once more. A source that is away holds nothing up: marks are no proof."""
    with rt.sessions() as db:
        old = old_looks(db, ids, rt.clock.now())
    if not old:
        return
    for kind, source_ids in old.items():
        try:
            headers = source.headers_by_id(kind, source_ids)
        except PlatformError:
            return
        with lease.transaction("Looking once more before posting") as db:
            settings = area_of(kind).load(db, company_id)
            looked_again(db, company_id, source.tenant, headers, settings, rt.clock.now())


def old_looks(db: Session, ids: Sequence[int], now: datetime) -> dict[str, list[str]]:
    """Kind → source ids of these documents whose header was read too long ago to be posted on its word."""
    found: dict[str, list[str]] = {}
    for kind, source_id in db.execute(select(Document.kind, Document.source_id).distinct().where(
        Document.id.in_(ids), Document.read_at < now - OLD_LOOK
    )):
        found.setdefault(kind, []).append(source_id)
    return found


def looked_again(
    db: Session, company_id: int, tenant: str, headers: Sequence[SourceHeader], settings: Any, now: datetime,
) -> None:
    """Headers as they are now, just before their documents are prepared."""
    if not headers:
        return
    by_id = {header.id: header for header in headers}
    for row in db.scalars(select(Document).where(
        Document.company_id == company_id, Document.source_tenant == tenant, Document.kind == headers[0].kind,
        Document.source_id.in_(by_id), Document.prepared.is_(False), Document.due_at.is_not(None),
    )):
        header, taken = by_id[row.source_id], area_of(row.kind).taken
        if taken(header, settings) is not None and not _asked_for(row, settings):
            refresh_header(db, row, header, settings, now)
            notice(db, row, header, settings, now)
        else:
            row.read_at = now


def _asked_for(row: Document, settings: Any) -> bool:
    """It was marked already when it was released: a person confirmed that (Manually Copy an Invoice, Sync one PO)."""
    return area_of(row.kind).taken(codec.load(SourceHeader, row.header), settings) is not None


# ---- telling ------------------------------------------------------------------------------------------------


def _to_be_told(db: Session, row: Document) -> None:
    """It was Pending in a report, or on a page: where that run is over, the next one says what became of it."""
    run = db.get(Run, row.run_id) if row.run_id is not None else None
    if row.status == Status.SKIPPED and (run is None or run.finished_at is not None):
        row.run_id = None


def tell(db: Session, run: Run, now: datetime, kind: str) -> None:
    """What was set aside since the last sync, because it was voided, cancelled or marked, is a row of this one."""
    if run.kind != "sync":
        return
    add_to_run(db, run, db.scalars(select(Document).where(
        Document.company_id == run.company_id, Document.kind == kind, Document.status == Status.SKIPPED,
        Document.run_id.is_(None), Document.before_start.is_(False), Document.reason_code.in_(SET_ASIDE),
    )).all(), now)


# ---- the look-up --------------------------------------------------------------------------------------------


def to_look_up(db: Session, company_id: int, tenant: str, limit: int) -> Sequence[Document]:
    return db.scalars(
        select(Document).where(Document.reason_code == CODE, Document.company_id == company_id)
        .where(Document.source_tenant == tenant, Document.status == Status.PENDING)
        .order_by(Document.id).limit(limit)
    ).all()


def sought(rows: Sequence[Document], settings: InvoiceSettings) -> list[Sought]:
    """By the number the ledger's document would bear: the one it was given, or the one we would have sent."""
    found = []
    for row in rows:
        kind = Kind.CREDIT_MEMO if row.total < 0 else Kind.INVOICE
        found.append(Sought(str(row.id), kind, number=number_of(codec.load(SourceHeader, row.header), settings)))
    return found


def number_of(header: SourceHeader, settings: InvoiceSettings) -> str:
    return effective_number(header, settings) or header.number or header.id


def settle(
    db: Session, company_id: int, ids: Sequence[int], found: Mapping[str, Sequence[Done]], settings: InvoiceSettings,
    now: datetime,
) -> None:
    """Give each its outcome by what the ledger holds, and pause posting when it happens again and again."""
    for row in db.scalars(select(Document).where(Document.id.in_(ids), Document.reason_code == CODE)):
        header = codec.load(SourceHeader, row.header)
        why = invoices.taken(header, settings)
        if why is None:  # the mark was taken off again
            set_status(db, row, Status.PENDING, [reason("waits_for_reading")], now)
            continue
        live = [one for one in found.get(str(row.id), ()) if one.echo.live]
        company = db.get_one(Company, company_id)
        marker = marker_of(company, row)
        if any(marker in (one.echo.marker or "") for one in live):
            _end(db, row, Status.SKIPPED, reason("already_posted"), now)
            continue
        _end(db, row, *_outcome(row, why, live, number_of(header, settings)), now)
        step(db, row, now, STEP, why.sentence())
    db.flush()
    _pause_after_a_few(db, company_id, now)


def _outcome(row: Document, why: Reason, live: Sequence[Done], number: str) -> tuple[Status, Reason]:
    if not live:
        return Status.SKIPPED, why
    same = [one for one in live if one.echo.total == abs(row.total)]
    if same:
        told = reason("in_books_elsewhere", number=same[0].number or number, ledger_id=same[0].ledger_id)
        return Status.SKIPPED, told
    return Status.FAULT, reason("number_taken", number=number, ledger_id=live[0].ledger_id)


def _end(db: Session, row: Document, status: Status, why: Reason, now: datetime) -> None:
    set_status(db, row, status, [why], now)
    step(db, row, now, "looked up", f"{why.sentence()}. It is not posted")
    _to_be_told(db, row)


def _pause_after_a_few(db: Session, company_id: int, now: datetime) -> None:
    since = max(now - WITHIN, pauses.last_end(db, company_id) or now - WITHIN)
    ids = select(Step.document_id).where(Step.company_id == company_id, Step.name == STEP, Step.at > since)
    count = db.execute(select(func.count()).select_from(ids.distinct().subquery())).scalar_one()
    if count < AFTER:
        return
    rows = db.scalars(select(Document).where(Document.id.in_(ids)).order_by(Document.id).limit(AFTER)).all()
    numbers = [row.number or row.source_id for row in rows]
    pauses.begin(db, company_id, pauses.ANOTHER_APP, {"numbers": numbers, "count": count}, now)
