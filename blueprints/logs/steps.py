"""Step log of one document: every step taken for it, in order, in words."""

from __future__ import annotations

from typing import Any

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from blueprints.context import company, db
from blueprints.logs.routes import blueprint
from blueprints.problems import Problem
from blueprints.queries import paged
from blueprints.rows import number_of
from models import Document, Step
from sync.logs import redact

KINDS = {"unknown": "warn", "fault": "bad", "refused": "bad", "rejected": "bad", "skipped": "wait", "asked": "wait",
         "not mailed": "warn", "not mailed again": "warn", "not attached": "warn", "person": "warn"}


@blueprint.get("/c/<int:company_id>/documents/<int:document_id>/steps")
def steps(company_id: int, document_id: int) -> ResponseReturnValue:
    row = db().get(Document, document_id)
    if row is None or row.company_id != company().id:
        raise Problem(404, "404")
    listed = paged(
        db(), select(Step).where(Step.company_id == company_id, Step.document_id == row.id).order_by(Step.id), 100
    )
    return render_template(
        "logs/steps.html",
        entries=[entry(step) for step in listed.rows],
        page=listed.pager,
        document={
            "number": number_of(row),
            "customer": row.party_name or "(no customer)",
            "status": row.status,
            "url": url_for("home.document", document_id=row.id),
        },
    )


def entry(step: Step) -> dict[str, Any]:
    detail = [(name.replace("_", " ").capitalize(), _plain(value)) for name, value in redact(step.detail or {}).items()]
    if step.who:
        detail.append(("Who", step.who))
    return {
        "at": step.at,
        "run": step.run_id or "",
        "run_url": url_for("logs.run", run_id=step.run_id) if step.run_id else "",
        "stage": step.name.replace("_", " ").capitalize(),
        "kind": KINDS.get(step.name, "ok"),
        "text": step.text,
        "detail": [(label, value) for label, value in detail if value],
    }


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "; ".join(str(each) for each in value)
    return "" if value is None else str(value)
