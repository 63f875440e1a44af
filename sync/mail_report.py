"""The report's words and figures as the mail templates expect them (`templates/mail/report.html` names them)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from domain.statuses import RunState, Status
from models import Company, Run, RunItem
from sync import line_figures, reports, settings

LEDGERS = {"quickbooks": "QuickBooks Online", "xero": "Xero"}
MOST_PROBLEMS = 10
_TITLES = {"first_posting": "First posting", "retry": "Retry", "release": "Release"}


def context(db: Session, company: Company, run: Run, public_url: str, *, notice: bool = False) -> dict[str, Any]:
    """Everything both versions of the mail show. A notice has neither names nor amounts in it."""
    rows = reports.items(db, run.id)
    base = f"{public_url.rstrip('/')}/c/{company.id}"
    zone = settings.load_invoices(db, company.id).time_zone
    needs = [row for row in rows if row.status == Status.FAULT]
    posted = [row for row in rows if row.status == Status.COMPLETE]
    headline = _headline(run, len(posted), len(needs), reports.to_release(rows))
    ledger = LEDGERS[company.ledger]
    day = (run.finished_at or run.started_at).astimezone(ZoneInfo(zone))
    shared = {
        "subject": f"{headline} - {company.name} - {day:%d %b}", "headline": headline, "company": company.name,
        "ledger": ledger, "asked_by": run.requested_by_name or "the schedule", "at": run.finished_at or run.started_at,
        "zone": zone, "zone_name": zone.rpartition("/")[2].replace("_", " ") + " time",
    }
    if notice:
        return {**shared, "posted": len(posted), "needs": len(needs)}
    by_hand = _TITLES.get(run.kind, "Sync Invoices Now")
    return {
        **shared, "run_title": by_hand if run.trigger == "button" else "Scheduled sync",
        "found": len(rows), "found_totals": _totals(rows), "outcomes": _outcomes(rows),
        "figures": line_figures.of_run(db, run.id).sentences, "message": run.message or "",
        "problems": [_problem(row, base, ledger) for row in needs[:MOST_PROBLEMS]],
        "more_problems": max(0, len(needs) - MOST_PROBLEMS), "errors_url": f"{base}/errors",
        "rows": [_row(row, base, ledger) for row in rows], "csv_name": csv_name(company, run),
        "run_url": f"{base}/runs/{run.id}", "settings_url": f"{base}/settings/invoices",
        "why_you": f"You get this because your address receives the reports of {company.name}.",
    }


def csv_name(company: Company, run: Run) -> str:
    return f"bookbridge-run-{run.id}.csv"


def _headline(run: Run, posted: int, needs: int, to_release: int) -> str:
    if run.state == RunState.FAILED:
        return "The sync failed"
    if to_release and not posted:
        waiting = f"{to_release:,} {'document waits' if to_release == 1 else 'documents wait'} for your release"
        return f"{waiting}, {needs:,} need{'s' if needs == 1 else ''} you" if needs else waiting
    if not posted and not needs:
        return "Nothing was posted" if run.state == RunState.STOPPED else "Nothing new to post"
    tail = f", {needs:,} need{'s' if needs == 1 else ''} you" if needs else ""
    return f"{posted:,} posted{tail}"


def _totals(rows: Sequence[RunItem]) -> list[tuple[str, Decimal]]:
    sums: dict[str, Decimal] = {}
    for row in rows:
        sums[row.currency] = sums.get(row.currency, Decimal(0)) + row.amount
    return sorted(sums.items())


def _outcomes(rows: Sequence[RunItem]) -> list[dict[str, Any]]:
    by_status = {status: [row for row in rows if row.status == status] for status in Status}
    return [
        {"status": str(status), "count": len(found), "totals": _totals(found)}
        for status, found in by_status.items() if found
    ]


def _problem(row: RunItem, base: str, ledger: str) -> dict[str, Any]:
    why = reports.first_reason(row)
    return {
        "number": row.number or row.source_id, "customer": row.party_name or "no customer", "amount": row.amount,
        "currency": row.currency, "title": why.sentence(ledger) if why else "", "text": why.fix(ledger) if why else "",
        "button": "Open the document", "url": f"{base}/documents/{row.document_id}",
    }


def _row(row: RunItem, base: str, ledger: str) -> dict[str, Any]:
    why = reports.first_reason(row)
    return {
        "number": row.number or row.source_id, "customer": row.party_name or "no customer", "status": row.status,
        "reason": why.sentence(ledger) if why and row.status != Status.COMPLETE else "", "amount": row.amount,
        "currency": row.currency, "url": f"{base}/documents/{row.document_id}",
    }
