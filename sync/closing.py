"""Closing purchase orders that are billed whole, in a ledger whose bills cannot name the order that they fulfil."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import select

from connectors.ledgers.base import Kind
from domain.statuses import PostingState
from models import Document, Posting
from sync import orders
from sync.documents import step

if TYPE_CHECKING:
    from sync.settle import Settling

CLOSE = "close"


def want(s: Settling, document: Document, posting: Posting) -> None:
    """A bill of an order is in the ledger: the order is closed there once all of it is billed. Repeating is safe."""
    if posting.ledger_kind != Kind.BILL or Kind.PURCHASE_ORDER not in s.capabilities.can_close:
        return
    there = [row for row in orders.rows_of_order(s.db, document) if row.ledger_id is not None]
    order = next((row for row in there if row.ledger_kind == Kind.PURCHASE_ORDER), None)
    if order is None or not order.on_record or order.posting_id is None:
        return
    billed = orders.whole_history(s.db, there).billed
    wanted = zip(order.on_record["lines"], map(Decimal, order.on_record["quantities"]), strict=True)
    if any(billed.get(line, Decimal(0)) < quantity for line, quantity in wanted):
        return
    known = select(Posting.id).where(Posting.document_id == order.id, Posting.operation == CLOSE)
    if s.db.execute(known.limit(1)).first() is not None:
        return
    created = s.db.get_one(Posting, order.posting_id)
    s.db.add(Posting(
        company_id=order.company_id, document_id=order.id, ledger_tenant=created.ledger_tenant,
        source_tenant=created.source_tenant, kind=created.kind, source_id=created.source_id, operation=CLOSE,
        part=created.part, generation=1, ledger_kind=order.ledger_kind, state=PostingState.NEW, draft=created.draft,
        marker=created.marker, target_id=order.ledger_id, terms={}, ledger_number=order.ledger_number,
        next_action_at=s.now, interactive=0, created_at=s.now, changed_at=s.now, sends=0, lookups=0,
    ))
    s.db.flush()
    step(s.db, order, s.now, "closing planned", "All of it is billed: it will be closed in {the_ledger}")
