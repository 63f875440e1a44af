"""Diagnostic Mode of one document: its page with everything that was kept, the switch, and the file."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from blueprints.access import Need, may
from blueprints.context import company, db, now, the_user, writing
from blueprints.home.routes import blueprint
from blueprints.problems import Problem
from blueprints.queries import paged
from blueprints.rows import number_of
from models import Document, TraceEntry, User
from sync import audit, tracing
from sync.documents import step

KINDS = {"request": "external-link", "plan": "file-text", "state": "history"}


def _find(document_id: int) -> Document:
    row = db().get(Document, document_id)
    if row is None or row.company_id != company().id:
        raise Problem(404, "404")
    return row


@blueprint.get("/c/<int:company_id>/documents/<int:document_id>/trace")
def trace(company_id: int, document_id: int) -> ResponseReturnValue:
    row = _find(document_id)
    where = (TraceEntry.company_id == company_id, TraceEntry.document_id == row.id)
    listed = paged(db(), select(TraceEntry).where(*where).order_by(TraceEntry.at.desc(), TraceEntry.id.desc()), 50)
    size = db().execute(select(func.coalesce(func.sum(TraceEntry.size), 0)).where(*where)).scalar_one()
    return render_template(
        "home/trace.html",
        document={
            "number": number_of(row), "customer": row.party_name or "(no customer)", "status": row.status,
            "flags": row.flags or [], "url": url_for("home.document", document_id=row.id),
        },
        since=row.traced_since,
        staff=may(g.role, Need.STAFF),
        switch_url=url_for("home.switch_trace", document_id=row.id),
        troubleshoot_url=url_for("tools.troubleshoot", invoice=row.source_id),
        file_url=url_for("home.trace_file", document_id=row.id) if size and may(g.role, Need.STAFF) else "",
        entries=[_entry(one) for one in listed.rows],
        page=listed.pager,
        percent=int(size * 100 / tracing.MOST_CHARACTERS),
        days=tracing.DAYS.days,
    )  # fmt: skip


def _entry(one: TraceEntry) -> dict[str, Any]:
    text = json.dumps(one.data, indent=1, ensure_ascii=False)
    return {"at": one.at, "icon": KINDS[one.what], "title": one.title, "text": text if one.data else ""}


@blueprint.post("/c/<int:company_id>/documents/<int:document_id>/trace")
def switch_trace(company_id: int, document_id: int) -> ResponseReturnValue:
    """Switch Diagnostic Mode over. What was kept stays for its 30 days."""
    _find(document_id)
    with writing() as write:
        row = write.get_one(Document, document_id)
        user = write.get_one(User, the_user().id)
        on = row.traced_since is None
        done = tracing.switch(write, row, on, now())
        if done:
            word = "on" if on else "off"
            step(write, row, now(), "diagnostic mode", f"Diagnostic Mode was switched {word}", who=user.name)
            audit.record(write, company_id, now(), user.email, f"diagnostic mode {word}", f"document {row.id}")
    if done:
        flash(f"Diagnostic Mode is {'on' if on else 'off'}.", "ok")
    else:
        flash(f"At most {tracing.MOST_DOCUMENTS} documents are traced at once. Switch another one off first.", "warn")
    return redirect(url_for("home.trace", document_id=document_id))


@blueprint.get("/c/<int:company_id>/documents/<int:document_id>/trace.json")
def trace_file(company_id: int, document_id: int) -> ResponseReturnValue:
    row = _find(document_id)
    text = json.dumps(tracing.told(db(), company_id, row.id), indent=1, ensure_ascii=False)
    name = f"bookbridge-trace-{row.id}.json"
    return Response(
        text.encode(), mimetype="application/json", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
