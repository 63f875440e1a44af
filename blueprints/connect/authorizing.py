"""An authorization that begins and its callback's state, the same for every identity service.

State, nonce and verifier are random, single use, ten minutes old at most, and bound to the browser's session.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar, cast

from flask import g, redirect, request, session
from flask.typing import ResponseReturnValue
from sqlalchemy import delete

from blueprints.connect.trouble import SignInProblem, refuse
from blueprints.context import now, services, writing
from blueprints.forms import safe_path
from blueprints.sessions import BrowserSession
from connectors.errors import PlatformError
from connectors.oauth import SIGN_IN_SCOPES, Exchange, Identity
from models import OAuthState
from sync import access

STATE_LIFE = timedelta(minutes=10)
Service = TypeVar("Service", bound=Identity)
CONNECT, SIGN_IN, RECONNECT = "connect", "sign_in", "reconnect"


@dataclass(frozen=True, slots=True)
class Started:
    """What was kept when the authorization began."""

    purpose: str
    nonce: str
    verifier: str
    company_id: int | None
    next_path: str | None


def to_the_service(identity: Identity | None, provider: str) -> ResponseReturnValue:
    """To the service's own pages. `purpose` sign_in asks for the identity alone, anything else for a company too."""
    if identity is None:
        return refuse("not_offered", provider)
    purpose = request.form.get("purpose", CONNECT)
    company_id = _company_to_reconnect() if purpose == RECONNECT else None
    if purpose not in (SIGN_IN, CONNECT) and company_id is None:
        purpose = CONNECT
    state, nonce, verifier = _keep(provider, purpose, company_id)
    scopes = SIGN_IN_SCOPES if purpose == SIGN_IN else None
    try:
        url = identity.authorize_url(state=state, nonce=nonce, code_verifier=verifier, scopes=scopes)
    except PlatformError as problem:
        return refuse("away", problem.message)
    return redirect(url, 303)


def _keep(provider: str, purpose: str, company_id: int | None) -> tuple[str, str, str]:
    """State, nonce and verifier, kept with the browser's session."""
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
                next_path=safe_path(session.get("next")),
                created_at=now(),
            )
        )
    return state, nonce, verifier


def _company_to_reconnect() -> int | None:
    """The company whose connection is renewed, when the visitor is one of its admins."""
    company_id = request.form.get("for_company", type=int)
    if g.user is None or company_id is None:
        return None
    with services().sessions() as db:
        return company_id if access.role_in(db, company_id, g.user.id) == "admin" else None


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


def begun(identity: Service | None, provider: str) -> tuple[Service, Started]:
    """The authorization a callback answers. Raises SignInProblem when there is none or the consent was not given."""
    started = consume(request.args.get("state", ""), provider)
    if request.args.get("error") or identity is None:
        raise SignInProblem("consent", request.args.get("error", "")[:80])
    return identity, started


def exchanged(identity: Identity, started: Started) -> tuple[Exchange, str]:
    """The code for tokens, with the id_token that came along. Raises SignInProblem, GrantRejected."""
    code = request.args.get("code", "")
    if not code or len(code) > 1024:
        raise SignInProblem("untrusted", "no code")
    exchange = identity.exchange(code=code, code_verifier=started.verifier)
    if exchange.id_token is None:
        raise SignInProblem("untrusted", "no id_token")
    return exchange, exchange.id_token


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
