"""What follows a trusted sign-in: the user, and with a company's consent its company, membership and grant.

A new company of a ledger makes its first visitor an admin. A known one is open to its members only; for others the
tokens just received are dropped without revoking them, because a revocation ends access that others use. A connection
never moves to another company of the ledger. What the ledgers do differently stands in `DOORS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import g, request, session, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from blueprints.connect.trouble import SignInProblem
from blueprints.context import now, ring, services, writing
from blueprints.forms import safe_path
from blueprints.sessions import BrowserSession
from connectors.oauth import Person, TokenSet
from connectors.realm import LedgerCompany, read_company, zone_of
from models import Company, MirrorState, User
from sync import access, audit, credentials, lease, settings
from sync import tokens as token_store
from sync.connection import agreed
from workers import enqueue

SOURCE = "autotask"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The ledger's company of a consent. `tenant` names the books; the name is empty where the consent tells none."""

    tenant: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A sign-in that was proved. `ledger` is a key of `DOORS`; `chosen` is None where the identity alone was asked."""

    ledger: str
    purpose: str
    company_id: int | None
    next_path: str | None
    person: Person
    tokens: TokenSet
    chosen: Chosen | None


@dataclass(frozen=True, slots=True)
class Door:
    """How one ledger's sign-in is kept: who its grant belongs to, and what reads the company it opens."""

    provider: str
    read: Callable[[Chosen, TokenSet], LedgerCompany]
    """One read that proves that the token opens this company. Raises a PlatformError."""
    subject: Callable[[Chosen, Person], str]
    other: str
    """The sentence for a reconnect with another company."""


class _OneToken:
    """The token of the consent just given."""

    def __init__(self, token: str) -> None:
        self._token = token

    def token(self) -> str:
        return self._token

    def renew(self, rejected: str) -> str:
        raise SignInProblem("untrusted", "the new token was refused")


def _read_realm(chosen: Chosen, tokens: TokenSet) -> LedgerCompany:
    platforms = services().platforms
    return read_company(platforms.http, platforms.endpoints, tokens.access, chosen.tenant)


def _read_organisation(chosen: Chosen, tokens: TokenSet) -> LedgerCompany:
    profile = services().platforms.xero(chosen.tenant, _OneToken(tokens.access)).check()
    return LedgerCompany(profile.company_name[:200] or chosen.name, profile.country, zone_of(profile.country))


DOORS: Mapping[str, Door] = {
    "quickbooks": Door("intuit", _read_realm, lambda chosen, person: chosen.tenant, "other_realm"),
    "xero": Door("xero", _read_organisation, lambda chosen, person: person.subject, "other_organisation"),
}
"""By what `Company.ledger` holds. Intuit's grant is for one company; Xero's is the person's, for all of theirs."""


def arrive(arrival: Arrival, *, joins: int | None = None) -> str:
    """Sign the person in and return where to go; `joins` is the user who said that this identity is theirs as well.
    Raises SignInProblem, or a PlatformError while reading the company."""
    person, chosen, next_path = arrival.person, arrival.chosen, arrival.next_path
    found = DOORS[arrival.ledger].read(chosen, arrival.tokens) if chosen is not None else None
    with writing() as db:
        user = access.sign_in(
            db, issuer=person.issuer, subject=person.subject, name=person.name or person.email or "",
            email=person.email or "", now=now(), joins=joins,
        )  # fmt: skip
        if user.disabled_at is not None:
            raise SignInProblem("untrusted", "user is disabled")
        company, role = None, None
        if chosen is not None and found is not None:
            company, role = _join(db, user, arrival, chosen, found)
        audit.record(db, None, now(), user.email, "signed in", arrival.purpose, {"user": user.id})
        step = company.setup_step if company else ""
    begin_session(user)
    if company is None:
        return safe_path(next_path) or url_for("connect.start")
    if role is None:
        session["denied_company"] = company.id
        return url_for("connect.denied")
    ring(enqueue.refresh_lists, company.id)
    return first_page(company.id, step, role, next_path)


def begin_session(user: User) -> None:
    """A new session id; nothing of the visitor's former session stays."""
    agent = (request.user_agent.string or "")[:200]
    cast(BrowserSession, session).begin(user.id, now(), agent)
    g.user = user


def _join(
    db: Session, user: User, arrival: Arrival, chosen: Chosen, found: LedgerCompany
) -> tuple[Company, str | None]:
    """The company of this consent with the user's role in it; None where the user is no member."""
    company = db.scalars(
        select(Company).where(Company.ledger == arrival.ledger, Company.ledger_tenant == chosen.tenant)
    ).one_or_none()
    if arrival.company_id is not None and (company is None or company.id != arrival.company_id):
        raise SignInProblem(DOORS[arrival.ledger].other, "reconnect with another company")
    if company is None:
        company = _new_company(db, arrival.ledger, chosen, found)
        access.add_member(db, company.id, user, "admin", now())
    role = access.role_in(db, company.id, user.id)
    if role == "admin":
        _connect(db, company, user, arrival, chosen, now())
    return company, role


def _new_company(db: Session, ledger: str, chosen: Chosen, found: LedgerCompany) -> Company:
    company = Company(
        name=found.name,
        ledger=ledger,
        ledger_tenant=chosen.tenant,
        source=SOURCE,
        country=found.country,
        currency="",
        time_zone=found.time_zone,
        profile={},
        setup_step="source",
        created_at=now(),
    )
    db.add(company)
    db.flush()
    db.add(MirrorState(company_id=company.id, progress={}))
    lease.ensure_row(db, company.id)
    settings.begin(db, company, now())
    return company


def _connect(db: Session, company: Company, user: User, arrival: Arrival, chosen: Chosen, at: datetime) -> None:
    """Keep the grant of the consent just given. Whatever waited for it goes on by itself."""
    lease.wake(db, company.id, at)
    door = DOORS[arrival.ledger]
    grant = token_store.store_new_grant(
        db, services().key_ring, provider=door.provider, subject=door.subject(chosen, arrival.person),
        tokens=arrival.tokens, now=at,
    )  # fmt: skip
    connection = credentials.ensure(db, company.id, credentials.LEDGER, company.ledger, company.ledger_tenant)
    action = "connected" if connection.connected_at is None else "reconnected"
    connection.grant_id = grant.id
    agreed(connection)
    connection.connected_by, connection.connected_at, connection.last_success_at = user.id, at, at
    audit.record(db, company.id, at, user.email, f"ledger {action}", company.name, {"tenant": company.ledger_tenant})


def first_page(company_id: int, step: str, role: str, next_path: str | None) -> str:
    """Where a person goes on: unfinished set-up first, then where they wanted to go, else home."""
    if role == "admin" and step == "source":
        return url_for("connect.autotask", company_id=company_id)
    if role == "admin" and step == "review":
        return url_for("connect.review", company_id=company_id)
    return safe_path(next_path) or url_for("home.index", company_id=company_id)
