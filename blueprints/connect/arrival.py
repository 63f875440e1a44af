"""What follows a trusted sign-in: the user, and with a company's consent its company, membership and grant.

A new QuickBooks company makes its first visitor an admin. A known one is open to its members only; for others the
tokens just received are dropped without revoking them, because a revocation ends the app's access to that company
as a whole. A connection never moves to another QuickBooks company.
"""

from __future__ import annotations

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
from connectors.realm import LedgerCompany, read_company
from models import Company, MirrorState, User
from sync import access, audit, credentials, lease, settings
from sync import tokens as token_store
from workers import enqueue

LEDGER, SOURCE = "quickbooks", "autotask"


def arrive(
    *,
    purpose: str,
    company_id: int | None,
    next_path: str | None,
    person: Person,
    tokens: TokenSet,
    realm: str,
    claimed_realm: str | None,
) -> str:
    """Sign the person in and return where to go. Raises SignInProblem, or a PlatformError while proving the realm."""
    found: LedgerCompany | None = None
    if purpose != "sign_in":
        if not realm:
            raise SignInProblem("no_company", "no realmId in the callback")
        if claimed_realm is not None and claimed_realm != realm:
            raise SignInProblem("untrusted", "id_token names another company")
        platforms = services().platforms
        found = read_company(platforms.http, platforms.endpoints, tokens.access, realm)
    with writing() as db:
        user = access.sign_in(
            db,
            issuer=person.issuer,
            subject=person.subject,
            name=person.name or person.email or "",
            email=person.email or "",
            now=now(),
        )
        if user.disabled_at is not None:
            raise SignInProblem("untrusted", "user is disabled")
        company, role = _join(db, user, company_id, realm, found, tokens) if found else (None, None)
        audit.record(db, None, now(), user.email, "signed in", purpose, {"user": user.id})
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
    db: Session, user: User, company_id: int | None, realm: str, found: LedgerCompany, tokens: TokenSet
) -> tuple[Company, str | None]:
    """The company of this realm with the user's role in it; None where the user is no member."""
    company = db.scalars(select(Company).where(Company.ledger == LEDGER, Company.ledger_tenant == realm)).one_or_none()
    if company_id is not None and (company is None or company.id != company_id):
        raise SignInProblem("other_realm", "reconnect with another company")
    if company is None:
        company = _new_company(db, realm, found)
        access.add_member(db, company.id, user, "admin", now())
    role = access.role_in(db, company.id, user.id)
    if role == "admin":
        _connect_ledger(db, company, user, tokens, now())
    return company, role


def _new_company(db: Session, realm: str, found: LedgerCompany) -> Company:
    company = Company(
        name=found.name,
        ledger=LEDGER,
        ledger_tenant=realm,
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


def _connect_ledger(db: Session, company: Company, user: User, tokens: TokenSet, at: datetime) -> None:
    """Keep the grant of the consent just given. Whatever waited for it goes on by itself."""
    grant = token_store.store_new_grant(
        db, services().key_ring, provider="intuit", subject=company.ledger_tenant, tokens=tokens, now=at
    )
    connection = credentials.ensure(db, company.id, credentials.LEDGER, company.ledger, company.ledger_tenant)
    action = "connected" if connection.connected_at is None else "reconnected"
    connection.grant_id, connection.state, connection.problem = grant.id, credentials.CONNECTED, None
    connection.connected_by, connection.connected_at, connection.last_success_at = user.id, at, at
    audit.record(db, company.id, at, user.email, f"ledger {action}", company.name, {"realm": company.ledger_tenant})
    lease.wake(db, company.id, at)


def first_page(company_id: int, step: str, role: str, next_path: str | None) -> str:
    """Where a person goes on: unfinished set-up first, then where they wanted to go, else home."""
    if role == "admin" and step == "source":
        return url_for("connect.autotask", company_id=company_id)
    if role == "admin" and step == "review":
        return url_for("connect.review", company_id=company_id)
    return safe_path(next_path) or url_for("home.index", company_id=company_id)
