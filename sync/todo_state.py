"""Whether to-dos and `ERROR` marks are wanted, whether Faults changed since they were last looked at, and whom to-dos
may go to.

`stir` is called wherever a document becomes or stops being a Fault (`sync.documents.set_status`), so that no other
place has to think of them. Database only.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from connectors.sources.base import Source
from domain.reasons import CATALOGUE, Reason, reason
from domain.todos import TodoLists
from models import ErrorMarkState, FaultFollower, MirrorState, TodoRow, TodoState
from sync import codec
from sync.lease import exclusive, wake
from sync.runtime import Runtime

INVOICES, ORDERS = "invoices", "orders"
AREA_OF = {"invoice": INVOICES, "purchase_order": ORDERS}
"""Kind of document → the product area whose settings hold for its to-dos and its `ERROR` mark."""
Follower = type[FaultFollower]
FOLLOWERS: tuple[Follower, ...] = (TodoState, ErrorMarkState)
"""What is brought in line with the Faults."""
COMPARE_EVERY = timedelta(seconds=5)


def stir(db: Session, company_id: int, now: datetime) -> None:
    """Faults of the company changed: whoever serves it compares them with the to-dos. Once per transaction."""
    if db.info.get("stirred") == (company_id, now):
        return
    db.info["stirred"] = (company_id, now)
    followed = [table for table in FOLLOWERS if _wanted(db, table, company_id)]
    if not followed:
        return
    exclusive(db, company_id)  # Before the state's row, as whoever compares does: no change is overlooked.
    for table in followed:
        db.execute(
            update(table).where(table.company_id == company_id, table.wanted.is_(True)).values(dirty_at=now)
            .execution_options(synchronize_session=False)
        )
    wake(db, company_id, now)


def _wanted(db: Session, table: Follower, company_id: int) -> bool:
    wanted = select(table.area).where(table.company_id == company_id, table.wanted.is_(True))
    return db.execute(wanted.limit(1)).first() is not None


def choose(db: Session, company_id: int, area: str, table: Follower, wanted: bool, now: datetime) -> None:
    """Settings were saved: what follows Faults is wanted or not, and what there is is looked at in any case."""
    state = db.get(table, (company_id, area))
    if state is None:
        if not wanted:
            return
        state = table(company_id=company_id, area=area)
        db.add(state)
    wake(db, company_id, now)
    state.wanted, state.dirty_at = wanted, now
    db.flush()


def comparing_due(db: Session, company_id: int, table: Follower) -> datetime | None:
    """When Faults are compared next with what tells of them; None while nothing changed."""
    states = db.scalars(select(table).where(table.company_id == company_id, table.dirty_at.is_not(None)))
    moments = [
        max(state.dirty_at, state.checked_at + COMPARE_EVERY) if state.checked_at else state.dirty_at
        for state in states if state.dirty_at is not None
    ]
    return min(moments, default=None)


def problem_of(db: Session, company_id: int, area: str = INVOICES) -> Reason | None:
    """Why to-dos wait although they are wanted: nobody may be given one, or the source refused one. None: they do
    not wait."""
    state = db.get(TodoState, (company_id, area))
    if state is None or not state.wanted:
        return None
    if state.problem and state.problem.get("code") in CATALOGUE:
        return Reason.from_json(state.problem)
    refused = db.scalars(select(TodoRow.problem).where(
        TodoRow.company_id == company_id, TodoRow.area == area, TodoRow.ended_at.is_(None), TodoRow.problem.is_not(None)
    ).order_by(TodoRow.id).limit(1)).first()
    said = (refused or "").removeprefix("Autotask refused the request: ").rstrip(".")
    return reason("todo_refused", message=said) if said else None


def lists_of(db: Session, company_id: int) -> TodoLists | None:
    """People and action types as last read; None before the first reading."""
    state = db.get(MirrorState, company_id)
    return codec.load(TodoLists, state.todo_lists) if state is not None and state.todo_lists else None


def read_lists(rt: Runtime, company_id: int, source: Source) -> None:
    """Read people and action types whole, and look at the to-dos again: somebody may have been deactivated."""
    found = source.todo_lists()
    with rt.sessions() as db, db.begin():
        now = rt.clock.now()
        state = db.get_one(MirrorState, company_id)
        state.todo_lists, state.todo_lists_at = codec.dump(found), now
        stir(db, company_id, now)
