"""What happened in the source to orders that are posted: cancelled, taken back, received further. Noticed, then asked.

Orders carry no date of their last change, so those that are posted and not fully received are read again once a day.
Nothing here changes the ledger; a person decides. Repeating any of it is safe.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from connectors.sources.base import Source
from domain.documents import SourceDocument, SourceHeader, SourceLine
from domain.formats import format_day
from domain.money import plain
from domain.order_documents import ORDER, OrderStatus
from domain.order_parts import parts_of
from domain.order_settings import OrderSettings
from domain.reasons import Reason, reason
from domain.statuses import Flag, Status
from models import Document
from sync import codec, orders
from sync.documents import set_flag, set_status, step
from sync.lease import exclusive
from sync.runtime import Runtime
from sync.settings import load_orders

DAILY = timedelta(days=1)
CANCELLED_WITHIN = timedelta(days=30)
PAGE = 200
DECIDABLE = ("order_cancelled_after", "unreceived_after_billing", "received_after_billing")
_OVER = (OrderStatus.RECEIVED, OrderStatus.CANCELLED)


def look(rt: Runtime, company_id: int, source: Source) -> int:
    """Cancelled orders in one read, and the day's second look at open ones. Returns how many need a person now."""
    found = source.voided(ORDER, rt.clock.now() - CANCELLED_WITHIN)
    noticed = 0
    with rt.sessions() as db, db.begin():
        exclusive(db, company_id)
        at = {one.id: one.at for one in found}
        for row in db.scalars(select(Document).where(
            Document.company_id == company_id, Document.source_tenant == source.tenant, Document.kind == ORDER,
            Document.source_id.in_(sorted(at)), Document.status == Status.COMPLETE, Document.ledger_id.is_not(None),
        ).order_by(Document.id)):
            noticed += _cancelled(db, row, at[row.source_id], rt.clock.now())
    return noticed + read_again(rt, company_id, source, _due(rt, company_id, source.tenant))


def _cancelled(db: Session, row: Document, at: datetime | None, now: datetime) -> int:
    when = format_day((at or now).date())
    told = reason("order_cancelled_after", when=when, number=row.ledger_number or f"bill {row.ledger_id}")
    return _ask(db, row, told, now)


def _ask(db: Session, row: Document, told: Reason, now: datetime) -> int:
    """Once: what a person decided to keep is not asked again."""
    if Flag.KEPT in (row.flags or []):
        return 0
    row.voided_at = row.voided_at or now
    row.run_id = None  # the run that posted it is over; the next one tells of it
    set_status(db, row, Status.FAULT, [told], now)
    step(db, row, now, "changed", told.sentence())
    return 1


def _due(rt: Runtime, company_id: int, tenant: str) -> list[str]:
    """Orders that may still change: posted or waiting for goods, not fully received, not looked at for a day."""
    with rt.sessions() as db:
        rows = db.scalars(select(Document).where(
            Document.company_id == company_id, Document.source_tenant == tenant, Document.kind == ORDER,
            Document.part == "", Document.lines_read_at < rt.clock.now() - DAILY,
            or_(Document.status == Status.COMPLETE, Document.reason_code == orders.WAITS),
        ).order_by(Document.lines_read_at).limit(PAGE)).all()
        return [row.source_id for row in rows if may_change(row)]


def may_change(row: Document) -> bool:
    head = codec.load(SourceHeader, row.header).order
    return head is not None and head.status not in _OVER


def read_again(rt: Runtime, company_id: int, source: Source, ids: Sequence[str]) -> int:
    """Read these orders once more, spread what was received since, and ask about what contradicts a bill."""
    if not ids:
        return 0
    headers = source.headers_by_id(ORDER, ids)
    noticed = 0
    for page in source.documents([header for header in headers if not header.voided]):
        with rt.sessions() as db, db.begin():
            exclusive(db, company_id)
            settings = load_orders(db, company_id)
            noticed += sum(_store(db, company_id, source.tenant, one, settings, rt.clock.now()) for one in page)
    return noticed


def _store(
    db: Session, company_id: int, tenant: str, document: SourceDocument, settings: OrderSettings, now: datetime
) -> int:
    row = db.scalars(select(Document).where(
        Document.company_id == company_id, Document.source_tenant == tenant, Document.kind == ORDER,
        Document.source_id == document.header.id, Document.part == "",
    )).one()
    row.header, row.header_hash = codec.dump(document.header), codec.digest(codec.dump(document.header))
    row.lines = codec.dump_text(document.lines, tuple[SourceLine, ...])
    row.lines_read_at = row.read_at = now
    return sum(_compare(db, each, document, now) for each in orders.spread(db, row, settings, now))


def _compare(db: Session, row: Document, document: SourceDocument, now: datetime) -> int:
    """What a posted document took of the order against what the source says now."""
    if row.status != Status.COMPLETE or not row.on_record:
        return 0
    taken = dict(zip(row.on_record["lines"], map(Decimal, row.on_record["quantities"]), strict=True))
    if not row.part:
        changed = taken != {line.id: line.quantity for line in document.lines if line.quantity}
        set_flag(row, Flag.CHANGED_SOURCE, changed)
        return 0
    part = next((each for each in parts_of(document) if each.key == row.part), None)
    there = dict(part.quantities) if part is not None else {}
    for line in _lines(document, taken, there):
        billed, received = taken.get(line.id, Decimal(0)), there.get(line.id, Decimal(0))
        code = "unreceived_after_billing" if received < billed else "received_after_billing"
        told = reason(
            code, item=line.name or line.text[:60], number=row.ledger_number or row.part, billed=f"{billed:f}",
            received=f"{received:f}", credit=plain((billed - received) * line.rate, row.currency),
            currency=row.currency,
        )
        return _ask(db, row, told, now)
    return 0


def _lines(
    document: SourceDocument, taken: dict[str, Decimal], there: dict[str, Decimal]
) -> Iterable[SourceLine]:
    return [line for line in document.lines if taken.get(line.id, Decimal(0)) != there.get(line.id, Decimal(0))]


def settle(db: Session, row: Document, *, why: str, now: datetime, who: str) -> bool:
    """A person has put it right, or leaves it: the document counts as posted again. False: nothing is to decide."""
    exclusive(db, row.company_id)
    db.expire(row)
    if row.status != Status.FAULT or row.reason_code not in DECIDABLE or row.ledger_id is None:
        return False
    set_flag(row, Flag.KEPT)
    set_status(db, row, Status.COMPLETE, [], now)
    step(db, row, now, "kept", f"Settled: {why}", who=who)
    return True
