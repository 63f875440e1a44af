"""The first scan: its progress while it reads, and what it found. It writes on neither side."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from blueprints.causes import title
from blueprints.connect.review import begin_scan
from blueprints.connect.routes import blueprint
from blueprints.context import company, db, ring, writing
from blueprints.queries import add_up, before_start
from blueprints.runs import mail_rows
from domain.matching import fold
from domain.settings import InvoiceSettings, MatchBy
from domain.statuses import RunState, Status
from models import Company, MirrorEntry, MirrorState, PartyEntry, Run
from sync import invoices, list_compare, list_report, mirror, settings
from workers import enqueue

STEPS = (
    "{the_ledger} company and preferences",
    "{the_ledger} tax codes",
    "{the_ledger} customers",
    "{the_ledger} vendors",
    "{the_ledger} items",
    "{the_ledger} accounts",
    "{the_ledger} terms",
    "Autotask billing codes, terms and taxes",
    "Autotask invoice headers",
    "Autotask invoices with their lines",
)
READY = ("waits_for_sync", "queued", "run_stopped")


@blueprint.get("/c/<int:company_id>/first-scan")
def first_scan(company_id: int) -> ResponseReturnValue:
    found = _newest()
    if found is None:
        return redirect(url_for("connect.review" if company().setup_step in ("source", "review") else "home.index"))
    return render_template("connect/first_scan.html", **_context(found))


@blueprint.get("/c/<int:company_id>/first-scan/live")
def first_scan_live(company_id: int) -> ResponseReturnValue:
    found = _newest()
    return render_template("connect/_scan_live.html", **_context(found)) if found else ("", 204)


@blueprint.post("/c/<int:company_id>/first-scan")
def scan_again(company_id: int) -> ResponseReturnValue:
    """Read everything once more, for instance after settings were changed. Joins a scan that is running."""
    with writing() as write:
        run = begin_scan(write, write.get_one(Company, company_id))
    ring(enqueue.first_scan, company_id, run.id)
    return redirect(url_for("connect.first_scan"))


def _newest() -> Run | None:
    return (
        db()
        .scalars(
            select(Run).where(Run.company_id == company().id, Run.kind == "first_scan").order_by(Run.id.desc()).limit(1)
        )
        .first()
    )


def _context(run: Run) -> dict[str, Any]:
    running = run.finished_at is None
    done = _steps_done(run) if running else len(STEPS)
    state = "running" if running else "finished" if run.state == RunState.FINISHED else "failed"
    steps = [
        {
            "kind": "done" if n < done else "now" if n == done and running else "wait",
            "text": text,
            "detail": "",
            "span": None,
        }
        for n, text in enumerate(STEPS)
    ]
    return {
        "scan": {
            "state": state,
            "steps": steps,
            "done": done,
            "total": len(STEPS),
            "started_at": run.started_at,
            "message": run.message or "The scan ended without a result.",
        },
        "result": scan_result(run) if state == "finished" else None,
        "compared": _comparison() if state == "finished" else None,
        "live_url": url_for("connect.first_scan_live") if running else "",
    }


def _comparison() -> dict[str, Any] | None:
    """Step 3 of set-up: customers and items of both sides, as the newest comparison that a scan left has them."""
    runs = (
        db()
        .scalars(
            select(Run)
            .where(Run.company_id == company().id, Run.kind == list_compare.KIND, Run.finished_at.is_not(None))
            .order_by(Run.id.desc())
            .limit(20)
        )
        .all()
    )
    found = next((run for run in runs if (run.summary or {}).get("asked", {}).get("scan")), None)
    if found is None:
        return None
    return {
        "headline": list_report.headline(found),
        "figures": list_report.figures(found),
        "url": url_for("tools.result", run_id=found.id),
        "mails": mail_rows(found),
    }


def _steps_done(run: Run) -> int:
    """How far the scan is, from what it says it reads."""
    if run.step.startswith("Reading invoice headers"):
        return len(STEPS) - 2
    if run.step.startswith("Reading invoices"):
        return len(STEPS) - 1
    state = db().get(MirrorState, run.company_id)
    reading = (state.progress or {}).get("reading", "") if state else ""
    return STEPS.index(reading) if reading in STEPS else 0


def scan_result(run: Run) -> dict[str, Any]:
    """The result as _scan_result.html shows it."""
    current = settings.load_invoices(db(), run.company_id)
    summary = run.summary or {}
    outcomes = [each for each in summary.get("outcomes", ()) if each["reason"] != "before_start"]
    older_count, older_totals = before_start(db(), run.company_id)
    since = invoices.window(current, run.started_at).since.date()
    return {
        "count": sum(each["count"] for each in outcomes) + older_count,
        "since": since,
        "finished_at": run.finished_at,
        "lists": _lists(summary, current),
        "outcomes": _outcomes(outcomes),
        "ready": sum(each["count"] for each in outcomes if each["reason"] in READY),
        "asks": sum(each["count"] for each in outcomes if each["status"] == Status.FAULT),
        "older": {"count": older_count, "totals": older_totals},
        "all_url": url_for("home.documents", tab="all"),
    }


def _outcomes(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per status and cause, the largest first within its status."""
    order = {Status.PENDING: 0, Status.FAULT: 1, Status.SKIPPED: 2, Status.COMPLETE: 3, Status.PROCESSING: 4}
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for each in found:
        code = "waits_for_sync" if each["reason"] in READY else each["reason"] or ""
        groups.setdefault((each["status"], code), []).append(each)
    rows = [
        {
            "status": status,
            "count": sum(row["count"] for row in rows),
            "totals": add_up((row["currency"], Decimal(row["total"])) for row in rows),
            "text": "Would be posted" if code == "waits_for_sync" else title(code) if code else "In the books already",
        }
        for (status, code), rows in groups.items()
    ]
    return sorted(rows, key=lambda row: (order.get(Status(row["status"]), 9), -row["count"]))


def _lists(summary: dict[str, Any], current: InvoiceSettings) -> list[dict[str, Any]]:
    customers = summary.get("customers", {})
    found = (
        db()
        .execute(select(func.count()).select_from(PartyEntry).where(PartyEntry.company_id == company().id))
        .scalar_one()
    )
    similar = customers.get("similar", 0)
    rows = [
        {
            "name": "Customers",
            "found": found,
            "exact": customers.get("matched", 0),
            "similar": similar,
            "new": customers.get("new", 0),
            "url": url_for("logs.errors", view="document", code="customer_similar") if similar else "",
        }
    ]
    catalog = mirror.catalog_of(db(), company().id)
    by = {MatchBy.NAME: "name", MatchBy.ID: "id", MatchBy.NUMBER: "number"}[current.match_by]
    codes = {fold(str(getattr(code, by))) for code in catalog.codes.values() if code.active and getattr(code, by)}
    rows.append(_compared("Items", codes, "item"))
    rows.append(_compared("Terms", {fold(term.name) for term in catalog.terms.values()}, "term"))
    return rows


def _compared(name: str, wanted: set[str], kind: str) -> dict[str, Any]:
    """Names of a source list against the mirror. Only what a document needs is ever created."""
    known = set(
        db().scalars(
            select(MirrorEntry.folded).where(
                MirrorEntry.company_id == company().id, MirrorEntry.kind == kind, MirrorEntry.active.is_(True)
            )
        )
    )
    exact = len(wanted & known)
    new = 0 if kind == "term" else len(wanted) - exact
    return {"name": name, "found": len(wanted), "exact": exact, "similar": 0, "new": new, "url": ""}
