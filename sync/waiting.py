"""A company that cannot be served now because a connection is missing: its runs say so, and a stop still holds.

What was open stays as it is and goes on when the connection is back: reconnecting wakes the company at once.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Run
from sync import due, reports, requests
from sync.lease import FenceLost, Lease
from sync.runtime import Runtime


def without_connection(rt: Runtime, company_id: int, message: str, *, again_s: float) -> bool:
    """Tell the open runs, end those a person stopped, and look again in `again_s` seconds. Repeating is safe.

    False when another process serves the company.
    """
    lease = Lease.acquire(rt, company_id)
    if lease is None:
        return False
    try:
        with lease.transaction("Waiting for a connection") as db:
            _tell(db, company_id, message, rt.clock.now())
    except FenceLost:
        return False
    lease.release(lambda db: _wake(db, company_id, rt.clock.now() + timedelta(seconds=again_s), rt.clock.now()))
    return True


def _tell(db: Session, company_id: int, message: str, now: datetime) -> None:
    due.tell_open_runs(db, company_id, f"Waiting for the connection: {message}"[:300], now)
    stopped = db.scalars(select(Run).where(
        Run.company_id == company_id, Run.finished_at.is_(None), Run.phase == "posting", Run.stop_requested.is_(True)
    )).all()
    for run in stopped:
        requests.withdraw(db, run, now)
        reports.finish_run(db, run, now)


def _wake(db: Session, company_id: int, again: datetime, now: datetime) -> datetime | None:
    """None when nothing is open: then only a new request rings."""
    wake = due.next_wake(db, company_id, now, due.NotBefore(again, again))
    return None if wake is None else max(wake, again)
