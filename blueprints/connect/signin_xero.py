"""Signing in with Xero, and the address of Xero's app launcher. The callback always answers with a redirect."""

from __future__ import annotations

from flask import g, redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from blueprints.connect.arrival import Arrival, Chosen
from blueprints.connect.authorizing import SIGN_IN, Started, begun, exchanged, to_the_service
from blueprints.connect.joining import enter
from blueprints.connect.pages import home_of_user
from blueprints.connect.routes import blueprint
from blueprints.connect.trouble import SignInProblem, led
from blueprints.context import db, services
from connectors.oauth import Exchange, Person
from connectors.oauth_xero import XeroIdentity
from models import Company

PROVIDER = "xero"


@blueprint.post("/connect/xero")
def xero_start() -> ResponseReturnValue:
    return to_the_service(services().xero, PROVIDER)


@blueprint.get("/get/xero")
def get_xero() -> ResponseReturnValue:
    """For the App Store's "Get this app", which leads to Xero's consent page without a page of ours before it."""
    return to_the_service(services().xero, PROVIDER)


@blueprint.get("/launch/xero")
def launch_xero() -> ResponseReturnValue:
    """What Xero's app launcher opens, without any parameter: the company's pages, or the way to sign in."""
    return redirect(home_of_user() if g.user is not None else url_for("connect.start"))


@blueprint.get("/connect/xero/callback")
def xero_callback() -> ResponseReturnValue:
    """Xero's answer. Whatever it holds, the visitor is redirected."""

    def go() -> str:
        identity, started = begun(services().xero, PROVIDER)
        exchange, person = _proved(identity, started)
        chosen = _chosen(identity, started, exchange) if started.purpose != SIGN_IN else None
        return enter(Arrival(
            "xero", started.purpose, started.company_id, started.next_path, person, exchange.tokens, chosen,
        ))  # fmt: skip

    return led(go)


def _proved(identity: XeroIdentity, started: Started) -> tuple[Exchange, Person]:
    """The id_token checked, and who it is."""
    exchange, id_token = exchanged(identity, started)
    person = identity.person(identity.verify(id_token, nonce=started.nonce))
    if not person.email:
        raise SignInProblem("email", "no e-mail")
    return exchange, person


def _chosen(identity: XeroIdentity, started: Started, exchange: Exchange) -> Chosen:
    """The organisation of this consent. A reconnect must bring back the company's own; never another one."""
    joined = identity.joined(exchange.tokens.access, this_consent=True)
    if started.company_id is not None:
        wanted = db().scalars(select(Company.ledger_tenant).where(Company.id == started.company_id)).one_or_none()
        found = [one for one in identity.joined(exchange.tokens.access) if one.tenant == wanted]
        if not found or wanted not in [one.tenant for one in joined]:
            raise SignInProblem("other_organisation", "reconnect with another organisation")
        return Chosen(found[0].tenant, found[0].name)
    if not joined:
        raise SignInProblem("no_organisation", "no organisation in the consent")
    if len({one.tenant for one in joined}) > 1:
        raise SignInProblem("several", "more than one organisation")
    return Chosen(joined[0].tenant, joined[0].name)
