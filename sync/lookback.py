"""What happened in the source to documents that are posted already: voids, cancellations, further receivings.

Looked for after every reading of an area, and every ten minutes while nothing is new.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.sources.base import Source
from domain.order_documents import ORDER
from domain.statuses import Status
from models import Document, MirrorState
from sync import order_changes, voids
from sync.areas import Area
from sync.runtime import Runtime

IDLE = timedelta(minutes=10)
"""How often it is looked for while nothing else is new."""


def look(rt: Runtime, company_id: int, source: Source, area: Area, *, posts: bool) -> int:
    """Returns how many documents need a person or a void now. `posts`: something may be written without a question."""
    if area.kind == ORDER:
        noticed = order_changes.look(rt, company_id, source)
    else:
        noticed = voids.look(rt, company_id, source, area.kind, posts=posts)
    with rt.sessions() as db, db.begin():
        state = db.get(MirrorState, company_id)
        if state is not None and area.kind == ORDER:
            state.orders_looked_at = rt.clock.now()
        elif state is not None:
            state.voids_looked_at = rt.clock.now()
    return noticed


def look_when_idle(rt: Runtime, company_id: int, source: Source, area: Area, *, posts: bool) -> None:
    """The schedule's look while nothing is new: once in ten minutes, and only where something is in the books."""
    with rt.sessions() as db:
        due = _due(db, company_id, area.kind, rt.clock.now())
    if due:
        look(rt, company_id, source, area, posts=posts)


def _due(db: Session, company_id: int, kind: str, now: datetime) -> bool:
    state = db.get(MirrorState, company_id)
    at = None if state is None else state.orders_looked_at if kind == ORDER else state.voids_looked_at
    if state is None or (at is not None and now - at < IDLE):
        return False
    return db.execute(select(Document.id).where(
        Document.company_id == company_id, Document.kind == kind, Document.status == Status.COMPLETE,
        Document.ledger_id.is_not(None),
    ).limit(1)).first() is not None
