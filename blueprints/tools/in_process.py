"""Clear In-Process Status: what is in process, whether it still moves, and the button that frees it."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from blueprints.context import company, db, now, ring, the_user, writing
from blueprints.rows import number_of
from blueprints.runs import run_title
from blueprints.shell import ledger_names
from blueprints.stepwords import step_words
from blueprints.tools.routes import blueprint
from domain.formats import format_age, format_plural
from models import Audit, Run, User
from sync import audit, in_process
from workers import enqueue

CLEARED = "in-process status cleared"


@blueprint.get("/c/<int:company_id>/tools/in-process", endpoint="in_process")
def show(company_id: int) -> ResponseReturnValue:
    found = in_process.look(db(), company_id)
    return render_template(
        "tools/in_process.html",
        busy=found.busy(),
        alive=found.alive(now()),
        clearable=found.clearable(now()),
        facts=_facts(found),
        runs=[_run(run) for run in found.runs],
        unsettled=found.unsettled,
        documents=[_document(each) for each in in_process.documents(db(), company_id)],
        last=last_cleared(),
    )


@blueprint.post("/c/<int:company_id>/tools/in-process/clear")
def clear(company_id: int) -> ResponseReturnValue:
    """Refused while something moves. Frees the lease and schedules recovery; no posting changes its state."""
    with writing() as write:
        user = write.get_one(User, the_user().id)
        found = in_process.clear(write, company_id, now())
        reading = [run.id for run in found.runs if run.phase in ("queued", "reading")] if found else []
        if found is not None:
            detail = {"runs": [run.id for run in found.runs], "step": found.step}
            audit.record(write, company_id, now(), user.email, CLEARED, found.holder[:200], detail)
    if found is None:
        flash("Nothing was cleared: nothing is in process, or it moves.", "warn")
        return redirect(url_for("tools.in_process"))
    ring(enqueue.ring, company_id)
    for run_id in reading:
        ring(enqueue.scan, company_id, run_id)
    flash("Cleared. The work goes on from where it stopped; what was sent is looked up first.", "ok")
    return redirect(url_for("tools.in_process"))


def _facts(found: in_process.InProcess) -> list[tuple[str, Any]]:
    """What is known about the work, in words."""
    doing = step_words(found.step, company().time_zone) or "Working" if found.held else "No process works on it now"
    facts = [("Doing", doing)]
    if found.progress_at is not None:
        facts.append(("Last progress", f"{format_age(now() - found.progress_at)} ago"))
    if found.held and found.heartbeat_at is not None:
        facts.append(("Last sign of life", f"{format_age(now() - found.heartbeat_at)} ago"))
        facts.append(("Process", found.holder))
    told = format_plural(found.unsettled, "document or record", "documents or records")
    facts.append(("Sent, answer not known yet", told if found.unsettled else "Nothing"))
    return facts


def last_cleared() -> dict[str, Any] | None:
    """Who cleared it last, and when, as cards show it; None when nobody did."""
    cleared = select(Audit).where(Audit.company_id == company().id, Audit.action == CLEARED)
    row = db().scalars(cleared.order_by(Audit.id.desc()).limit(1)).first()
    if row is None:
        return None
    text = f"Cleared {format_age(now() - row.at)} ago by {row.who}"
    return {"kind": "ok", "text": text, "url": url_for("tools.in_process")}


def _document(each: in_process.Doing) -> dict[str, Any]:
    row, (_long, short) = each.document, ledger_names(company())
    there = f"Yes: {short} answered with id {each.seen_id}" if each.seen_id else f"Not known; {short} is asked first"
    return {
        "number": number_of(row),
        "customer": row.party_name or "(no customer)",
        "url": url_for("home.document", document_id=row.id),
        "sent_at": each.sent_at,
        "step": each.step,
        "step_at": each.step_at,
        "there": there,
    }


def _run(run: Run) -> dict[str, Any]:
    stop = (run.kind == "sync" or run.phase == "posting") and not run.stop_requested
    return {
        "title": f"{run_title(run)}, run {run.id}",
        "step": step_words(run.step, company().time_zone),
        "started_at": run.started_at,
        "url": url_for("logs.run", run_id=run.id),
        "stop_url": url_for("logs.stop", run_id=run.id) if stop else "",
    }
