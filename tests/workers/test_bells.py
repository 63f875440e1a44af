"""Doorbells on a real Redis: workers that are away for an hour find no longer queue than after a minute."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
import redis
from sqlalchemy import select, update

from models import Company, CompanyLease, Connection, MirrorState, Outbox, Run
from sync import outbox
from tests.infra.company import config_for
from workers import enqueue, schedule
from workers.wiring import Services


@pytest.fixture
def services(migrated_sqlite_url: str, redis_url: str) -> Services:
    made = Services.from_config(config_for("http://127.0.0.1:9", database_url=migrated_sqlite_url, redis_url=redis_url))
    made.redis.flushdb()
    return made


def furnish(services: Services) -> list[int]:
    """Three companies with work, a scan that nobody took up, and a mail that is due."""
    now = services.now()
    with services.sessions() as db, db.begin():
        companies = [Company(
            name=f"Company {number}", ledger="quickbooks", ledger_tenant=str(number), source_tenant=str(number),
            created_at=now, profile={}, setup_step="ready",
        ) for number in range(3)]  # fmt: skip
        db.add_all(companies)
        db.flush()
        for one in companies:
            db.add_all([
                CompanyLease(company_id=one.id, fence=0, step="", wake_at=now),
                MirrorState(company_id=one.id, progress={}),
                Connection(company_id=one.id, side="ledger", platform="quickbooks", tenant="1", state="connected"),
                Connection(company_id=one.id, side="source", platform="autotask", tenant="1", state="connected"),
            ])  # fmt: skip
        db.add(Run(company_id=companies[0].id, kind="sync", trigger="button", state="In process", phase="queued",
                   counts={}, summary={}, started_at=now, heartbeat_at=now - timedelta(hours=1)))  # fmt: skip
        outbox.queue_mail(db, companies[0].id, "alert", "one", "someone@people.example", now)
        return [one.id for one in companies]


def an_hour_passes(services: Services) -> None:
    """What the scheduler rings again for is due again."""
    long_ago = services.now() - timedelta(hours=1)
    with services.sessions() as db, db.begin():
        db.execute(update(CompanyLease).values(rung_at=long_ago))
        db.execute(update(Company).values(next_poll_at=long_ago))
        db.execute(update(Run).values(heartbeat_at=long_ago))


def test_bells_that_nobody_answers_do_not_pile_up(services: Services) -> None:
    ids = furnish(services)
    schedule.tick(services, 0)
    first = enqueue.waiting(services)
    # A scan, a look at each company, the nightly comparisons (rows of their own), one job for all mails.
    assert first["default"] == len(ids)
    for _ in range(5):
        an_hour_passes(services)
        schedule.tick(services, 0)
    assert enqueue.waiting(services) == first
    services.redis.flushdb()
    an_hour_passes(services)
    schedule.tick(services, 0)
    assert enqueue.waiting(services)["default"] == len(ids), "what Redis lost is rung for again"


def test_a_bell_is_put_again_as_soon_as_the_first_was_taken(services: Services) -> None:
    furnish(services)
    for _ in range(3):
        enqueue.put(services, enqueue.DEFAULT, "serve", 1)
        enqueue.put(services, enqueue.DEFAULT, "serve", 11)
    line = enqueue.queue(services.redis, enqueue.DEFAULT)
    assert line.count == 2, "company 1 and company 11 are two bells"
    taken = line.pop_job_id()
    assert taken is not None and taken.startswith("serve-1-")
    enqueue.put(services, enqueue.DEFAULT, "serve", 1)
    assert line.count == 2
    assert taken not in line.job_ids, "a job that may be running keeps its own name"


def test_no_job_for_mails_while_none_is_due(services: Services) -> None:
    furnish(services)
    enqueue.mails(services)
    assert enqueue.waiting(services)["interactive"] == 1
    with services.sessions() as db, db.begin():
        row = db.scalars(select(Outbox)).one()
        row.state = "sent"
    services.redis.flushdb()
    enqueue.mails(services)
    assert enqueue.waiting(services)["interactive"] == 0
    with services.sessions() as db, db.begin():
        row = db.scalars(select(Outbox)).one()
        row.state, row.next_at = "sending", services.now() - timedelta(hours=1)
    enqueue.mails(services)
    assert enqueue.waiting(services)["interactive"] == 1, "its process must have ended while it was being sent"


def test_a_queue_that_is_away_is_no_error(migrated_sqlite_url: str) -> None:
    config = config_for("http://127.0.0.1:9", database_url=migrated_sqlite_url, redis_url="redis://127.0.0.1:9/0")
    services = Services.from_config(config)
    assert enqueue.put(services, enqueue.DEFAULT, "serve", 1) is False
    with pytest.raises(redis.RedisError):
        enqueue.waiting(services)


def test_each_company_is_looked_at_within_a_minute_whatever_a_run_did(services: Services) -> None:
    """The minute counts from the last look, not from the end of a run, and passes while one is on."""
    furnish(services)
    clock = Moving(services.now())
    moved = replace(services, clock=clock)  # type: ignore[arg-type]
    with moved.sessions() as db, db.begin():
        db.execute(update(Company).values(next_poll_at=None))
    looked = []
    for second in range(0, 150, 5):
        schedule.tick(moved, 1)
        line = enqueue.queue(moved.redis, enqueue.INTERACTIVE)
        polls = [job for job in line.jobs if job.func_name == "workers.jobs.poll"]
        looked += [second] if len(polls) == 3 else []
        for job in polls:
            line.remove(job)
        clock.at += timedelta(seconds=5)
        if second == 30:
            with moved.sessions() as db, db.begin():
                run = db.scalars(select(Run)).one()
                run.state, run.phase, run.finished_at = "Finished", "finished", clock.now()
    assert looked == [0, 60, 120] and moved.config.poll_seconds == 60


@dataclass
class Moving:
    """Time that the test moves."""

    at: datetime

    def now(self) -> datetime:
        return self.at
