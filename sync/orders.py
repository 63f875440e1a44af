"""Purchase orders for the engine: what is looked for, what a mark means, which documents an order makes, their plans.

An order is one document; what it makes on receipt are documents of their own, told apart by `Document.part`. What of
an order stands in the ledger already is read from those documents. Database only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.ledgers.base import Done, Kind
from domain.documents import Catalog, Draft, SourceDocument, SourceHeader, Window
from domain.formats import format_day, format_rate
from domain.goods import goods_names, item_key
from domain.known import Facts, Lists
from domain.matching import fold, ledger_name, loose
from domain.order_documents import ORDER
from domain.order_parts import LedgerOrder, OrderHistory, fully_received, lines_of, order_total, parts_of
from domain.order_settings import Becomes, OrderSettings
from domain.orders import billed_on_receipt, plan_order
from domain.plan import Plan
from domain.reasons import Reason, reason
from domain.statuses import LIVE_STATES, Flag, PostingState, Status
from domain.vendors import vendor_names
from models import Company, Document, Posting
from sync import currencies, mirror
from sync.documents import step
from sync.lists import (
    by_name,
    by_number,
    entries_of,
    links_of,
    numbered,
    parties_of,
    source_document,
    twins_of,
)
from sync.looking import may_be_in_books
from sync.settings import load_orders

ERROR = "ERROR"
"""Another program's mark of an order that it could not transfer: no number."""
WAITS = "waits_for_receipt"


def window(settings: OrderSettings, now: datetime) -> Window:
    """Whole calendar days in the company's zone, both ends included; and what was submitted in it."""
    zone = ZoneInfo(settings.time_zone)
    first = now.astimezone(zone).date() - timedelta(days=settings.days)
    since = datetime.combine(first, time(), zone).astimezone(UTC)
    chosen = {settings.becomes, *(rule.becomes for rule in settings.vendors)}
    received = bool(chosen & {Becomes.ON_RECEIPT, Becomes.ORDER_AND_BILLS})
    return Window(since, submitted_since=since, received=received)


def taken(header: SourceHeader, settings: OrderSettings) -> Reason | None:
    """Cancelled, or somebody filled External P.O. Number."""
    if header.voided:
        return reason("order_cancelled")
    number = header.order.external_number if header.order is not None else None
    return reason("order_marked_elsewhere", number=number) if number and number.upper() != ERROR else None


def early(header: SourceHeader, settings: OrderSettings, now: datetime) -> Reason | None:
    """Created before the window, and listed because it was submitted in it."""
    since = window(settings, now).since
    if header.created_at >= since:
        return None
    return reason("created_before_window", date=format_day(header.created_at.date()))


def our_mark(db: Session, row: Document, header: SourceHeader) -> bool:
    """External P.O. Number was written by us, for another document of the same order."""
    number = header.order.external_number if header.order is not None else None
    return number is not None and number == mark_of_order(db, row)


# ---- several documents of one order ---------------------------------------------------------------------------


def rows_of_order(db: Session, row: Document) -> Sequence[Document]:
    return db.scalars(select(Document).where(
        Document.company_id == row.company_id, Document.source_tenant == row.source_tenant, Document.kind == ORDER,
        Document.source_id == row.source_id,
    ).order_by(Document.id)).all()


def waiting_bills(db: Session, row: Document) -> Sequence[Document]:
    """Bills of this order that are due and not planned yet: they wait for its own document, and for nothing else."""
    if row.kind != ORDER or row.part:
        return ()
    return [each for each in rows_of_order(db, row) if each.part and each.due_at is not None and not each.prepared]


def spread(db: Session, row: Document, settings: OrderSettings, now: datetime) -> list[Document]:
    """After its lines were read: every document of the order has the same snapshot, and each part has its document.

    Returns the order's documents. Repeating is safe. What is posted keeps its figures.
    """
    rows = list(rows_of_order(db, row))
    head = next(each for each in rows if not each.part)
    document = source_document(head)
    if billed_on_receipt(head.party_id, settings) and not _billed_whole(db, head):
        known = {each.part for each in rows}
        for part in parts_of(document):
            if part.key not in known:
                rows.append(_part_row(db, head, part.key, now))
    for each in rows:
        if each is not head:
            each.header, each.header_hash, each.lines = head.header, head.header_hash, head.lines
            each.lines_read_at, each.read_at = head.lines_read_at, head.read_at
            each.party_id, each.party_name, each.currency = head.party_id, head.party_name, head.currency
        if each.status not in (Status.COMPLETE, Status.PROCESSING):
            each.total = _total(document, each.part)
    return rows


def _part_row(db: Session, head: Document, key: str, now: datetime) -> Document:
    row = Document(
        company_id=head.company_id, source_tenant=head.source_tenant, kind=ORDER, source_id=head.source_id, part=key,
        number=head.number, party_id=head.party_id, party_name=head.party_name, document_date=head.document_date,
        source_created_at=head.source_created_at, total=Decimal(0), tax_total=Decimal(0), currency=head.currency,
        status=Status.PENDING, reasons=[reason("waits_for_reading").to_json()], reason_code="waits_for_reading",
        flags=[], header=head.header, header_hash=head.header_hash, lines=head.lines, seen_at=now, read_at=now,
        before_start=head.before_start, included_at=head.included_at, changed_at=now,
    )
    db.add(row)
    db.flush()
    step(db, row, now, "received", f"Received under {key}: a bill of its own")
    return row


def _total(document: SourceDocument, key: str) -> Decimal:
    if not key:
        return order_total(document).quantize(Decimal("0.0001"))
    part = next((each for each in parts_of(document) if each.key == key), None)
    lines = lines_of(document, part) if part is not None else ()
    return sum((line.extended_price for line in lines), Decimal(0)).quantize(Decimal("0.0001"))


def _billed_whole(db: Session, head: Document) -> bool:
    """It became a bill at once: what is received later is billed already."""
    return head.ledger_kind == Kind.BILL and head.ledger_id is not None


# ---- plans ----------------------------------------------------------------------------------------------------


def plans(
    db: Session, company: Company, rows: Sequence[Document], facts: Facts, settings: OrderSettings,
    markers: Sequence[str],
) -> list[Plan]:
    """Plan stored orders against the mirror. Reads only, but for the name and currency that rows show."""
    documents = [source_document(row) for row in rows]
    catalog = mirror.catalog_of(db, company.id)
    lists = prefetch(db, company.id, documents, catalog, settings, facts, histories(db, rows))
    found = []
    for row, document, marker in zip(rows, documents, markers, strict=True):
        party = lists.parties.get(row.party_id or "")
        if party is not None:
            row.party_name, row.currency = party.name, party.currency or facts.currency
        planned = plan_order(document, settings, lists, facts, marker=marker)
        if planned.draft is not None:
            row.currency, row.total = planned.draft.currency, planned.draft.total
        found.append(_whole_on_receipt(planned, document, settings))
    return found


def _whole_on_receipt(planned: Plan, document: SourceDocument, settings: OrderSettings) -> Plan:
    """An order of which everything is received is done with: its bills are documents of their own."""
    waits = [why.code for why in planned.reasons] == [WAITS]
    if not waits or not fully_received(document):
        return planned
    bills = ", ".join(part.key for part in parts_of(document))
    return Plan(document, None, (), (reason("billed_in_parts", bills=bills),))


def prefetch(
    db: Session, company_id: int, documents: Sequence[SourceDocument], catalog: Catalog, settings: OrderSettings,
    facts: Facts, history: Mapping[tuple[str, str], OrderHistory],
) -> Lists:
    """Everything the plans of these orders look up. Reads only."""
    vendor_ids = {d.header.party_id for d in documents if d.header.party_id}
    for_ids = {d.header.order.customer_id for d in documents if d.header.order and d.header.order.customer_id}
    parties = parties_of(db, company_id, vendor_ids | for_ids)
    names = {name for id, party in parties.items() if id in vendor_ids for name in vendor_names(party, settings, facts)}
    whom = {
        ledger_name(party.name, facts.party_name_length, latin1_only=facts.latin1_only)
        for id, party in parties.items() if id in for_ids
    }
    lines = [line for d in documents for line in d.lines]
    both = set() if facts.one_name_list else vendor_ids  # one record can be customer and vendor
    links = (
        links_of(db, company_id, "vendor", vendor_ids) | links_of(db, company_id, "customer", for_ids | both)
        | links_of(db, company_id, "item", {key for line in lines if (key := item_key(line))})
    )  # fmt: skip
    vendors = entries_of(
        db, company_id, Kind.VENDOR, folded={fold(name) for name in names}, loose={loose(name) for name in names},
        ids={value for (kind, id), value in links.items() if kind == "vendor" or id in both},
    )
    known = {entry.id for entry in vendors}
    vendors += [one for one in numbered(db, company_id, Kind.VENDOR, facts, vendor_ids) if one.id not in known]
    customers = entries_of(
        db, company_id, Kind.CUSTOMER, folded={fold(name) for name in names | whom},
        ids={value for (kind, _), value in links.items() if kind == "customer"},
    )
    items = entries_of(
        db, company_id, Kind.ITEM, folded={fold(name) for line in lines for name in goods_names(line, facts)},
        ids={value for (kind, _), value in links.items() if kind == "item"},
    )
    return Lists(
        parties=parties, catalog=catalog, links=links, history=history,
        vendors={e.id: e for e in vendors}, vendors_by_name=by_name(vendors, fold),
        vendors_by_number=by_number(vendors), vendors_by_loose=by_name(vendors, loose),
        customers={e.id: e for e in customers},
        customers_by_name=by_name(customers, fold), items={e.id: e for e in items}, items_by_name=by_name(items, fold),
        accounts={e.id: e for e in entries_of(db, company_id, Kind.ACCOUNT)},
        terms_by_name=by_name(entries_of(db, company_id, Kind.TERM), fold),
        tax_codes={e.id: e for e in entries_of(db, company_id, Kind.TAX_CODE)},
        classes={e.id: e for e in entries_of(db, company_id, Kind.CLASS)} if facts.classes else {},
        locations={e.id: e for e in entries_of(db, company_id, Kind.LOCATION)} if facts.locations else {},
        twins=twins_of(db, company_id, {fold(party.name) for id, party in parties.items() if id in vendor_ids}),
        currencies=currencies.remembered(db, company_id),
    )


# ---- what of an order is in the ledger ------------------------------------------------------------------------


def histories(db: Session, rows: Sequence[Document]) -> dict[tuple[str, str], OrderHistory]:
    """Per order and part what the order's other documents hold."""
    if not rows:
        return {}
    there: dict[str, list[Document]] = {}
    for row in db.scalars(select(Document).where(
        Document.company_id == rows[0].company_id, Document.source_tenant == rows[0].source_tenant,
        Document.kind == ORDER, Document.source_id.in_(sorted({row.source_id for row in rows})),
        Document.on_record.is_not(None),
    ).order_by(Document.id)):
        if _live(db, row):
            there.setdefault(row.source_id, []).append(row)
    return {
        (row.source_id, row.part): _history(other for other in there[row.source_id] if other.id != row.id)
        for row in rows if row.source_id in there
    }


def whole_history(db: Session, rows: Sequence[Document]) -> OrderHistory:
    """What all documents of one order hold."""
    return _history(row for row in rows if row.on_record and _live(db, row))


def _live(db: Session, row: Document) -> bool:
    posting = db.get(Posting, row.posting_id) if row.posting_id else None
    stands = posting is not None and (posting.state in LIVE_STATES or may_be_in_books(posting))
    return stands and Flag.VOIDED not in (row.flags or [])


def _history(documents: Iterable[Document]) -> OrderHistory:
    billed: dict[str, Decimal] = {}
    parts: set[str] = set()
    whole, freight, order = False, Decimal(0), None
    for row in documents:
        kept: Mapping[str, Any] = row.on_record or {}
        if kept.get("kind") == Kind.PURCHASE_ORDER:
            if row.ledger_id is not None and kept.get("ids"):
                day = date.fromisoformat(kept["date"])
                order = LedgerOrder(row.ledger_id, day, dict(zip(kept["lines"], kept["ids"], strict=False)))
            continue
        whole = whole or not row.part
        parts.add(row.part)
        freight += Decimal(kept["freight"])
        for line, quantity in zip(kept["lines"], kept["quantities"], strict=True):
            billed[line] = billed.get(line, Decimal(0)) + Decimal(quantity)
    return OrderHistory(billed, frozenset(parts), whole, freight, order)


def record(row: Document, document: SourceDocument, draft: Draft) -> None:
    """Reserved: what of the order this document takes from now on."""
    part = next((each for each in parts_of(document) if each.key == document.part), None) if document.part else None
    lines = lines_of(document, part)
    freight = sum((line.amount for line in draft.lines[len(lines) :]), Decimal(0))
    row.on_record = {
        "kind": draft.kind, "date": draft.date.isoformat(), "lines": [line.id for line in lines],
        "quantities": [str(line.quantity) for line in lines], "freight": str(freight), "ids": [],
    }  # fmt: skip


def confirmed(db: Session, row: Document, posting: Posting, done: Done) -> None:
    """In the ledger: the ids of an order's lines, in the order in which they were sent, for bills to link to; and the
    mark for External P.O. Number, which is that of the order's first document."""
    if row.on_record and done.echo.line_ids:
        row.on_record = {**row.on_record, "ids": list(done.echo.line_ids)}
    mark = mark_of_order(db, row) or own_mark(posting, load_orders(db, row.company_id))
    posting.terms = {**(posting.terms or {}), "mark": mark}


def claims(planned: Plan) -> list[str]:
    """What is in at most one live document (I21): a receiving on one bill, an order on one order or bill at once."""
    document = planned.document
    part = next((each for each in parts_of(document) if each.key == document.part), None) if document.part else None
    if part is None:
        return [f"order/{document.header.id}"]
    return [f"receipt/{id}" for id in part.receipts]


# ---- the mark -------------------------------------------------------------------------------------------------


def own_mark(posting: Posting, settings: OrderSettings) -> str:
    """What External P.O. Number gets for this posting: the ledger's number, else the prefix and its id (R72)."""
    return (posting.ledger_number or f"{settings.external_prefix}{posting.ledger_id}")[:50]


def mark_of_order(db: Session, row: Document) -> str | None:
    """The mark that stands for the whole order: that of its first document in the ledger. None before there is one."""
    rows = db.execute(
        select(Posting).join(Document, Document.id == Posting.document_id).where(
            Posting.company_id == row.company_id, Posting.source_tenant == row.source_tenant, Posting.kind == ORDER,
            Posting.source_id == row.source_id, Posting.operation == "create",
            Posting.state.in_((PostingState.CONFIRMED, PostingState.DONE)),
        ).order_by(Posting.id)
    ).scalars().all()
    marks = [str(mark) for posting in rows if (mark := (posting.terms or {}).get("mark"))]
    return marks[0] if marks else None


def _count(value: Decimal) -> str:
    return f"{value.normalize():f}"


def told(document: SourceDocument, history: OrderHistory, currency: str) -> list[dict[str, Any]]:
    """Ordered, received and billed side by side, per line, for pages; the cost of one in the vendor's currency."""
    return [
        {
            "name": line.name or line.text or f"Line {line.id}", "ordered": _count(line.quantity),
            "received": _count(line.goods.received if line.goods else Decimal(0)),
            "billed": _count(line.quantity if history.whole else history.billed.get(line.id, Decimal(0))),
            "cost": format_rate(line.rate, currency),
        }
        for line in document.lines
    ]  # fmt: skip
