"""Reconciliation: compare both sides now, the newest result, and the cut-off question. Reads only."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import case, func, select

from blueprints.context import company, db, now, ring, the_user, writing
from blueprints.queries import address, paged
from blueprints.shell import ledger_names
from blueprints.tools import cut_off
from blueprints.tools.routes import blueprint
from domain.formats import format_age, format_moment, format_plural
from domain.reconcile import Outcome
from domain.statuses import RunState
from models import Company, Run, ToolRow, User
from sync import audit, reconcile_report, reconciling, tools
from sync.reconcile_report import WORDS, WRONG, Side
from workers import enqueue


@blueprint.get("/c/<int:company_id>/tools/reconcile")
def reconcile(company_id: int) -> ResponseReturnValue:
    through = cut_off.day(request.args.get("through", ""))
    run = tools.last(db(), company_id, reconciling.KIND)
    return render_template(
        "tools/reconcile.html", last=_last(run), through=through, cut_off=cut_off.context(through) if through else None,
        result_url=url_for("tools.result", run_id=run.id) if run is not None else "",
        connected=company().setup_step in ("first", "ready"), next_at=company().reconcile_at,
    )  # fmt: skip


@blueprint.post("/c/<int:company_id>/tools/reconcile")
def do_reconcile(company_id: int) -> ResponseReturnValue:
    """Compare now. Pressing twice joins what is on."""
    with writing() as write:
        user = write.get_one(User, the_user().id)
        run, new = tools.ask(
            write, write.get_one(Company, company_id), reconciling.KIND, {}, now=now(), user=user,
            recipients=[{"address": user.email, "kind": "additional"}],
        )  # fmt: skip
        audit.record(write, company_id, now(), user.email, "reconciled", f"run {run.id}")
        run_id = run.id
    if new:
        ring(enqueue.tool, company_id, run_id)
    return redirect(url_for("tools.result", run_id=run_id, joined=None if new else 1))


def _last(run: Run | None) -> dict[str, Any] | None:
    if run is None:
        return None
    found = reconcile_report.counts(run)
    at = format_moment(run.finished_at, company().time_zone) if run.finished_at else ""
    return {
        "text": told(run), "at": at, "kind": _kind(run), "message": run.message or "",
        "url": url_for("tools.result", run_id=run.id), "counts": found,
    }  # fmt: skip


def _kind(run: Run) -> str:
    if run.finished_at is None:
        return "busy"
    found = reconcile_report.counts(run)
    return "ok" if found is not None and found.green else "bad"


def told(run: Run) -> str:
    """"412 of 412 in the books, 0 duplicates, 0 missing, checked 30 Nov 2026, 03:10"."""
    if run.finished_at is None:
        return "Both sides are being compared now"
    at = format_moment(run.finished_at, company().time_zone)
    if run.state == RunState.FAILED or reconcile_report.counts(run) is None:
        return f"The comparison failed, {at}: {run.message or 'no reason is known'}"
    return f"{reconcile_report.headline(run)}, checked {at}"


def newest(company_id: int) -> dict[str, Any] | None:
    """For Home: the newest comparison that has ended; None before the first."""
    run = db().scalars(
        select(Run).where(Run.company_id == company_id, Run.kind == reconciling.KIND, Run.finished_at.is_not(None))
        .order_by(Run.id.desc()).limit(1)
    ).first()  # fmt: skip
    if run is None:
        return None
    return {"kind": _kind(run), "text": told(run), "url": url_for("tools.result", run_id=run.id)}


def context(run: Run) -> dict[str, Any]:
    """What the result page shows beside what all results share."""
    tab = request.args.get("tab", "") if request.args.get("tab") in WORDS else ""
    order = case({outcome: place for place, outcome in enumerate(WORDS)}, value=ToolRow.outcome, else_=9)
    statement = select(ToolRow).where(ToolRow.run_id == run.id)
    counted = {row[0]: row[1] for row in db().execute(
        select(ToolRow.outcome, func.count()).where(ToolRow.run_id == run.id).group_by(ToolRow.outcome)
    )}  # fmt: skip
    shown = statement.where(ToolRow.outcome == tab) if tab else statement
    listed = paged(db(), shown.order_by(order, ToolRow.id), 50)
    ledger = ledger_names(company())[1]
    found = reconcile_report.counts(run)
    labels = [("", "All"), *((key, label) for key, label in WORDS.items() if counted.get(key))]
    age = format_age(now() - run.finished_at) if run.finished_at else ""
    return {
        "tabs": [
            {"label": label, "count": counted.get(key, 0) if key else sum(counted.values()),
             "href": address(tab=key, page="").replace("/live", ""), "current": key == tab, "bad": key in WRONG}
            for key, label in labels
        ],
        "rows": [_row(row, ledger) for row in listed.rows], "page": listed.pager, "green": bool(found and found.green),
        "figures": reconcile_report.figures(run), "count": sum(counted.values()), "age": age,
        "again_url": url_for("tools.reconcile"),
        "wrong": format_plural(sum(counted.get(key, 0) for key in WRONG), "document"),
    }  # fmt: skip


def _row(row: ToolRow, ledger: str) -> dict[str, Any]:
    ours, theirs = reconcile_report.sides(row)
    document_id, there = row.data["document_id"], row.data["theirs"].get("number", "")
    return {
        "number": row.data["number"] or row.data["ledger_id"], "result": WORDS[row.outcome],
        "ours": _side(ours), "theirs": _side(theirs), "why": reconcile_report.why(row, ledger),
        "renumbered": there if there not in ("", row.data["number"]) else "",
        "kind": "ok" if row.outcome == Outcome.AGREE else "bad" if row.outcome in WRONG else "warn",
        "url": url_for("home.document", document_id=document_id) if document_id else "",
        "ledger_id": row.data["ledger_id"],
    }  # fmt: skip


def _side(side: Side) -> dict[str, Any]:
    return {**asdict(side), "day": cut_off.day(side.day)}
