"""Who may call: limits before anything else, then the token, the organisation and the scope.

Limits per organisation: 5 calls in flight, 60 a minute, 1,000 or 5,000 a day by the app's tier; 10,000 a minute for
the app over all organisations. A refused call gets 429 without a body. Source: Xero, guides/oauth2/limits; fact
sheet section 4.
"""

from __future__ import annotations

import math
from typing import Any

from flask import Request, Response, g

from sandbox.oauth import bearer
from sandbox.xero import wire
from sandbox.xero.organisation import Organisation
from sandbox.xero_identity import connections, settings, tokens, users

MINUTE, DAY = 60, 86_400
APP_MINUTE = 10_000
_APP = "xero:app:minute"


def gate(world: Any, request: Request) -> Response | None:
    """Count the call against the limits of its organisation. None lets it in; `release` gives the place back."""
    tenant = request.headers.get("xero-tenant-id", "").lower()
    org = Organisation(world, tenant)
    if not org.exists or not world.limits.on:
        return None
    key = f"xero:{tenant}:place"
    if not world.limits.enter(key, int(org.switch("in_flight"))):
        return throttled(world, org, "concurrent", None)
    g.xero_place = key
    if world.limits.take(_APP, APP_MINUTE, MINUTE):
        return throttled(world, org, "appminute", None)
    for word, limit, window in (("day", day_calls(org), DAY), ("minute", int(org.switch("minute_calls")), MINUTE)):
        wait = world.limits.take(f"xero:{tenant}:{word}", limit, window)
        if wait:
            return throttled(world, org, word, wait)
    return None


def release(world: Any) -> None:
    """Give back the place taken by `gate`."""
    key = g.pop("xero_place", None)
    if key is not None:
        world.limits.leave(key)


def day_calls(org: Organisation) -> int:
    """Calls a day: the organisation's own switch, else what the app's tier allows."""
    own = org.switch("day_calls")
    return int(settings.DAY_CALLS[settings.switch(org.world, "tier")] if own is None else own)


def throttled(world: Any, org: Organisation, word: str, wait: float | None) -> Response:
    """429, empty, without a content type. ``Retry-After`` for the minute and the day only."""
    response = Response(b"", 429)
    del response.headers["Content-Type"]
    response.headers["X-Rate-Limit-Problem"] = word
    if wait is not None:
        response.headers["Retry-After"] = str(max(1, math.ceil(wait)))
    return remaining(world, org, response)


def remaining(world: Any, org: Organisation, response: Response) -> Response:
    """The three headers every answer for an organisation carries."""
    for name, key, limit, window in (
        ("X-DayLimit-Remaining", f"xero:{org.id}:day", day_calls(org), DAY),
        ("X-MinLimit-Remaining", f"xero:{org.id}:minute", int(org.switch("minute_calls")), MINUTE),
        ("X-AppMinLimit-Remaining", _APP, APP_MINUTE, MINUTE),
    ):
        response.headers[name] = str(max(0, limit - world.limits.used(key, window)))
    return wire.finish(response)


def refusal(world: Any, request: Request, status: int, params: dict[str, Any]) -> Response:
    """An injected 401, 429 or 500 in this platform's words. 429: ``problem`` names the limit, default minute."""
    org = Organisation(world, request.headers.get("xero-tenant-id", "").lower())
    if status == 429:
        word = str(params.get("problem", "minute"))
        return throttled(world, org, word, params.get("retry_after"))
    if status == 401:
        return connections.unauthorized("TokenExpired: token expired")
    return wire.finish(Response("<html><body>An error occurred.</body></html>", 500, content_type="text/html"))


def check(world: Any, request: Request, scopes: tuple[str, ...]) -> Response | Organisation:
    """The organisation a token opens, or the refusal: 401 for the token or its scopes, 403 for the organisation."""
    value = bearer(request)
    found = tokens.live_set(world, value) if value else None
    if found is None:
        expiry = tokens.expiry(world, value) if value else None
        ended = f"TokenExpired: token expired at {expiry:%m/%d/%Y %H:%M:%S}" if expiry else "AuthenticationUnsuccessful"
        return connections.unauthorized(ended)
    tenant = request.headers.get("xero-tenant-id", "").lower()
    org = Organisation(world, tenant)
    if not org.exists or not connections.is_live(world, found["user"], tenant):
        return connections.problem(403, "Forbidden", "AuthenticationUnsuccessful")
    if not set(scopes) & set(found["scopes"]):
        response = connections.unauthorized("AuthorizationUnsuccessful")
        response.headers["WWW-Authenticate"] = 'Bearer error="insufficient_scope"'
        return response
    user = users.find(found["user"])
    org.adviser = user is not None and user.role == "adviser"
    return org


def scopes_of(org_switch_items: bool, resource: str, method: str, sub: str) -> tuple[str, ...]:
    """The scopes any of which opens a call; reading is open to the ``.read`` variant as well."""
    if sub == "attachments":
        names: tuple[str, ...] = ("accounting.attachments",)
    elif resource == "items":
        strict = org_switch_items and method != "GET"
        names = ("accounting.settings",) if strict else ("accounting.settings", "accounting.invoices")
    else:
        names = (_SCOPES[resource],)
    return (*names, *(f"{name}.read" for name in names)) if method == "GET" else names


_SETTINGS = ("accounts", "brandingthemes", "currencies", "organisation", "taxrates", "trackingcategories")
_SCOPES = {
    **dict.fromkeys(("invoices", "creditnotes", "purchaseorders"), "accounting.invoices"),
    "payments": "accounting.payments",
    "contacts": "accounting.contacts",
    **dict.fromkeys(_SETTINGS, "accounting.settings"),
}
