"""One run: what it does now or did, its records with links to both sides, its report, and stopping it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, func, select

from blueprints.access import Need, may
from blueprints.causes import first
from blueprints.context import company, db, now, ring, the_user, writing
from blueprints.exports import csv_file
from blueprints.logs.retry import retry_run
from blueprints.logs.routes import blueprint
from blueprints.presentation import words
from blueprints.queries import Totals, add_up, address, paged
from blueprints.rows import item_row
from blueprints.runs import find, mail_rows, run_title
from blueprints.shell import ledger_names
from blueprints.stepwords import step_words
from blueprints.todo_words import todo_facts_of
from domain.formats import format_plural, format_totals
from domain.settings import SyncState
from domain.statuses import RunState, Status
from models import Document, Run, RunItem, User
from sync import addresses, audit, line_figures, pauses, periods, reports, requests, settings, taxsums, what_if
from sync.tool_report import TOOLS
from workers import enqueue

ORDER = (Status.COMPLETE, Status.PROCESSING, Status.PENDING, Status.FAULT, Status.SKIPPED)
TABS = {
    "all": ("All Records", ORDER),
    "success": ("Success Records", (Status.COMPLETE,)),
    "error": ("Error Records", (Status.FAULT,)),
}
POLL_S = 2


@blueprint.get("/c/<int:company_id>/runs/<int:run_id>")
def run(company_id: int, run_id: int) -> ResponseReturnValue:
    found = find(run_id)
    if found.kind == what_if.KIND:
        return redirect(url_for("settings.wanted_page"))
    if found.kind in TOOLS:
        return redirect(url_for("tools.result", run_id=run_id))
    return render_template("logs/run.html", **context(found))


@blueprint.get("/c/<int:company_id>/runs/<int:run_id>/live")
def run_live(company_id: int, run_id: int) -> ResponseReturnValue:
    return render_template("logs/_run_live.html", **context(find(run_id)))


@blueprint.get("/c/<int:company_id>/runs/<int:run_id>/status.json")
def run_status(company_id: int, run_id: int) -> ResponseReturnValue:
    """The run's progress for programs."""
    found = find(run_id)
    counts = {str(status): number for status, number in _counted(found.id)}
    return jsonify(
        state=found.state,
        phase=found.phase,
        finished=found.finished_at is not None,
        step=words().fill(step_words(found.step, company().time_zone)),
        message=words().fill(found.message or ""),
        total=sum(counts.values()),
        complete=counts.get(Status.COMPLETE, 0),
        faults=counts.get(Status.FAULT, 0),
        skipped=counts.get(Status.SKIPPED, 0),
        pending=counts.get(Status.PENDING, 0),
        processing=counts.get(Status.PROCESSING, 0),
    )


@blueprint.get("/c/<int:company_id>/runs/<int:run_id>/report.csv")
def run_csv(company_id: int, run_id: int) -> ResponseReturnValue:
    """The same CSV as in the mail: every record of the run with its outcome."""
    found = find(run_id)
    _long, short = ledger_names(company())
    text = reports.csv_text(reports.items(db(), found.id), found.id, short)
    return csv_file(text, f"bookbridge-run-{found.id}.csv", f"run {found.id}")


def _counted(run_id: int) -> list[tuple[str, int]]:
    rows = db().execute(select(RunItem.status, func.count()).where(RunItem.run_id == run_id).group_by(RunItem.status))
    return [(row[0], row[1]) for row in rows]


def context(found: Run) -> dict[str, Any]:
    """Everything logs/_run_live.html asks for."""
    counts = _counts(found)
    ended = found.finished_at is not None
    tab = request.args.get("tab", "all") if request.args.get("tab") in TABS else "all"
    listed = paged(db(), _records(found, tab), 50)
    total = sum(each["count"] for each in counts)
    shown = _shown(found, tab, counts)
    here = url_for("logs.run_live", run_id=found.id, tab=request.args.get("tab"), page=request.args.get("page"))
    return {
        "run": _run(found, counts),
        "counts": counts,
        "total": total,
        "steps": _steps(found),
        "stats": _stats(counts) if ended else [],
        "tabs": [_tab(key, tab, counts) for key in TABS],
        "records": [item_row(item) for item in listed.rows],
        "page": listed.pager,
        "totals": shown,
        "caption": TABS[tab][0],
        "empty_text": "No record yet." if not ended else "No record of this kind.",
        "one_currency": len(add_up(pair for each in counts for pair in each["totals"])) == 1,
        "sort": "",
        "recipients": _recipients(found),
        "todos": _todos(found),
        "figures": _figures(found) if ended else [],
        "files": [],
        "poll_s": POLL_S,
        "live_url": "" if ended else here,
        "csv_url": url_for("logs.run_csv", run_id=found.id) if total else "",
    }


def _figures(found: Run) -> list[str]:
    """What rounding and tax came to, as the mail says it."""
    _long, short = ledger_names(company())
    rows = reports.items(db(), found.id)
    return [*line_figures.of_run(db(), found.id).sentences, *taxsums.sentences(rows, short), *periods.sentences(rows)]


def _todos(found: Run) -> list[tuple[str, str]]:
    """Error to-dos that stand for what is still a Fault of this run."""
    told = db().scalars(
        select(Document.reasons)
        .join(RunItem, RunItem.document_id == Document.id)
        .where(RunItem.run_id == found.id, RunItem.status == Status.FAULT, Document.status == Status.FAULT)
    )
    return todo_facts_of(why for why in map(first, told) if why is not None)


def _counts(found: Run) -> list[dict[str, Any]]:
    rows = (
        db()
        .execute(
            select(RunItem.status, RunItem.currency, func.count(), func.sum(RunItem.amount))
            .where(RunItem.run_id == found.id)
            .group_by(RunItem.status, RunItem.currency)
        )
        .all()
    )
    return [
        {
            "status": status,
            "count": sum(row[2] for row in rows if row[0] == status),
            "totals": add_up((row[1] or "USD", row[3]) for row in rows if row[0] == status),
        }
        for status in ORDER
    ]


def _records(found: Run, tab: str) -> Select[RunItem]:
    return (
        select(RunItem)
        .where(RunItem.run_id == found.id, RunItem.status.in_(TABS[tab][1]))
        .order_by(RunItem.status != Status.FAULT, RunItem.id)
    )


def _shown(found: Run, tab: str, counts: list[dict[str, Any]]) -> Totals:
    return add_up(pair for each in counts if each["status"] in TABS[tab][1] for pair in each["totals"])


def _tab(key: str, current: str, counts: list[dict[str, Any]]) -> dict[str, Any]:
    label, statuses = TABS[key]
    number = sum(each["count"] for each in counts if each["status"] in statuses)
    href = address(tab=key, page="").replace("/live", "")
    return {"label": label, "count": number, "href": href, "current": key == current, "bad": key == "error"}


def _run(found: Run, counts: list[dict[str, Any]]) -> dict[str, Any]:
    running = found.finished_at is None
    asked = found.requested_by_name or "the schedule"
    return {
        "number": found.id,
        "title": run_title(found),
        "state": found.state,
        "asked_by": asked,
        "started_at": found.started_at,
        "ended_at": found.finished_at,
        "message": found.message or "",
        "elapsed": max((found.finished_at or now()) - found.started_at, timedelta(0)),
        "waited": timedelta(0),
        "joined_at": now() if request.args.get("joined") and running else None,
        "can_stop": running and found.kind == "sync" and not found.stop_requested and may(g.role, Need.STAFF),
        "faults": sum(each["count"] for each in counts if each["status"] == Status.FAULT)
        if may(g.role, Need.STAFF)
        else 0,
        "post_all": _post_all(found),
    }


def _post_all(found: Run) -> dict[str, Any] | None:
    """A run that was too large to post without asking offers to do it after all."""
    if found.state != RunState.STOPPED or found.kind != "sync" or found.confirmed or found.stop_requested:
        return None
    if pauses.current(db(), found.company_id) is not None:
        return None
    waiting = requests.waiting(db(), found.company_id)
    if not waiting.documents or not may(g.role, Need.STAFF):
        return None
    return {
        "count": waiting.documents,
        "totals": sorted(waiting.totals.items()),
        "url": url_for("tools.sync_now", post_all=1),
    }


def _steps(found: Run) -> list[dict[str, Any]]:
    """Read, post, report: what is done, what is on, what comes."""
    phases = ("queued", "reading", "posting", "finished")
    at = phases.index(found.phase) if found.phase in phases else 0
    failed = found.state == RunState.FAILED
    labels = (
        ("reading", "Read Autotask and compare"),
        ("posting", "Post in batches and mark in Autotask"),
        ("finished", "Report"),
    )
    steps = []
    for phase, label in labels:
        place = phases.index(phase)
        done = place < at or (found.phase == "finished" and not failed)
        kind = "done" if done else "bad" if failed and place == at else "now" if place == at else "wait"
        steps.append(
            {
                "kind": kind,
                "text": label,
                "detail": step_words(found.step, company().time_zone) if kind == "now" else "",
                "span": None,
            }
        )
    return steps


def _stats(counts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    by_status = {each["status"]: each for each in counts}
    posted = by_status[Status.COMPLETE]
    waits = by_status[Status.PENDING]["count"] + by_status[Status.PROCESSING]["count"]
    main: dict[str, Any] = {
        "label": "Posted",
        "text": f"{posted['count']:,}",
        "note": format_totals(posted["totals"]) or "nothing",
    }
    if len(posted["totals"]) == 1:
        currency, amount = posted["totals"][0]
        main = {
            "label": "Posted",
            "currency": currency,
            "amount": amount,
            "note": format_plural(posted["count"], "document"),
        }
    return [
        main,
        {
            "label": "Faults",
            "text": f"{by_status[Status.FAULT]['count']:,}",
            "note": format_totals(by_status[Status.FAULT]["totals"]) or "none",
        },
        {
            "label": "Skipped Over",
            "text": f"{by_status[Status.SKIPPED]['count']:,}",
            "note": format_totals(by_status[Status.SKIPPED]["totals"]) or "none",
        },
        {"label": "Still pending", "text": f"{waits:,}", "note": "go with the next Sync" if waits else "nothing waits"},
    ]


def _recipients(found: Run) -> list[dict[str, Any]]:
    """Per address: what became of the report, or that it will be mailed at the end (or with the collected one)."""
    sent = mail_rows(found)
    if sent:
        return sent
    if found.finished_at is not None or found.kind != "sync":
        return []
    return [
        {"address": each, "state": "queued", "note": "at the end", "again_url": ""}
        for each in addresses.recipients(db(), found)
    ]


@blueprint.get("/c/<int:company_id>/runs/<int:run_id>/stop")
def stop(company_id: int, run_id: int) -> ResponseReturnValue:
    found = find(run_id)
    if found.finished_at is not None:
        return redirect(url_for("logs.run", run_id=run_id))
    counted = {each["status"]: each for each in _counts(found)}
    state = settings.load_invoices(db(), company_id).sync_state
    return render_template(
        "logs/stop_confirm.html",
        run={"number": found.id, "url": url_for("logs.run", run_id=found.id)},
        in_flight=counted[Status.PROCESSING]["count"],
        waiting=counted[Status.PENDING]["count"],
        waiting_totals=counted[Status.PENDING]["totals"],
        automatic=state is SyncState.ON,
    )


@blueprint.post("/c/<int:company_id>/runs/<int:run_id>/stop")
def stop_now(company_id: int, run_id: int) -> ResponseReturnValue:
    find(run_id)
    with writing() as write:
        user = write.get_one(User, the_user().id)
        requests.stop(write, write.get_one(Run, run_id), now=now(), user=user)
        audit.record(write, company_id, now(), user.email, "run stopped", f"run {run_id}")
    ring(enqueue.ring, company_id)
    return redirect(url_for("logs.run", run_id=run_id))


@blueprint.post("/c/<int:company_id>/runs/<int:run_id>/resubmit")
def resubmit(company_id: int, run_id: int) -> ResponseReturnValue:
    """Try all Faults of this run again, as a new run; this one is then marked Resubmitted."""
    found = find(run_id)
    ids = (
        db()
        .scalars(
            select(Document.id)
            .join(RunItem, RunItem.document_id == Document.id)
            .where(RunItem.run_id == found.id, RunItem.status == Status.FAULT, Document.status == Status.FAULT)
        )
        .all()
    )
    return redirect(retry_run(company_id, ids, resubmitted=found.id))
