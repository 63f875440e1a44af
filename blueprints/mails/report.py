"""A report for an address that the company did not know: its notice's button, then the report as page and CSV.

Opening the link changes nothing, because mail scanners open links; the button on the page does.
"""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from blueprints.context import db, now, writing
from blueprints.exports import csv_answer
from blueprints.mails.links import gone, opened
from blueprints.mails.routes import blueprint
from domain.ledger_words import words_of
from models import Company, Run
from sync import addresses, audit, mail_report, reports, tool_report
from sync.mail_links import REPORT, Link


@blueprint.get("/mail/report/<token>")
def report(token: str) -> ResponseReturnValue:
    """Before the button: who asked and for which company. After it: the report."""
    found = _run(token)
    if found is None:
        return gone()
    link, company, run = found
    if not _confirmed(link):
        return render_template(
            "mails/confirm.html", company=company.name, address=link.address, until=link.until,
            asked_by=run.requested_by_name or "the schedule", tool=run.kind in reports.TOOLS,
            action=url_for("mails.confirm", token=token),
        )
    return render_template("mails/report.html", **_context(company, run), token=token, address=link.address,
                           tool=run.kind in reports.TOOLS, csv_url=url_for("mails.report_csv", token=token))


@blueprint.post("/mail/report/<token>")
def confirm(token: str) -> ResponseReturnValue:
    """The button: the address is known from now on, and the report is shown. Pressing again changes nothing."""
    found = _run(token)
    if found is None:
        return gone()
    link, company, _run_shown = found
    with writing() as write:
        if addresses.make_known(write, company.id, link.address, now()):
            audit.record(write, company.id, now(), link.address, "address confirmed", f"run {link.run_id}")
    return redirect(url_for("mails.report", token=token))


@blueprint.get("/mail/report/<token>/report.csv")
def report_csv(token: str) -> ResponseReturnValue:
    found = _run(token)
    if found is None:
        return gone()
    link, company, run = found
    if not _confirmed(link):
        return redirect(url_for("mails.report", token=token))
    ledger = words_of(company.ledger).ledger_in_full
    if run.kind in reports.TOOLS:
        return csv_answer(tool_report.csv_text(run, tool_report.rows_of(db(), run), ledger), tool_report.csv_name(run))
    return csv_answer(reports.csv_text(reports.items(db(), run.id), run.id, ledger), mail_report.csv_name(run))


def _run(token: str) -> tuple[Link, Company, Run] | None:
    found = opened(REPORT, token)
    if found is None:
        return None
    link, company = found
    run = db().get(Run, link.run_id)
    return (link, company, run) if run is not None and run.company_id == company.id else None


def _confirmed(link: Link) -> bool:
    row = addresses.find(db(), link.company_id, link.address)
    return row is not None and row.known_at is not None


def _context(company: Company, run: Run) -> dict[str, Any]:
    if run.kind in reports.TOOLS:
        return tool_report.mail_context(db(), company, run, "")
    return mail_report.context(db(), company, run, "")
