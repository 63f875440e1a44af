"""A company connected to the sandbox without clicking: rows as the pages would have made them, real tokens.

For tests and benchmarks of what comes after connecting. The pages themselves are tested in tests/web and
tests/browser.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from config import Config
from connectors.oauth import TokenSet
from domain.line_kinds import PREPAID
from domain.settings import LineRule, MatchBy, MissingItem
from models import Company, CompanyLease, Membership, MirrorEntry, MirrorState, Run, User
from sandbox.intuit import tokens as intuit_tokens
from sandbox.world import World
from sandbox.xero_identity import connections, users
from sandbox.xero_identity import settings as xero_settings
from sandbox.xero_identity import tokens as xero_tokens
from sync import credentials, gather, mail, mirror, requests, settings, taxmap
from sync.apply import serve
from sync.tokens import store_new_grant
from workers.wiring import Services, post

NO_TAX = "NONE"
"""The tax type of what bears no tax at all in a Xero organisation."""


def config_for(url: str, *, database_url: str, redis_url: str, **changes: Any) -> Config:
    """The configuration of a process under test, pointed at the sandbox at `url`."""
    values: dict[str, Any] = {
        "database_url": database_url, "redis_url": redis_url, "sandbox_url": url, "secret_key": "test" * 10,
        "encryption_keys": "k1:" + base64.urlsafe_b64encode(b"1" * 32).decode(),
        "intuit_client_id": "SANDBOX-CLIENT-ID", "intuit_client_secret": "SANDBOX-CLIENT-SECRET-NOT-REAL",
        "intuit_environment": "sandbox",
        "xero_client_id": "SANDBOX-CLIENT-ID", "xero_client_secret": "SANDBOX-CLIENT-SECRET-NOT-REAL",
    }
    return Config(**{**values, **changes})


@dataclass(frozen=True)
class Given:
    """What a consent gave: to whom the tokens belong and which ledger they open."""

    ledger: str
    provider: str
    subject: str
    tokens: TokenSet


def _from_intuit(world: World, realm: str, now: datetime) -> Given:
    with world.store.transaction():
        granted = intuit_tokens.grant(world, "sandbox-admin", realm, [intuit_tokens.settings.API_SCOPE])
        answer = intuit_tokens.issue(world, granted)
    until = now + timedelta(seconds=answer["x_refresh_token_expires_in"])
    return Given("quickbooks", "intuit", realm, _tokens(answer, now, until))


def _from_xero(world: World, tenant: str, now: datetime) -> Given:
    user, event = users.USERS[0], str(uuid.uuid4())
    with world.store.transaction():
        connections.connect(world, user, tenant, event)
        answer = xero_tokens.issue(world, xero_tokens.new_set(world, user, tuple(xero_settings.SCOPES), event))
    return Given("xero", "xero", user.xero_userid, _tokens(answer, now, now + timedelta(days=60)))


def _tokens(answer: Mapping[str, Any], now: datetime, until: datetime) -> TokenSet:
    expires = now + timedelta(seconds=answer["expires_in"])
    return TokenSet(answer["access_token"], answer["refresh_token"], expires, until, None)


GIVEN: dict[str, Callable[[World, str, datetime], Given]] = {"qbo": _from_intuit, "xero": _from_xero}


def connect(services: Services, world: World, made: Mapping[str, Any], **changes: Any) -> int:
    """Connect the seeded company `made` (the answer of a seed) and save settings; returns the company's id.

    Missing items are created on the first income account; everything the seed made is in scope.
    """
    now = services.now()
    realm, ci, access = str(made["realm"]), str(made["ci"]), made["autotask"]
    given = GIVEN[str(made["ledger"])](world, realm, now)
    with services.sessions() as db, db.begin():
        user = User(name="Test admin", email="admin@sandbox.invalid", theme="auto", created_at=now)
        db.add(user)
        db.flush()
        company = Company(
            name="", ledger=given.ledger, ledger_tenant=realm, source="autotask", source_tenant=ci, profile={},
            time_zone=str(made["time_zone"]), setup_step="ready", first_posted_at=now, created_at=now,
        )
        db.add(company)
        db.flush()
        db.add_all([
            CompanyLease(company_id=company.id, fence=0, step=""), MirrorState(company_id=company.id, progress={}),
            Membership(company_id=company.id, user_id=user.id, role="admin", created_at=now),
        ])
        grant = store_new_grant(
            db, services.key_ring, provider=given.provider, subject=given.subject, tokens=given.tokens, now=now
        )
        ledger = credentials.ensure(db, company.id, credentials.LEDGER, given.ledger, realm)
        ledger.grant_id, ledger.connected_by, ledger.state = grant.id, user.id, credentials.CONNECTED
        source = credentials.ensure(db, company.id, credentials.SOURCE, "autotask", ci)
        user_access = credentials.Credentials(access["user"], access["secret"], access["integration_code"])
        credentials.put_credentials(source, user_access, services.key_ring)
        source.state = credentials.CONNECTED
        settings.begin(db, company, now)
        company_id = company.id
    mirror.refresh(services.runtime(), company_id, services.ledger(company_id), services.source(company_id), whole=True)
    _save(services, company_id, made, changes)
    return company_id


def _save(services: Services, company_id: int, made: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    """Settings a person would have chosen: everything in scope, missing items on an income account, work paid in
    advance on a liability, the tax map as proposed."""
    with services.sessions() as db, db.begin():
        entries = db.scalars(select(MirrorEntry).where(MirrorEntry.company_id == company_id)).all()
        income = next(e for e in entries if e.kind == "account" and e.active and e.details.get("type") == "Income")
        untaxed = [e for e in entries if e.ledger_id == NO_TAX]
        owed = next(e for e in entries if e.kind == "account" and e.name.endswith("Unearned Revenue"))
        zero = [e for e in entries if e.kind == "tax_code" and e.active and e.details.get("rate") == "0"]
        chosen: dict[str, Any] = {
            "start_date": date(2000, 1, 1), "look_back_days": 60, "match_by": MatchBy.NUMBER, "run_limit": 5000,
            "missing_item": MissingItem.CREATE, "created_item_account": income.ledger_id,
            "untaxed_code": next((e.ledger_id for e in (*untaxed, *zero)), None),
            "source_time_zone": str(made["time_zone"]),
            "line_map": tuple(LineRule("", str(kind), account=owed.ledger_id) for kind in sorted(PREPAID)),
        }
        settings.change(db, company_id, now=services.now(), user=None, **{**chosen, **changes})
        db.flush()
        current = settings.load_invoices(db, company_id)
        if "tax_map" not in changes:
            confirmed = taxmap.proposed_map(db, company_id, current)
            settings.change(db, company_id, now=services.now(), user=None, tax_map=confirmed)


def ask_sync(services: Services, company_id: int) -> int:
    """What a confirmed press on Sync Now leaves in the database; returns the run's id. The caller has it read."""
    with services.sessions() as db, db.begin():
        company = db.get_one(Company, company_id)
        run, _ = requests.ask_sync(db, company, now=services.now(), user=None, confirmed=True)
        return run.id


def sync_in_process(services: Services, company_id: int, *, rounds: int = 200) -> int:
    """A whole Sync Now without worker processes: read, serve until the run has finished, mail. Returns the run."""
    run_id = ask_sync(services, company_id)
    gather.scan(
        services.runtime(), company_id, services.source(company_id), services.ledger(company_id), run_id
    )
    serve_run(services, company_id, run_id, rounds=rounds)
    mail.deliver(services.sessions, services.clock.now, post(services.config))
    return run_id


def next_turn(lease: CompanyLease) -> datetime | None:
    """When serving can do something: not before a dead worker's lease has run out. None: nothing is due."""
    if lease.wake_at is None or lease.holder is None or lease.expires_at is None:
        return lease.wake_at
    return max(lease.wake_at, lease.expires_at)


def serve_run(services: Services, company_id: int, run_id: int, *, rounds: int = 200) -> None:
    """Serve a company, as the scheduler's bells would have it, until the run has finished or the rounds are over."""
    rt = services.runtime()
    source, ledger = services.source(company_id), services.ledger(company_id)
    for _ in range(rounds):
        serve(services.runtime(), company_id, source, ledger)
        with services.sessions() as db:
            if db.get_one(Run, run_id).finished_at is not None:
                break
            wake = next_turn(db.get_one(CompanyLease, company_id))
        if wake is not None:
            rt.pause(min(5.0, max(0.0, (wake - services.now()).total_seconds())))
