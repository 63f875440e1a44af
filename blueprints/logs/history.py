"""History: every run with its result. Search, tab, time and page are in the address."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, func, or_, select

from blueprints.context import company, db, now
from blueprints.logs.routes import blueprint
from blueprints.queries import Totals, add_up, address, paged
from blueprints.runs import run_title
from blueprints.tools.sync_now import running_run
from domain.statuses import RunState, Status
from models import Run
from sync.tool_report import TOOLS

TABS: dict[str, tuple[str, tuple[RunState, ...]]] = {
    "all": ("All", tuple(RunState)),
    "problems": ("With problems", (RunState.PROBLEMS, RunState.FAILED, RunState.STOPPED)),
    "finished": ("Finished", (RunState.FINISHED,)),
}
WHEN = [("", "Any time"), ("1", "Last 24 hours"), ("7", "Last 7 days"), ("30", "Last 30 days")]


@blueprint.get("/c/<int:company_id>/runs")
def history(company_id: int) -> ResponseReturnValue:
    tab = request.args.get("tab", "all") if request.args.get("tab") in TABS else "all"
    q, found = request.args.get("q", "").strip(), request.args.get("found", "")
    listed = paged(db(), _search(_of_tab(tab), q, found).order_by(Run.id.desc()), 30)
    running = running_run()
    return render_template(
        "logs/history.html",
        runs=[run_row(run) for run in listed.rows],
        page=listed.pager,
        q=q,
        filters={"tab": tab, "found": found, "options": WHEN},
        tabs=[_tab(key, tab) for key in TABS],
        running={"url": running["url"]} if running else None,
    )


def _of_tab(tab: str) -> Select[Run]:
    return select(Run).where(Run.company_id == company().id, Run.state.in_(TABS[tab][1]))


def _search(statement: Select[Run], q: str, found: str) -> Select[Run]:
    if q:
        by_name = Run.requested_by_name.icontains(q, autoescape=True)
        digits = q.lower().removeprefix("run").strip()
        statement = statement.where(
            or_(by_name, Run.id == int(digits)) if digits.isdigit() and len(digits) < 10 else by_name
        )
    if found.isdigit() and 0 < int(found) < 4000:
        statement = statement.where(Run.started_at > now() - timedelta(days=int(found)))
    return statement


def _tab(key: str, current: str) -> dict[str, Any]:
    count = db().execute(select(func.count()).select_from(_of_tab(key).subquery())).scalar_one()
    return {
        "label": TABS[key][0],
        "href": address(tab=key, page=""),
        "current": key == current,
        "count": count,
        "bad": False,
    }


def run_row(run: Run) -> dict[str, Any]:
    """A run as lists show it. Counts of a run that goes on are in its own page."""
    counts = run.counts or {}
    return {
        "number": run.id,
        "url": url_for("logs.run", run_id=run.id),
        "started_at": run.started_at,
        "title": run_title(run),
        "asked_by": run.requested_by_name or "Schedule",
        "state": run.state,
        "message": run.message or "",
        "posted": counts.get(Status.COMPLETE, 0),
        "faults": counts.get(Status.FAULT, 0),
        "skipped": counts.get(Status.SKIPPED, 0),
        "totals": posted_totals(run),
        "elapsed": max((run.finished_at or now()) - run.started_at, timedelta(0)),
    }


def posted_totals(run: Run) -> Totals:
    """Sum per currency of what a finished run posted."""
    reads_only = run.kind == "first_scan" or run.kind in TOOLS
    posted = {} if reads_only else (run.summary or {}).get(Status.COMPLETE, {})
    return add_up((currency, Decimal(each["amount"])) for currency, each in posted.items())
