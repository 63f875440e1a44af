"""Posting of a company stands still until a person resumes it: when it begins, what it says, how it ends.

Only sending waits. What is on its way settles, marks are written, documents are read and planned as ever.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.formats import format_moment
from models import Company, Pause, Run
from sync.lease import wake

ANOTHER_APP = "another_app"
RESTORED = "restored"
SENTENCE = "Another app is also transferring invoices"
HOW = (
    "Open Autotask, Admin, Extensions & Integrations, and switch off the accounting integration that was used before.",
    "In {the_ledger}, open {ledger_apps}, and disconnect every other app that makes invoices from Autotask.",
    "Then press Resume. What was transferred meanwhile is found in {the_ledger} and not posted again.",
)
"""How the other app is switched off."""
HOW_RESTORED = (
    "The reconciliation runs by itself; its page shows what it found.",
    "What the ledger holds and the database does not know is taken over when its document is read, and not made again.",
    "When it is green, posting goes on by itself. A person who has looked at what is left can press Resume.",
)
"""How posting goes on after a restore."""


def current(db: Session, company_id: int) -> Pause | None:
    return db.scalars(select(Pause).where(Pause.company_id == company_id, Pause.ended_at.is_(None))).one_or_none()


def last_end(db: Session, company_id: int) -> datetime | None:
    """When a person last resumed: what happened before it counts no more."""
    ends = select(Pause.ended_at).where(Pause.company_id == company_id, Pause.ended_at.is_not(None))
    return db.scalars(ends.order_by(Pause.id.desc()).limit(1)).first()


def begin(db: Session, company_id: int, code: str, detail: dict[str, Any], now: datetime) -> None:
    """Pause posting unless it is paused, and stop the runs that are posting: their reports say why. Under the lease."""
    if current(db, company_id) is not None:
        return
    db.add(Pause(company_id=company_id, code=code, detail=detail, began_at=now))
    db.flush()
    for run in db.scalars(select(Run).where(
        Run.company_id == company_id, Run.finished_at.is_(None), Run.phase == "posting"
    )):
        run.stop_requested, run.message = True, why(db, company_id)


def resume(db: Session, company_id: int, now: datetime, who: str) -> bool:
    """End the pause; what was released goes on at once. False when there is none (any more)."""
    pause = current(db, company_id)
    if pause is None:
        return False
    pause.ended_at, pause.ended_by = now, who[:200]
    wake(db, company_id, now)
    return True


def how(pause: Pause) -> tuple[str, ...]:
    """What ends the pause, step by step."""
    return HOW_RESTORED if pause.code == RESTORED else HOW


def sentence(pause: Pause, zone: str) -> str:
    """Why nothing is posted, for runs, mails and pages."""
    if pause.code == RESTORED:
        return (
            f"The database was restored from a backup ({format_moment(pause.began_at, zone)}). What was posted after "
            "that backup is in the ledger and not in the database, so posting waits until both were compared and "
            "nothing is there twice, nothing missing and nothing unknown."
        )
    numbers = [str(number) for number in (pause.detail or {}).get("numbers", [])]
    found = f" (invoices {', '.join(numbers)})" if numbers else ""
    since = format_moment(pause.began_at, zone)
    return (
        f"{SENTENCE}{found}. Posting is paused since {since}, so that nothing is posted twice. "
        "Switch the other app off, then press Resume on Home or Connections."
    )


def why(db: Session, company_id: int) -> str | None:
    """The sentence while posting is paused; None otherwise."""
    pause = current(db, company_id)
    return sentence(pause, db.get_one(Company, company_id).time_zone) if pause is not None else None
