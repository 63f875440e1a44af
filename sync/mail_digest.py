"""Mails that tell of several runs: the collected report of scheduled runs, and the problems since the last mail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.formats import format_plural
from domain.statuses import Status
from models import Company, Document, MailRun, Outbox, Run, RunItem
from sync import alerts, line_figures, mail_report, reports


def content(
    db: Session, row: Outbox, company: Company, public_url: str
) -> tuple[dict[str, Any], tuple[str, str] | None]:
    """Context of `mail/report` (a digest, with its CSV) or of `mail/problems`."""
    runs = runs_of(db, row.id)
    if row.kind == "problems":
        return problems(db, company, runs, public_url), None
    return digest(db, company, runs, public_url)


def runs_of(db: Session, outbox_id: int) -> Sequence[Run]:
    return db.scalars(
        select(Run).join(MailRun, MailRun.run_id == Run.id).where(MailRun.outbox_id == outbox_id).order_by(Run.id)
    ).all()


def digest(
    db: Session, company: Company, runs: Sequence[Run], public_url: str
) -> tuple[dict[str, Any], tuple[str, str]]:
    """One report of several runs. A document that was in several of them stands there once, with its last outcome."""
    latest: dict[int, RunItem] = {}
    for run in runs:
        latest.update({item.document_id: item for item in reports.items(db, run.id)})
    rows = sorted(latest.values(), key=lambda item: item.status != Status.FAULT)
    at = _end(runs)
    shared = mail_report.frame(db, company, at, public_url)
    posted, needs = (sum(row.status == status for row in rows) for status in (Status.COMPLETE, Status.FAULT))
    headline = mail_report.headline(posted, needs, reports.to_release(rows))
    told = [run for run in runs if run.message]
    name = f"bookbridge-runs-{runs[0].id}-{runs[-1].id}.csv" if len(runs) > 1 else mail_report.csv_name(runs[0])
    context = {
        **shared, **mail_report.body(rows, shared),
        "subject": f"{headline} - {company.name} - {_day(at, shared['zone'])}", "headline": headline,
        "run_title": format_plural(len(runs), "automatic sync", "automatic syncs"), "asked_by": "the schedule",
        "figures": line_figures.of_documents(db, company.id, Document.id.in_(latest)).sentences,
        "message": " ".join(f"Run {run.id}: {run.message}" for run in told), "csv_name": name,
        "run_url": f"{shared['base']}/runs/{runs[0].id}" if len(runs) == 1 else f"{shared['base']}/runs",
    }
    return context, (name, reports.csv_text(rows, None, shared["ledger"]))


def problems(db: Session, company: Company, runs: Sequence[Run], public_url: str) -> dict[str, Any]:
    """New problems of these runs by cause, and runs that themselves wait for somebody."""
    rows = alerts.new_faults(db, [run.id for run in runs])
    shared = mail_report.frame(db, company, _end(runs), public_url)
    causes: dict[str, list[RunItem]] = {}
    for row in rows:
        why = reports.first_reason(row)
        causes.setdefault(why.code if why else "", []).append(row)
    groups = [_cause(found, shared) for found in sorted(causes.values(), key=len, reverse=True)]
    stopped = [
        {"title": f"Run {run.id}: {run.state}", "text": run.message or "", "url": f"{shared['base']}/runs/{run.id}"}
        for run in runs if alerts.needs_person(run)
    ]
    count = len(rows) + len(stopped)
    headline = f"{format_plural(count, 'problem')} {'waits' if count == 1 else 'wait'} for you"
    return {
        **shared, "subject": f"{headline} - {company.name} - {_day(_end(runs), shared['zone'])}", "headline": headline,
        "stopped": stopped, "causes": groups,
        "why_you": f"You get this because your address receives the problems of {company.name}.",
    }


def _cause(rows: list[RunItem], shared: dict[str, Any]) -> dict[str, Any]:
    """One cause with its documents. `more`: how many are not named here."""
    first = mail_report.problem(rows[0], shared)
    code = first["code"]
    one = len(rows) == 1
    return {
        **first, "count": len(rows), "totals": mail_report.totals(rows),
        "documents": [mail_report.row(each, shared) for each in rows[:mail_report.MOST_PROBLEMS]],
        "more": max(0, len(rows) - mail_report.MOST_PROBLEMS),
        "button": "Open the document" if one else f"Open all {len(rows):,}",
        "url": first["url"] if one else f"{shared['base']}/errors?view=document&cause={code}",
    }


def _end(runs: Sequence[Run]) -> datetime:
    return max(run.finished_at or run.started_at for run in runs)


def _day(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%d %b}"
