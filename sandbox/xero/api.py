"""The simulated Accounting API: from a path to the endpoint that answers it, and around it token, key and errors.

Paths and parameter names have no case, as on the real service.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, request

from sandbox import jsonio
from sandbox.xero import guard, idempotency, wire
from sandbox.xero.endpoints import ENDPOINTS, Asked, answer
from sandbox.xero.errors import CallRefused, bad_data
from sandbox.xero.organisation import Organisation
from sandbox.xero.reading import lowered

BASE = "/xero/api/api.xro/2.0"
METHODS = ["GET", "POST", "PUT", "DELETE"]


def blueprint(world: Any) -> Blueprint:
    """The API below ``BASE``; also sets the platform's gate and refusals."""
    routes = Blueprint("xero", __name__, url_prefix=BASE)
    world.platforms["xero"].gate = lambda incoming: guard.gate(world, incoming)
    world.platforms["xero"].refusal = lambda status, params: guard.refusal(world, request, status, params)
    routes.teardown_app_request(lambda error: guard.release(world))

    @routes.route("/<path:path>", methods=METHODS)
    def call(path: str) -> Response:
        return _call(world, path)

    return routes


def _call(world: Any, path: str) -> Response:
    parts = [part for part in path.split("/") if part]
    resource, sub = parts[0].lower(), parts[2].lower() if len(parts) > 2 else ""
    if resource not in ENDPOINTS:
        return wire.finish(Response(b"", 404, content_type="text/html"))
    items_strict = bool(Organisation(world, _tenant()).switch("items_need_settings"))
    org = guard.check(world, request, guard.scopes_of(items_strict, resource, request.method, sub))
    if isinstance(org, Response):
        return wire.finish(org)
    if org.switch("offline"):
        return wire.finish(Response("The Organisation is offline", 503, content_type="text/plain"))
    return guard.remaining(world, org, _keyed(org, resource, parts[1:]))


def _tenant() -> str:
    return request.headers.get("xero-tenant-id", "").lower()


def _keyed(org: Organisation, resource: str, rest: list[str]) -> Response:
    """Answer once per idempotency key; without a key, answer."""
    try:
        key = idempotency.key_of(request)
        known = idempotency.recall(org, key, request) if key else None
    except CallRefused as refused:
        return wire.refusal(refused)
    if known is not None:
        return known
    response = _answered(org, resource, rest)
    if key:
        idempotency.keep(org, key, request, response)
    return response


def _answered(org: Organisation, resource: str, rest: list[str]) -> Response:
    """Carry the call out; a refusal undoes what it wrote."""
    if org.world.faults.take("error_500_kept", "xero", org.id, g.entry.operation) is not None:
        return wire.answer({"ErrorNumber": 500, "Type": None, "Message": "An error occurred in Xero."}, 500)
    try:
        with org.store.transaction():
            response = _undone_unless_kept(org, resource, rest)
    except CallRefused as refused:
        return wire.refusal(refused)
    g.entry.effects.extend(org.effects)
    return response


def _undone_unless_kept(org: Organisation, resource: str, rest: list[str]) -> Response:
    try:
        asked = Asked(org, request.method, rest, lowered(request.args.items()), _body, request)
        return answer(ENDPOINTS[resource], asked)
    except CallRefused as refused:
        if refused.keep_effects:
            return wire.refusal(refused)
        raise


def _body() -> Any:
    data = request.get_data()
    if not data.strip():
        return None
    try:
        return jsonio.loads(data)
    except (UnicodeDecodeError, ValueError) as problem:
        raise bad_data(f"The request body is not JSON: {problem}") from None
