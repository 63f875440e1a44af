"""The ledger's words of a company, for texts that are stored: what is written for a company says its ledger's names."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.ledger_words import Words, words_of
from models import Company


def of_company(db: Session, company_id: int) -> Words:
    """The session remembers them: a company never moves to another ledger."""
    known: dict[int, Words] = db.info.setdefault("words", {})
    if company_id not in known:
        known[company_id] = words_of(db.execute(select(Company.ledger).where(Company.id == company_id)).scalar_one())
    return known[company_id]


def fill(db: Session, company_id: int, text: str) -> str:
    """The text as the company's people read it."""
    return of_company(db, company_id).fill(text) if "{" in text else text
