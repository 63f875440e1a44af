"""What the base templates show around every page: companies, connection, faults, the demo's strip.

Built only when a template asks for it, so error pages and signed-out pages need no database.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, current_app, g, session, url_for
from sqlalchemy import func, select
from werkzeug.local import LocalProxy

from blueprints.context import db, now, services
from domain.formats import format_age
from domain.ledger_words import words_of
from domain.settings import SyncState
from domain.statuses import Status
from models import Company, Connection, Document
from sync import access, credentials, pauses
from sync.settings import load_invoices

START = {"quickbooks": "connect.intuit_start", "xero": "connect.xero_start"}
"""Where signing in and connecting begin, by what `Company.ledger` holds."""
PLUG = "plug.show"


def register(app: Flask) -> None:
    @app.context_processor
    def provide() -> dict[str, Any]:
        return {
            "shell": LocalProxy(_shell),
            "doors": doors(),
            "demo": LocalProxy(_demo) if services().config.demo else None,
        }

    @app.url_defaults
    def keep_company(endpoint: str, values: dict[str, Any]) -> None:
        if (
            "company_id" not in values
            and g.get("company_id")
            and app.url_map.is_endpoint_expecting(endpoint, "company_id")
        ):
            values["company_id"] = g.company_id


CONNECT = {
    "quickbooks": ("Sign in with {ledger_sign_in}", "quickbooks-sign-in"),
    "xero": ("Connect to {the_ledger}", "xero-connect"),
}
"""Words and picture of the button before a consent. Intuit: somebody who comes from its store is never shown "Connect"
(technical requirements, 4.1)."""


def doors() -> list[dict[str, str]]:
    """The sign-in services of this installation, with what stands on their buttons (templates/macros/doors.html)."""
    offered = {"quickbooks": services().intuit, "xero": services().xero}
    return [
        {"ledger": ledger, "service": words_of(ledger).ledger_sign_in, "name": words_of(ledger).the_ledger,
         "url": url_for(START[ledger]), "connect": words_of(ledger).fill(CONNECT[ledger][0]),
         "connect_picture": CONNECT[ledger][1]}
        for ledger, identity in offered.items() if identity is not None
    ]  # fmt: skip


def ledger_names(company: Company) -> tuple[str, str]:
    """Long and short."""
    words = words_of(company.ledger)
    return words.ledger_in_full, words.the_ledger


def _shell() -> dict[str, Any]:
    if "shell" not in g:
        g.shell = _build()
    return dict(g.shell)


def _build() -> dict[str, Any]:
    company: Company | None = g.get("company")
    mine = access.companies_of(db(), g.user.id)
    return {
        "company": _company(company) if company else None,
        "companies": [_entry(each, company) for each, _role in mine],
        "connection": _connection(company) if company else None,
        "user": {"name": g.user.name, "role": g.get("role") or "user", "email": g.user.email},
        "admin": g.get("role") == "admin",
        "faults": count_faults(company.id) if company else 0,
        "service": {"kind": "ok", "text": "Bookbridge is running"},
        "zone": _zone(company),
        "theme": "" if g.user.theme == "auto" else g.user.theme,
        "shortcuts": bool(session.get("shortcuts", True)),
    }


def _company(company: Company) -> dict[str, Any]:
    long, short = ledger_names(company)
    return {
        "id": company.id,
        "name": company.name,
        "ledger": long,
        "ledger_short": short,
        "currency": company.currency or "–",
    }


def _entry(company: Company, current: Company | None) -> dict[str, Any]:
    kind, word, _ = condition(company)
    return {
        "id": company.id,
        "name": company.name,
        "kind": kind,
        "current": current is not None and current.id == company.id,
        "note": " · ".join(filter(None, (ledger_names(company)[0], company.currency, word))),
        "url": url_for("home.index", company_id=company.id),
    }


def _connection(company: Company) -> dict[str, Any]:
    kind, word, look = condition(company)
    return {"kind": kind, "word": word, "look": look, "url": url_for("connect.connections", company_id=company.id)}


def condition(company: Company) -> tuple[str, str, str]:
    """(kind, word, last look) of a company as a whole: is it connected, and does it post by itself?"""
    rows = db().scalars(select(Connection).where(Connection.company_id == company.id)).all()
    states = {row.side: row.state for row in rows}
    look = last_look(company)
    if credentials.RECONNECT in states.values() or states.get("ledger") == credentials.DISCONNECTED:
        return "warn", "Reconnect", look
    if set(states) != {"ledger", "source"} or set(states.values()) != {credentials.CONNECTED}:
        return "wait", "Being set up", ""
    if pauses.current(db(), company.id) is not None:
        return "warn", "Paused", look
    syncing = load_invoices(db(), company.id).sync_state is not SyncState.OFF
    return ("ok", "Running", look) if syncing else ("wait", "Paused", look)


def last_look(company: Company) -> str:
    """How long ago the source was asked; empty before the first time."""
    if company.last_checked_at is None:
        return ""
    return f"last look {format_age(max(now() - company.last_checked_at, timedelta(0)))} ago"


def count_faults(company_id: int) -> int:
    return (
        db()
        .execute(
            select(func.count())
            .select_from(Document)
            .where(Document.company_id == company_id, Document.status == Status.FAULT)
        )
        .scalar_one()
    )


def _zone(company: Company | None) -> str:
    name = company.time_zone if company else "UTC"
    offset = now().astimezone(ZoneInfo(name)).strftime("%z")
    place = name.split("/")[-1].replace("_", " ")
    return (
        f"Times are {place} time (UTC{offset[:3].replace('-', '−')}:{offset[3:]})" if name != "UTC" else "Times are UTC"
    )


def _demo() -> dict[str, Any]:
    """The strip of the tour: what was done in the company on the page, with links to go there."""
    company: Company | None = g.get("company")
    steps: list[dict[str, Any]] = []
    if company is not None:
        posted = company.first_posted_at is not None
        done = (
            db()
            .execute(
                select(func.count())
                .select_from(Document)
                .where(Document.company_id == company.id, Document.status == Status.COMPLETE)
            )
            .scalar_one()
        )
        steps = [
            _step(
                "See what the scan found",
                "connect.first_scan",
                company,
                company.setup_step not in ("source", "review"),
            ),
            _step("Post one invoice", "connect.first_posting", company, posted),
            _step("Press Sync Now", "tools.sync_now", company, done > 1),
            _step("Fix a Fault", "logs.errors", company, False),
        ]
        if PLUG in current_app.view_functions:  # the demo's web process has it, no other one
            steps.append(_step("Pull the plug", PLUG, company, False))
    sentence = "Everything here is simulated: Autotask, {the_ledger} and the mailbox."
    if company is None and g.get("user") is not None:
        sentence += " Choose the company that waits for its first posting; the tour takes a minute."
    return {"sentence": sentence, "steps": steps, "accounts_url": url_for("account.demo")}


def _step(label: str, endpoint: str, company: Company, done: bool) -> dict[str, Any]:
    return {"label": label, "url": url_for(endpoint, company_id=company.id), "done": done}
