"""Connections: which user joined which organisation to the app, ``/connections``, and how they end.

A connection never ends by itself, not even when the tokens do. Ending one in Xero leaves the tokens alive: calls
for that organisation then answer 403. Source: Xero, guides/oauth2 (auth-flow, tenants, limits).
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from flask import Response, request

from sandbox import jsonio
from sandbox.oauth import bearer
from sandbox.xero_identity import settings, users
from sandbox.xero_identity.settings import SPACE

Body = dict[str, Any]


def connect(world: Any, user: users.User, tenant: str, event: str) -> None:
    """Join an organisation to the app; one that was joined before is renewed under the same id."""
    stamp = _stamp(world)
    found = next((body for body in _of_user(world, user.xero_userid) if body["tenantId"] == tenant), None)
    if found is None:
        found = {"id": str(uuid.uuid4()), "user": user.xero_userid, "tenantId": tenant, "createdDateUtc": stamp}
    if "authEventId" not in found or not settings.switch(world, "first_auth_event_kept"):
        found["authEventId"] = event
    _put(world, found | {"updatedDateUtc": stamp, "live": True})


def _stamp(world: Any) -> str:
    moment: datetime = world.clock.now()
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}0"


def _put(world: Any, body: Body) -> None:
    world.store.put(SPACE, "connection", body["id"], body, {"user": body["user"], "tenant": body["tenantId"]})


def _of_user(world: Any, xero_userid: str) -> list[Body]:
    return list(world.store.find(SPACE, "connection", "user", xero_userid))


def is_live(world: Any, xero_userid: str, tenant: str) -> bool:
    """Whether this user's tokens reach this organisation now."""
    return any(body["live"] and body["tenantId"] == tenant for body in _of_user(world, xero_userid))


def connected(world: Any, tenant: str) -> bool:
    """Whether anybody's connection of this organisation is alive."""
    return any(body["live"] for body in world.store.find(SPACE, "connection", "tenant", tenant))


def room_for(world: Any, tenant: str) -> bool:
    """Whether the tier of the app allows one more organisation; one that is connected counts once."""
    joined = {body["tenantId"] for body in world.store.all(SPACE, "connection") if body["live"]}
    return tenant in joined or len(joined) < settings.CONNECTIONS[settings.switch(world, "tier")]


def end_of_tenant(world: Any, tenant: str) -> int:
    """Disconnect an organisation in Xero itself, for all its users; how many connections ended."""
    alive = [body for body in world.store.find(SPACE, "connection", "tenant", tenant) if body["live"]]
    for body in alive:
        _put(world, body | {"live": False})
    return len(alive)


def end_of_user(world: Any, xero_userid: str) -> None:
    """End everything one user connected, as revoking the user's tokens does."""
    for body in _of_user(world, xero_userid):
        _put(world, body | {"live": False})


def listed(world: Any) -> Response:
    """GET /connections: the organisations the token's user connected, the newest consent's with ``authEventId``."""
    found = _token_set(world)
    if found is None:
        return unauthorized()
    names = {row["id"]: row["name"] for row in world.store.all(SPACE, "organisation")}
    event = next((value for name, value in request.args.items() if name.lower() == "autheventid"), None)
    rows = [
        {
            "id": body["id"],
            "authEventId": body["authEventId"],
            "tenantId": body["tenantId"],
            "tenantType": "ORGANISATION",
            "tenantName": names.get(body["tenantId"], ""),
            "createdDateUtc": body["createdDateUtc"],
            "updatedDateUtc": body["updatedDateUtc"],
        }
        for body in _of_user(world, found["user"])
        if body["live"] and event in (None, body["authEventId"])
    ]
    return Response(jsonio.dumps(rows), 200, content_type="application/json; charset=utf-8")


def end(world: Any, ident: str) -> Response:
    """DELETE /connections/{id}: 204 without a body; 404 for an id that is none of the user's."""
    found = _token_set(world)
    if found is None:
        return unauthorized()
    body = world.store.get(SPACE, "connection", ident)
    if body is None or not body["live"] or body["user"] != found["user"]:
        return Response(b"", 404)
    _put(world, body | {"live": False})
    return Response(b"", 204)


def _token_set(world: Any) -> Body | None:
    from sandbox.xero_identity import tokens  # tokens needs this module

    value = bearer(request)
    return tokens.live_set(world, value) if value else None


def unauthorized(detail: str = "AuthenticationUnsuccessful") -> Response:
    """401 in the shape api.xero.com gives it."""
    return problem(401, "Unauthorized", detail)


def problem(status: int, title: str, detail: str) -> Response:
    """A refusal of api.xero.com before any endpoint is reached."""
    body = {
        "Type": None, "Title": title, "Status": status, "Detail": detail, "Instance": str(uuid.uuid4()),
        "Extensions": {},
    }  # fmt: skip
    return Response(jsonio.dumps(body), status, content_type="application/json; charset=utf-8")
