"""Before any view: is the host ours, is the database there, who is it, may they, which company is it.

Companies a visitor does not belong to answer 404, not 403: nobody learns which ids exist.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, cast
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, flash, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from blueprints.access import Need, may, need_of
from blueprints.context import db, now, services
from blueprints.problems import Problem
from blueprints.sessions import RECENT, BrowserSession
from models import Company, User
from sync import access

WITHOUT_A_VISITOR = ("static", "health.healthz", "health.readyz", "setup.index", "setup.enter")


def register(app: Flask) -> None:
    app.before_request(check_host)
    app.before_request(check_database)
    app.before_request(check_visitor)
    app.before_request(check_company_of_form)


def check_host() -> None:
    """Links in mails and redirects are built from our own address; a request for another host gets nothing."""
    if request.host.lower() != current_app.config["HOST"] and request.endpoint not in (
        "health.healthz",
        "health.readyz",
    ):
        abort(400)


def check_database() -> None:
    """Before its first page a process asks whether the database was restored, as workers do before their first job
    (decision 0009). A database that is away is asked with the next page."""
    outside = request.endpoint in (None, "static", "health.healthz", "health.readyz")
    if outside or current_app.extensions.get("restore_asked"):
        return
    with suppress(SQLAlchemyError):
        services().ask_whether_restored()
        current_app.extensions["restore_asked"] = True


def check_visitor() -> ResponseReturnValue | None:
    """Load user and company, and hold the request against the table of roles."""
    g.user = g.company = g.role = g.company_id = None
    if request.endpoint is None or request.endpoint in WITHOUT_A_VISITOR:
        return None
    if cast(BrowserSession, session).broken:
        raise Problem(503, "database")
    g.user = _user()
    need = need_of(current_app, request.endpoint)
    if need is Need.ANONYMOUS:
        return None
    if need is Need.DEMO:
        return None if services().config.demo else abort(404)
    if g.user is None:
        return _sign_in_first()
    if need is Need.USER:
        return None
    _enter_company(need)
    return None


def _user() -> User | None:
    text = session.get("_user_id")
    user = db().get(User, int(text)) if text else None
    return user if user is not None and user.disabled_at is None else None


def _enter_company(need: Need) -> None:
    company_id = (request.view_args or {})["company_id"]
    role = access.role_in(db(), company_id, g.user.id)
    if role is None:
        abort(404)
    found = db().get_one(Company, company_id)
    g.company, g.company_id, g.role, g.zone = found, found.id, role, found.time_zone
    if not may(role, need):
        raise Problem(403, "role", need=need.value)


def _sign_in_first() -> ResponseReturnValue:
    """Back to where the visitor wanted to go, after signing in. A fragment that polls is told to load the page."""
    if request.headers.get("HX-Request"):
        return Response(status=401, headers={"HX-Redirect": url_for("connect.start")})
    if request.method == "GET":
        session["next"] = request.full_path.rstrip("?")[:200]
    flash("Please sign in. After half an hour without a click the session ends.", "plain")
    return redirect(url_for("connect.start"))


def check_company_of_form() -> None:
    """A form acts on the company it was rendered for: one left open in another tab must not act on this one."""
    if request.method != "POST" or g.get("company_id") is None:
        return
    if request.form.get("company_id", "") != str(g.company_id):
        raise Problem(409, "other_company")


def recent_sign_in(view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
    """For what cannot be undone: the person signed in within the last ten minutes, else signs in once more."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        if not signed_in_recently():
            back = request.full_path.rstrip("?") if request.method == "GET" else _referring_page()
            return redirect(url_for("connect.start", again=1, next=back))
        return view(*args, **kwargs)

    return guarded


def signed_in_recently() -> bool:
    at = cast(BrowserSession, session).signed_in_at
    return at is not None and now() - at <= RECENT


def _referring_page() -> str:
    """The page of ours the form stood on; the company's home when the browser does not say."""
    parts = urlsplit(request.referrer or "")
    own = urlsplit(services().config.public_url)
    if (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
        return parts.path
    return url_for("home.index", company_id=g.company_id) if g.get("company_id") else "/"
