"""What follows a trusted sign-in with Xero: the user, and with an organisation its company, membership and grant.

The grant is the Xero user's and is shared by every organisation that user connected. Who is signed in already, signs in
with a second identity and says that both are theirs (`joining`) sees the companies of either ledger.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import session, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from blueprints.connect.arrival import SOURCE, begin_session, first_page
from blueprints.connect.trouble import SignInProblem
from blueprints.context import now, ring, services, writing
from blueprints.forms import safe_path
from connectors.oauth import Person, TokenSet
from connectors.oauth_xero import Joined
from connectors.realm import LedgerCompany, zone_of
from models import Company, MirrorState, User
from sync import access, audit, credentials, lease, settings
from sync import tokens as token_store
from workers import enqueue

LEDGER = "xero"


class _OneToken:
    """The token of the consent just given."""

    def __init__(self, token: str) -> None:
        self._token = token

    def token(self) -> str:
        return self._token

    def renew(self, rejected: str) -> str:
        raise SignInProblem("untrusted", "the new token was refused")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A sign-in that was proved, with the organisation of its consent where one was asked for."""

    purpose: str
    company_id: int | None
    next_path: str | None
    person: Person
    tokens: TokenSet
    chosen: Joined | None


def arrive(arrival: Arrival, *, joins: int | None = None) -> str:
    """Sign the person in and return where to go; `joins` is the user who said that this identity is theirs as well.
    Raises SignInProblem, or a PlatformError while reading the organisation."""
    person, tokens, chosen, next_path = arrival.person, arrival.tokens, arrival.chosen, arrival.next_path
    found = _read(chosen, tokens) if chosen is not None else None
    with writing() as db:
        user = access.sign_in(
            db, issuer=person.issuer, subject=person.subject, name=person.name or person.email or "",
            email=person.email or "", now=now(), joins=joins,
        )  # fmt: skip
        if user.disabled_at is not None:
            raise SignInProblem("untrusted", "user is disabled")
        company, role = None, None
        if chosen is not None and found is not None:
            company, role = _join(db, user, chosen, found, tokens, person)
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


def _read(chosen: Joined, tokens: TokenSet) -> LedgerCompany:
    profile = services().platforms.xero(chosen.tenant, _OneToken(tokens.access)).check()
    return LedgerCompany(profile.company_name[:200] or chosen.name, profile.country, zone_of(profile.country))


def _join(
    db: Session, user: User, chosen: Joined, found: LedgerCompany, tokens: TokenSet, person: Person
) -> tuple[Company, str | None]:
    """The company of this organisation with the user's role in it; None where the user is no member."""
    company = db.scalars(
        select(Company).where(Company.ledger == LEDGER, Company.ledger_tenant == chosen.tenant)
    ).one_or_none()
    if company is None:
        company = Company(
            name=found.name, ledger=LEDGER, ledger_tenant=chosen.tenant, source=SOURCE, country=found.country,
            currency="", time_zone=found.time_zone, profile={}, setup_step="source", created_at=now(),
        )  # fmt: skip
        db.add(company)
        db.flush()
        db.add(MirrorState(company_id=company.id, progress={}))
        lease.ensure_row(db, company.id)
        settings.begin(db, company, now())
        access.add_member(db, company.id, user, "admin", now())
    role = access.role_in(db, company.id, user.id)
    if role == "admin":
        _connect(db, company, user, tokens, person)
    return company, role


def _connect(db: Session, company: Company, user: User, tokens: TokenSet, person: Person) -> None:
    """Keep the grant of the consent just given; the user's other organisations go on with it."""
    grant = token_store.store_new_grant(
        db, services().key_ring, provider=LEDGER, subject=person.subject, tokens=tokens, now=now()
    )
    connection = credentials.ensure(db, company.id, credentials.LEDGER, company.ledger, company.ledger_tenant)
    action = "connected" if connection.connected_at is None else "reconnected"
    connection.grant_id, connection.state, connection.problem = grant.id, credentials.CONNECTED, None
    connection.connected_by, connection.connected_at, connection.last_success_at = user.id, now(), now()
    audit.record(db, company.id, now(), user.email, f"ledger {action}", company.name, {"tenant": company.ledger_tenant})
    lease.wake(db, company.id, now())
