"""The authorization page: sign in, choose an organisation, allow or cancel, and the code that results.

Plain forms without JavaScript. A wrong client id, redirect address or scope never redirects: the person sees an
error page on Xero's own host, as on the real service.
"""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from sandbox.oauth import fingerprint
from sandbox.xero_identity import connections, settings, tokens, users
from sandbox.xero_identity.settings import SPACE

COOKIE = "sandbox_xero_session"
KEPT = ("client_id", "redirect_uri", "state", "scope", "nonce", "code_challenge", "code_challenge_method", "acr_values")


def begin(world: Any) -> ResponseReturnValue:
    """GET authorize: check the request, remember it, then ask for sign-in or consent."""
    asked = {name: request.args[name] for name in KEPT if name in request.args}
    wrong = _wrong(world, asked)
    if wrong is not None:
        return _error("Sorry, something went wrong.", wrong)
    ident = secrets.token_urlsafe(24)
    world.store.put(SPACE, "authorization", ident, asked, {})
    user = signed_in(world)
    return consent(world, ident, user) if user else sign_in_page(ident)


def _wrong(world: Any, asked: dict[str, str]) -> str | None:
    """The OAuth error of a request that cannot be answered to the app, or None."""
    address = asked.get("redirect_uri", "")
    if asked.get("client_id") != world.client_id or request.args.get("response_type") != "code":
        return "unauthorized_client"
    numeric = settings.switch(world, "numeric_loopback_refused") and urlsplit(address).hostname == "127.0.0.1"
    if address not in world.redirect_uris or numeric:
        return "unauthorized_client: Invalid redirect_uri"
    scopes = asked.get("scope", "").split()
    if not scopes or any(scope not in settings.SCOPES for scope in scopes):
        return "invalid_scope"
    if asked.get("code_challenge_method", "S256") not in ("S256", "plain"):
        return "invalid_request: Transform algorithm not supported"
    return None


def sign_in_page(ident: str) -> str:
    people = [(person.xero_userid, person) for person in users.USERS]
    return render_template(
        "signin.html",
        base="xero_base.html",
        heading="Log in to Xero",
        people=people,
        ident=ident,
        action="/xero/login/signin",
    )


def sign_in(world: Any) -> ResponseReturnValue:
    """POST of the sign-in page; goes on to consent, or to the connected apps when no app is asking."""
    user = users.find(request.form.get("user"))
    if user is None:
        return _error("Choose a person to sign in as.", "unknown user")
    ident = request.form.get("request", "")
    response = redirect(f"/xero/login/consent?{urlencode({'request': ident})}" if ident else "/xero-go", 303)
    session = secrets.token_urlsafe(24)
    world.store.put(SPACE, "session", fingerprint(session), {"user": user.xero_userid}, {})
    response.set_cookie(COOKIE, session, httponly=True, samesite="Lax", path="/")
    return response


def sign_out() -> ResponseReturnValue:
    response = redirect("/xero-go", 303)
    response.delete_cookie(COOKIE, path="/")
    return response


def signed_in(world: Any) -> users.User | None:
    """Who the browser's session belongs to, or None."""
    found = world.store.get(SPACE, "session", fingerprint(request.cookies.get(COOKIE, "")))
    return users.find(found["user"]) if found else None


def consent_page(world: Any) -> ResponseReturnValue:
    """GET consent, where sign-in leads."""
    user = signed_in(world)
    ident = request.args.get("request", "")
    return consent(world, ident, user) if user else sign_in_page(ident)


def consent(world: Any, ident: str, user: users.User) -> ResponseReturnValue:
    """Ask for consent; a request for sign-in alone needs none once given and goes straight back with a code."""
    asked = world.store.get(SPACE, "authorization", ident)
    if asked is None:
        return _error("This request is over. Start again from the app.", "unknown authorization request")
    scopes = asked["scope"].split()
    if all(scope in settings.IDENTITY for scope in scopes):
        return _grant(world, ident, asked, user, [])
    return render_template(
        "xero_consent.html",
        user=user,
        ident=ident,
        organisations=users.organisations(world, user),
        scopes=[settings.SCOPES[scope] for scope in scopes],
        several=_several(world, asked),
    )


def _several(world: Any, asked: dict[str, Any]) -> bool:
    """Whether this consent may name more than one organisation."""
    one = "bulk_connect:false" in asked.get("acr_values", "") and settings.switch(world, "bulk_refusal_honoured")
    return bool(settings.switch(world, "bulk_connections")) and not one


def decide(world: Any) -> ResponseReturnValue:
    """POST of the consent page: back to the app with a code or with ``access_denied``."""
    ident = request.form.get("request", "")
    asked = world.store.get(SPACE, "authorization", ident)
    user = signed_in(world)
    if asked is None or user is None:
        return _error("This request is over. Start again from the app.", "unknown authorization request")
    if request.form.get("decision") != "allow":
        world.store.delete(SPACE, "authorization", ident)
        return _back(asked, error="access_denied")
    tenants = request.form.getlist("tenant") or [""]
    tenants = tenants if _several(world, asked) else tenants[:1]
    if not set(tenants) <= {row["id"] for row in users.organisations(world, user)}:
        return _error("You are not allowed to connect this organisation.", "access_denied")
    if not all(connections.room_for(world, tenant) for tenant in tenants):
        return _error(
            "This app has reached its limit of connected organisations.", "the app's tier allows no more connections"
        )
    return _grant(world, ident, asked, user, tenants)


def _grant(world: Any, ident: str, asked: dict[str, Any], user: users.User, tenants: list[str]) -> ResponseReturnValue:
    """The connection exists from here on, whether or not the app ever redeems the code."""
    world.store.delete(SPACE, "authorization", ident)
    event = str(uuid.uuid4())
    for tenant in tenants:
        connections.connect(world, user, tenant, event)
    code = secrets.token_urlsafe(32)
    body = {
        "user": user.xero_userid,
        "scopes": asked["scope"].split(),
        "redirect_uri": asked["redirect_uri"],
        "nonce": asked.get("nonce"),
        "challenge": asked.get("code_challenge"),
        "plain": asked.get("code_challenge_method") == "plain",
        "event": event,
        "expires": (tokens.now(world) + timedelta(seconds=settings.CODE_SECONDS)).isoformat(),
        "used": False,
    }
    world.store.put(SPACE, "code", fingerprint(code), body, {})
    return _back(asked, code=code, scope=asked["scope"], session_state=secrets.token_urlsafe(16))


def _back(asked: dict[str, Any], **members: str) -> ResponseReturnValue:
    """Redirect to the app with ``state`` and the members."""
    if "state" in asked:
        members["state"] = asked["state"]
    return redirect(f"{asked['redirect_uri']}?{urlencode(members)}", 302)


def _error(text: str, detail: str) -> ResponseReturnValue:
    return Response(render_template("xero_error.html", text=text, detail=detail), 400)


def expired(world: Any, body: dict[str, Any]) -> bool:
    """Whether a code's short life is over."""
    return datetime.fromisoformat(body["expires"]).astimezone(UTC) <= tokens.now(world)
