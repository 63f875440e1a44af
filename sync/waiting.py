"""What is told while a company waits. One that cannot be served because a connection is missing: its runs say so, and
a stop still holds.

What was open stays as it is and goes on when the connection is back: reconnecting wakes the company at once.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.errors import NeedsReconnect, NotAllowed, PlatformError, RetryLater
from domain.formats import format_until
from domain.reasons import Reason, reason
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


def why_not_sent(error: PlatformError, until: datetime, now: datetime, zone: str) -> Reason:
    """What a document that could not be sent waits for, in the company's time."""
    if isinstance(error, (NeedsReconnect, NotAllowed)):
        return reason("reconnect", platform=error.platform or "the ledger")
    code = "ledger_limit" if isinstance(error, RetryLater) else "ledger_away"
    return reason(code, time=format_until(until, now, zone))


def step_while_waiting(trouble: Exception | None, ledger_waits: timedelta, wake: datetime) -> str:
    """What the run page says while nothing can move; it turns the instant into the company's time."""
    if isinstance(trouble, (NeedsReconnect, NotAllowed)):
        return f"Waiting for the connection: {trouble.message}"[:300]
    if ledger_waits <= timedelta(seconds=1):
        cause = "Waiting"
    else:
        limited = trouble is None or isinstance(trouble, RetryLater)
        cause = "{the_ledger} limit" if limited else "{the_ledger} does not answer"
    return f"{cause}, continues at {wake.isoformat(timespec='seconds')}"
