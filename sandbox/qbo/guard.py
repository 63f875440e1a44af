"""Who may call: rate limits before anything else, then the access token and the company it was given for.

Limits are those Intuit publishes: 10 requests a second and 500 a minute per company, 40 batches a minute.
Tokens live in the ``intuit`` space of the store and are written by ``sandbox.intuit``.
"""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime
from typing import Any

from flask import Request, Response

from sandbox.oauth import bearer, fingerprint
from sandbox.qbo import wire
from sandbox.qbo.realm import Realm

PER_SECOND, PER_MINUTE, BATCHES = 10, 500, 40
_PATH = re.compile(r"^/qbo/v3/company/([^/]+)/([^/?]+)", re.IGNORECASE)
_refused = itertools.count()


def gate(world: Any, request: Request) -> Response | None:
    """The rate limits, counted before the token is looked at. None lets the request in."""
    match = _PATH.match(request.path)
    if match is None:
        return None
    realm, what = match.group(1), match.group(2).lower()
    wait = world.limits.take(f"qbo:{realm}:second", PER_SECOND, 1)
    wait = wait or world.limits.take(f"qbo:{realm}:minute", PER_MINUTE, 60)
    if not wait and what == "batch":
        wait = world.limits.take(f"qbo:{realm}:batch", BATCHES, 60)
    return throttled(world, {}) if wait else None


def throttled(world: Any, params: dict[str, Any]) -> Response:
    """429 in one of its two shapes; ``Retry-After`` only when asked for (``retry_after`` seconds)."""
    xml = params.get("xml", wire.coin("429", next(_refused)))
    response = wire.gateway(world.clock.now(), 429, xml=bool(xml))
    if params.get("retry_after") is not None:
        response.headers["Retry-After"] = str(params["retry_after"])
    return response


def refusal(world: Any, status: int, params: dict[str, Any]) -> Response:
    """An injected 401, 429 or 500 in this platform's words."""
    if status == 429:
        return throttled(world, params)
    xml = bool(params.get("xml", wire.coin(status, next(_refused))))
    if status == 401:
        return unauthorized(world, "Token expired", xml=xml)
    return wire.gateway(world.clock.now(), 500, xml=xml)


def unauthorized(world: Any, detail: str, *, xml: bool = False) -> Response:
    return wire.gateway(world.clock.now(), 401, detail=detail, xml=xml)


def check_token(world: Any, request: Request, realm_id: str) -> Response | None:
    """Refuse a missing, unknown, expired or revoked token (401) and one for another company (403)."""
    token = bearer(request)
    if token is None:
        return wire.gateway(world.clock.now(), 401, detail="Token is missing", code="3202")
    found = world.store.get("intuit", "access", fingerprint(token))
    grant = world.store.get("intuit", "grant", found["grant"]) if found else None
    if found is None or grant is None:
        return unauthorized(world, "Token invalid")
    if grant.get("revoked"):
        return unauthorized(world, "Token revoked")
    if datetime.fromisoformat(found["expires"]) <= world.clock.now().astimezone(UTC):
        return unauthorized(world, "Token expired")
    wrong = grant.get("realm") != realm_id or "com.intuit.quickbooks.accounting" not in grant.get("scopes", [])
    if wrong or not Realm(world, realm_id).exists:
        return wire.gateway(world.clock.now(), 403)
    return None
