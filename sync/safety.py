"""Safety stops of a run before its first write: above the limit, or none of its parties is known to the ledger.

Decided from rows alone, so that the run and the page that asks beforehand agree. (The stop at a list that is
suddenly empty is the mirror's.)
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from connectors.ledgers.base import Kind
from domain.statuses import Status
from models import Document, Link, MirrorEntry, PartyEntry, Run
from sync import requests, words
from sync.areas import INVOICES, PassSettings, named

FEW = 10
"""With fewer parties than this on either side it proves nothing that none is known."""


@dataclass(frozen=True, slots=True)
class Parties:
    """Parties of the documents that a Sync would post: how many, and how many are linked or named in the ledger."""

    all: int
    known: int
    there: int
    """Active customers of the ledger."""

    @property
    def strangers(self) -> bool:
        """None of many is known although the ledger holds many: perhaps the wrong company was connected."""
        return self.known == 0 and self.all >= FEW and self.there >= FEW


def waiting_parties(db: Session, company_id: int, kind: str = "invoice") -> set[str]:
    """Source ids of the parties of the documents that a Sync would post now."""
    return set(db.scalars(
        select(Document.party_id).distinct()
        .where(Document.company_id == company_id, Document.status == Status.PENDING, Document.before_start.is_(False))
        .where(Document.party_id.is_not(None), Document.total != 0, Document.kind == kind)
    ))


def parties(db: Session, company_id: int) -> Parties:
    """Counted in the mirror and the stored parties; a party that was never read counts as unknown."""
    customer = and_(
        MirrorEntry.company_id == company_id, MirrorEntry.kind == Kind.CUSTOMER, MirrorEntry.active.is_(True)
    )
    named = aliased(MirrorEntry)
    ids = waiting_parties(db, company_id)
    known: set[str] = set()
    for part in _pages(sorted(ids)):
        same_name = select(named.id).where(
            named.company_id == company_id, named.kind == Kind.CUSTOMER, named.folded == PartyEntry.folded
        ).exists()
        linked = select(Link.id).where(
            Link.company_id == company_id, Link.kind == Kind.CUSTOMER, Link.source_key == PartyEntry.source_id
        ).exists()
        known.update(db.scalars(select(PartyEntry.source_id).where(
            PartyEntry.company_id == company_id, PartyEntry.source_id.in_(part), or_(same_name, linked)
        )))
    there = db.execute(select(func.count()).select_from(MirrorEntry).where(customer)).scalar_one()
    return Parties(len(ids), len(known), there)


def why_stopped(db: Session, run: Run, settings: PassSettings) -> str | None:
    """The sentence with which a run stands as Stopped unless somebody has confirmed it; None: it may post."""
    if run.confirmed:
        return None
    area = named(run.area)
    over = requests.over_limit(run, requests.waiting(db, run.company_id, area.kind), settings.run_limit)
    if over is not None or area is not INVOICES:
        return over
    found = parties(db, run.company_id)
    if not found.strangers:
        return None
    return words.fill(db, run.company_id, (
        f"None of the {found.all:,} companies to be billed is among the {found.there:,} customers of {{the_ledger}}: "
        "is the right {the_ledger} company connected? Nothing was posted. Compare or link the customers first, or post "
        "all if they are new indeed."
    ))


def _pages(ids: list[str], size: int = 500) -> list[list[str]]:
    return [ids[start : start + size] for start in range(0, len(ids), size)]
