"""Grants and their tokens: issue, refresh with rotation, expire, revoke.

A grant is one user's consent for one company (or none: sign-in only). Access tokens live an hour, refresh
tokens 100 days from the last refresh and five years from the consent; the refresh token's value changes
every 24 hours and the previous value dies 24 hours later. Source: Intuit, "OAuth 2.0" and the blog post on
the refresh-token policy of November 2025. Times are the sandbox's clock.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.intuit import settings
from sandbox.oauth import fingerprint

_finished: dict[tuple[int, str], float] = {}
_finished_lock = threading.Lock()


class Refused(Exception):
    """The token endpoint's ``error`` and ``error_description``."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description


BAD_REFRESH = "Incorrect or invalid refresh token"


def now(world: Any) -> datetime:
    """The sandbox's present moment, UTC."""
    moment: datetime = world.clock.now()
    return moment.astimezone(UTC)


def grant(world: Any, sub: str, realm: str | None, scopes: Sequence[str]) -> str:
    """Record a consent and return the grant's id. A company's earlier grants of the user stay alive."""
    ident = str(world.store.next_id("intuit", "grant"))
    body = {
        "id": ident,
        "sub": sub,
        "realm": realm,
        "scopes": list(scopes),
        "revoked": False,
        "since": now(world).isoformat(),
    }
    world.store.put("intuit", "grant", ident, body, {"realm": realm, "sub": sub})
    return ident


def issue(world: Any, grant_id: str) -> dict[str, Any]:
    """A fresh access token and the grant's first refresh token, as the token endpoint words them."""
    return _answer(world, grant_id, _new_refresh(world, grant_id))


def access_token(world: Any, realm: str, sub: str = "sandbox-admin") -> str:
    """Consent and token in one step, for tests and tools that do not walk the pages."""
    with world.store.transaction():
        token: str = issue(world, grant(world, sub, realm, [settings.API_SCOPE]))["access_token"]
        return token


def _new_refresh(world: Any, grant_id: str) -> str:
    value = "AB11" + secrets.token_hex(23)
    body = {"grant": grant_id, "value": value, "issued": now(world).isoformat(), "superseded": None}
    world.store.put("intuit", "refresh", fingerprint(value), body, {"grant": grant_id})
    found = world.store.get("intuit", "grant", grant_id)
    found["refresh"], found["refreshed"] = value, now(world).isoformat()
    _put_grant(world, found)
    return value


def _put_grant(world: Any, body: dict[str, Any]) -> None:
    world.store.put("intuit", "grant", body["id"], body, {"realm": body["realm"], "sub": body["sub"]})


def _answer(world: Any, grant_id: str, refresh_value: str) -> dict[str, Any]:
    value = "eyJlbmMiOiJub25lLXNhbmRib3gifQ.." + secrets.token_urlsafe(48)
    expires = now(world) + timedelta(seconds=settings.ACCESS_SECONDS)
    body = {"grant": grant_id, "expires": expires.isoformat()}
    world.store.put("intuit", "access", fingerprint(value), body, {"grant": grant_id})
    return {
        "token_type": "bearer",
        "expires_in": settings.ACCESS_SECONDS,
        "access_token": value,
        "refresh_token": refresh_value,
        "x_refresh_token_expires_in": settings.REFRESH_SECONDS,
    }


def hard_seconds_left(world: Any, grant_id: str) -> int:
    """Seconds left of the five years since the consent."""
    since = datetime.fromisoformat(world.store.get("intuit", "grant", grant_id)["since"])
    return settings.HARD_SECONDS - int((now(world) - since).total_seconds())


def refresh(world: Any, value: str, started: float, finished: float) -> tuple[str, dict[str, Any]]:
    """Refresh: (grant id, token answer). ``started``/``finished``: monotonic times of this very request.

    Raises ``Refused``; when parallel refreshes kill, the grant is revoked before that.
    """
    found = world.store.get("intuit", "refresh", fingerprint(value))
    body = world.store.get("intuit", "grant", found["grant"]) if found else None
    if found is None or body is None or body["revoked"] or _dead(world, found, body):
        raise Refused("invalid_grant", BAD_REFRESH)
    if _overlaps(world, body["id"], started):
        mode = settings.switch(world, "parallel_refresh")
        if mode == "kill":
            body["revoked"] = True
            _put_grant(world, body)
        if mode in ("kill", "refuse"):
            raise Refused("invalid_grant", BAD_REFRESH)
    with _finished_lock:
        _finished[(id(world), body["id"])] = finished
    return body["id"], _answer(world, body["id"], _rotate(world, found, body))


def _dead(world: Any, found: dict[str, Any], body: dict[str, Any]) -> bool:
    """Past the 100 days, past the five years, or a previous value whose grace is over."""
    present = now(world)

    def older(moment: str, seconds: int) -> bool:
        return present - datetime.fromisoformat(moment) >= timedelta(seconds=seconds)

    if older(body["refreshed"], settings.REFRESH_SECONDS) or older(body["since"], settings.HARD_SECONDS):
        return True
    return found["superseded"] is not None and older(found["superseded"], settings.GRACE_SECONDS)


def _overlaps(world: Any, grant_id: str, started: float) -> bool:
    """Whether this request had begun before the last refresh of the grant was over."""
    with _finished_lock:
        last = _finished.get((id(world), grant_id))
    return last is not None and started < last


def _rotate(world: Any, found: dict[str, Any], body: dict[str, Any]) -> str:
    """The refresh token to hand out: the current one, or a new one when it is a day old."""
    current: str = body["refresh"]
    key = fingerprint(current)
    latest = world.store.get("intuit", "refresh", key)
    age = now(world) - datetime.fromisoformat(latest["issued"])
    if age < timedelta(seconds=settings.ROTATE_SECONDS):
        _put_grant(world, body | {"refreshed": now(world).isoformat()})
        return current
    world.store.put("intuit", "refresh", key, latest | {"superseded": now(world).isoformat()}, {"grant": body["id"]})
    return _new_refresh(world, body["id"])


def revoke(world: Any, value: str) -> bool:
    """Revoke the grant an access or refresh token belongs to; False when there is no live one."""
    key = fingerprint(value)
    found = world.store.get("intuit", "refresh", key) or world.store.get("intuit", "access", key)
    body = world.store.get("intuit", "grant", found["grant"]) if found else None
    if body is None or body["revoked"]:
        return False
    _put_grant(world, body | {"revoked": True})
    return True


def revoke_company(world: Any, realm: str) -> int:
    """Revoke every grant of a company, as its admin's Disconnect does; how many were alive."""
    alive = [body for body in world.store.find("intuit", "grant", "realm", realm) if not body["revoked"]]
    for body in alive:
        _put_grant(world, body | {"revoked": True})
    return len(alive)


def live_grant(world: Any, value: str) -> dict[str, Any] | None:
    """The grant of an access token that is valid now, or None."""
    found = world.store.get("intuit", "access", fingerprint(value))
    if found is None or datetime.fromisoformat(found["expires"]) <= now(world):
        return None
    body: dict[str, Any] | None = world.store.get("intuit", "grant", found["grant"])
    return None if body is None or body["revoked"] else body


def kill(world: Any, grant_id: str) -> None:
    """Revoke one grant by its id."""
    body = world.store.get("intuit", "grant", grant_id)
    if body is not None:
        _put_grant(world, body | {"revoked": True})
