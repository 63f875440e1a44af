"""The endpoints programs call: discovery, keys, token, revocation, userinfo."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from sandbox import jsonio
from sandbox.oauth import bearer, client_known, fingerprint, public_set, verified
from sandbox.xero_identity import authorize, settings, tokens, users
from sandbox.xero_identity.settings import SPACE


def discovery(world: Any) -> Response:
    """The OpenID provider document. The issuer's host is not the host of the authorization page."""
    base = f"{world.public_url}/xero/identity"
    return _json(
        {
            "issuer": tokens.issuer(world),
            "authorization_endpoint": f"{world.public_url}/xero/login/identity/connect/authorize",
            "token_endpoint": f"{base}/connect/token",
            "userinfo_endpoint": f"{base}/connect/userinfo",
            "revocation_endpoint": f"{base}/connect/revocation",
            "jwks_uri": f"{base}/.well-known/openid-configuration/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "scopes_supported": list(settings.IDENTITY),
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["plain", "S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }
    )


def jwks(world: Any) -> Response:
    return _json(public_set(world, SPACE))


def token(world: Any) -> Response:
    """Exchange a code, or refresh. A refusal is ``{"error": …}`` alone, with status 400, for the client too."""
    try:
        if not client_known(world, request):
            raise tokens.Refused("invalid_client")
        kind = request.form.get("grant_type")
        if kind == "authorization_code":
            return _json(_exchange(world))
        if kind == "refresh_token":
            return _json(tokens.refresh(world, request.form.get("refresh_token", "")))
        raise tokens.Refused("unsupported_grant_type" if kind else "invalid_request")
    except tokens.Refused as refused:
        return _json({"error": refused.error}, 400)


def _exchange(world: Any) -> dict[str, Any]:
    """A code for tokens: once, in time, at the same redirect address, by who holds the verifier."""
    key = fingerprint(request.form.get("code", ""))
    found = world.store.get(SPACE, "code", key)
    user = users.find(found["user"]) if found else None
    if found is None or user is None or found["used"] or authorize.expired(world, found):
        raise tokens.Refused("invalid_grant")
    verifier = request.form.get("code_verifier", "")
    proven = verifier == found["challenge"] if found["plain"] else verified(found["challenge"], verifier)
    if found["redirect_uri"] != request.form.get("redirect_uri") or not proven:
        raise tokens.Refused("invalid_grant")
    world.store.put(SPACE, "code", key, found | {"used": True}, {})
    return tokens.issue(world, tokens.new_set(world, user, found["scopes"], found["event"]), found["nonce"])


def revoke(world: Any) -> Response:
    """200 without a body, whatever became of the token; ``invalid_client`` for an unknown app."""
    if not client_known(world, request):
        return _json({"error": "invalid_client"}, 400)
    tokens.revoke(world, request.form.get("token", ""))
    return Response(b"", 200)


def userinfo(world: Any) -> Response:
    """Claims of the user an access token belongs to; 401 for a token that is not valid now."""
    value = bearer(request)
    found = tokens.live_set(world, value) if value else None
    user = users.find(found["user"]) if found else None
    if found is None or user is None or "openid" not in found["scopes"]:
        return Response(b"", 401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
    claims: dict[str, Any] = {"sub": user.xero_userid.replace("-", ""), "xero_userid": user.xero_userid}
    if "email" in found["scopes"]:
        claims["email"] = user.email
    if "profile" in found["scopes"]:
        claims |= {"given_name": user.given, "family_name": user.family}
    return _json(claims)


def refusal(status: int, params: dict[str, Any]) -> Response:
    """An injected 401, 429 or 500 of the identity service."""
    words = {401: "invalid_client", 429: "too_many_requests"}
    response = _json({"error": words.get(status, "server_error")}, 400 if status == 401 else status)
    if params.get("retry_after") is not None:
        response.headers["Retry-After"] = str(params["retry_after"])
    return response


def _json(body: dict[str, Any], status: int = 200) -> Response:
    response = Response(jsonio.dumps(body), status, content_type="application/json; charset=UTF-8")
    response.headers["Cache-Control"] = "no-store, no-cache, max-age=0"
    return response
