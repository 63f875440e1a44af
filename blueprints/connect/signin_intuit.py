"""Signing in with Intuit. The callback always answers with a redirect: a page that has a code in its address never
shows anything."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue

from blueprints.connect.arrival import Arrival, Chosen
from blueprints.connect.authorizing import SIGN_IN, Started, begun, exchanged, to_the_service
from blueprints.connect.joining import enter
from blueprints.connect.routes import blueprint
from blueprints.connect.trouble import SignInProblem, led
from blueprints.context import services
from connectors.idtoken import Claims
from connectors.oauth import Exchange, Person
from connectors.oauth_intuit import IntuitIdentity

PROVIDER = "intuit"


@blueprint.post("/connect")
def intuit_start() -> ResponseReturnValue:
    return to_the_service(services().intuit, PROVIDER)


@blueprint.get("/get/intuit")
def get_intuit() -> ResponseReturnValue:
    """For a marketplace whose "get the app" must lead to its consent page without a page of ours before it."""
    return to_the_service(services().intuit, PROVIDER)


@blueprint.get("/connect/intuit/callback")
def intuit_callback() -> ResponseReturnValue:
    """Intuit's answer. Whatever it holds, the visitor is redirected."""

    def go() -> str:
        identity, started = begun(services().intuit, PROVIDER)
        exchange, person, claims = _proved(identity, started)
        chosen = _chosen(claims) if started.purpose != SIGN_IN else None
        return enter(Arrival(
            "quickbooks", started.purpose, started.company_id, started.next_path, person, exchange.tokens, chosen,
        ))  # fmt: skip

    return led(go)


def _proved(identity: IntuitIdentity, started: Started) -> tuple[Exchange, Person, Claims]:
    """The id_token checked, and who it is. Two calls, each bounded to ten seconds."""
    exchange, id_token = exchanged(identity, started)
    claims = identity.verify(id_token, nonce=started.nonce)
    person = identity.person(exchange.tokens.access)
    if person.subject != claims.subject:
        raise SignInProblem("untrusted", "id_token and userinfo name different people")
    if not person.email or not person.email_verified:
        raise SignInProblem("email", "e-mail not verified")
    return exchange, person, claims


def _chosen(claims: Claims) -> Chosen:
    """The company of this consent: a hint until a read with the token proves it."""
    realm = request.args.get("realmId", "")
    if not realm:
        raise SignInProblem("no_company", "no realmId in the callback")
    if claims.realm is not None and claims.realm != realm:
        raise SignInProblem("untrusted", "id_token names another company")
    return Chosen(realm)
