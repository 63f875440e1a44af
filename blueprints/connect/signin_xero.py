"""Signing in with Xero: the start of an authorization, its callback, and the address of Xero's app launcher.

The callback always answers with a redirect: a page that has a code in its address never shows anything.
"""

from __future__ import annotations

from flask import g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from blueprints.connect.arrival_xero import Arrival
from blueprints.connect.joining import enter
from blueprints.connect.pages import home_of_user
from blueprints.connect.routes import blueprint
from blueprints.connect.signin import SIGN_IN, XERO, Started, begin, consume, led, refuse
from blueprints.connect.trouble import SignInProblem
from blueprints.context import db, services
from connectors.oauth import Exchange, Person
from connectors.oauth_xero import CONNECT_SCOPES, SIGN_IN_SCOPES, Joined, XeroIdentity
from models import Company


@blueprint.post("/connect/xero")
def xero_start() -> ResponseReturnValue:
    """To Xero's own pages. `purpose` sign_in asks for the identity alone, anything else for an organisation as well."""
    identity = services().xero
    if identity is None:
        return refuse("not_offered")
    asked = begin(XERO)
    scopes = SIGN_IN_SCOPES if asked.purpose == SIGN_IN else CONNECT_SCOPES
    url = identity.authorize_url(state=asked.state, nonce=asked.nonce, code_verifier=asked.verifier, scopes=scopes)
    return redirect(url, 303)


@blueprint.get("/launch/xero")
def launch_xero() -> ResponseReturnValue:
    """What Xero's app launcher opens, without any parameter: the company's pages, or the way to sign in."""
    return redirect(home_of_user() if g.user is not None else url_for("connect.start"))


@blueprint.get("/connect/xero/callback")
def xero_callback() -> ResponseReturnValue:
    """Xero's answer. Whatever it holds, the visitor is redirected."""

    def go() -> str:
        started = consume(request.args.get("state", ""), XERO)
        identity = services().xero
        if request.args.get("error") or identity is None:
            raise SignInProblem("consent")
        exchange, person = _exchange(identity, started)
        chosen = _chosen(identity, started, exchange) if started.purpose != SIGN_IN else None
        return enter(Arrival(started.purpose, started.company_id, started.next_path, person, exchange.tokens, chosen))

    return led(go)


def _exchange(identity: XeroIdentity, started: Started) -> tuple[Exchange, Person]:
    """The code for tokens, the id_token checked, and who it is."""
    code = request.args.get("code", "")
    if not code or len(code) > 1024:
        raise SignInProblem("untrusted", "no code")
    exchange = identity.exchange(code=code, code_verifier=started.verifier)
    if exchange.id_token is None:
        raise SignInProblem("untrusted", "no id_token")
    person = identity.person(identity.verify(exchange.id_token, nonce=started.nonce))
    if not person.email:
        raise SignInProblem("email", "no e-mail")
    return exchange, person


def _chosen(identity: XeroIdentity, started: Started, exchange: Exchange) -> Joined:
    """The organisation of this consent. A reconnect must bring back the company's own; never another one."""
    joined = identity.joined(exchange.tokens.access, this_consent=True)
    if started.company_id is not None:
        wanted = db().scalars(select(Company.ledger_tenant).where(Company.id == started.company_id)).one_or_none()
        found = [one for one in identity.joined(exchange.tokens.access) if one.tenant == wanted]
        if not found or wanted not in [one.tenant for one in joined]:
            raise SignInProblem("other_organisation", "reconnect with another organisation")
        return found[0]
    if not joined:
        raise SignInProblem("no_organisation", "no organisation in the consent")
    if len({one.tenant for one in joined}) > 1:
        raise SignInProblem("several", "more than one organisation")
    return joined[0]
