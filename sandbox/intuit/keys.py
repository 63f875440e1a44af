"""The key that signs id_tokens: made at first start, kept in the store, published as a JWK set."""

from __future__ import annotations

import time
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from sandbox.intuit import settings
from sandbox.intuit.users import User


def signing_key(world: Any) -> RSAKey:
    """The RSA key of this world; created on first use."""
    kept = world.store.kv_get("intuit", "signing_key")
    if kept is None:
        key = RSAKey.generate_key(2048, auto_kid=True)
        kept = key.as_dict(private=True)
        world.store.kv_set("intuit", "signing_key", kept)
    return RSAKey.import_key(kept)


def public_set(world: Any) -> dict[str, Any]:
    """The ``jwks_uri`` document: the public half only."""
    key = signing_key(world)
    public = key.as_dict(private=False) | {"use": "sig", "alg": "RS256"}
    return dict(KeySet([RSAKey.import_key(public)]).as_dict(private=False))


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
    key = signing_key(world)
    return str(jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key))
