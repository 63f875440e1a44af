"""The scheduler: every second it looks in the database for companies with something due and rings.

Any number may run: every step is a conditional update or harmless when repeated. Next-due instants are in the
database; Redis holds nothing that would be missed.
"""

from __future__ import annotations

import logging
from datetime import timedelta

import redis
from rq.registry import clean_registries
from sqlalchemy import or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import Company, Connection, Run
from sync import alerts, due, installation, reconciling, tracing
from workers import enqueue
from workers.system import pause
from workers.wiring import Services

log = logging.getLogger("bookbridge.scheduler")
RING_AGAIN = 10.0
CLEAN_EVERY = 5
LAST_LOOK, KEPT_S = "bookbridge:scheduler", 86_400
"""Where the schedulers leave in Redis that they look, for whoever asks whether one runs."""
LISTEN_EVERY = 60
"""Ticks between two looks for companies of which nothing was heard for a day."""


def run(services: Services) -> None:
    """Tick until the process is told to end."""
    ticks = 0
    while True:
        try:
            tick(services, ticks)
        except (SQLAlchemyError, redis.RedisError) as error:
            log.warning("The scheduler could not look (%s); it looks again.", type(error).__name__)
        ticks += 1
        pause(services.config.scaled(1.0) if services.config.time_factor > 1 else 1.0)


def tick(services: Services, ticks: int) -> None:
    """One look. Repeating is safe."""
    now = services.now()
    with services.sessions() as db:
        companies = due.companies_to_ring(db, now, services.config.scaled(RING_AGAIN))
        stale = due.stale_runs(db, now, services.config.scaled(180.0))
    if companies:
        enqueue.ring_all(services, companies)
    for company_id, run_id, _kind in stale:
        with services.sessions() as db, db.begin():
            db.execute(update(Run).where(Run.id == run_id).values(heartbeat_at=now))
        enqueue.scan(services, company_id, run_id)
    polled = _to_poll(services)
    if polled:
        enqueue.poll(services, *polled)
    for company_id, run_id in _to_reconcile(services):
        enqueue.tool(services, company_id, run_id)
    if ticks % LISTEN_EVERY == 0:
        installation.beat(services.sessions, services.memories(), now)
        alerts.silence(services.sessions, now)
        with services.sessions() as db, db.begin():
            tracing.purge(db, now)
    if ticks % CLEAN_EVERY == 0:
        services.redis.set(LAST_LOOK, now.isoformat(), ex=KEPT_S)
        enqueue.mails(services)
        for name in (enqueue.DEFAULT, enqueue.INTERACTIVE):
            clean_registries(enqueue.queue(services.redis, name))


def _to_poll(services: Services) -> list[int]:
    """Companies whose minute is over; claiming the next minute is a conditional update, so two schedulers poll once."""
    now = services.now()
    following = now + timedelta(seconds=services.config.poll_seconds)
    with services.sessions() as db:
        candidates = db.scalars(
            select(Company.id).where(or_(Company.next_poll_at.is_(None), Company.next_poll_at <= now))
            .where(Company.setup_step.in_(("first", "ready")))
        ).all()
        candidates = [company_id for company_id in candidates if _both_connected(db, company_id)]
    claimed = []
    for company_id in candidates:
        with services.sessions() as db, db.begin():
            taken = db.execute(
                update(Company).where(Company.id == company_id)
                .where(or_(Company.next_poll_at.is_(None), Company.next_poll_at <= now))
                .values(next_poll_at=following).returning(Company.id)
                .execution_options(synchronize_session=False)
            ).scalar_one_or_none()
        if taken is not None:
            claimed.append(company_id)
    return claimed


def _to_reconcile(services: Services) -> list[tuple[int, int]]:
    """Runs of reconciliations whose time has come."""
    now = services.now()
    with services.sessions() as db, db.begin():
        asked = [(company_id, reconciling.ask_by_schedule(db, company_id, now))
                 for company_id in reconciling.claim_due(db, now)]
    return [(company_id, run_id) for company_id, run_id in asked if run_id is not None]


def _both_connected(db: Session, company_id: int) -> bool:
    states = db.scalars(select(Connection.state).where(Connection.company_id == company_id)).all()
    return len(states) == 2 and all(state == "connected" for state in states)
