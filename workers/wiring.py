"""`Services`: everything a process of Bookbridge needs, built once from the configuration.

Web processes, workers and the scheduler share it. Nothing connects when it is built: the database, Redis and the
platforms are first reached when something asks for them.
"""

from __future__ import annotations

import os
import secrets
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import redis
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from config import Config
from connectors import limits_redis
from connectors.endpoints import endpoints
from connectors.errors import NeedsReconnect
from connectors.http import Http, Timeouts
from connectors.ledgers.base import Ledger
from connectors.oauth_intuit import IntuitIdentity
from connectors.oauth_xero import XeroIdentity
from connectors.registry import Platforms
from connectors.sources.autotask_http import Credentials as AutotaskUser
from connectors.sources.autotask_http import Zone
from connectors.sources.base import Source, SourceCheck
from connectors.trace import Tape
from domain.ledger_words import words_of
from models import Company, Connection, KeyRing, make_engine, make_sessions
from sync import credentials as sealed
from sync import installation, mirror, settings, tracing
from sync.connection import of
from sync.mail_compose import Post
from sync.runtime import Runtime, Times
from sync.tokens import CLAIM, Renews, TokenService
from workers import enqueue
from workers.system import Failpoint, RedisMemory, SystemClock, ThreadPool, asking, database_now, pause

CALLBACK = "/connect/intuit/callback"
XERO_CALLBACK = "/connect/xero/callback"
BACK = "/open/"
"""Where a ledger's document links back to; its marker follows."""


@dataclass(frozen=True)
class Services:
    config: Config
    engine: Engine
    sessions: sessionmaker[Session]
    key_ring: KeyRing
    redis: redis.Redis
    platforms: Platforms
    intuit: IntuitIdentity | None
    """None: this installation has no app at Intuit."""
    xero: XeroIdentity | None
    """None: this installation has no app at Xero."""
    tokens: TokenService
    clock: SystemClock
    worker: str
    failpoint: Failpoint

    @classmethod
    def from_config(cls, config: Config, *, short_calls: bool = False) -> Services:
        """`short_calls`: web processes, in which no call may take longer than ten seconds."""
        engine = make_engine(config.database_url)
        sessions = make_sessions(engine)
        key_ring = KeyRing.parse(config.encryption_keys)
        client = redis.Redis.from_url(config.redis_url)
        clock = SystemClock(config.clock_offset_seconds, asking(sessions))
        failpoint = Failpoint(config.failpoint)
        timeouts = Timeouts(config.connect_timeout, config.read_timeout, config.write_timeout)
        if config.time_factor != 1:
            timeouts = timeouts.divided(config.time_factor)
        if short_calls:
            timeouts = Timeouts(min(timeouts.connect, 4.0), min(timeouts.read, 4.5), min(timeouts.bulk, 4.5))
        platforms = Platforms(
            http=Http(clock.monotonic, timeouts=timeouts),
            endpoints=endpoints(config.sandbox_url, development=config.intuit_environment == "sandbox"),
            limiter=_limiter(config, client), clock=clock.now, pause=pause,
        )
        intuit = None if config.intuit_client_id is None else platforms.intuit(
            client_id=config.intuit_client_id, client_secret=config.intuit_client_secret or "",
            redirect_uri=config.public_url.rstrip("/") + CALLBACK, require_nonce=config.require_nonce,
        )
        xero = None if config.xero_client_id is None else platforms.xero_identity(
            client_id=config.xero_client_id, client_secret=config.xero_client_secret or "",
            redirect_uri=config.public_url.rstrip("/") + XERO_CALLBACK,
        )
        offered: dict[str, Renews | None] = {"intuit": intuit, "xero": xero}
        identities = {provider: each for provider, each in offered.items() if each is not None}
        worker = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        claim = config.scaled(CLAIM.total_seconds())
        tokens = TokenService(
            sessions, key_ring, identities, clock.now, pause, worker, failpoint, claim=timedelta(seconds=claim),
            # A job outlasts a refresher that died; a page would keep somebody waiting.
            patience_s=4.0 if short_calls else claim + 10.0,
        )
        return cls(
            config, engine, sessions, key_ring, client, platforms, intuit, xero, tokens, clock, worker, failpoint
        )

    @property
    def shared_grants(self) -> dict[str, XeroIdentity]:
        """Sign-in services, by `Grant.provider`, of which one grant may serve several companies: a company is taken
        off the app by itself, and the tokens go on for the others."""
        return {"xero": self.xero} if self.xero is not None else {}

    def now(self) -> datetime:
        return self.clock.now()

    def memories(self) -> list[installation.Memory]:
        """Where the installation's beats are remembered outside the database."""
        beside = installation.BesideFile.of(self.config.database_url)
        return [RedisMemory(self.redis), *([beside] if beside is not None else [])]

    def ask_whether_restored(self, *, said: bool = False) -> bool:
        """Before a process begins to work. True: the database was restored, and posting is paused."""
        return installation.check(self.sessions, self.memories(), self.now(), said=said)

    # ---- connectors -----------------------------------------------------------------------------------------

    def ledger(self, company_id: int, tape: Tape | None = None) -> Ledger:
        """The company's ledger, bound to its frozen tenant. Raises NeedsReconnect while it is not connected."""
        with self.sessions() as db:
            company = db.get_one(Company, company_id)
            connection = of(db, company_id, sealed.LEDGER)
            if connection is None or connection.grant_id is None or connection.state == sealed.DISCONNECTED:
                name = words_of(company.ledger).the_ledger
                raise NeedsReconnect(f"{name} is not connected.", platform=name)
            profile = mirror.profile_of(company) if company.profile else None
        access = self.tokens.access(connection.grant_id)
        back = self.config.public_url.rstrip("/") + BACK
        return self._platforms(tape).ledger(
            company.ledger, company.ledger_tenant, access, back=back, profile=profile
        )

    def source(self, company_id: int, *, interactive: bool = False, tape: Tape | None = None) -> Source:
        """The company's source, bound to its frozen tenant. Raises NeedsReconnect while it is not connected."""
        with self.sessions() as db:
            company = db.get_one(Company, company_id)
            connection = of(db, company_id, sealed.SOURCE)
            found = sealed.credentials_of(connection, self.key_ring) if connection is not None else None
            if connection is None or found is None or connection.state == sealed.DISCONNECTED:
                raise NeedsReconnect("Autotask is not connected.", platform="Autotask")
            zone_name = settings.load_invoices(db, company_id).source_time_zone
            zone = None
            if connection.api_url and company.source_tenant:
                zone = Zone(connection.api_url, connection.web_url or "", company.source_tenant)
        return self._platforms(tape).autotask(
            self._autotask_user(found.user_name, found.secret, found.integration_code), zone=zone,
            zone_found=partial(self._keep_zone, company_id), time_zone=zone_name, interactive=interactive,
        )

    def _platforms(self, tape: Tape | None) -> Platforms:
        if tape is None:
            return self.platforms
        return replace(self.platforms, http=replace(self.platforms.http, trace=tape))

    @contextmanager
    def taped(self, company_id: int) -> Iterator[Tape | None]:
        """A tape while the company has a document in Diagnostic Mode (else None); what it holds is kept at the end."""
        with self.sessions() as db:
            tape = Tape(self.clock.now) if tracing.traced(db, company_id) else None
        try:
            yield tape
        finally:
            if tape is not None and (tape.entries or tape.left_out):
                with self.sessions() as db, db.begin():
                    tracing.keep(db, company_id, tape, self.secrets_of(db, company_id), self.clock.now())

    def secrets_of(self, db: Session, company_id: int) -> tuple[str, ...]:
        """Every secret a text of this company could hold, to be masked word for word."""
        row = of(db, company_id, sealed.SOURCE)
        found = sealed.credentials_of(row, self.key_ring) if row is not None else None
        codes = (found.user_name, found.secret, found.integration_code) if found is not None else ()
        ours = (self.config.autotask_integration_code, self.config.intuit_client_secret, self.config.xero_client_secret,
                self.config.secret_key)
        return tuple(each for each in (*codes, *ours) if each)

    def test_source(self, user: str, secret: str, code: str | None) -> SourceCheck:
        """What "Test connection" finds with these credentials. Writes nothing. Raises as reads do."""
        return self.platforms.autotask(self._autotask_user(user, secret, code), interactive=True).check()

    def _autotask_user(self, user: str, secret: str, code: str | None) -> AutotaskUser:
        return AutotaskUser(user, secret, code or self.config.autotask_integration_code or "")

    def _keep_zone(self, company_id: int, zone: Zone) -> None:
        """A customer moved to another zone: kept, unless it is another database (then nothing is changed)."""
        with self.sessions() as db, db.begin():
            connection: Connection | None = of(db, company_id, sealed.SOURCE)
            if connection is not None and connection.tenant == zone.tenant:
                connection.api_url, connection.web_url = zone.url, zone.web_url

    # ---- the engine's runtime -------------------------------------------------------------------------------

    def runtime(self) -> Runtime:
        """What `sync` is given for one job; the worker's name is unique to it."""
        config = self.config
        scaled = config.scaled
        return Runtime(
            sessions=self.sessions, clock=self.clock, pause=pause, new_key=lambda: str(uuid.uuid4()),
            pool=lambda: ThreadPool(config.calls_in_flight + 2), ring=partial(enqueue.ring, self),
            worker=f"{self.worker}:{secrets.token_hex(4)}", lease_now=database_now,
            times=Times(
                lease=scaled(config.lease_seconds), heartbeat=scaled(config.heartbeat_seconds),
                margin=scaled(config.guard_margin_seconds), sweep=scaled(config.sweep_seconds),
                quarantine=scaled(config.quarantine_seconds),
                write_timeout=self.platforms.http.timeouts.bulk, serve=config.serve_seconds,
                young=config.guard_young_seconds, reread=config.guard_reread_seconds,
                give_up=config.guard_give_up_seconds,
            ),
            failpoint=self.failpoint, public_url=config.public_url, calls_in_flight=config.calls_in_flight,
        )


def post(config: Config) -> Post:
    """How this installation sends mail."""
    return Post(
        config.smtp_url, config.mail_from, config.public_url, config.secret_key, strangers=config.report_strangers,
    )


def _limiter(config: Config, client: redis.Redis) -> limits_redis.RedisLimiter:
    """The limiter all workers share. Without limits only against a sandbox: the configuration refuses the rest."""
    off = config.platform_limits == "off"
    return limits_redis.UncappedRedisLimiter(client) if off else limits_redis.RedisLimiter(client)
