"""All companies of the signed-in person on one board."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from blueprints.context import db, now, the_user
from blueprints.home.routes import blueprint
from blueprints.queries import Totals, sums, waiting_documents
from blueprints.shell import condition, count_faults, ledger_names
from domain.statuses import Status
from models import Company, Document
from sync import access
from sync.areas import AREAS


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
    month = now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    pending = _apart(lambda *where: waiting_documents(db(), company.id, *where))
    done = (Document.status == Status.COMPLETE, Document.completed_at >= month)
    posted = _apart(lambda *where: sums(db(), company.id, *done, *where))
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
        "faults": count_faults(company.id),
        "posted": posted,
        "role": role,
        "errors_url": url_for("logs.errors", company_id=company.id),
    }


def _apart(found: Callable[..., tuple[int, Totals]]) -> dict[str, Any]:
    """How many documents in all, and each product by itself: what customers owe and what is owed to vendors are never
    added together."""
    areas = [(area.words.capitalize(), *found(Document.kind == area.kind)) for area in AREAS]
    return {
        "count": sum(count for _, count, _ in areas),
        "parts": [{"words": words, "count": count, "totals": totals} for words, count, totals in areas if count],
    }
