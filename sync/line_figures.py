"""What is worth saying of the lines of many documents: rounding lines, lines on the default account. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from domain.formats import format_plural, format_totals
from domain.statuses import Status
from models import Document, RunItem


@dataclass(frozen=True, slots=True)
class LineFigures:
    """Of posted documents. Sums are per currency, credit memos negative."""

    rounding_lines: int
    rounded: tuple[tuple[str, Decimal], ...]
    default_lines: int

    @property
    def sentences(self) -> list[str]:
        """In words for pages and mails; empty when there is nothing to say."""
        said = []
        if self.rounding_lines:
            said.append(f"{format_plural(self.rounding_lines, 'rounding line')}, {format_totals(self.rounded)} in all.")
        if self.default_lines:
            said.append(f"{format_plural(self.default_lines, 'line')} on the account for created items.")
        return said


def of_run(db: Session, run_id: int) -> LineFigures:
    return _figures(db, RunItem, RunItem.run_id == run_id)


def of_documents(db: Session, company_id: int, *where: Any) -> LineFigures:
    return _figures(db, Document, Document.company_id == company_id, *where)


def _figures(db: Session, table: type[RunItem] | type[Document], *where: Any) -> LineFigures:
    rows: Sequence[Any] = db.execute(
        select(table.currency, func.count(table.rounded), func.sum(table.rounded), func.sum(table.default_lines))
        .where(*where, table.status == Status.COMPLETE).group_by(table.currency).order_by(table.currency)
    ).all()
    sums = tuple((currency, amount) for currency, count, amount, _ in rows if count)
    return LineFigures(sum(row[1] for row in rows), sums, sum(int(row[3] or 0) for row in rows))
