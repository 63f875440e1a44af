"""What happened in the source to orders that are posted: cancelled, taken back, received further. Noticed, then asked.

Orders carry no date of their last change. With every look the heads of posted ones that may still change are read in
bulk, and where a head differs (its state moves with the first receiving) its lines too; further receivings leave the
head as it is, so lines are read again once a day, and when somebody opens the order's page.
Nothing here changes the ledger; a person decides. Repeating any of it is safe.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from connectors.sources.base import Source
from domain.documents import SourceDocument, SourceHeader, SourceLine
from domain.formats import format_day
from domain.money import plain
from domain.order_documents import ORDER, OrderStatus
from domain.order_parts import parts_of
from domain.order_settings import OrderSettings
from domain.reasons import Reason, reason
from domain.statuses import Flag, PostingState, Status
from models import Document, Posting
from sync import codec, operations, orders, stamped, voids
from sync.documents import set_flag, set_status, step
from sync.lease import exclusive
from sync.reading import touchable
from sync.replacing import WRITTEN
from sync.runtime import Runtime
from sync.settings import load_orders

DAILY = timedelta(days=1)
CANCELLED_WITHIN = timedelta(days=30)
OPENED = timedelta(minutes=1)
"""An order that was read less than that ago is not read again because its page is opened."""
UNBILLED = timedelta(minutes=10)
"""How often goods are read that are partly here and of which no bill stands in the ledger yet."""
PAGE, HEADS = 200, 1000
"""How many orders one look reads with their lines, and how many heads."""
RECEIVING = ("unreceived_after_billing", "received_after_billing")
DECIDABLE = ("order_cancelled_after", *RECEIVING)
_ASKED = ("order_cancelled_after", *voids.DECIDABLE, "void_closed", "void_queued")
"""A person was asked already, or the ledger's copy is being taken out."""
_UNSETTLED = (PostingState.READY, PostingState.SENDING, PostingState.UNKNOWN, PostingState.NEEDS_HUMAN)
"""Nobody knows yet whether the ledger has it."""
_OVER = (OrderStatus.RECEIVED, OrderStatus.CANCELLED)


def look(rt: Runtime, company_id: int, source: Source) -> int:
    """Cancelled orders in one read, and the day's second look at open ones. Returns how many need a person now."""
    found = source.voided(ORDER, rt.clock.now() - CANCELLED_WITHIN)
    with rt.sessions() as db, db.begin():
        exclusive(db, company_id)
        at = {one.id: one.at for one in found}
        settled = and_(Document.status == Status.COMPLETE, Document.voided_at.is_not(None))
        rows = db.scalars(select(Document).where(
            Document.company_id == company_id, Document.source_tenant == source.tenant, Document.kind == ORDER,
            or_(Document.source_id.in_(sorted(at)), settled),
        ).order_by(Document.id)).all()
        cancelled = [row for row in rows if row.source_id in at or codec.load(SourceHeader, row.header).voided]
        noticed = sum(_cancelled(db, row, at.get(row.source_id), rt.clock.now()) for row in cancelled)
    ids = dict.fromkeys([*_moved(rt, company_id, source), *_due(rt, company_id, source.tenant)])
    return noticed + read_again(rt, company_id, source, list(ids)[:PAGE])


def _cancelled(db: Session, row: Document, at: datetime | None, now: datetime) -> int:
    """Asked about where it is in the ledger, and remembered where that is not known yet: being sent, looked up, or a
    Fault that a person settles. However long that takes, the look after it asks."""
    posting = db.get(Posting, row.posting_id) if row.posting_id is not None else None
    if posting is None or row.reason_code in _ASKED:
        return 0
    if posting.state in WRITTEN and row.ledger_id is not None and row.status in (Status.COMPLETE, Status.FAULT):
        when = format_day((at or row.voided_at or now).date())
        told = reason("order_cancelled_after", when=when, number=row.ledger_number or f"bill {row.ledger_id}")
        return _ask(db, row, told, now)
    if posting.state in _UNSETTLED and row.voided_at is None:
        row.voided_at = at or now
        head = codec.load(SourceHeader, row.header)
        order = replace(head.order, status=OrderStatus.CANCELLED, cancelled_at=at) if head.order is not None else None
        row.header = codec.dump(replace(head, voided=True, order=order))
        step(db, row, now, "changed", "The order was cancelled in Autotask while this was under way")
    return 0


def _ask(db: Session, row: Document, told: Reason, now: datetime) -> int:
    """Once: what a person decided to keep is not asked again, as long as it is the same that is told."""
    if Flag.VOIDED in (row.flags or []) or _kept(row, told):
        return 0
    row.voided_at = row.voided_at or now
    row.run_id = None  # the run that posted it is over; the next one tells of it
    set_status(db, row, Status.FAULT, [told], now)
    step(db, row, now, "changed", told.sentence())
    return 1


def _kept(row: Document, told: Reason) -> bool:
    return Flag.KEPT in (row.flags or []) and told.to_json() in ((row.on_record or {}).get("kept") or [told.to_json()])


def _moved(rt: Runtime, company_id: int, source: Source) -> list[str]:
    """Posted orders whose head is not what it was: received for the first time, changed, cancelled. One read per 500.

    Heads of those that wait for goods are read with every poll already."""
    with rt.sessions() as db:
        rows = db.scalars(select(Document).where(
            Document.company_id == company_id, Document.source_tenant == source.tenant, Document.kind == ORDER,
            Document.part == "", Document.status == Status.COMPLETE, Document.lines.is_not(None),
        ).order_by(Document.read_at, Document.id).limit(HEADS)).all()
        known = {row.source_id: _unmarked(codec.load(SourceHeader, row.header)) for row in rows if may_change(row)}
    if not known:
        return []
    fresh = source.headers_by_id(ORDER, list(known))
    with rt.sessions() as db, db.begin():
        exclusive(db, company_id)
        db.execute(update(Document).where(
            Document.company_id == company_id, Document.source_tenant == source.tenant, Document.kind == ORDER,
            Document.part == "", Document.source_id.in_(known),
        ).values(read_at=rt.clock.now()).execution_options(synchronize_session=False))
    return [header.id for header in fresh if _unmarked(header) != known[header.id]]


def _unmarked(header: SourceHeader) -> SourceHeader:
    """Without External P.O. Number: our own mark is no change of the order."""
    return header if header.order is None else replace(header, order=replace(header.order, external_number=None))


def _due(rt: Runtime, company_id: int, tenant: str) -> list[str]:
    """Orders that may still change (posted or waiting for goods, not fully received) and were not read for a day; of
    which goods are here and no bill is yet, for ten minutes."""
    now = rt.clock.now()
    with rt.sessions() as db:
        rows = db.scalars(select(Document).where(
            Document.company_id == company_id, Document.source_tenant == tenant, Document.kind == ORDER,
            Document.part == "", Document.lines_read_at < now - UNBILLED,
            or_(Document.status == Status.COMPLETE, Document.reason_code == orders.WAITS),
            or_(Document.lines_read_at < now - DAILY, Document.reason_code == orders.WAITS),
        ).order_by(Document.lines_read_at).limit(PAGE)).all()
        billed = set(db.scalars(select(Document.source_id).where(
            Document.company_id == company_id, Document.source_tenant == tenant, Document.kind == ORDER,
            Document.source_id.in_([row.source_id for row in rows]), Document.ledger_id.is_not(None),
        )))
        return [
            row.source_id for row in rows
            if may_change(row) and (_older(row, DAILY, now) or (_partly(row) and row.source_id not in billed))
        ]


def _older(row: Document, than: timedelta, now: datetime) -> bool:
    return row.lines_read_at is None or row.lines_read_at < now - than


def _partly(row: Document) -> bool:
    head = codec.load(SourceHeader, row.header).order
    return head is not None and head.status is OrderStatus.PARTLY_RECEIVED


def may_change(row: Document) -> bool:
    head = codec.load(SourceHeader, row.header).order
    return head is not None and head.status not in _OVER


def worth_a_look(row: Document, now: datetime) -> bool:
    """Whether opening this order's page is a reason to read it: it is posted or waits for goods, and was not read
    just now. Also one that is fully received: goods can be sent back."""
    settled = row.status in (Status.COMPLETE, Status.SKIPPED) or row.reason_code in (orders.WAITS, *DECIDABLE)
    return row.kind == ORDER and row.lines is not None and settled and _older(row, OPENED, now)


def look_at(rt: Runtime, company_id: int, source: Source, document_id: int) -> int:
    """Somebody opened the page of this order (or of a bill of it): read it as it is now. Returns how many documents
    need a person. The caller sees to it that what is new is planned."""
    with rt.sessions() as db:
        row = db.get(Document, document_id)
        fits = row is not None and row.company_id == company_id and row.source_tenant == source.tenant
        if row is None or not fits or not worth_a_look(row, rt.clock.now()):
            return 0
        source_id = row.source_id
    return read_again(rt, company_id, source, [source_id])


def read_again(rt: Runtime, company_id: int, source: Source, ids: Sequence[str]) -> int:
    """Read these orders once more, spread what was received since, and ask about what contradicts a bill. One that
    was cancelled asks too, where something of it stands in the ledger, and is set aside where nothing does."""
    if not ids:
        return 0
    headers = source.headers_by_id(ORDER, ids)
    noticed = 0
    cancelled = [header for header in headers if header.voided]
    if cancelled:
        with rt.sessions() as db, db.begin():
            exclusive(db, company_id)
            noticed += sum(_store_cancelled(db, company_id, source.tenant, one, rt.clock.now()) for one in cancelled)
    for page in source.documents([header for header in headers if not header.voided]):
        with rt.sessions() as db, db.begin():
            exclusive(db, company_id)
            settings = load_orders(db, company_id)
            noticed += sum(_store(db, company_id, source.tenant, one, settings, rt.clock.now()) for one in page)
    return noticed


def _store_cancelled(db: Session, company_id: int, tenant: str, header: SourceHeader, now: datetime) -> int:
    """Its head as it is now, on the order and on each of its bills; the lines stay what they were."""
    stored, noticed = codec.dump(header), 0
    settings = load_orders(db, company_id)
    for row in db.scalars(select(Document).where(
        Document.company_id == company_id, Document.source_tenant == tenant, Document.kind == ORDER,
        Document.source_id == header.id,
    ).order_by(Document.id)):
        row.read_at = now
        if row.lines is not None:
            row.lines_read_at = now
        if row.status in (Status.PENDING, Status.FAULT) and touchable(db, row):
            stamped.notice(db, row, header, settings, now)
            continue
        if row.status == Status.COMPLETE and row.ledger_id is not None:
            row.header, row.header_hash = stored, codec.digest(stored)
        noticed += _cancelled(db, row, header.order.cancelled_at if header.order else None, now)
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
    """What a posted document took of the order against what the source says now. A question that answered itself,
    because goods came back or were received after all, is taken back."""
    asked = row.status == Status.FAULT and row.reason_code in RECEIVING and row.ledger_id is not None
    if not row.on_record or not (asked or row.status == Status.COMPLETE):
        return 0
    taken = dict(zip(row.on_record["lines"], map(Decimal, row.on_record["quantities"]), strict=True))
    if not row.part:
        changed = taken != {line.id: line.quantity for line in document.lines if line.quantity}
        set_flag(row, Flag.CHANGED_SOURCE, changed)
        return 0
    told = next((each for each in _differences(row, document, taken) if not _kept(row, each)), None)
    if told is not None:
        return _ask(db, row, told, now) if not asked or row.reasons != [told.to_json()] else 0
    if asked:
        set_status(db, row, Status.COMPLETE, [], now)
        step(db, row, now, "settled", "Autotask shows again what was billed")
    return 0


def _differences(row: Document, document: SourceDocument, taken: dict[str, Decimal]) -> Iterable[Reason]:
    """One reason per line of which this bill bills something else than is received under its number now."""
    part = next((each for each in parts_of(document) if each.key == row.part), None)
    there = dict(part.quantities) if part is not None else {}
    for line in _lines(document, taken, there):
        billed, received = taken.get(line.id, Decimal(0)), there.get(line.id, Decimal(0))
        code = "unreceived_after_billing" if received < billed else "received_after_billing"
        yield reason(
            code, item=line.name or line.text[:60], number=row.ledger_number or row.part, billed=f"{billed:f}",
            received=f"{received:f}", credit=plain((billed - received) * line.rate, row.currency),
            currency=row.currency,
        )


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
    _remember(row)
    set_status(db, row, Status.COMPLETE, [], now)
    step(db, row, now, "kept", f"Settled: {why}", who=who)
    return True


def _remember(row: Document) -> None:
    """A person decided about what it was asked for: the same is not asked again."""
    if row.on_record:
        row.on_record = {**row.on_record, "kept": [*(row.on_record.get("kept") or []), *row.reasons]}


def may_take_out(db: Session, row: Document) -> bool:
    """What a cancelled order made can be deleted in the ledger too; the order itself only when no bill of it stands."""
    if row.status != Status.FAULT or row.reason_code != "order_cancelled_after" or row.ledger_id is None:
        return False
    others = [one for one in orders.rows_of_order(db, row) if one.id != row.id and one.ledger_id is not None]
    return bool(row.part) or all(Flag.VOIDED in (one.flags or []) for one in others)


def take_out(db: Session, row: Document, *, why: str, now: datetime, who: str) -> bool:
    """Delete it in the ledger too: a void like every other, which looks first whether something is paid on it. False:
    nothing is to decide. The caller rings; asking twice joins the open one."""
    exclusive(db, row.company_id)
    db.expire(row)
    if not may_take_out(db, row):
        return False
    _remember(row)
    row.run_id = None
    operations.reserve(
        db, row, operations.VOID, db.get_one(Posting, row.posting_id).draft, terms={"by": who}, now=now, interactive=1
    )
    step(db, row, now, "void_asked", f"A person asked for it to be deleted in {{the_ledger}}: {why}", who=who)
    return True
