"""Read-only questions several pages ask: sums per currency, what waits, pages of a list. Always by company."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from flask import request
from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from connectors.ledgers.base import Kind
from domain.order_documents import ORDER
from domain.statuses import Status
from models import Document

Totals = list[tuple[str, Decimal]]
OPEN = (Status.PENDING, Status.PROCESSING)
KINDS = [
    ("", "Any kind"), ("invoice", "Invoices"), ("credit_memo", "Credit memos"), ("order", "Purchase orders"),
    ("bill", "Bills"),
]


def of_kind(kind: str) -> ColumnElement[bool]:
    """What a document is, or will be called, in the ledger; an order that nothing was made of yet is an order."""
    if kind in ("order", "bill"):
        bill = func.coalesce(Document.ledger_kind, "") == Kind.BILL
        return and_(Document.kind == ORDER, bill if kind == "bill" else ~bill)
    signed = Document.total < 0 if kind == "credit_memo" else Document.total >= 0
    return and_(Document.kind != ORDER, signed)


def sums(db: Session, company_id: int, *where: Any) -> tuple[int, Totals]:
    """Number of documents and sum per currency under these conditions."""
    rows = db.execute(
        select(Document.currency, func.count(), func.sum(Document.total))
        .where(Document.company_id == company_id, *where)
        .group_by(Document.currency)
        .order_by(Document.currency)
    ).all()
    return sum(row[1] for row in rows), [(row[0], row[2]) for row in rows]


def waiting_documents(db: Session, company_id: int, *where: Any) -> tuple[int, Totals]:
    """Documents on their way: pending or in hand, those before the start date aside."""
    return sums(db, company_id, Document.status.in_(OPEN), Document.before_start.is_(False), *where)


def before_start(db: Session, company_id: int) -> tuple[int, Totals]:
    return sums(db, company_id, Document.before_start.is_(True))


def add_up(rows: Iterable[tuple[str, Decimal]]) -> Totals:
    """Sums per currency; currencies are never added together."""
    found: dict[str, Decimal] = {}
    for currency, amount in rows:
        found[currency] = found.get(currency, Decimal(0)) + amount
    return sorted(found.items())


@dataclass(frozen=True, slots=True)
class Paged:
    """One page of rows and what the pager shows (None when all rows fit)."""

    rows: Sequence[Any]
    total: int
    pager: dict[str, Any] | None


def paged(db: Session, statement: Select[Any], size: int = 50, *, scalars: bool = True) -> Paged:
    """Run a statement for the page number in the address."""
    total = db.execute(select(func.count()).select_from(statement.order_by(None).subquery())).scalar_one()
    number = min(max(request.args.get("page", 1, type=int), 1), max((total + size - 1) // size, 1))
    first = (number - 1) * size
    part = statement.limit(size).offset(first)
    rows = db.scalars(part).all() if scalars else db.execute(part).all()
    return Paged(rows, total, pager(number, size, first, len(rows), total))


def pager(number: int, size: int, first: int, shown: int, total: int) -> dict[str, Any] | None:
    if total <= size:
        return None
    return {
        "first": first + 1,
        "last": first + shown,
        "total": total,
        "previous": address(page=number - 1) if number > 1 else None,
        "next": address(page=number + 1) if first + shown < total else None,
    }


def address(**changed: Any) -> str:
    """This page's address with some of its parameters changed; empty ones are left out."""
    values = {**request.args.to_dict(), **{name: str(value) for name, value in changed.items()}}
    kept = {name: value for name, value in values.items() if value not in ("", "None")}
    path = request.path.removesuffix("/live")  # what polls shows the links of its page
    return path + (f"?{urlencode(kept)}" if kept else "")
