"""Pull the plug: a worker process is ended with SIGKILL while its call is open, and the simulated books are counted.

The page's count is the sandbox's: how often each new invoice stands in its books. What the app says is shown beside it.
Here are the press, the watch for the open call, and the page; `web.py` puts it into the demo's application.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from blueprints.context import company, db, now, ring, services, the_user, writing
from models import Attempt, Audit, BatchRow, Company, CompanyLease, Document, Posting, Run, RunItem, User
from sync import audit, requests
from tools.demo.sandbox_api import SandboxApi, SandboxError
from tools.waiting import WaitedTooLong, wait_until
from workers import enqueue
from workers.wiring import Services

INVOICES = 24
LATE_S = 6.0
"""How late the simulated ledger answers the call that is cut off: it has booked everything by then."""
WATCH_S = 180.0
PULLED, MADE = "demo: plug pulled", "demo: invoices written"
PLATFORM = {"quickbooks": ("qbo", "batch"), "xero": ("xero", "*PUT")}
blueprint = Blueprint("plug", __name__, template_folder="templates")


@blueprint.get("/c/<int:company_id>/demo/plug")
def show(company_id: int) -> ResponseReturnValue:
    run = db().get(Run, request.args.get("run", 0, type=int))
    if run is None or run.company_id != company_id:
        return render_template("demo/plug.html", story=None, ready=company().first_posted_at is not None, live_url="")
    story = _story(run)
    live = "" if story["over"] else url_for("plug.show", run=run.id)
    return render_template("demo/plug.html", story=story, ready=True, live_url=live)


@blueprint.post("/c/<int:company_id>/demo/plug")
def pull(company_id: int) -> ResponseReturnValue:
    """Autotask gets new invoices, Sync Now is pressed, and the process that sends them is ended."""
    mine, api = company(), _sandbox()
    if mine.first_posted_at is None or requests.open_run(db(), company_id) is not None:
        flash("Post one invoice first, and let the run that is on finish.", "warn")
        return redirect(url_for("plug.show"))
    try:
        made = api.post(f"actions/{mine.source_tenant}/more", count=INVOICES)["invoices"]
        platform, operation = PLATFORM[mine.ledger]
        api.post("faults", name="slow_after", platform=platform, operation=operation, tenant=mine.ledger_tenant,
                 times=1, seconds=LATE_S)
    except SandboxError as problem:
        flash(f"The simulated platforms refused: {problem}", "warn")
        return redirect(url_for("plug.show"))
    with writing() as write:
        user, found = write.get_one(User, the_user().id), write.get_one(Company, company_id)
        run, _ = requests.ask_sync(write, found, now=now(), user=user, confirmed=True)
        numbers = [str(each["number"]) for each in made]
        audit.record(write, company_id, now(), user.email, MADE, f"run {run.id}", {"run": run.id, "numbers": numbers})
        run_id = run.id
    ring(enqueue.scan, company_id, run_id)
    watch = threading.Thread(target=pull_when_open, args=(services(), company_id, run_id), daemon=True)
    watch.start()
    return redirect(url_for("plug.show", run=run_id))


# ---- the plug -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OpenCall:
    pid: int
    members: int


def pull_when_open(made: Services, company_id: int, run_id: int) -> None:
    """Wait for the run's first open call, end the process that made it, and note it. Nothing open in time: nothing."""
    found: list[OpenCall] = []

    def look() -> bool:
        call = _open_call(made, company_id, run_id)
        if call is not None:
            found.append(call)
        return call is not None

    try:
        wait_until(look, timeout_s=WATCH_S, what="a call is open", every_s=0.2)
        os.kill(found[0].pid, signal.SIGKILL)
    except (WaitedTooLong, ProcessLookupError, PermissionError):
        return
    with made.sessions() as db, db.begin():
        detail = {"run": run_id, "pid": found[0].pid, "members": found[0].members}
        audit.record(db, company_id, made.now(), "Demo", PULLED, f"process {found[0].pid}", detail)


def _open_call(made: Services, company_id: int, run_id: int) -> OpenCall | None:
    """The holder's call with invoices of the run that left a second ago and has no answer yet."""
    with made.sessions() as db:
        db.connection(execution_options={"read_only": True})
        lease = db.get(CompanyLease, company_id)
        left = made.now() - timedelta(seconds=1)
        rows = db.execute(
            select(BatchRow.members).join(Attempt, Attempt.batch_id == BatchRow.id).where(
                Attempt.company_id == company_id, Attempt.finished_at.is_(None), Attempt.started_at <= left
            ).order_by(Attempt.id.desc()).limit(1)
        ).scalars().all()
        host, _, rest = (lease.holder or "" if lease is not None else "").partition(":")
        if not rows or host != socket.gethostname():
            return None
        ours = db.execute(select(func.count()).select_from(Posting).join(
            Document, Document.id == Posting.document_id
        ).where(Posting.id.in_([id for id, _ in rows[0]]), Document.run_id == run_id)).scalar_one()
        return OpenCall(int(rest.split(":")[0]), ours) if ours else None


# ---- the page -----------------------------------------------------------------------------------------------


def _story(run: Run) -> dict[str, Any]:
    notes = {row.action: row for row in db().scalars(select(Audit).where(
        Audit.company_id == run.company_id, Audit.action.in_((PULLED, MADE)), Audit.at >= run.started_at
    ).order_by(Audit.id)) if (row.detail or {}).get("run") == run.id}
    numbers = list(notes[MADE].detail["numbers"]) if MADE in notes else []
    pulled = notes.get(PULLED)
    books = _books(numbers)
    postings = db().execute(
        select(Posting.state, Posting.confirmed_by, func.count())
        .join(RunItem, RunItem.document_id == Posting.document_id)
        .where(RunItem.run_id == run.id, Posting.operation == "create").group_by(Posting.state, Posting.confirmed_by)
    ).all()
    found = sum(count for _, by, count in postings if by == "lookup")
    open_ = sum(count for state, _, count in postings if state in ("SENDING", "UNKNOWN"))
    over = run.finished_at is not None
    return {
        "numbers": len(numbers), "steps": _steps(run, pulled, open_, found), "books": books, "over": over,
        "step": run.step if not over else "", "run_url": url_for("logs.run", run_id=run.id),
        "proven": bool(over and pulled and books and books["once"] == len(numbers)),
        "books_url": f"{(services().config.sandbox_url or '').rstrip('/')}/",
    }


def _steps(run: Run, pulled: Audit | None, open_: int, found: int) -> list[dict[str, Any]]:
    """What has happened, with its time; what is being waited for stands last."""
    steps = [_step("Sync Now was pressed", run.started_at, True)]
    if pulled is None:
        waits = "No call was open long enough; nothing was ended" if run.finished_at else "Waiting for an open call"
        return [*steps, _step(waits, run.finished_at, run.finished_at is not None)]
    told, fence = pulled.detail, db().get(CompanyLease, run.company_id)
    steps.append(_step(f"Process {told['pid']} was ended with kill -9 while its call with {told['members']} invoices "
                       "was open", pulled.at, True))
    taken = fence is not None and fence.holder is not None and f":{told['pid']}:" not in fence.holder
    taken = taken or run.finished_at is not None or found > 0
    left = ""
    if not taken and fence is not None and fence.expires_at is not None:
        seconds = max(0, round((fence.expires_at - now()).total_seconds()))
        left = f" (the dead process's lease runs for another {seconds} s)"
    steps.append(_step(f"Another process takes over{left}" if not taken else "Another process took over", None, taken))
    done = taken and not open_
    looked = f"{found} invoices were found in {{the_ledger}} by looking, and not sent again" if done else (
        "It looks in {the_ledger} before anything is sent again")
    steps.append(_step(looked, None, done))
    steps.append(_step("The run is finished", run.finished_at, run.finished_at is not None))
    return steps


def _step(text: str, at: datetime | None, done: bool) -> dict[str, Any]:
    return {"text": text, "at": at, "done": done}


def _books(numbers: list[str]) -> dict[str, int] | None:
    """How often each of these numbers stands in the simulated books, live; None while they do not answer."""
    try:
        documents = _sandbox().get(f"books/{company().ledger_tenant}")["documents"]
    except SandboxError:
        return None
    held = Counter(str(each["DocNumber"]) for each in documents if each["live"])
    times = [held[number] for number in numbers]
    return {"once": times.count(1), "twice": sum(count > 1 for count in times), "missing": times.count(0)}


def _sandbox() -> SandboxApi:
    return SandboxApi((services().config.sandbox_url or "").rstrip("/"))
