"""The simulated Intuit account: discovery, consent, tokens, identity and My Apps, under ``/intuit``."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue


def blueprint(world: Any) -> Blueprint:
    """All routes; also sets how the platform words an injected refusal."""
    from sandbox.intuit import authorize, endpoints, pages

    routes = Blueprint("intuit", __name__, url_prefix="/intuit")
    world.platforms["intuit"].refusal = lambda status, params: endpoints.refusal(world, status, params)
    for path in ("openid_configuration", "openid_sandbox_configuration"):
        for tail in ("", "/"):
            routes.add_url_rule(f"/.well-known/{path}{tail}", f"{path}{len(tail)}", lambda: endpoints.discovery(world))
    table: tuple[tuple[str, str, str, Any], ...] = (
        ("GET", "/connect/oauth2", "authorize", lambda: authorize.begin(world)),
        ("POST", "/signin", "sign_in", lambda: authorize.sign_in(world)),
        ("POST", "/signout", "sign_out", authorize.sign_out),
        ("GET", "/consent", "consent", lambda: authorize.consent_page(world)),
        ("POST", "/consent", "decide", lambda: authorize.decide(world)),
        ("POST", "/oauth2/v1/tokens/bearer", "token", lambda: endpoints.token(world)),
        ("POST", "/v2/oauth2/tokens/revoke", "revoke", lambda: endpoints.revoke(world)),
        ("GET", "/v1/openid_connect/userinfo", "userinfo", lambda: endpoints.userinfo(world)),
        ("GET", "/op/v1/jwks", "jwks", lambda: endpoints.jwks(world)),
        ("GET", "/myapps", "my_apps", lambda: pages.my_apps(world)),
        ("POST", "/myapps/disconnect", "disconnect", lambda: pages.disconnect(world)),
    )
    for method, path, name, view in table:
        routes.add_url_rule(path, name, view, methods=[method])

    @routes.after_request
    def never_framed(response: Any) -> ResponseReturnValue:
        response.headers["Content-Security-Policy"] = "frame-ancestors 'none'"
        return response  # type: ignore[no-any-return]

    return routes
