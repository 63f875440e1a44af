"""The real application on a database of its own, with two companies and people of every role, and a clock.

No platform is behind it: whoever presses a button that needs one gets the page that says so. Tests of sign-in
and connecting use the sandbox (`test_sign_in.py`).
"""

from __future__ import annotations

import base64
import re
import secrets
import shutil
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy.orm import Session

from app import create_app
from blueprints.sessions import DEMO_NAME, id_hash
from config import Config
from models import (
    Company,
    Connection,
    Document,
    Grant,
    Hold,
    Identity,
    Invitation,
    KeyRing,
    MirrorEntry,
    MirrorState,
    Outbox,
    Run,
    RunItem,
    Step,
    ToolRow,
    User,
    WebSession,
    make_engine,
    make_sessions,
)
from sync import access, addresses, credentials, lease, settings
from workers.wiring import Services

BASE = "http://app.test:8300"
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ROLES = ("viewer", "staff", "admin")
# The names of the second company's records: none of them may ever stand in an answer to the first one's people.
SECRET_OF_B = "Betelgeuse Mining"


@dataclass
class TestClock:
    """Time that a test moves. `monotonic` follows it."""

    __test__ = False
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def advance(self, **parts: float) -> None:
        self.at += timedelta(**parts)


def config_for(database_url: str, **changes: Any) -> Config:
    values: dict[str, Any] = {
        "database_url": database_url,
        "redis_url": "unix:///nonexistent/redis.sock",
        "public_url": BASE,
        "sandbox_url": "http://127.0.0.1:9",
        "secret_key": "test" * 10,
        "demo": False,
        "log_level": "CRITICAL",
        "encryption_keys": "k1:" + base64.urlsafe_b64encode(b"1" * 32).decode(),
        "intuit_client_id": "SANDBOX-CLIENT-ID",
        "intuit_client_secret": "SANDBOX-CLIENT-SECRET-NOT-REAL",
    }
    return Config(**{**values, **changes})


@dataclass
class Site:
    """An application with its database. `ids` names the rows of each company: site.ids["A"]["document_id"]."""

    app: Flask
    services: Services
    clock: TestClock
    ids: dict[str, dict[str, int]] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)

    def client(self, who: str | None = None) -> FlaskClient:
        """A browser; signed in when `who` is named ("A admin", "B viewer", "stranger")."""
        client = self.app.test_client()
        if who is not None:
            self.sign_in(client, self.users[who])
        return client

    def sign_in(self, client: FlaskClient, user_id: int) -> str:
        """A session as signing in leaves it. Returns its raw id."""
        raw = secrets.token_urlsafe(16)
        now = self.clock.now()
        with self.services.sessions() as db, db.begin():
            db.add(
                WebSession(
                    id_hash=id_hash(raw),
                    user_id=user_id,
                    created_at=now,
                    seen_at=now,
                    signed_in_at=now,
                    data={"_user_id": str(user_id), "signed_in_at": now.isoformat(), "agent": "Firefox Linux"},
                )
            )
        client.set_cookie(DEMO_NAME, raw, domain="app.test")
        return raw

    def db(self) -> Session:
        return self.services.sessions()


class Compiled(BytecodeCache):
    """Templates compiled for one application of this process serve the next ones."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self.kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key, bucket.checksum] = bucket.code


COMPILED = Compiled()


def make_site(template: Path, folder: Path, **changes: Any) -> Site:
    """Copy the migrated database at `template` with the two companies in it, start the application on it."""
    path = folder / f"site-{secrets.token_hex(4)}.sqlite"
    config = config_for(f"sqlite:///{path}", **changes)
    filled = _filled(template, config.encryption_keys)
    shutil.copyfile(filled.path, path)
    clock = TestClock()
    services = replace(Services.from_config(config, short_calls=True), clock=clock)  # type: ignore[arg-type]
    app = create_app(config, services)
    app.jinja_env.bytecode_cache = COMPILED
    app.config.update(TESTING=False, WTF_CSRF_ENABLED=False, RATELIMIT_ENABLED=False)
    app.extensions["limits"].enabled = False
    return Site(app, services, clock, deepcopy(filled.ids), dict(filled.users))


@dataclass(frozen=True)
class Filled:
    """A database with the two companies and their people, to be copied. Nobody has it open."""

    path: Path
    key_ring: KeyRing
    ids: dict[str, dict[str, int]] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)


@cache
def _filled(template: Path, encryption_keys: str) -> Filled:
    """Made once for each test process."""
    made = Filled(template.with_name(f"filled-{secrets.token_hex(4)}.sqlite"), KeyRing.parse(encryption_keys))
    shutil.copyfile(template, made.path)
    engine = make_engine(f"sqlite:///{made.path}")
    with make_sessions(engine)() as db, db.begin():
        for letter, name in (("A", "Acme Support"), ("B", SECRET_OF_B)):
            _company(db, made, letter, name)
        made.users["stranger"] = _user(db, "stranger").id
    engine.dispose()
    return made


def _user(db: Session, name: str) -> User:
    user = User(name=name, email=f"{name.replace(' ', '.').lower()}@people.example", theme="auto", created_at=NOW)
    db.add(user)
    db.flush()
    db.add(Identity(user_id=user.id, issuer="https://issuer.example", subject=name, created_at=NOW))
    return user


def _company(db: Session, made: Filled, letter: str, name: str) -> None:
    company = Company(
        name=name,
        ledger="quickbooks",
        ledger_tenant=f"91300{letter}",
        source_tenant=f"10{letter}",
        country="US",
        currency="USD",
        time_zone="America/Chicago",
        profile=_profile(name),
        setup_step="ready",
        first_posted_at=NOW,
        created_at=NOW,
    )
    db.add(company)
    db.flush()
    lease.ensure_row(db, company.id)
    db.add(MirrorState(company_id=company.id, progress={}, watermark=NOW, whole_at=NOW, catalog_at=NOW, catalog={}))
    settings.begin(db, company, NOW)
    ids = {"company_id": company.id}
    for role in ROLES:
        user = _user(db, f"{letter} {role}")
        made.users[f"{letter} {role}"] = user.id
        ids["member_id"] = access.add_member(db, company.id, user, role, NOW).id
    _connections(db, made, company, letter)
    ids |= _records(db, company, name)
    invitation = Invitation(
        company_id=company.id,
        email="new@people.example",
        role="staff",
        token_hash=letter * 8,
        invited_by=made.users[f"{letter} admin"],
        created_at=NOW,
    )
    db.add(invitation)
    db.flush()
    made.ids[letter] = {**ids, "invitation_id": invitation.id}


def _profile(name: str) -> dict[str, Any]:
    return {
        "tenant": "91300",
        "company_name": name,
        "country": "US",
        "currency": "USD",
        "multi_currency": False,
        "tax_model": "explicit_total",
        "own_numbers": True,
        "closed_through": None,
        "latin1_only": True,
        "edition": "",
    }


def _connections(db: Session, made: Filled, company: Company, letter: str) -> None:
    admin = made.users[f"{letter} admin"]
    grant = Grant(
        provider="intuit",
        subject=company.ledger_tenant,
        version=1,
        created_at=NOW,
        access_expires_at=NOW + timedelta(hours=1),
        refresh_expires_at=NOW + timedelta(days=100),
    )
    db.add(grant)
    db.flush()
    ring = made.key_ring
    grant.access_token = ring.seal("fake-access", f"grant:{grant.id}:access_token")
    grant.refresh_token = ring.seal("fake-refresh", f"grant:{grant.id}:refresh_token")
    ledger = credentials.ensure(db, company.id, "ledger", company.ledger, company.ledger_tenant)
    source = credentials.ensure(db, company.id, "source", company.source, company.source_tenant or "")
    ledger.grant_id = grant.id
    credentials.put_credentials(source, credentials.Credentials("api@x.invalid", "fake-secret", "FAKECODE"), ring)
    source.web_url, source.api_url = "https://ww1.autotask.net/", "https://webservices1.autotask.net/"
    rows: tuple[Connection, ...] = (ledger, source)
    for row in rows:
        row.state, row.connected_by, row.connected_at, row.found = (
            "connected",
            admin,
            NOW,
            {"can_read_invoices": True, "can_mark_invoices": True, "parties": 12},
        )


def _records(db: Session, company: Company, party: str) -> dict[str, int]:
    """A run with one posted and one refused document, each with a step, and a small mirror."""
    _mirror(db, company, party)
    run = Run(
        company_id=company.id, kind="sync", trigger="button", state="Finished with problems", phase="finished",
        counts={"Complete": 1, "Fault": 1}, summary={}, started_at=NOW, finished_at=NOW, requested_by_name=party,
    )  # fmt: skip
    complete = document(
        company, "1001", party, status="Complete", ledger_kind="invoice", ledger_id="145", ledger_number="1001",
        completed_at=NOW,
    )  # fmt: skip
    missing = [{"code": "item_missing", "params": {"item": "Backup 1TB"}}]
    fault = document(company, "1002", party, status="Fault", reason_code="item_missing", reasons=missing)
    db.add_all((run, complete, fault))
    db.flush()
    for row in (complete, fault):
        db.add(run_item(run, row))
        db.add(Step(
            company_id=company.id, document_id=row.id, run_id=run.id, at=NOW, name="read", text="Read", detail={},
        ))  # fmt: skip
    hold = Hold(
        company_id=company.id, kind="party", key="99", name=party, why="in dispute", placed_by=party, placed_at=NOW,
    )  # fmt: skip
    mail = Outbox(
        company_id=company.id, kind="notice", dedupe=f"run:{run.id}", run_id=run.id, recipient="else@where.example",
        data={}, state="refused", problem="No such user here", tries=1, created_at=NOW,
    )  # fmt: skip
    address = addresses.row_for(db, company.id, "outside@people.example", NOW)
    line = ToolRow(company_id=company.id, run_id=run.id, outcome="customer:new", data={"name": party})
    db.add_all((hold, mail, line))
    db.flush()
    return {
        "run_id": run.id, "document_id": complete.id, "fault_id": fault.id, "hold_id": hold.id, "mail_id": mail.id,
        "address_id": address.id, "row_id": line.id,
    }  # fmt: skip


def _mirror(db: Session, company: Company, party: str) -> None:
    records: tuple[tuple[str, str, str, dict[str, str]], ...] = (
        ("account", "79", "Sales of services", {"type": "Income"}),
        ("account", "35", "Checking", {"type": "Bank"}),
        ("item", "5", "Managed services", {"income_account_id": "79"}),
        ("customer", "58", party, {}),
    )
    for kind, ledger_id, name, details in records:
        db.add(MirrorEntry(
            company_id=company.id, kind=kind, ledger_id=ledger_id, name=name, folded=name.lower(),
            loose=name.lower(), version="0", active=True, details=details, read_at=NOW,
        ))  # fmt: skip


def run_item(run: Run, row: Document) -> RunItem:
    """The row of a document in a run."""
    return RunItem(
        company_id=row.company_id, run_id=run.id, document_id=row.id, status=row.status, reasons=row.reasons,
        number=row.number, source_id=row.source_id, kind="invoice", party_name=row.party_name, amount=row.total,
        document_date=row.document_date, currency="USD", ledger_id=row.ledger_id, ledger_kind=row.ledger_kind,
        flags=[], changed_at=NOW,
    )  # fmt: skip


def document(company: Company, number: str, party: str, **changes: Any) -> Document:
    """A document as a scan stores it; `changes` overlay its columns."""
    header = {
        "kind": "invoice",
        "id": f"9{number}",
        "number": number,
        "party_id": "7",
        "document_date": "2026-11-20",
        "created_at": NOW.isoformat(),
        "due_date": "2026-12-20",
        "total": "120.00",
        "tax_total": "0",
    }
    values: dict[str, Any] = {
        "company_id": company.id,
        "source_tenant": company.source_tenant or "",
        "kind": "invoice",
        "source_id": f"9{number}",
        "number": number,
        "party_id": "7",
        "party_name": party,
        "document_date": date(2026, 11, 20),
        "source_created_at": NOW,
        "total": Decimal("120.00"),
        "tax_total": Decimal(0),
        "currency": "USD",
        "status": "Pending Sync",
        "reasons": [],
        "flags": [],
        "header": header,
        "header_hash": "0",
        "seen_at": NOW,
        "read_at": NOW,
        "changed_at": NOW,
    }
    return Document(**{**values, **changes})


def form_token(html: str) -> str:
    """The CSRF token a page's forms carry."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', html)
    assert found is not None, "the page has no form with a token"
    return found.group(1)
