"""Error Logs: what waits for a person, by cause or by document, and what was resolved lately."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from flask import g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from blueprints.access import Need, may
from blueprints.causes import actions_for, first, problem, title
from blueprints.context import company, db
from blueprints.exports import csv_file
from blueprints.logs import faults as waiting
from blueprints.logs.faults import Filter, Group
from blueprints.logs.retry import retry_run
from blueprints.logs.routes import blueprint
from blueprints.queries import KINDS, add_up, address, paged, pager, sums
from blueprints.rows import document_row
from blueprints.shell import ledger_names
from blueprints.todo_words import todo_facts
from domain.causes import waits_for
from domain.formats import format_plural
from domain.statuses import Status
from models import Document
from sync.reports import safe

SHOWN = 10
"""Rows of a cause on the page; the rest behind a link."""
GROUPS = 25
"""Causes on one page."""
MAX_RETRY = 5000
HEAD = ("StatusCode", "Reason", "Cause", "Fix", "Autotask ID", "Number", "Customer", "Date", "Amount", "Currency")


@blueprint.get("/c/<int:company_id>/errors")
def errors(company_id: int) -> ResponseReturnValue:
    wanted = waiting.asked(request)
    count, totals = sums(db(), company_id, Document.status == Status.FAULT)
    found = waiting.groups(wanted) if wanted.view == "cause" else []
    shown, pages = _page(found)
    listed = paged(db(), waiting.rows(wanted), 50) if wanted.view != "cause" else None
    matching = sum(len(group.ids) for group in found) if listed is None else listed.total
    return render_template(
        "logs/errors.html",
        view=wanted.view,
        faults=count,
        totals=totals,
        **_controls(wanted),
        matching=matching,
        one_cause=_heading(wanted, matching),
        tabs=_tabs(wanted.view, count),
        groups=[_group(group, wanted) for group in shown],
        rows=[_row(row) for row in listed.rows] if listed else [],
        page=listed.pager if listed else pages,
        csv_url=_url("logs.errors_csv", wanted.fields()),
        may_retry=may(g.role, Need.STAFF),
    )


def _url(endpoint: str, fields: dict[str, Any]) -> str:
    return url_for(endpoint, **fields)


def _controls(wanted: Filter) -> dict[str, Any]:
    """The filter form's values and choices."""
    kinds = sorted((title(code), code) for code in waiting.kinds())
    return {
        "q": wanted.q,
        "code": wanted.code,
        "kind": wanted.kind,
        "waits": wanted.waits,
        "narrowed": wanted.narrowed,
        "fields": wanted.fields(),
        "kinds": [("", "Every kind"), *((code, label) for label, code in kinds)],
        "documents": KINDS,
        "ages": list(waiting.WAITS.items()),
    }


def _heading(wanted: Filter, count: int) -> str:
    """What is listed when one cause was chosen."""
    if not wanted.cause or wanted.view == "resolved":
        return ""
    found = waiting.groups(wanted)
    if len(found) == 1 and found[0].why is not None:
        return waits_for(found[0].why, count)
    return f"{title(found[0].code)}: {format_plural(count, 'document')}" if found else ""


def _page(found: Sequence[Group]) -> tuple[Sequence[Group], dict[str, Any] | None]:
    number = min(max(request.args.get("page", 1, type=int), 1), max((len(found) + GROUPS - 1) // GROUPS, 1))
    start = (number - 1) * GROUPS
    shown = found[start : start + GROUPS]
    return shown, pager(number, GROUPS, start, len(shown), len(found))


def _tabs(view: str, count: int) -> list[dict[str, Any]]:
    labels = {
        "cause": ("By cause", None),
        "document": ("By document", count),
        "resolved": ("Resolved", waiting.count_resolved()),
    }
    return [
        {
            "label": label,
            "count": number,
            "href": address(view=key, page="", q="", cause="", code="", kind="", waits=""),
            "current": key == view,
            "bad": key == "document",
        }
        for key, (label, number) in labels.items()
    ]


def _row(row: Document) -> dict[str, Any]:
    skip = row.status == Status.FAULT and may(g.role, Need.STAFF)
    return {**document_row(row), "skip_url": url_for("home.skip", id=row.id) if skip else ""}


def _group(group: Group, wanted: Filter) -> dict[str, Any]:
    """One cause as the page shows it: fix it once, and all its documents are tried again."""
    count = len(group.ids)
    found = db().scalars(select(Document).where(Document.id.in_(group.ids[:SHOWN])).order_by(Document.id)).all()
    staff = may(g.role, Need.STAFF)
    head = waits_for(group.why, count) if group.why else f"{title(group.code)}: {format_plural(count, 'document')}"
    fields = {**wanted.fields(), "cause": group.key}
    fix = {
        "label": f"Retry {count:,}",
        "url": url_for("logs.retry_all"),
        "method": "post",
        "icon": "rotate",
        "fields": fields,
        "aria": f"Retry: {head}",
    }
    return {
        "title": head,
        "sentence": title(group.code),
        "totals": add_up(group.amounts),
        "fix": fix if staff else None,
        "reason": _told(group, staff=staff),
        "facts": todo_facts(group.key, group.code),
        "rows": [_row(row) for row in found],
        "more_url": _url("logs.errors", {**fields, "view": "document"}) if count > SHOWN else "",
    }


def _told(group: Group, *, staff: bool) -> dict[str, Any]:
    if group.why is None:
        return {"happened": title(group.code), "why": "", "todo": ["Open the document."], "actions": [], "detail": []}
    _long, short = ledger_names(company())
    told = problem(group.why, short, actions_for(group.why, group.ids[0], staff=staff, group=True))
    if len(group.ids) > 1:
        more = format_plural(len(group.ids) - 1, "more document")
        told["happened"] = f"{told['happened']} ({more} for the same cause)"
    return told


@blueprint.get("/c/<int:company_id>/errors.csv")
def errors_csv(company_id: int) -> ResponseReturnValue:
    """What the page shows, whole, with reason, cause and fix. Cells are safe for spreadsheets (S29)."""
    _long, short = ledger_names(company())
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEAD)
    for row in db().scalars(waiting.rows(waiting.asked(request))):
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
    """All Faults that the page showed, or those of one cause."""
    found = waiting.groups(waiting.asked(request))
    ids = sorted(document_id for group in found for document_id in group.ids)
    return redirect(retry_run(company_id, ids[:MAX_RETRY]))
