"""Invoices in the ledger that a credit's texts name, for its draft and its page (domain.corrected). Reads only."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from domain.corrected import named_numbers
from domain.documents import SourceDocument
from models import Document


def posted_under(
    db: Session, company_id: int, documents: Sequence[SourceDocument]
) -> list[tuple[Document, str]]:
    """Each invoice whose number a credit among these names and whose customer is the credit's, with that number."""
    named = {(document.header.party_id, number) for document in documents for number in named_numbers(document)}
    numbers = sorted({number for _, number in named})
    found: list[tuple[Document, str]] = []
    for start in range(0, len(numbers), 400):
        part = numbers[start : start + 400]
        rows = db.scalars(select(Document).where(
            Document.company_id == company_id, Document.ledger_id.is_not(None), Document.total > 0,
            or_(Document.number.in_(part), Document.ledger_number.in_(part)),
        ).order_by(Document.id))
        for row in rows:
            own = dict.fromkeys(each for each in (row.number, row.ledger_number) if each)
            found += [(row, number) for number in own if (row.party_id, number) in named]
    return found
