"""Error Logs: what waits for a person, by cause or by document, and what was resolved lately."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

from flask import g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, func, or_, select

from blueprints.access import Need, may
from blueprints.causes import actions_for, first, problem, title
from blueprints.context import company, db, now
from blueprints.exports import csv_file
from blueprints.logs.retry import retry_run
from blueprints.logs.routes import blueprint
from blueprints.queries import Totals, add_up, address, paged, sums
from blueprints.rows import document_row
from blueprints.shell import ledger_names
from blueprints.todo_words import todo_facts
from domain.formats import format_plural
from domain.reasons import CATALOGUE
from domain.statuses import Status
from models import Document, RunItem
from sync.reports import safe

VIEWS = ("cause", "document", "resolved")
SHOWN = 10
"""Rows of a cause on the page; the rest behind a link."""
MAX_RETRY = 5000


@blueprint.get("/c/<int:company_id>/errors")
def errors(company_id: int) -> ResponseReturnValue:
    view = request.args.get("view", "cause") if request.args.get("view") in VIEWS else "cause"
    q = request.args.get("q", "").strip()
    faults, totals = sums(db(), company_id, Document.status == Status.FAULT)
    listed = paged(db(), _rows(view, q), 50) if view != "cause" else None
    return render_template(
        "logs/errors.html",
        view=view,
        faults=faults,
        totals=totals,
        q=q,
        tabs=_tabs(view, faults),
        groups=_groups() if view == "cause" else [],
        rows=[_row(row) for row in listed.rows] if listed else [],
        page=listed.pager if listed else None,
        csv_url=url_for("logs.errors_csv"),
    )


def _faults() -> Select[Document]:
    return select(Document).where(Document.company_id == company().id, Document.status == Status.FAULT)


def _resolved() -> Select[Document]:
    """Posted or set aside within the last 30 days after having been a Fault in some run."""
    was_fault = select(RunItem.document_id).where(RunItem.company_id == company().id, RunItem.status == Status.FAULT)
    return select(Document).where(
        Document.company_id == company().id,
        Document.status.in_((Status.COMPLETE, Status.SKIPPED)),
        Document.changed_at > now() - timedelta(days=30),
        Document.id.in_(was_fault),
    )


def _rows(view: str, q: str) -> Select[Document]:
    statement = _faults() if view == "document" else _resolved()
    cause = request.args.get("cause", "")
    if cause in CATALOGUE:
        statement = statement.where(Document.reason_code == cause)
    if q:
        statement = statement.where(
            or_(
                Document.number.icontains(q, autoescape=True),
                Document.party_name.icontains(q, autoescape=True),
                Document.source_id == q,
            )
        )
    return statement.order_by(Document.document_date.desc(), Document.id.desc())


def _tabs(view: str, faults: int) -> list[dict[str, Any]]:
    resolved = db().execute(select(func.count()).select_from(_resolved().subquery())).scalar_one()
    labels = {"cause": ("By cause", None), "document": ("By document", faults), "resolved": ("Resolved", resolved)}
    return [
        {
            "label": label,
            "count": count,
            "href": address(view=key, page="", q="", cause=""),
            "current": key == view,
            "bad": key == "document",
        }
        for key, (label, count) in labels.items()
    ]


def _row(row: Document) -> dict[str, Any]:
    skip = row.status == Status.FAULT and may(g.role, Need.STAFF)
    return {**document_row(row), "skip_url": url_for("home.skip", id=row.id) if skip else ""}


def _groups() -> list[dict[str, Any]]:
    """One group per cause, the largest first: fix a cause once and all its documents are tried again."""
    rows = (
        db()
        .execute(
            select(Document.reason_code, Document.currency, func.count(), func.sum(Document.total))
            .where(Document.company_id == company().id, Document.status == Status.FAULT)
            .group_by(Document.reason_code, Document.currency)
        )
        .all()
    )
    codes = sorted({row[0] for row in rows}, key=lambda code: -sum(row[2] for row in rows if row[0] == code))
    return [
        _group(
            code,
            sum(row[2] for row in rows if row[0] == code),
            add_up((row[1] or "USD", row[3]) for row in rows if row[0] == code),
        )
        for code in codes
    ]


def _group(code: str | None, count: int, totals: Totals) -> dict[str, Any]:
    found = db().scalars(_faults().where(Document.reason_code == code).order_by(Document.id).limit(SHOWN)).all()
    staff = may(g.role, Need.STAFF)
    why = first(found[0].reasons)
    _long, short = ledger_names(company())
    fix = {
        "label": f"Retry {count:,}",
        "url": url_for("logs.retry_all"),
        "method": "post",
        "icon": "rotate",
        "fields": {"cause": code or ""},
        "aria": f"Retry: {title(code)}",
    }
    told = (
        problem(why, short, actions_for(why, found[0].id, staff=staff, group=True))
        if why
        else {"happened": title(code), "why": "", "todo": ["Open the document."], "actions": [], "detail": []}
    )
    if why is not None and count > 1:
        told = {
            **told,
            "happened": f"{told['happened']} ({format_plural(count - 1, 'more document')} for the same cause)",
        }
    more = url_for("logs.errors", view="document", cause=code) if count > SHOWN else ""
    return {
        "title": title(code),
        "sentence": format_plural(count, "document"),
        "totals": totals,
        "fix": fix if staff else None,
        "reason": told,
        "facts": todo_facts(code),
        "rows": [_row(row) for row in found],
        "more_url": more,
    }


@blueprint.get("/c/<int:company_id>/errors.csv")
def errors_csv(company_id: int) -> ResponseReturnValue:
    """Every Fault with its reason, cause and fix. Cells are safe for spreadsheets (S29)."""
    _long, short = ledger_names(company())
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ("StatusCode", "Reason", "Cause", "Fix", "Autotask ID", "Number", "Customer", "Date", "Amount", "Currency")
    )
    for row in db().scalars(_faults().order_by(Document.id)):
        why = first(row.reasons)
        words = [why.sentence(short), why.cause(short), why.fix(short)] if why else ["", "", ""]
        writer.writerow(
            [
                row.reason_code or "",
                *map(safe, words),
                row.source_id,
                safe(row.number or ""),
                safe(row.party_name),
                row.document_date.isoformat(),
                f"{row.total:.2f}",
                row.currency,
            ]
        )
    return csv_file(out.getvalue(), "bookbridge-errors.csv", "error logs")


@blueprint.post("/c/<int:company_id>/errors/retry")
def retry_all(company_id: int) -> ResponseReturnValue:
    """All Faults, or those of one cause."""
    cause = request.form.get("cause", "")
    statement = select(Document.id).where(Document.company_id == company_id, Document.status == Status.FAULT)
    if cause:
        statement = statement.where(Document.reason_code == cause)
    return redirect(retry_run(company_id, db().scalars(statement.limit(MAX_RETRY)).all()))
