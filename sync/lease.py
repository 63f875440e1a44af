"""The company's lease: at most one process serves a company, proven by a fence that only grows.

Every transaction of the holder goes through `Lease.transaction`, which renews the lease first; when another
process took over, that renewal matches no row, `FenceLost` is raised and nothing of the transaction stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Case, bindparam, case, or_, select, update
from sqlalchemy.orm import Session

from models import CompanyLease
from models.types import Instant
from sync.runtime import Runtime


class FenceLost(Exception):
    """Another process serves the company now. The holder of this lease stops at once."""


def ensure_row(db: Session, company_id: int) -> None:
    """The lease row exists from the company's creation on; repeating is safe."""
    if db.get(CompanyLease, company_id) is None:
        db.add(CompanyLease(company_id=company_id, fence=0, step=""))
        db.flush()


def wake(db: Session, company_id: int, at: datetime) -> None:
    """There is work from `at` on: the scheduler rings when nobody serves. Call it in the transaction of the work, and
    before rows are changed that the serving process changes too: like `exclusive` it locks the company's lease.

    The row is always written, also where it says so already: whoever gives the lease back at this moment waits for
    this transaction and sees its work, or this one comes after and finds what was noted.
    """
    db.execute(
        update(CompanyLease)
        .where(CompanyLease.company_id == company_id)
        .values(wake_at=_not_after(at))
        .execution_options(synchronize_session=False)
    )


def _not_after(at: datetime) -> Case[datetime | None]:
    """When the company next has work if it has some from `at` on: the database reckons, on the row as it is then."""
    return case((or_(CompanyLease.wake_at.is_(None), CompanyLease.wake_at > at), at), else_=CompanyLease.wake_at)


def exclusive(db: Session, company_id: int) -> None:
    """Nobody else changes this company's documents until the transaction ends, the serving process included.

    For those who work without the lease (scans, people's decisions). Call it before anything is read that is
    decided upon. SQLite's write transactions are exclusive anyway.
    """
    db.execute(select(CompanyLease.company_id).where(CompanyLease.company_id == company_id).with_for_update())


# Every transaction of a holder begins with one of these two: composed once.
_RENEW = (
    update(CompanyLease)
    .where(CompanyLease.company_id == bindparam("company"), CompanyLease.fence == bindparam("held", type_=BigInteger))
    .where(CompanyLease.holder == bindparam("worker"))
    .values(heartbeat_at=bindparam("now", type_=Instant), expires_at=bindparam("until", type_=Instant))
    .returning(CompanyLease.fence)
    .execution_options(synchronize_session=False)
)
_RENEW_STEP = _RENEW.values(step=bindparam("said"))


@dataclass(slots=True)
class Lease:
    rt: Runtime
    company_id: int
    fence: int
    valid_until: float
    """On the monotonic clock of this process."""
    read_at: datetime
    """The database's time when it was asked last …"""
    read_mono: float
    """… and this process's monotonic clock then."""

    @classmethod
    def acquire(cls, rt: Runtime, company_id: int) -> Lease | None:
        """Take a free or expired lease; None when another process holds it. Until it is given back there is work: when
        this process dies, the scheduler rings for what it left."""
        started = rt.clock.monotonic()
        with rt.sessions() as db, db.begin():
            now = rt.lease_now(db)
            fence = db.execute(
                update(CompanyLease)
                .where(CompanyLease.company_id == company_id)
                .where(or_(CompanyLease.holder.is_(None), CompanyLease.expires_at < now))
                .values(
                    fence=CompanyLease.fence + 1, holder=rt.worker, heartbeat_at=now,
                    expires_at=now + timedelta(seconds=rt.times.lease), step="Starting", wake_at=_not_after(now),
                )
                .returning(CompanyLease.fence)
                .execution_options(synchronize_session=False)
            ).scalar_one_or_none()
        if fence is None:
            return None
        return cls(rt, company_id, fence, started + rt.times.lease, now, started)

    def now(self) -> datetime:
        """The database's time, carried on by this process's monotonic clock.

        What one holder writes down the next one reckons with (when it was sent last, when it is due), so all of them
        use one clock: a machine whose own is minutes off neither shortens a quarantine nor holds anything up.
        """
        return self.read_at + timedelta(seconds=self.rt.clock.monotonic() - self.read_mono)

    @contextmanager
    def transaction(self, step: str | None = None) -> Iterator[Session]:
        """A transaction that only commits while the fence is ours; renews the lease."""
        started = self.rt.clock.monotonic()
        with self.rt.sessions() as db, db.begin():
            self._renew(db, step)
            yield db
        self.valid_until = started + self.rt.times.lease

    def _renew(self, db: Session, step: str | None) -> None:
        self.read_mono = self.rt.clock.monotonic()
        self.read_at = now = self.rt.lease_now(db)
        until = now + timedelta(seconds=self.rt.times.lease)
        values = {"company": self.company_id, "held": self.fence, "worker": self.rt.worker, "now": now, "until": until}
        statement = _RENEW if step is None else _RENEW_STEP
        held = db.execute(statement, values if step is None else {**values, "said": step[:300]}).scalar_one_or_none()
        if held is None:
            raise FenceLost(f"company {self.company_id}: fence {self.fence} is no longer ours")

    def remaining(self) -> float:
        """Seconds this process may still rely on the lease, by its monotonic clock."""
        return self.valid_until - self.rt.clock.monotonic()

    def heartbeat_if_due(self) -> None:
        if self.remaining() < self.rt.times.lease - self.rt.times.heartbeat:
            with self.transaction():
                pass

    def release(self, next_wake: Callable[[Session], datetime | None]) -> None:
        """Give the lease back and note when the company next has work. Harmless when it was lost already.

        `next_wake` is asked after the row is locked, so work added meanwhile by `wake` is never overlooked.
        """
        with self.rt.sessions() as db, db.begin():
            try:
                self._renew(db, None)
            except FenceLost:
                return
            db.execute(
                update(CompanyLease)
                .where(CompanyLease.company_id == self.company_id)
                .values(holder=None, expires_at=None, wake_at=next_wake(db), rung_at=None, step="")
            )


def take_away(db: Session, company_id: int, now: datetime) -> int | None:
    """Take the lease from a holder that moves no more: the next fence, nobody holds it, work is due at once.

    The old holder loses its fence: whatever it still does is rolled back, except that ids it saw are kept. What it left
    in SENDING is looked up by the next holder. Returns the new fence; None when nobody held it.
    """
    return db.execute(
        update(CompanyLease)
        .where(CompanyLease.company_id == company_id, CompanyLease.holder.is_not(None))
        .values(fence=CompanyLease.fence + 1, holder=None, expires_at=None, step="", wake_at=now, rung_at=None)
        .returning(CompanyLease.fence)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()


def lease_row(db: Session, company_id: int) -> CompanyLease | None:
    return db.execute(select(CompanyLease).where(CompanyLease.company_id == company_id)).scalar_one_or_none()
