"""Signing in with Intuit or Xero: the start of an authorization and its callback.

State, nonce and verifier are random, single use, ten minutes old at most, and bound to the browser's session. The
callback always answers with a redirect. What a sign-in leads to (user, company, grant) is in `arrival.py`.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

import structlog
from flask import g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import delete

from blueprints.connect.arrival import arrive
from blueprints.connect.routes import blueprint
from blueprints.connect.trouble import SignInProblem
from blueprints.context import now, services, writing
from blueprints.forms import safe_path
from blueprints.sessions import BrowserSession
from connectors.errors import NotAllowed, PlatformError
from connectors.idtoken import Claims
from connectors.oauth import CONNECT_SCOPES, SIGN_IN_SCOPES, Exchange, GrantRejected, Person, SignInRejected
from models import OAuthState
from sync import access, audit

log = structlog.get_logger("web")
STATE_LIFE = timedelta(minutes=10)
PROVIDER, XERO = "intuit", "xero"
CONNECT, SIGN_IN, RECONNECT = "connect", "sign_in", "reconnect"


@dataclass(frozen=True, slots=True)
class Started:
    """What was kept when the authorization began."""

    purpose: str
    nonce: str
    verifier: str
    company_id: int | None
    next_path: str | None


@blueprint.post("/connect")
def intuit_start() -> ResponseReturnValue:
    """To Intuit's own pages. `purpose` sign_in asks for the identity alone, anything else for the company as well."""
    asked = begin(PROVIDER)
    scopes = SIGN_IN_SCOPES if asked.purpose == SIGN_IN else CONNECT_SCOPES
    try:
        url = services().identity.authorize_url(
            state=asked.state, nonce=asked.nonce, code_verifier=asked.verifier, scopes=scopes
        )
    except PlatformError:
        return refuse("away")
    return redirect(url, 303)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the authorization that begins carries."""

    purpose: str
    state: str
    nonce: str
    verifier: str


def begin(provider: str) -> Asked:
    """Keep state, nonce and verifier with the browser's session."""
    purpose = request.form.get("purpose", CONNECT)
    company_id = _company_to_reconnect() if purpose == RECONNECT else None
    if purpose not in (SIGN_IN, CONNECT) and company_id is None:
        purpose = CONNECT
    next_path = safe_path(session.get("next"))
    browser = cast(BrowserSession, session)
    if "signing_in" not in browser:  # two tabs may sign in side by side
        browser["signing_in"] = secrets.token_urlsafe(16)
    state, nonce, verifier = (secrets.token_urlsafe(size) for size in (32, 24, 64))
    with writing() as db:
        db.execute(delete(OAuthState).where(OAuthState.created_at < now() - STATE_LIFE))
        db.add(
            OAuthState(
                state_hash=_hash(state),
                session_hash=_hash(browser["signing_in"]),
                provider=provider,
                nonce=nonce,
                verifier=verifier,
                purpose=purpose,
                company_id=company_id,
                next_path=next_path,
                created_at=now(),
            )
        )
    return Asked(purpose, state, nonce, verifier)


def _company_to_reconnect() -> int | None:
    """The company whose connection is renewed, when the visitor is one of its admins."""
    company_id = request.form.get("for_company", type=int)
    if g.user is None or company_id is None:
        return None
    with services().sessions() as db:
        return company_id if access.role_in(db, company_id, g.user.id) == "admin" else None


@blueprint.get("/connect/intuit/callback")
def intuit_callback() -> ResponseReturnValue:
    """Intuit's answer. Whatever it holds, the visitor is redirected, so the code never stays in an open page."""

    def go() -> str:
        started = consume(request.args.get("state", ""), PROVIDER)
        if request.args.get("error"):
            raise SignInProblem("consent")
        exchange, person, claims = _exchange(started)
        return arrive(
            purpose=started.purpose,
            company_id=started.company_id,
            next_path=started.next_path,
            person=person,
            tokens=exchange.tokens,
            realm=request.args.get("realmId", ""),
            claimed_realm=claims.realm,
        )

    return led(go)


def led(go: Callable[[], str]) -> ResponseReturnValue:
    """To where a sign-in leads, or to the page that says why it leads nowhere."""
    try:
        return redirect(go())
    except SignInProblem as problem:
        return refuse(problem.key, problem.detail)
    except (GrantRejected, SignInRejected) as problem:
        return refuse("code" if isinstance(problem, GrantRejected) else "untrusted", problem.message)
    except NotAllowed as problem:
        return refuse("untrusted", problem.message)
    except PlatformError as problem:
        return refuse("away", problem.message)


def consume(state: str, provider: str) -> Started:
    """Take the state's row away, in one statement: a repeated callback finds nothing. Raises SignInProblem."""
    with writing() as db:
        row = db.execute(
            delete(OAuthState)
            .where(OAuthState.state_hash == _hash(state), OAuthState.provider == provider)
            .returning(
                OAuthState.session_hash,
                OAuthState.purpose,
                OAuthState.nonce,
                OAuthState.verifier,
                OAuthState.company_id,
                OAuthState.next_path,
                OAuthState.created_at,
            )
        ).first()
    if row is None:
        raise SignInProblem("state", "unknown or used state")
    if not secrets.compare_digest(row.session_hash, _hash(session.get("signing_in", ""))):
        raise SignInProblem("state", "state of another browser")
    if now() - row.created_at > STATE_LIFE:
        raise SignInProblem("state", "state is too old")
    return Started(row.purpose, row.nonce, row.verifier, row.company_id, row.next_path)


def _exchange(started: Started) -> tuple[Exchange, Person, Claims]:
    """The code for tokens, the id_token checked, and who it is. Two calls, each bounded to ten seconds."""
    code = request.args.get("code", "")
    if not code or len(code) > 1024:
        raise SignInProblem("untrusted", "no code")
    identity = services().identity
    exchange = identity.exchange(code=code, code_verifier=started.verifier)
    if exchange.id_token is None:
        raise SignInProblem("untrusted", "no id_token")
    claims = identity.verify(exchange.id_token, nonce=started.nonce)
    person = identity.person(exchange.tokens.access)
    if person.subject != claims.subject:
        raise SignInProblem("untrusted", "id_token and userinfo name different people")
    if not person.email or not person.email_verified:
        raise SignInProblem("email", "e-mail not verified")
    return exchange, person, claims


def refuse(key: str, detail: str = "") -> ResponseReturnValue:
    """Remember why for the next page, and write it down: refused sign-ins are part of the audit trail."""
    session["sign_in_problem"] = key
    log.info("sign-in refused", why=key, detail=detail)
    with writing() as db:
        audit.record(db, None, now(), request.remote_addr or "", "sign-in refused", key, {"detail": detail[:200]})
    return redirect(url_for("connect.problem"))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
