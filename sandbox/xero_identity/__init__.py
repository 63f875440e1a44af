"""The simulated Xero identity: sign-in, consent with a choice of organisation, tokens, connections.

Three path prefixes stand for Xero's three hosts: ``/xero/login`` (login.xero.com), ``/xero/identity``
(identity.xero.com) and ``/xero/api`` (api.xero.com); ``/xero-go`` is go.xero.com, where people click.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue


def blueprint(world: Any) -> Blueprint:
    """All routes; also sets how the platform words an injected refusal."""
    from sandbox.xero_identity import authorize, connections, endpoints, pages

    routes = Blueprint("xero_identity", __name__)
    world.platforms["xero_identity"].refusal = endpoints.refusal
    known = "/xero/identity/.well-known/openid-configuration"
    table: tuple[tuple[str, str, str, Any], ...] = (
        ("GET", "/xero/login/identity/connect/authorize", "authorize", lambda: authorize.begin(world)),
        ("POST", "/xero/login/signin", "sign_in", lambda: authorize.sign_in(world)),
        ("POST", "/xero/login/signout", "sign_out", authorize.sign_out),
        ("GET", "/xero/login/consent", "consent", lambda: authorize.consent_page(world)),
        ("POST", "/xero/login/consent", "decide", lambda: authorize.decide(world)),
        ("GET", known, "discovery", lambda: endpoints.discovery(world)),
        ("GET", f"{known}/jwks", "jwks", lambda: endpoints.jwks(world)),
        ("POST", "/xero/identity/connect/token", "token", lambda: endpoints.token(world)),
        ("POST", "/xero/identity/connect/revocation", "revoke", lambda: endpoints.revoke(world)),
        ("GET", "/xero/identity/connect/userinfo", "userinfo", lambda: endpoints.userinfo(world)),
        ("GET", "/xero-go", "apps", lambda: pages.connected_apps(world)),
        ("POST", "/xero-go/disconnect", "disconnect", lambda: pages.disconnect(world)),
        ("GET", "/xero-go/organisationlogin/default.aspx", "deep_link", lambda: pages.deep_link(world)),
    )
    for method, path, name, view in table:
        routes.add_url_rule(path, name, view, methods=[method])
    for spelled in ("connections", "Connections"):  # the documentation writes one, the SDK the other
        routes.add_url_rule(f"/xero/api/{spelled}", f"list_{spelled}", lambda: connections.listed(world))
        routes.add_url_rule(
            f"/xero/api/{spelled}/<ident>", f"end_{spelled}", lambda ident: connections.end(world, ident),
            methods=["DELETE"],
        )  # fmt: skip

    @routes.after_request
    def never_framed(response: Any) -> ResponseReturnValue:
        response.headers["Content-Security-Policy"] = "frame-ancestors 'none'"
        return response  # type: ignore[no-any-return]

    return routes
