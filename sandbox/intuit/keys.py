"""The id_tokens of the simulated Intuit account."""

from __future__ import annotations

import time
from typing import Any

from joserfc import jwt

from sandbox.intuit import settings
from sandbox.intuit.users import User
from sandbox.oauth import signing_key


def id_token(world: Any, user: User, realm: str | None, nonce: str | None, issuer: str) -> str:
    """A signed id_token as Intuit shapes it: ``aud`` is a list, the company is ``realmid``.

    Times are the machine's own: the client checks them against its clock, which the sandbox cannot move.
    """
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": [world.client_id],
        "sub": user.sub,
        "iat": now,
        "auth_time": now,
        "exp": now + 3600,
    }
    if realm is not None and settings.switch(world, "realm_in_id_token"):
        claims["realmid"] = realm
    if nonce is not None and settings.switch(world, "echo_nonce"):
        claims["nonce"] = nonce
    key = signing_key(world, "intuit")
    return str(jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key))
