"""Both sides' currencies of a company: as read last, as remembered, and a person's confirmation. Database only.

A harmless pair is remembered by itself when the lists are read; one that needs a person waits for `confirm`.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from domain.currencies import Pairing, in_words
from domain.documents import Catalog
from models import Company, MirrorState, User
from sync import audit, codec


def remembered(db: Session, company_id: int) -> str:
    state = db.get(MirrorState, company_id)
    return state.currencies or "" if state else ""


def pair_of(db: Session, company: Company) -> Pairing | None:
    """As both sides stood when their lists were read last; None before."""
    state = db.get(MirrorState, company.id)
    if state is None or not state.catalog or not company.profile:
        return None
    catalog = codec.load(Catalog, state.catalog)
    if catalog.home_currency is None:
        return None
    several = bool(company.profile.get("multi_currency"))
    return Pairing(catalog.home_currency, catalog.multi_currency, company.currency, several)


def remember_harmless(db: Session, company: Company) -> None:
    """The first pair that needs no confirmation; a remembered one is never replaced here."""
    pair = pair_of(db, company)
    if pair is None or pair.assumed or pair.apart:
        return
    state = db.get_one(MirrorState, company.id)
    if not state.currencies:
        state.currencies = pair.text


def confirm(db: Session, company: Company, shown: str, *, now: datetime, user: User) -> bool:
    """A person says that `shown` is right. False when the pair is another by now, or can never be right."""
    pair = pair_of(db, company)
    if pair is None or pair.apart or pair.text != shown:
        return False
    state = db.get_one(MirrorState, company.id)
    before, state.currencies = state.currencies, pair.text
    told = {"before": in_words(before) if before else "", "now": in_words(pair.text)}
    audit.record(db, company.id, now, user.email, "currencies confirmed", pair.text, told)
    return True
