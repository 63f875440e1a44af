"""Looks around an installation, as `domain/installing.py` wants it: asks the database, Redis, the mail server, the
sign-in services and its own public address, side by side and each for a few seconds. Writes nothing and sends no mail.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import redis
from rq import Worker
from rq.serializers import JSONSerializer
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from connectors.errors import PlatformError
from connectors.oauth import Identity
from domain.installing import Answer, Connected, Marketplace, Seen
from models import Company, Connection, Grant, Membership, SealBroken, migrate
from sync import credentials, mail, tokens
from workers import enqueue, schedule
from workers.system import asking
from workers.wiring import Services

WAIT_S = 4
ALIVE = timedelta(seconds=90)
"""A worker that was not heard of for so long is dead: it beats every few seconds."""
MOST = 500
"""So many stored secrets are tried."""


@dataclass(frozen=True, slots=True)
class _Stored:
    answer: Answer
    sealed: int = 0
    unreadable: int = 0
    clock_apart_s: float | None = None
    companies: tuple[Connected, ...] = ()
    admins: int = 0


@dataclass(frozen=True, slots=True)
class _Queue:
    answer: Answer
    keeps: bool | None = None
    evicts: bool | None = None
    serving: int = 0
    answering: int = 0
    beat_age_s: float | None = None


def look(services: Services) -> Seen:
    """What is there now. Takes as long as the slowest of what is asked, some ten seconds at most."""
    config = services.config
    with ThreadPoolExecutor(max_workers=6, thread_name_prefix="look") as pool:
        stored, queue = pool.submit(_stored, services), pool.submit(_queue, config.redis_url, services.now())
        reached, relay = pool.submit(_reached, services), pool.submit(_relay, config.smtp_url)
        asked = {"quickbooks": services.intuit, "xero": services.xero}
        apps = {ledger: pool.submit(_app, identity) for ledger, identity in asked.items()}
        database, bells = stored.result(), queue.result()
        return Seen(
            public_url=config.public_url, simulated=config.sandbox_url is not None,
            secret_letters=len(set(config.secret_key)), reached=reached.result(), database=database.answer,
            database_kind=services.engine.dialect.name, clock_apart_s=database.clock_apart_s, sealed=database.sealed,
            unreadable=database.unreadable, queue=bells.answer, queue_keeps=bells.keeps, queue_evicts=bells.evicts,
            serving=bells.serving, answering=bells.answering, beat_age_s=bells.beat_age_s, mail=relay.result(),
            mail_from=config.mail_from, integration_code=bool(config.autotask_integration_code),
            companies=database.companies, admins=database.admins,
            marketplaces=tuple(
                Marketplace(
                    ledger, asked[ledger] is not None, app.result(),
                    development=ledger == _WITH_TEST_COMPANIES and config.intuit_environment != "production",
                )
                for ledger, app in apps.items()
            ),
        )  # fmt: skip


_WITH_TEST_COMPANIES = "quickbooks"
"""The ledger whose test companies have keys of their own."""


# ---- database -----------------------------------------------------------------------------------------------


def _stored(services: Services) -> _Stored:
    try:
        with services.sessions() as db:
            connection = db.connection(execution_options={"read_only": True})
            apart = (datetime.now(UTC) - asking(services.sessions)()).total_seconds()
            if not migrate.is_current(connection):
                newer = migrate.is_newer(connection)
                return _Stored(Answer.REFUSED if newer else Answer.OTHER, clock_apart_s=apart)
            sealed, unreadable = _seals(services, db)
            admins = db.execute(
                select(func.count(Membership.user_id.distinct())).where(Membership.role == "admin")
            ).scalar_one()
            return _Stored(Answer.GOOD, sealed, unreadable, apart, _companies(db), admins)
    except SQLAlchemyError:
        return _Stored(Answer.AWAY)


def _seals(services: Services, db: Session) -> tuple[int, int]:
    """How many stored secrets were tried, and how many of them do not open."""
    ring = services.key_ring
    grants = db.scalars(select(Grant).where(Grant.ended_at.is_(None)).limit(MOST)).all()
    rows = db.scalars(select(Connection).where(Connection.secret.is_not(None)).limit(MOST)).all()
    to_open: list[Callable[[], Any]] = [
        *(partial(tokens.refresh_token_of, each, ring) for each in grants),
        *(partial(credentials.credentials_of, each, ring) for each in rows),
    ]
    return len(to_open), sum(map(_is_broken, to_open))


def _is_broken(open_it: Callable[[], Any]) -> bool:
    try:
        open_it()
    except SealBroken:
        return True
    return False


def _companies(db: Session) -> tuple[Connected, ...]:
    states: dict[int, dict[str, str]] = {}
    for row in db.scalars(select(Connection)):
        states.setdefault(row.company_id, {})[row.side] = row.state
    return tuple(
        Connected(one.name, one.ledger, states.get(one.id, {}).get(credentials.LEDGER, ""),
                  states.get(one.id, {}).get(credentials.SOURCE, ""))
        for one in db.scalars(select(Company).order_by(Company.name, Company.id))
    )  # fmt: skip


# ---- Redis and workers --------------------------------------------------------------------------------------


def _queue(url: str, now: datetime) -> _Queue:
    client = redis.Redis.from_url(url, socket_timeout=WAIT_S, socket_connect_timeout=WAIT_S)
    try:
        client.ping()
        serving, answering = _workers(client)
        memory: Any = client.info("memory")
        policy = memory.get("maxmemory_policy")
        evicts = None if policy is None else policy != "noeviction"
        looked: Any = client.get(schedule.LAST_LOOK)
        age = (now - datetime.fromisoformat(looked.decode())).total_seconds() if looked else None
        return _Queue(Answer.GOOD, _keeps(client), evicts, serving, answering, age)
    except (redis.RedisError, OSError):
        return _Queue(Answer.AWAY)
    finally:
        client.close()


def _keeps(client: redis.Redis) -> bool | None:
    """Whether entries outlive a restart; None where the server does not tell (hosted ones often forbid CONFIG)."""
    persistence: Any = client.info("persistence")
    if persistence.get("aof_enabled"):
        return True
    try:
        rules: Any = client.config_get("save")
    except redis.ResponseError:
        return None
    return bool(rules.get("save"))


def _workers(client: redis.Redis) -> tuple[int, int]:
    """Living processes on each queue."""
    counts = {enqueue.DEFAULT: 0, enqueue.INTERACTIVE: 0}
    for each in Worker.all(connection=client, serializer=JSONSerializer):
        heard = each.last_heartbeat
        if heard is None or datetime.now(UTC) - heard.replace(tzinfo=UTC) > ALIVE:
            continue
        names = each.queue_names()
        # One that serves companies also answers people, but a long serving keeps them waiting: it does not count.
        counts[enqueue.DEFAULT if enqueue.DEFAULT in names else enqueue.INTERACTIVE] += 1
    return counts[enqueue.DEFAULT], counts[enqueue.INTERACTIVE]


# ---- what is outside ----------------------------------------------------------------------------------------


def _reached(services: Services) -> Answer:
    """Our own health address, asked for the way a browser would."""
    session = services.platforms.http.session("the public address", lambda url: True)
    try:
        answer = session.get(f"{services.config.public_url.rstrip('/')}/healthz", timeout=WAIT_S, allow_redirects=False)
        body = answer.json() if answer.status_code == 200 else None
    except PlatformError:
        return Answer.AWAY
    except ValueError:
        return Answer.OTHER
    return Answer.GOOD if isinstance(body, dict) and body.get("service") == "bookbridge" else Answer.OTHER


def _relay(smtp_url: str) -> Answer:
    return {"": Answer.GOOD, "refused": Answer.REFUSED}.get(mail.tried(smtp_url, WAIT_S), Answer.AWAY)


def _app(identity: Identity | None) -> Answer:
    if identity is None:
        return Answer.NOT_ASKED
    try:
        return Answer.GOOD if identity.knows_this_app() else Answer.REFUSED
    except PlatformError:
        return Answer.AWAY
