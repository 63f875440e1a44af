"""Step 3: both sides once more, then Connect: the pair is frozen and the first scan starts. It only reads."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from blueprints.connect.facts import ledger_facts, source_facts
from blueprints.connect.routes import blueprint
from blueprints.context import company, db, now, ring, the_user, writing
from blueprints.problems import Problem
from models import Company, Connection, Run
from sync import audit, connection, credentials, requests, settings
from workers import enqueue


@blueprint.get("/c/<int:company_id>/connect/review")
def review(company_id: int) -> ResponseReturnValue:
    row = connection.of(db(), company_id, credentials.SOURCE)
    if row is None or row.secret is None:
        return redirect(url_for("connect.autotask"))
    return render_template(
        "connect/review.html",
        ledger=ledger_facts(company()),
        source=source_facts(row),
        problems=_problems(row, company().currency),
        start_date=settings.load_invoices(db(), company_id).start_date,
    )


@blueprint.post("/c/<int:company_id>/connect/review")
def finish(company_id: int) -> ResponseReturnValue:
    """Connect. From now on this company belongs to this Autotask database, whatever is connected later."""
    with writing() as db:
        found = db.get_one(Company, company_id)
        row = connection.of(db, company_id, credentials.SOURCE)
        if row is None or row.secret is None or _problems(row, found.currency):
            raise Problem(409, "409")
        found.source_tenant = found.source_tenant or row.tenant
        if found.source_tenant != row.tenant:
            raise Problem(409, "409")
        row.state, row.connected_by, row.connected_at = credentials.CONNECTED, the_user().id, now()
        if found.setup_step in ("source", "review"):
            found.setup_step = "scan"
        _take_time_zone(db, found, row)
        run = begin_scan(db, found)
        audit.record(db, company_id, now(), the_user().email, "source connected", row.tenant)
    ring(enqueue.first_scan, company_id, run.id)
    return redirect(url_for("connect.first_scan"))


def begin_scan(db: Session, company: Company) -> Run:
    """The open first scan, or a new one. The caller rings after the commit."""
    run, _new = requests.ask(db, company, kind="first_scan", trigger="button", now=now(), user=the_user())
    return run


def _take_time_zone(db: Session, company: Company, row: Connection) -> None:
    """Times of day in Autotask are read in the zone of its internal location, unless somebody chose one already."""
    zone = (row.found or {}).get("time_zone")
    current = settings.load_invoices(db, company.id)
    if zone and current.source_time_zone == company.time_zone:
        settings.change(db, company.id, now=now(), user=None, source_time_zone=zone)


def _problems(row: Connection, ledger_currency: str) -> list[str]:
    found = row.found or {}
    problems = []
    own = found.get("currency")
    if own and ledger_currency and own != ledger_currency and not found.get("multi_currency"):
        problems.append(
            f"Autotask's only currency is {own}, the ledger's own is {ledger_currency}: amounts would be booked in the "
            f"wrong one. Connect the ledger company that is kept in {own}."
        )
    if not found.get("can_read_invoices"):
        problems.append("The Autotask user cannot read invoices: give it access to them, then test again.")
    if not found.get("can_mark_invoices"):
        problems.append("The Autotask user may not mark invoices as synced: allow it to edit them, then test again.")
    return problems
