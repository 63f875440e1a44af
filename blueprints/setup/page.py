"""/setup: what the installation needs, checked when the page is opened, and the addresses to register.

Open to whoever knows SETUP_TOKEN; without that variable the address does not exist. It works before there is a
database, so nothing about the visitor is kept there: a signed cookie, for this address alone, says for half an hour
that the token was given. Changing the token or the secret key ends it.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import urlsplit

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, TimestampSigner

from blueprints.context import services
from blueprints.setup.routes import blueprint
from domain.installing import Area, Kind, findings, ready
from domain.ledger_words import words_of
from workers import inspection
from workers.wiring import CALLBACK, XERO_CALLBACK

COOKIE, LIFE_S = "bookbridge-setup", 1800
WORDS = {Kind.OK: "ready", Kind.WARN: "look at this", Kind.BAD: "missing", Kind.WAIT: "not known yet"}
ADDRESSES: dict[str, tuple[tuple[str, str], ...]] = {
    "quickbooks": (
        ("Redirect URI", CALLBACK), ("Launch URL", "/launch"), ("Connect URL (get the app)", "/get/intuit"),
        ("Reconnect URL", "/reconnect"), ("Disconnect URL", "/disconnect/intuit"),
    ),
    "xero": (
        ("Redirect URI", XERO_CALLBACK), ("Login URL for launcher", "/launch/xero"),
        ("App Store connect URL", "/get/xero"),
    ),
}  # fmt: skip
"""What each marketplace's developer pages ask for, by the names used there."""


@blueprint.get("/setup")
def index() -> ResponseReturnValue:
    if not services().config.setup_token:
        abort(404)
    if not _entered():
        return render_template("setup/enter.html", wrong=False)
    seen = inspection.look(services())
    found = findings(seen)
    return render_template(
        "setup/index.html",
        ready=ready(found),
        missing=sum(each.kind is Kind.BAD for each in found),
        areas=[
            {"title": str(area), "id": area.name.lower(),
             "rows": [_row(each) for each in found if each.area is area]}
            for area in Area
        ],
        addresses=[
            {"title": words_of(each.ledger).ledger_sign_in, "rows": _addresses(each.ledger)}
            for each in seen.marketplaces
        ],
    )  # fmt: skip


def _row(each: Any) -> dict[str, str]:
    return {
        "title": each.title, "kind": str(each.kind), "word": WORDS[each.kind], "found": each.found, "todo": each.todo,
    }  # fmt: skip


def _addresses(ledger: str) -> list[tuple[str, str]]:
    base = services().config.public_url.rstrip("/")
    return [("Host domain", urlsplit(base).netloc), *((label, base + path) for label, path in ADDRESSES[ledger])]


@blueprint.post("/setup")
def enter() -> ResponseReturnValue:
    """The token, compared in constant time. It is kept nowhere; the cookie is worth nothing elsewhere."""
    token = services().config.setup_token
    if not token:
        abort(404)
    given = request.form.get("token", "")[:500]
    if not hmac.compare_digest(given.encode(), token.encode()):
        return render_template("setup/enter.html", wrong=True), 403
    answer = redirect(url_for("setup.index"), 303)
    answer.set_cookie(
        COOKIE, _signer(token).sign(b"entered").decode(), max_age=LIFE_S, path=url_for("setup.index"), httponly=True,
        samesite="Strict", secure=services().config.secure_cookies,
    )  # fmt: skip
    return answer


def _entered() -> bool:
    token = services().config.setup_token or ""
    try:
        _signer(token).unsign(request.cookies.get(COOKIE, ""), max_age=LIFE_S)
    except BadSignature:
        return False
    return True


def _signer(token: str) -> TimestampSigner:
    key = f"{services().config.secret_key}:{hashlib.sha256(token.encode()).hexdigest()}"
    return TimestampSigner(key, salt="setup")
