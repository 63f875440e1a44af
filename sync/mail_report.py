"""The report's words and figures as the mail templates expect them (`templates/mail/report.html` names them)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from domain.ledger_words import words_of
from domain.reasons import Reason
from domain.statuses import RunState, Status
from models import Company, Run, RunItem
from sync import line_figures, one_order, periods, reports, settings, taxsums

MOST_PROBLEMS = 10
MOST_ROWS = 300
"""Rows in the mail itself; mail programs cut longer ones, and the CSV has them all."""
_TITLES = {"first_posting": "First posting", "retry": "Retry", "release": "Release", one_order.KIND: "Sync one PO"}


def context(db: Session, company: Company, run: Run, public_url: str, *, notice: bool = False) -> dict[str, Any]:
    """Everything both versions of the mail show. A notice has neither names nor amounts in it."""
    rows = reports.items(db, run.id)
    ended = run.finished_at or run.started_at
    shared = frame(db, company, ended, public_url)
    needs = [each for each in rows if each.status == Status.FAULT]
    posted = [each for each in rows if each.status == Status.COMPLETE]
    title = _headline(run, len(posted), len(needs), reports.to_release(rows))
    shared |= {
        "subject": f"{title} - {company.name} - {ended.astimezone(ZoneInfo(shared['zone'])):%d %b}",
        "headline": title, "asked_by": run.requested_by_name or "the schedule",
    }
    if notice:
        return {**shared, "posted": len(posted), "needs": len(needs)}
    by_hand = _TITLES.get(run.kind, "Sync Invoices Now" if run.area == settings.INVOICES else "Sync purchase orders")
    return {
        **shared, **body(rows, shared), "run_title": by_hand if run.trigger == "button" else "Scheduled sync",
        "figures": [*line_figures.of_run(db, run.id).sentences, *taxsums.sentences(rows, str(shared["ledger"])),
                    *periods.sentences(rows)],
        "message": run.message or "", "csv_name": csv_name(run),
        "run_url": f"{shared['base']}/runs/{run.id}",
    }


def frame(db: Session, company: Company, at: datetime, public_url: str) -> dict[str, Any]:
    """What every mail of a company has: its name, the moment in its zone, where things are, why one gets it."""
    site = public_url.rstrip("/")
    base = f"{site}/c/{company.id}"
    zone = settings.load_invoices(db, company.id).time_zone
    return {
        "company": company.name, "ledger": words_of(company.ledger).ledger_in_full,
        "ledger_code": company.ledger, "at": at, "zone": zone,
        "zone_name": zone.rpartition("/")[2].replace("_", " ") + " time", "base": base,
        "errors_url": f"{base}/errors", "known_url": f"{site}/help/known-issues?ledger={company.ledger}",
        "help_base": f"{site}/help/errors", "settings_url": f"{base}/settings/mails",
        "why_you": f"You get this because your address receives the reports of {company.name}.",
    }


def help_url(shared: dict[str, Any], why: Reason) -> str:
    """The page that explains a reason, in the ledger's words."""
    return f"{shared['help_base']}/{why.code}?ledger={shared['ledger_code']}"


def body(rows: Sequence[RunItem], shared: dict[str, Any]) -> dict[str, Any]:
    """Figures, problems and rows of these documents, in the order in which they are given."""
    needs = [each for each in rows if each.status == Status.FAULT]
    return {
        "found": len(rows), "found_totals": totals(rows), "outcomes": _outcomes(rows),
        "problems": [problem(each, shared) for each in needs[:MOST_PROBLEMS]],
        "more_problems": max(0, len(needs) - MOST_PROBLEMS),
        "rows": [row(each, shared) for each in rows[:MOST_ROWS]], "more_rows": max(0, len(rows) - MOST_ROWS),
    }


def csv_name(run: Run) -> str:
    return f"bookbridge-run-{run.id}.csv"


def _headline(run: Run, posted: int, needs: int, to_release: int) -> str:
    if run.state == RunState.FAILED:
        return "The sync failed"
    if not posted and not needs and not to_release and run.state == RunState.STOPPED:
        return "Nothing was posted"
    return headline(posted, needs, to_release)


def headline(posted: int, needs: int, to_release: int) -> str:
    """The result in few words, as the subject begins with it."""
    if to_release and not posted:
        waiting = f"{to_release:,} {'document waits' if to_release == 1 else 'documents wait'} for your release"
        return f"{waiting}, {needs:,} need{'s' if needs == 1 else ''} you" if needs else waiting
    if not posted and not needs:
        return "Nothing new to post"
    tail = f", {needs:,} need{'s' if needs == 1 else ''} you" if needs else ""
    return f"{posted:,} posted{tail}"


def totals(rows: Sequence[RunItem]) -> list[tuple[str, Decimal]]:
    sums: dict[str, Decimal] = {}
    for each in rows:
        sums[each.currency] = sums.get(each.currency, Decimal(0)) + each.amount
    return sorted(sums.items())


def _outcomes(rows: Sequence[RunItem]) -> list[dict[str, Any]]:
    by_status = {status: [each for each in rows if each.status == status] for status in Status}
    return [
        {"status": str(status), "count": len(found), "totals": totals(found)}
        for status, found in by_status.items() if found
    ]


def problem(item: RunItem, shared: dict[str, Any]) -> dict[str, Any]:
    """One problem with its ways forward: the document, what the reason means, what else is known."""
    why = reports.first_reason(item)
    ledger = shared["ledger"]
    return {
        "number": item.number or item.source_id, "customer": item.party_name or "no customer", "amount": item.amount,
        "currency": item.currency, "title": why.sentence(ledger) if why else "", "text": why.fix(ledger) if why else "",
        "button": "Open the document", "url": f"{shared['base']}/documents/{item.document_id}",
        "code": why.code if why else "", "help_url": help_url(shared, why) if why else "",
    }


def row(item: RunItem, shared: dict[str, Any]) -> dict[str, Any]:
    why = reports.first_reason(item)
    return {
        "number": item.number or item.source_id, "customer": item.party_name or "no customer", "status": item.status,
        "reason": why.sentence(shared["ledger"]) if why and item.status != Status.COMPLETE else "",
        "amount": item.amount, "currency": item.currency, "url": f"{shared['base']}/documents/{item.document_id}",
    }
