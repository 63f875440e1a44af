"""Clear In-Process Status: what is in process, whether it still moves, and the button that frees it."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from blueprints.context import company, db, now, ring, the_user, writing
from blueprints.runs import run_title
from blueprints.stepwords import step_words
from blueprints.tools.routes import blueprint
from domain.formats import format_age, format_plural
from models import Run, User
from sync import audit, in_process
from workers import enqueue


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
            audit.record(write, company_id, now(), user.email, "in-process status cleared", found.holder[:200], detail)
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


def _run(run: Run) -> dict[str, Any]:
    stop = run.kind == "sync" and not run.stop_requested
    return {
        "title": f"{run_title(run)}, run {run.id}",
        "step": step_words(run.step, company().time_zone),
        "started_at": run.started_at,
        "url": url_for("logs.run", run_id=run.id),
        "stop_url": url_for("logs.stop", run_id=run.id) if stop else "",
    }
