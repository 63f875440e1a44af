"""Checking an OpenID Connect id_token: signature, issuer, audience, expiry, nonce. Pure, given the keys.

A nonce that is present must match; an absent one is accepted unless `require_nonce` (Intuit does not advertise
that it echoes the nonce). RS256 only: an algorithm named by the token itself is never trusted.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

_LEEWAY_S = 120


class Rejected(Exception):
    """The token proves nothing."""


class UnknownKey(Rejected):
    """Signed with a key that is not in the set: perhaps a newer one, so the set is read once more."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the token must say. `now` is aware UTC."""

    issuer: str
    client_id: str
    nonce: str
    require_nonce: bool
    now: datetime
    access_token: str | None = None


@dataclass(frozen=True, slots=True)
class Claims:
    """`realm` is only a hint: what was connected is what the callback and the API say."""

    issuer: str
    subject: str
    realm: str | None
    told: Mapping[str, Any] = field(default_factory=dict)
    """Every claim of the token."""


def check(id_token: str, keys: Mapping[str, Any], expected: Expected) -> Claims:
    """Return the claims or raise Rejected."""
    try:
        token = jwt.decode(id_token, key=KeySet.import_key_set(dict(keys)), algorithms=["RS256"])  # type: ignore[arg-type]
        claims = CodeIDToken(token.claims, token.header, _options(expected), _params(token.claims, expected))
        claims.validate(now=int(expected.now.timestamp()), leeway=_LEEWAY_S)
    except InvalidKeyIdError as problem:
        raise UnknownKey(str(problem)) from problem
    except (JoseError, ValueError, TypeError, KeyError) as problem:
        raise Rejected(type(problem).__name__) from problem
    azp = claims.get("azp")
    if azp is not None and azp != expected.client_id:
        raise Rejected("azp")
    subject, realm = claims.get("sub"), claims.get("realmid")
    if not isinstance(subject, str) or not subject:
        raise Rejected("sub")
    return Claims(expected.issuer, subject, realm if isinstance(realm, str) and realm else None, dict(claims))


def _options(expected: Expected) -> dict[str, Any]:
    return {
        "iss": {"essential": True, "value": expected.issuer},
        "aud": {"essential": True, "value": expected.client_id},
        "exp": {"essential": True},
    }


def _params(claims: Mapping[str, Any], expected: Expected) -> dict[str, Any]:
    """Authlib checks the nonce only when it is asked to; the comparison itself is ours, in constant time."""
    present = claims.get("nonce")
    if present is None and expected.require_nonce:
        raise Rejected("nonce is missing")
    if present is not None and not hmac.compare_digest(str(present).encode(), expected.nonce.encode()):
        raise Rejected("nonce")
    return {"access_token": expected.access_token} if expected.access_token else {}
