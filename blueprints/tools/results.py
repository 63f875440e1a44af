"""The page of a tool's result: what it does now, what it found, the same rows as CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import case, func, select

from blueprints.context import company, db, now
from blueprints.queries import address, paged
from blueprints.runs import find, mail_rows
from blueprints.settings.sections.lines import MATCH_BY
from blueprints.settings.sections.numbers import NUMBERING
from blueprints.shell import ledger_names
from blueprints.stepwords import step_words
from blueprints.tools import copy_result, diagnosis_result, list_result, reconcile
from blueprints.tools.in_process import last_cleared
from blueprints.tools.preview_result import preview_context
from blueprints.tools.routes import blueprint
from domain.compare import Result
from domain.formats import format_age
from domain.reasons import Stage
from domain.stages import Outcome
from domain.statuses import RunState
from models import Run, ToolRow
from sync import list_compare, previewing, settings, tools
from sync.check import Asked
from sync.comparing import COPY, CREATED, REFUSED, match_of
from sync.copy_outcome import KIND as MANUAL_COPY
from sync.diagnosis import KIND as DIAGNOSIS
from sync.reports import RECONCILE
from sync.tool_report import OUTCOMES, RESULTS, TOOLS, csv_name, csv_text, reasons_of, rows_of, sums_of

PAGES = {
    "check": "check_result",
    "compare": "compare_result",
    COPY: "compare_result",
    list_compare.KIND: "lists_result",
    previewing.KIND: "preview_result",
    MANUAL_COPY: "manual_copy_result",
    DIAGNOSIS: "diagnosis_result",
    RECONCILE: "reconcile_result",
}
"""Kind of run → the template of its page (and, with `_` before it, of what polls)."""
CARDS = (
    (
        "check", "tools.check", "list-check", "Check for Invoices",
        "Shows which invoices the next Sync would take, and every reason why another one would not go. Posts nothing.",
    ),
    (
        "compare", "tools.compare", "equal", "compare items",
        "Shows which item each Autotask billing code is booked on, what differs and what is missing; copies what is "
        "missing when you ask for it.",
    ),
    (
        MANUAL_COPY, "tools.manual_copy", "file-text", "Manually Copy an Invoice",
        "Posts one invoice by its id, number or address, also an older one and while syncing is off. With Overwrite it "
        "replaces a copy, after showing what differs. Never makes a second copy.",
    ),
    (
        RECONCILE, "tools.reconcile", "equal", "Reconciliation",
        "Compares every posted document with what the ledger holds now and names what is there twice, missing, unknown "
        "or changed. Answers whether everything to a day is in the books. Reads only.",
    ),
    (
        DIAGNOSIS, "tools.troubleshoot", "route", "Troubleshoot",
        "Looks at connections, clocks, permissions, settings and limits, or at one invoice on both sides, and names "
        "the likely causes. Changes nothing.",
    ),
)  # fmt: skip
"""Kind, endpoint, icon, button and sentence of each further tool."""


@blueprint.get("/c/<int:company_id>/tools/results/<int:run_id>")
def result(company_id: int, run_id: int) -> ResponseReturnValue:
    run = find(run_id)
    if run.kind not in PAGES:
        return redirect(url_for("logs.run", run_id=run_id))
    return render_template(f"tools/{PAGES[run.kind]}.html", **context(run))


@blueprint.get("/c/<int:company_id>/tools/results/<int:run_id>/live")
def result_live(company_id: int, run_id: int) -> ResponseReturnValue:
    run = find(run_id)
    if run.kind not in PAGES:
        return "", 204
    return render_template(f"tools/_{PAGES[run.kind]}.html", **context(run))


@blueprint.get("/c/<int:company_id>/tools/results/<int:run_id>/result.csv")
def result_csv(company_id: int, run_id: int) -> ResponseReturnValue:
    """The same CSV as in the mail."""
    run = find(run_id)
    if run.kind not in PAGES:
        return redirect(url_for("logs.run_csv", run_id=run_id))
    text = csv_text(run, rows_of(db(), run), ledger_names(company())[1])
    return Response(
        text.encode("utf-8-sig"),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{csv_name(run)}"'},
    )


def context(run: Run) -> dict[str, Any]:
    """What every result page asks for, and what its own tool adds."""
    running = run.finished_at is None
    live = url_for("tools.result_live", run_id=run.id, tab=request.args.get("tab"), page=request.args.get("page"))
    shared = {
        "run": {
            "number": run.id, "title": TOOLS[run.kind].title, "running": running, "state": run.state,
            "failed": run.state == RunState.FAILED, "message": run.message or "",
            "step": _step(run),
            "started_at": run.started_at,
            "ended_at": run.finished_at, "asked_by": run.requested_by_name or "Somebody",
            "joined": bool(request.args.get("joined")) and running,
        },
        "headline": TOOLS[run.kind].headline(run), "live_url": live if running else "", "mails": mail_rows(run),
        "csv_url": url_for("tools.result_csv", run_id=run.id) if not running and run.state != RunState.FAILED else "",
    }  # fmt: skip
    return {**shared, **_OWN[run.kind](run)}


def _step(run: Run) -> str:
    creating = run.kind == COPY and run.phase == "posting"
    return "Creating the items" if creating else step_words(run.step, company().time_zone)


# ---- Check Which Invoices are Ready for Billing --------------------------------------------------------------


def _check(run: Run) -> dict[str, Any]:
    sums = sums_of(run)
    tab = request.args.get("tab", "") if request.args.get("tab") in set(Outcome) else ""
    order = case({str(each): place for place, each in enumerate(OUTCOMES)}, value=ToolRow.outcome)
    statement = select(ToolRow).where(ToolRow.run_id == run.id).order_by(order, ToolRow.id)
    if tab:
        statement = statement.where(ToolRow.outcome == tab)
    listed = paged(db(), statement, 50)
    asked = Asked.of(run, settings.load_invoices(db(), run.company_id))
    return {
        "stages": [str(stage) for stage in Stage],
        "rows": [_check_row(row) for row in listed.rows],
        "page": listed.pager,
        "tabs": _tabs(
            [("", "All"), *((str(key), label) for key, label in OUTCOMES.items())],
            _counted(run),
            tab,
            (Outcome.STOPPED,),
        ),
        "totals": sums[Outcome.READY][1],
        "ready": sums[Outcome.READY][0],
        "count": sum(count for count, _ in sums.values()),
        "numbering": dict(NUMBERING)[asked.numbering],
        "days": asked.max_age_days,
        "again_url": url_for("tools.check"),
    }


def _counted(run: Run) -> dict[str, int]:
    rows = db().execute(select(ToolRow.outcome, func.count()).where(ToolRow.run_id == run.id).group_by(ToolRow.outcome))
    return {row[0]: row[1] for row in rows}


def _tabs(
    labels: Sequence[tuple[str, str]], counted: Mapping[str, int], tab: str, bad: Sequence[str]
) -> list[dict[str, Any]]:
    return [
        {
            "label": label,
            "count": counted.get(key, 0) if key else sum(counted.values()),
            "href": address(tab=key, page="").replace("/live", ""),
            "current": key == tab,
            "bad": key in bad,
        }
        for key, label in labels
    ]


def _check_row(row: ToolRow) -> dict[str, Any]:
    data = row.data
    document_id = data.get("document_id")
    return {
        "number": data["number"],
        "url": url_for("home.document", document_id=document_id) if document_id else "",
        "customer": data["customer"] or "no customer",
        "day": date.fromisoformat(data["day"]),
        "amount": Decimal(data["amount"]),
        "currency": data["currency"],
        "cells": [(str(stage), data["stages"].get(str(stage), "unseen")) for stage in Stage],
        "ready": row.outcome == Outcome.READY,
        "reasons": reasons_of(row, ledger_names(company())[1]),
    }


# ---- Compare Billing Codes and Items -------------------------------------------------------------------------

GOOD = (Result.MATCH, Result.SHARED, CREATED)
ASKS = (Result.MISSING, Result.INACTIVE, Result.UNUSABLE, REFUSED)


def _compare(run: Run) -> dict[str, Any]:
    tab = request.args.get("tab", "") if request.args.get("tab") in RESULTS else ""
    order = case(
        {result: place for place, result in enumerate((*ASKS, Result.AMBIGUOUS))}, value=ToolRow.outcome, else_=9
    )
    statement = select(ToolRow).where(ToolRow.run_id == run.id).order_by(order, ToolRow.id)
    listed = paged(db(), statement.where(ToolRow.outcome == tab) if tab else statement, 50)
    counted = _counted(run)
    labels = [("", "All"), *((result, label) for result, label in RESULTS.items() if counted.get(result))]
    return {
        "rows": [_compare_row(row) for row in listed.rows],
        "page": listed.pager,
        "tabs": _tabs(labels, counted, tab, ASKS),
        "count": sum(counted.values()),
        "missing": counted.get(Result.MISSING, 0),
        "copied": run.kind == COPY,
        "matched_by": dict(MATCH_BY)[match_of(run, settings.load_invoices(db(), run.company_id))],
        "again_url": url_for("tools.compare"),
    }


def _compare_row(row: ToolRow) -> dict[str, Any]:
    data = row.data
    return {
        "code": data["code"],
        "code_id": data["code_id"],
        "name": data["name"],
        "item": data["item"],
        "kind": "ok" if row.outcome in GOOD else "bad" if row.outcome in ASKS else "warn",
        "result": RESULTS[row.outcome],
        "notes": data["notes"],
    }


_OWN = {
    "check": _check, "compare": _compare, COPY: _compare, list_compare.KIND: list_result.context,
    previewing.KIND: preview_context,
    MANUAL_COPY: copy_result.context, DIAGNOSIS: diagnosis_result.context,
    RECONCILE: reconcile.context,
}  # fmt: skip


def cards() -> list[dict[str, Any]]:
    """The further tools as the Tools page lists them."""
    return [
        {
            "id": kind,
            "title": TOOLS[kind].title,
            "text": text,
            "icon": icon,
            "button": label,
            "url": url_for(endpoint),
            "last": last_result(kind),
        }
        for kind, endpoint, icon, label, text in CARDS
    ]


def other_cards() -> list[dict[str, Any]]:
    """Tools without a page of results."""
    return [
        {
            "id": "in-process",
            "title": "Clear In-Process Status",
            "text": "Clears the sync status if the processing is stuck. It never resets a posting.",
            "icon": "player-stop",
            "button": "Clear In-Process Status",
            "url": url_for("tools.in_process"),
            "last": last_cleared(),
        },
    ]


def last_result(kind: str) -> dict[str, Any] | None:
    """The newest result of a tool as cards and forms show it; None when it was never used."""
    run = tools.last(db(), company().id, kind)
    if run is None:
        return None
    url = url_for("tools.result", run_id=run.id)
    if run.finished_at is None:
        return {"kind": "busy", "text": f"Running for {format_age(now() - run.started_at)}", "url": url}
    ago = format_age(now() - run.finished_at)
    if run.state == RunState.FAILED:
        return {"kind": "bad", "text": f"Failed {ago} ago", "url": url}
    return {"kind": "ok", "text": f"{TOOLS[kind].headline(run)}, {ago} ago", "url": url}
