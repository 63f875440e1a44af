"""The connections of a company, one card each, and ending one of them.

Disconnecting asks first, needs a recent sign-in, revokes at the platform, destroys the tokens and keeps settings.
"""

from __future__ import annotations

from typing import Any

import structlog
from flask import flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from blueprints.connect.facts import who
from blueprints.connect.routes import blueprint
from blueprints.context import company, db, now, services, the_user, writing
from blueprints.guard import recent_sign_in, signed_in_recently
from blueprints.home import pause
from blueprints.problems import Problem
from blueprints.queries import waiting_documents
from blueprints.shell import START, last_look, ledger_names
from connectors.errors import PlatformError
from domain.formats import format_day, format_moment
from domain.settings import SyncState
from models import Company, Connection, Grant, Run
from sync import audit, connection, credentials, requests, settings, tokens

log = structlog.get_logger("web")
SIDES = (credentials.LEDGER, credentials.SOURCE)
WORDS = {
    credentials.CONNECTED: ("ok", "Connected"),
    credentials.RECONNECT: ("bad", "Reconnect"),
    credentials.DISCONNECTED: ("bad", "Not connected"),
    credentials.TESTED: ("wait", "Tested, not connected yet"),
}


@blueprint.get("/c/<int:company_id>/connections")
def connections(company_id: int) -> ResponseReturnValue:
    scan = requests.open_run(db(), company_id, "first_scan")
    return render_template(
        "connect/connections.html",
        connections=[_card(side) for side in SIDES],
        may_change=g.role == "admin",
        paused=pause.note(),
        scan={"text": f"The first scan is running. {scan.step}".strip(), "url": url_for("connect.first_scan")}
        if scan
        else None,
    )


def _card(side: str) -> dict[str, Any]:
    found, row = company(), connection.of(db(), company().id, side)
    kind, word = WORDS.get(row.state, ("bad", row.state.capitalize())) if row else ("wait", "Not connected yet")
    admin = g.role == "admin"
    connected = row is not None and row.state == credentials.CONNECTED
    problem = row.problem or "" if row else ""
    return {
        "id": side,
        "name": _name(found, side),
        "kind": kind,
        "word": word,
        "problem": problem,
        "problem_text": "Posting waits meanwhile; nothing is lost and nothing is posted twice." if problem else "",
        "facts": _facts(found, row, side) if row else [("State", "Not connected yet")],
        "primary": _connect(found, side) if admin and not connected else None,
        "reconnect": _connect(found, side, again=True) if admin and connected else None,
        "disconnect_url": url_for("connect.disconnect", side=side) if admin and connected else "",
    }


def _name(found: Company, side: str) -> str:
    return ledger_names(found)[0] if side == credentials.LEDGER else "Autotask PSA"


def _connect(found: Company, side: str, *, again: bool = False) -> dict[str, Any]:
    if side == credentials.SOURCE:
        return {"label": "Test or change" if again else "Connect", "url": url_for("connect.autotask")}
    return {
        "label": "Reconnect to {the_ledger}" if again or found.source_tenant else "Connect to {the_ledger}",
        "picture": "" if again else f"{found.ledger}-connect",
        "url": url_for(START[found.ledger]),
        "method": "post",
        "fields": {"purpose": "reconnect", "for_company": found.id},
    }


def _facts(found: Company, row: Connection, side: str) -> list[tuple[str, str]]:
    zone = found.time_zone
    facts = [
        ("Company", found.name) if side == credentials.LEDGER else ("Database", row.tenant),
        ("Country and currency", f"{found.country or '–'}, {found.currency or '–'}")
        if side == credentials.LEDGER
        else ("API user", row.user_name or "–"),
        ("Connected by", who(row.connected_by)),
        ("Since", format_moment(row.connected_at, zone) if row.connected_at else "–"),
        ("Last success", format_moment(row.last_success_at, zone) if row.last_success_at else "–"),
    ]
    grant = db().get(Grant, row.grant_id) if row.grant_id else None
    if grant is not None and grant.refresh_expires_at and grant.ended_at is None:
        facts.append(("Valid until", f"{format_day(grant.refresh_expires_at.date())}, extended with every use"))
        if grant.hard_expires_at:
            facts.append(("To be renewed by a person by", format_day(grant.hard_expires_at.date())))
    if side == credentials.SOURCE:
        facts += [("Zone", row.api_url or "–"), ("Last look", last_look(found).removeprefix("last look ") or "not yet")]
    return facts


@blueprint.get("/c/<int:company_id>/connections/<side>/disconnect")
@recent_sign_in
def disconnect(company_id: int, side: str) -> ResponseReturnValue:
    row = connection.of(db(), company_id, side) if side in SIDES else None
    if row is None or row.state != credentials.CONNECTED:
        raise Problem(404, "404")
    count, totals = waiting_documents(db(), company_id)
    return render_template(
        "connect/disconnect_confirm.html",
        name=_name(company(), side),
        picture=f"{company().ledger}-disconnect" if side == credentials.LEDGER else "",
        open={"count": count, "totals": totals},
        action=url_for("connect.disconnect_now", side=side),
        keep_url=url_for("connect.connections"),
        recent_sign_in_needed=not signed_in_recently(),
    )


@blueprint.post("/c/<int:company_id>/connections/<side>/disconnect")
@recent_sign_in
def disconnect_now(company_id: int, side: str) -> ResponseReturnValue:
    row = connection.of(db(), company_id, side) if side in SIDES else None
    if row is None:
        raise Problem(404, "404")
    revoked = _revoke(row) if side == credentials.LEDGER else True
    with writing() as db_:
        _forget(db_, company_id, side)
        audit.record(db_, company_id, now(), the_user().email, f"{side} disconnected", row.tenant, {"revoked": revoked})
    name = _name(company(), side)
    flash(f"{name} is disconnected. Settings, links and history are kept.", "ok")
    if not revoked:
        flash(
            f"{name} did not answer, so remove Bookbridge there as well, under {{ledger_apps}}. "
            "Our access is destroyed.",
            "warn",
        )
    return redirect(url_for("connect.connections"))


def _revoke(row: Connection) -> bool:
    """Tell the platform first: without the tokens nobody could. It may be away; they are destroyed anyway, unless
    other companies use them: then only this company's connection ends."""
    grant = db().get(Grant, row.grant_id) if row.grant_id else None
    token = tokens.refresh_token_of(grant, services().key_ring) if grant else None
    if grant is None or token is None:
        return True
    shared, intuit = services().shared_grants.get(grant.provider), services().intuit
    try:
        if shared is not None:
            shared.end(services().tokens.access_token(grant.id), row.tenant)
        elif intuit is not None:
            intuit.revoke(token)
        else:
            return False
    except PlatformError as problem:
        log.warning("revocation failed", problem=problem.message)
        return False
    return True


def _forget(session: Session, company_id: int, side: str) -> None:
    """Tokens and secrets are destroyed, schedules stop, an open run stops after its batch."""
    row = connection.of(session, company_id, side)
    if row is None:
        return
    grant = session.get(Grant, row.grant_id) if row.grant_id else None
    if grant is not None and not tokens.used_elsewhere(session, grant, row):
        tokens.destroy(grant, now())
    row.grant_id = None if grant is not None and grant.ended_at is None else row.grant_id
    row.state, row.problem, row.secret, row.integration_code = credentials.DISCONNECTED, None, None, None
    found = session.get_one(Company, company_id)
    found.next_poll_at = None
    settings.change(session, company_id, now=now(), user=the_user(), sync_state=SyncState.OFF)
    run: Run | None = requests.open_run(session, company_id)
    if run is not None:
        requests.stop(session, run, now=now(), user=the_user())
