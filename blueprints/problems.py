"""Error pages: what happened, why, what to do, and a reference to quote. Never a trace, never a database.

`Problem` is raised by guards and views with a key of `PAGES`; other failures are translated here.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from flask import Flask, Response, g, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from redis.exceptions import RedisError
from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError
from werkzeug.exceptions import HTTPException

log = structlog.get_logger("web")


@dataclass(frozen=True, slots=True)
class Page:
    title: str
    happened: str
    why: str
    todo: tuple[str, ...]


PAGES: dict[str, Page] = {
    "400": Page(
        "This request cannot be read",
        "The browser sent something this page does not expect.",
        "",
        ("Go back and try again from the page itself.",),
    ),
    "401": Page("Please sign in", "This page is for signed-in people.", "", ("Sign in with {ledger_sign_in}.",)),
    "403": Page("Not allowed", "This is not open to you.", "", ("Ask an admin of the company.",)),
    "404": Page(
        "There is nothing here",
        "This address leads nowhere, or to something you do not have access to.",
        "",
        ("Check the address, or start from Home.",),
    ),
    "405": Page(
        "This does not work like that",
        "The address exists but does not take this kind of request.",
        "",
        ("Use the buttons of the page.",),
    ),
    "409": Page(
        "The page is out of date",
        "Something changed since this page was shown.",
        "",
        ("Load the page again and repeat what you did.",),
    ),
    "410": Page("This is gone", "It existed once and was removed.", "", ("Start from Home.",)),
    "413": Page("This is too large", "More was sent than a form may hold.", "", ("Send less at once.",)),
    "429": Page(
        "Too many tries",
        "There were more requests from here than a person makes.",
        "",
        ("Wait a minute, then try again.",),
    ),
    "500": Page(
        "Something broke here",
        "An error of ours kept this page from being made. It was written down.",
        "Nothing is posted twice because of it: what was on its way is looked up before it is sent again.",
        ("Try again in a moment.", "If it stays, tell us the reference below."),
    ),
    "503": Page("One moment, please", "Bookbridge cannot answer right now.", "", ("Try again in a minute.",)),
    "database": Page(
        "The database is not answering",
        "Pages cannot be shown while the database is away.",
        "Nothing is lost: whatever was being posted is looked up in {the_ledger} before it goes on.",
        ("Try again in a minute.", "Whoever runs this installation finds the cause in its log."),
    ),
    "queue": Page(
        "The job queue is not answering",
        "This needs the queue (Redis), and it is away.",
        "Nothing is lost: what was asked for is written down and goes on when the queue is back.",
        ("Try again in a minute.",),
    ),
    "role": Page(
        "Your role does not allow this",
        "Your role in this company is not enough for it.",
        "Viewers look at everything, staff use the tools, admins connect, change settings and invite people.",
        ("Ask an admin of the company to do it, or to change your role under Settings, People.",),
    ),
    "csrf": Page(
        "The form is out of date",
        "The page was open for too long, or came from somewhere else.",
        "Every form carries a token that ends with the session, so that no other site can press its buttons.",
        ("Load the page again and repeat what you did. Nothing was changed.",),
    ),
    "other_company": Page(
        "This form belongs to another company",
        "The form was opened for one company and sent to another one.",
        "Two tabs with two companies can do that. Nothing was changed.",
        ("Load the page again and repeat what you did.",),
    ),
}


class Problem(Exception):
    """Ends the request with a page of `PAGES`."""

    def __init__(self, code: int, key: str, **detail: str) -> None:
        super().__init__(key)
        self.code, self.key, self.detail = code, key, detail


def register(app: Flask) -> None:
    app.register_error_handler(Problem, _problem)
    app.register_error_handler(CSRFError, lambda error: page(400, "csrf"))
    app.register_error_handler(HTTPException, _http)
    for away in (OperationalError, InterfaceError, TimeoutError):
        app.register_error_handler(away, _database)
    app.register_error_handler(RedisError, _queue)
    app.register_error_handler(Exception, _unexpected)


def page(code: int, key: str) -> Response:
    """One error page. Needs neither the database nor a session."""
    found = PAGES[key]
    retry = request.full_path.rstrip("?") if request.method == "GET" and code in (429, 500, 503) else ""
    html = render_template(
        "errors/error.html",
        code=code,
        title=found.title,
        happened=found.happened,
        why=found.why,
        todo=found.todo,
        incident=g.get("request_id", ""),
        home_url=_home(),
        retry_url=retry,
        demo=None,
    )
    response = make_response(html, code)
    if code == 503:
        response.headers["Retry-After"] = "30"
    return response


def _home() -> str:
    company_id = g.get("company_id")
    return url_for("home.index", company_id=company_id) if company_id else ""


def _problem(error: Problem) -> ResponseReturnValue:
    log.info("refused", status=error.code, why=error.key, **error.detail)
    return page(error.code, error.key)


def _http(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    if code < 400:
        return error.get_response()
    response = page(code, str(code) if str(code) in PAGES else "400" if code < 500 else "500")
    for name, value in error.get_headers():
        if name in ("Retry-After", "Allow"):
            response.headers[name] = value
    return response


def _database(error: Exception) -> ResponseReturnValue:
    log.error("database is away", problem=type(error).__name__)
    return page(503, "database")


def _queue(error: Exception) -> ResponseReturnValue:
    log.error("queue is away", problem=type(error).__name__)
    return page(503, "queue")


def _unexpected(error: Exception) -> ResponseReturnValue:
    log.error("unexpected error", exc_info=error)
    return page(500, "500")
