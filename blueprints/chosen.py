"""Which documents a request means: one by its id, or the ticked rows of a list. Always of this company."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from blueprints.context import company, db
from blueprints.problems import Problem
from models import Document

MOST_TICKED = 500


def find(document_id: int) -> Document:
    """A document of this company, or 404."""
    row = db().get(Document, document_id)
    if row is None or row.company_id != company().id:
        raise Problem(404, "404")
    return row


def ticked(values: Sequence[str]) -> list[Document]:
    """The documents of these ids, those of other companies and what is no number left out."""
    ids = [int(each) for each in values if each.isdigit() and len(each) < 12][:MOST_TICKED]
    return list(
        db().scalars(
            select(Document).where(Document.company_id == company().id, Document.id.in_(ids)).order_by(Document.id)
        )
    )
