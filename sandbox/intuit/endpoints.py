"""The endpoints programs call: discovery, token, revoke, userinfo, keys. Bodies as Intuit documents them."""

from __future__ import annotations

import time
import uuid
from typing import Any

from flask import Response, g, request

from sandbox import jsonio
from sandbox.intuit import authorize, keys, settings, tokens, users
from sandbox.oauth import bearer, client_known, fingerprint, public_set, verified

BAD_CODE = "Invalid authorization code"
HARD_HEADER = "x-include-refresh-token-hard-expires-in"


def issuer(world: Any) -> str:
    return f"{world.public_url}/intuit/op/v1"


def discovery(world: Any) -> Response:
    """The OpenID provider document; API scopes are not advertised in it, as on the real service."""
    base = f"{world.public_url}/intuit"
    return _json(
        {
            "issuer": issuer(world),
            "authorization_endpoint": f"{base}/connect/oauth2",
            "token_endpoint": f"{base}/oauth2/v1/tokens/bearer",
            "userinfo_endpoint": f"{base}/v1/openid_connect/userinfo",
            "revocation_endpoint": f"{base}/v2/oauth2/tokens/revoke",
            "jwks_uri": f"{base}/op/v1/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "email", "profile", "address", "phone"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "claims_supported": ["aud", "exp", "iat", "iss", "realmid", "sub"],
        }
    )


def jwks(world: Any) -> Response:
    return _json(public_set(world, "intuit"))


def token(world: Any) -> Response:
    """Exchange a code, or refresh. Every refusal is a JSON body with ``error``; 401 only for the client."""
    if not client_known(world, request):
        return _json({"error": "invalid_client"}, 401)
    try:
        kind = request.form.get("grant_type")
        if kind == "authorization_code":
            grant_id, answer = _exchange(world)
        elif kind == "refresh_token":
            value = request.form.get("refresh_token")
            if not value:
                raise tokens.Refused("invalid_request", "refresh_token is missing")
            grant_id, answer = tokens.refresh(world, value, g.started, time.monotonic())
        elif not kind:
            raise tokens.Refused("invalid_request", "grant_type is missing")
        else:
            raise tokens.Refused("unsupported_grant_type", f"{kind} is not supported")
    except tokens.Refused as refused:
        return _json({"error": refused.error, "error_description": refused.description}, 400)
    if request.headers.get(HARD_HEADER, "").lower() == "true":
        answer["x_refresh_token_hard_expires_in"] = tokens.hard_seconds_left(world, grant_id)
    return _json(answer)


def _exchange(world: Any) -> tuple[str, dict[str, Any]]:
    """A code for tokens: once, in time, at the same redirect address, by who holds the verifier."""
    key = fingerprint(request.form.get("code", ""))
    found = world.store.get("intuit", "code", key)
    if found is None:
        raise tokens.Refused("invalid_grant", BAD_CODE)
    if found["grant"] is not None:
        tokens.kill(world, found["grant"])  # a code used twice counts as stolen
        raise tokens.Refused("invalid_grant", BAD_CODE)
    wrong_place = found["redirect_uri"] != request.form.get("redirect_uri")
    if (
        wrong_place
        or authorize.expired(world, found)
        or not verified(found["challenge"], request.form.get("code_verifier", ""))
    ):
        raise tokens.Refused("invalid_grant", BAD_CODE)
    grant_id = tokens.grant(world, found["sub"], found["realm"], found["scopes"])
    world.store.put("intuit", "code", key, found | {"grant": grant_id}, {})
    answer = tokens.issue(world, grant_id)
    user = users.find(found["sub"])
    if "openid" in found["scopes"] and user is not None:
        answer["id_token"] = keys.id_token(world, user, found["realm"], found["nonce"], issuer(world))
    return grant_id, answer


def revoke(world: Any) -> Response:
    """Revoke a grant by either of its tokens: 200 with no body, 400 with no body when it is unknown or dead."""
    if not client_known(world, request):
        return _json({"error": "invalid_client"}, 401)
    try:
        body = jsonio.loads(request.get_data())
    except ValueError:
        body = None
    value = body.get("token") if isinstance(body, dict) else None
    done = isinstance(value, str) and tokens.revoke(world, value)
    return _finish(Response(b"", 200 if done else 400))


def userinfo(world: Any) -> Response:
    """Claims of the user an access token belongs to; 401 for a token that is not valid now."""
    value = bearer(request)
    found = tokens.live_grant(world, value) if value else None
    user = users.find(found["sub"]) if found else None
    if found is None or user is None or "openid" not in found["scopes"]:
        return _json({"error": "invalid_token"}, 401)
    verified = bool(settings.switch(world, "email_verified"))
    return _json(users.userinfo(world, user, found["scopes"], verified))


def refusal(world: Any, status: int, params: dict[str, Any]) -> Response:
    """An injected 401, 429 or 500 of the identity service."""
    words = {401: "invalid_client", 429: "too_many_requests"}
    response = _json({"error": words.get(status, "server_error")}, status)
    if params.get("retry_after") is not None:
        response.headers["Retry-After"] = str(params["retry_after"])
    return response


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return _finish(Response(jsonio.dumps(body), status, content_type="application/json;charset=UTF-8"))


def _finish(response: Response) -> Response:
    response.headers["intuit_tid"] = f"1-{uuid.uuid4().hex[:8]}-{uuid.uuid4().hex[:24]}"
    response.headers["Cache-Control"] = "no-cache, no-store"
    return response
