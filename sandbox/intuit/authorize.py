"""The authorization page: sign in, choose a company, consent or cancel, and the code that results.

Plain forms without JavaScript, so that a browser and an HTTP client walk the same pages. A wrong client id or
an unregistered redirect address never redirects: the person gets an error page, as on the real service.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from sandbox.intuit import settings, tokens, users
from sandbox.oauth import fingerprint

COOKIE = "sandbox_intuit_session"
KEPT = ("client_id", "redirect_uri", "state", "scope", "nonce", "code_challenge", "code_challenge_method")


def begin(world: Any) -> ResponseReturnValue:
    """GET authorize: check the request, remember it, then ask for sign-in or consent."""
    asked = {name: request.args[name] for name in KEPT if name in request.args}
    if asked.get("client_id") != world.client_id:
        return _error("The app is not known.", "undefined client_id")
    if asked.get("redirect_uri") not in world.redirect_uris:
        return _error("The redirect address is not registered for this app.", str(asked.get("redirect_uri")))
    scopes = asked.get("scope", "").split()
    if not scopes or any(scope not in settings.SCOPES for scope in scopes):
        return _back(asked, error="invalid_scope", error_description="Invalid permissions requested")
    if request.args.get("response_type") != "code":
        return _back(asked, error="unsupported_response_type")
    if asked.get("code_challenge") and asked.get("code_challenge_method") != "S256":
        return _back(asked, error="invalid_request", error_description="Only S256 is supported")
    ident = secrets.token_urlsafe(24)
    world.store.put("intuit", "authorization", ident, asked, {})
    user = signed_in(world)
    return consent(world, ident, user) if user else sign_in_page(ident)


def sign_in_page(ident: str) -> str:
    people = [(person.sub, person) for person in users.USERS]
    return render_template(
        "signin.html", base="intuit_base.html", heading="Sign in", people=people, ident=ident, action="/intuit/signin"
    )


def sign_in(world: Any) -> ResponseReturnValue:
    """POST of the sign-in page; goes on to consent, or to My Apps when no app is asking."""
    user = users.find(request.form.get("user"))
    if user is None:
        return _error("Choose a person to sign in as.", "unknown user")
    ident = request.form.get("request", "")
    target = f"/intuit/consent?{urlencode({'request': ident})}" if ident else "/intuit/myapps"
    response = redirect(target, 303)
    session = secrets.token_urlsafe(24)
    world.store.put("intuit", "session", fingerprint(session), {"sub": user.sub}, {})
    response.set_cookie(COOKIE, session, httponly=True, samesite="Lax", path="/intuit")
    return response


def sign_out() -> ResponseReturnValue:
    response = redirect("/intuit/myapps", 303)
    response.delete_cookie(COOKIE, path="/intuit")
    return response


def signed_in(world: Any) -> users.User | None:
    """Who the browser's session belongs to, or None."""
    found = world.store.get("intuit", "session", fingerprint(request.cookies.get(COOKIE, "")))
    return users.find(found["sub"]) if found else None


def consent_page(world: Any) -> ResponseReturnValue:
    """GET consent, where sign-in leads."""
    user = signed_in(world)
    ident = request.args.get("request", "")
    return consent(world, ident, user) if user else sign_in_page(ident)


def consent(world: Any, ident: str, user: users.User) -> ResponseReturnValue:
    """Ask for consent; a request for sign-in alone needs none and goes straight back with a code."""
    asked = world.store.get("intuit", "authorization", ident)
    if asked is None:
        return _error("This request is over. Start again from the app.", "unknown authorization request")
    scopes = asked["scope"].split()
    if settings.API_SCOPE not in scopes:
        return _grant(world, ident, asked, user, None)
    return render_template(
        "intuit_consent.html",
        user=user,
        ident=ident,
        companies=users.companies(world, user),
        scopes=[settings.SCOPES[scope] for scope in scopes],
    )


def decide(world: Any) -> ResponseReturnValue:
    """POST of the consent page: back to the app with a code or with ``access_denied``."""
    ident = request.form.get("request", "")
    asked = world.store.get("intuit", "authorization", ident)
    user = signed_in(world)
    if asked is None or user is None:
        return _error("This request is over. Start again from the app.", "unknown authorization request")
    if request.form.get("decision") != "allow":
        world.store.delete("intuit", "authorization", ident)
        return _back(asked, error="access_denied")
    realm = request.form.get("realm", "")
    if realm not in [company["id"] for company in users.companies(world, user)]:
        return _error("You are not an admin of this company.", "only admins may connect an app")
    return _grant(world, ident, asked, user, realm)


def _grant(world: Any, ident: str, asked: dict[str, Any], user: users.User, realm: str | None) -> ResponseReturnValue:
    world.store.delete("intuit", "authorization", ident)
    code = "AB11" + secrets.token_hex(24)
    expires = tokens.now(world) + timedelta(seconds=int(settings.switch(world, "code_seconds")))
    body = {
        "sub": user.sub,
        "realm": realm,
        "scopes": asked["scope"].split(),
        "redirect_uri": asked["redirect_uri"],
        "nonce": asked.get("nonce"),
        "challenge": asked.get("code_challenge"),
        "expires": expires.isoformat(),
        "grant": None,
    }
    world.store.put("intuit", "code", fingerprint(code), body, {})
    members = {"code": code, "realmId": realm} if realm else {"code": code}
    return _back(asked, **members)


def _back(asked: dict[str, Any], **members: str) -> ResponseReturnValue:
    """Redirect to the app with ``state`` and the members."""
    if "state" in asked:
        members["state"] = asked["state"]
    return redirect(f"{asked['redirect_uri']}?{urlencode(members)}", 302)


def _error(text: str, detail: str) -> ResponseReturnValue:
    return Response(render_template("intuit_error.html", text=text, detail=detail), 400)


def expired(world: Any, body: dict[str, Any]) -> bool:
    """Whether a code's short life is over."""
    return datetime.fromisoformat(body["expires"]).astimezone(UTC) <= tokens.now(world)
