"""What every simulated identity service does alike: client credentials, PKCE, fingerprints, the signing key.

Whatever the services do differently (lifetimes, rotation, consent, claims) stands in their own packages.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Any

from flask import Request
from joserfc.jwk import KeySet, RSAKey


def fingerprint(token: str) -> str:
    """The key a token is kept under; the token itself is never stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def bearer(request: Request) -> str | None:
    """The bearer token of a request, or None."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" and token else None


def client_known(world: Any, request: Request) -> bool:
    """Whether the app proved itself: Basic authentication, or id and secret in the form."""
    sent = (request.form.get("client_id", ""), request.form.get("client_secret", ""))
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            ident, _, secret = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        sent = (ident, secret)
    known = (world.client_id, world.client_secret)
    return all(hmac.compare_digest(have.encode(), want.encode()) for have, want in zip(sent, known, strict=True))


def challenge(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier (RFC 7636)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def verified(asked: str | None, verifier: str) -> bool:
    """PKCE: the verifier hashes to the challenge; nothing to prove where none was sent."""
    return not asked or hmac.compare_digest(challenge(verifier), asked)


def signing_key(world: Any, space: str) -> RSAKey:
    """The RSA key of one identity service of this world; made on first use and kept."""
    kept = world.store.kv_get(space, "signing_key")
    if kept is None:
        key = RSAKey.generate_key(2048, auto_kid=True)
        kept = key.as_dict(private=True)
        world.store.kv_set(space, "signing_key", kept)
    return RSAKey.import_key(kept)


def public_set(world: Any, space: str) -> dict[str, Any]:
    """The ``jwks_uri`` document: the public half only."""
    public = signing_key(world, space).as_dict(private=False) | {"use": "sig", "alg": "RS256"}
    return dict(KeySet([RSAKey.import_key(public)]).as_dict(private=False))
