"""All companies of the signed-in person on one board."""

from __future__ import annotations

from typing import Any

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from blueprints.context import db, now, the_user
from blueprints.home.routes import blueprint
from blueprints.queries import sums, waiting_documents
from blueprints.shell import condition, count_faults, ledger_names
from domain.statuses import Status
from models import Company, Document
from sync import access


@blueprint.get("/companies")
def boards() -> ResponseReturnValue:
    mine = access.companies_of(db(), the_user().id)
    return render_template(
        "home/boards.html",
        companies=[_row(company, role) for company, role in mine],
        connect_url=url_for("connect.consent"),
    )


def _row(company: Company, role: str) -> dict[str, Any]:
    kind, word, look = condition(company)
    pending, pending_totals = waiting_documents(db(), company.id)
    month = now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    posted, posted_totals = sums(db(), company.id, Document.status == Status.COMPLETE, Document.completed_at >= month)
    return {
        "id": company.id,
        "name": company.name,
        "url": url_for("home.index", company_id=company.id),
        "kind": kind,
        "ledger": ledger_names(company)[0],
        "currency": company.currency or "–",
        "word": word,
        "look": look,
        "pending": pending,
        "pending_totals": pending_totals,
        "faults": count_faults(company.id),
        "posted": posted,
        "posted_totals": posted_totals,
        "role": role,
        "errors_url": url_for("logs.errors", company_id=company.id),
    }
