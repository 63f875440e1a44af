"""Token sets of users: issue, refresh with rotation and grace, expire, revoke.

A token belongs to a Xero user, not to an organisation: one set reaches every organisation the user connected.
Access tokens live 30 minutes. Each refresh gives a new refresh token; the one before goes on working for 30
minutes; 60 days unused end it. Source: Xero, guides/oauth2/token-types. Times are the sandbox's clock.
"""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jwt

from sandbox.oauth import fingerprint, signing_key
from sandbox.xero_identity import connections, settings, users
from sandbox.xero_identity.settings import SPACE


class Refused(Exception):
    """The token endpoint's ``error``; Xero sends nothing beside it."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


def now(world: Any) -> datetime:
    """The sandbox's present moment, UTC."""
    moment: datetime = world.clock.now()
    return moment.astimezone(UTC)


def new_set(world: Any, user: users.User, scopes: Sequence[str], event: str) -> str:
    """Record a token set of a consent and give its id. Scopes add up over the consents of one user."""
    earlier = world.store.find(SPACE, "set", "user", user.xero_userid)
    if settings.switch(world, "second_consent_ends_first"):
        for body in earlier:
            _put(world, body | {"revoked": True})
    union = [*dict.fromkeys([*(scope for body in earlier if not body["revoked"] for scope in body["scopes"]), *scopes])]
    ident = str(world.store.next_id(SPACE, "set"))
    _put(world, {"id": ident, "user": user.xero_userid, "scopes": union, "event": event, "revoked": False})
    return ident


def _put(world: Any, body: dict[str, Any]) -> None:
    world.store.put(SPACE, "set", body["id"], body, {"user": body["user"]})


def issue(world: Any, set_id: str, nonce: str | None = None) -> dict[str, Any]:
    """A fresh pair as the token endpoint words it; an id_token only with ``openid``."""
    body = world.store.get(SPACE, "set", set_id)
    user = users.find(body["user"])
    if user is None:
        raise Refused("invalid_grant")
    answer: dict[str, Any] = {"access_token": _access(world, body, user), "expires_in": settings.ACCESS_SECONDS}
    if "openid" in body["scopes"]:
        answer = {"id_token": _id_token(world, body, user, nonce, answer["access_token"]), **answer}
    answer["token_type"] = "Bearer"  # noqa: S105 - a word of the protocol
    if "offline_access" in body["scopes"]:
        answer["refresh_token"] = _refresh(world, set_id)
    answer["scope"] = " ".join(body["scopes"])
    return answer


def _refresh(world: Any, set_id: str) -> str:
    value = secrets.token_urlsafe(32)
    body = {"set": set_id, "issued": now(world).isoformat(), "superseded": None, "answer": None}
    world.store.put(SPACE, "refresh", fingerprint(value), body, {"set": set_id})
    return value


def _access(world: Any, body: dict[str, Any], user: users.User) -> str:
    at = int(now(world).timestamp())
    claims = {
        "nbf": at,
        "exp": at + settings.ACCESS_SECONDS,
        "iss": issuer(world),
        "aud": settings.AUDIENCE,
        "client_id": world.client_id,
        "sub": _subject(user),
        "auth_time": at,
        "idp": "local",
        "amr": ["pwd", "mfa"],
        "xero_userid": user.xero_userid,
        "global_session_id": str(uuid.uuid4()),
        "jti": secrets.token_hex(16).upper(),
        "authentication_event_id": body["event"],
        "scope": body["scopes"],
    }
    value = _signed(world, claims)
    expires = (now(world) + timedelta(seconds=settings.ACCESS_SECONDS)).isoformat()
    world.store.put(SPACE, "access", fingerprint(value), {"set": body["id"], "expires": expires})
    return value


def _id_token(world: Any, body: dict[str, Any], user: users.User, nonce: str | None, access: str) -> str:
    """Times are the machine's own: the client checks them against its clock, which the sandbox cannot move."""
    at = int(time.time())
    claims: dict[str, Any] = {
        "nbf": at,
        "exp": at + settings.ID_TOKEN_SECONDS,
        "iss": issuer(world),
        "aud": world.client_id,
        "iat": at,
        "at_hash": fingerprint(access)[:22],
        "sid": body["event"].replace("-", ""),
        "sub": _subject(user),
        "auth_time": at,
        "idp": "local",
        "amr": ["pwd", "mfa"],
        "xero_userid": user.xero_userid,
        "global_session_id": str(uuid.uuid4()),
    }
    if nonce is not None and settings.switch(world, "nonce_echoed"):
        claims["nonce"] = nonce
    if "email" in body["scopes"]:
        claims |= {"email": user.email, "preferred_username": user.email}
    if "profile" in body["scopes"]:
        claims |= {"given_name": user.given, "family_name": user.family, "name": f"{user.given} {user.family}"}
    return _signed(world, claims)


def _signed(world: Any, claims: dict[str, Any]) -> str:
    key = signing_key(world, SPACE)
    return str(jwt.encode({"alg": "RS256", "kid": key.kid, "typ": "JWT"}, claims, key))


def _subject(user: users.User) -> str:
    return user.xero_userid.replace("-", "")


def issuer(world: Any) -> str:
    return f"{world.public_url}{settings.ISSUER_PATH}"


def refresh(world: Any, value: str) -> dict[str, Any]:
    """The next pair. Raises ``Refused`` ``invalid_grant`` for a token that is unknown, dead or past its grace."""
    key = fingerprint(value)
    found = world.store.get(SPACE, "refresh", key)
    body = world.store.get(SPACE, "set", found["set"]) if found else None
    if found is None or body is None or body["revoked"] or _older(world, found["issued"], settings.REFRESH_SECONDS):
        raise Refused("invalid_grant")
    if found["superseded"] is None:
        answer = issue(world, body["id"])
        kept = found | {"superseded": now(world).isoformat(), "answer": answer}
        world.store.put(SPACE, "refresh", key, kept, {"set": body["id"]})
        return answer
    if _older(world, found["superseded"], settings.GRACE_SECONDS):
        raise Refused("invalid_grant")
    if settings.switch(world, "grace_second_use") == "same":
        again: dict[str, Any] = found["answer"]
        return again
    return issue(world, body["id"])


def _older(world: Any, moment: str, seconds: int) -> bool:
    return now(world) - datetime.fromisoformat(moment) >= timedelta(seconds=seconds)


def revoke(world: Any, value: str) -> None:
    """End the token set of a refresh token, and with it every connection its user made. Unknown: nothing happens."""
    found = world.store.get(SPACE, "refresh", fingerprint(value))
    body = world.store.get(SPACE, "set", found["set"]) if found else None
    if body is None or body["revoked"]:
        return
    for each in world.store.find(SPACE, "set", "user", body["user"]):
        _put(world, each | {"revoked": True})
    connections.end_of_user(world, body["user"])


def live_set(world: Any, value: str) -> dict[str, Any] | None:
    """The token set of an access token that is valid now, or None."""
    found = world.store.get(SPACE, "access", fingerprint(value))
    if found is None or datetime.fromisoformat(found["expires"]) <= now(world):
        return None
    body: dict[str, Any] | None = world.store.get(SPACE, "set", found["set"])
    return None if body is None or body["revoked"] else body


def expiry(world: Any, value: str) -> datetime | None:
    """When an access token that was issued here ends, or ended; None for an unknown one."""
    found = world.store.get(SPACE, "access", fingerprint(value))
    return datetime.fromisoformat(found["expires"]) if found else None


def access_token(
    world: Any, tenant: str | None, scopes: Sequence[str] = tuple(settings.SCOPES), user: users.User = users.USERS[0]
) -> str:
    """Consent, connection and token in one step, for tests and tools that do not walk the pages."""
    with world.store.transaction():
        event = str(uuid.uuid4())
        if tenant is not None:
            connections.connect(world, user, tenant, event)
        token: str = issue(world, new_set(world, user, scopes, event))["access_token"]
        return token
