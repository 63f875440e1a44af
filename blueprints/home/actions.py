"""What staff do with documents: skip with a reason, take that back, retry, include, and the doors to both sides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from blueprints.chosen import find, ticked
from blueprints.context import company, db, now, ring, the_user, writing
from blueprints.doors import ledger_page, source_page
from blueprints.forms import Form
from blueprints.home.routes import blueprint
from blueprints.logs.retry import retry_run
from blueprints.problems import Problem
from blueprints.queries import add_up
from blueprints.rows import number_of
from domain.formats import format_plural
from models import Document
from sync import audit, connection, credentials, decisions, requests, voids
from workers import enqueue

BULK = {"release": "home.release_documents", "hold": "home.hold", "preview": "home.preview"}
"""What else ticked rows can be sent to: the same fields, another view."""


class SkipForm(Form):
    reason = StringField("Why", [InputRequired("Say why, for whoever looks at it later."), Length(max=200)])


@blueprint.post("/c/<int:company_id>/documents/bulk")
def bulk(company_id: int) -> ResponseReturnValue:
    rows = ticked(request.form.getlist("id"))
    if not rows:
        flash("No row was ticked.", "warn")
        return redirect(url_for("home.documents"))
    action = request.form.get("action")
    if action == "retry":
        return redirect(retry_run(company_id, [row.id for row in rows]))
    if action in BULK:
        return cast(ResponseReturnValue, current_app.view_functions[BULK[action]](company_id=company_id))
    return _ask_skip(SkipForm(formdata=None), rows), 200


@blueprint.route("/c/<int:company_id>/documents/skip", methods=["GET", "POST"])
def skip(company_id: int) -> ResponseReturnValue:
    """Asks for a reason, then sets the documents aside."""
    rows = ticked(request.form.getlist("id") or request.args.getlist("id"))
    if not rows:
        raise Problem(404, "404")
    form = SkipForm()
    if request.method == "GET" or not form.validate():
        if request.method == "GET":
            form = SkipForm(formdata=None)
        return _ask_skip(form, rows), 422 if form.errors else 200
    with writing() as write:
        found = write.scalars(select(Document).where(Document.id.in_([row.id for row in rows]))).all()
        done = sum(decisions.skip(write, row, why=form.reason.data, now=now(), who=the_user().name) for row in found)
        audit.record(
            write,
            company_id,
            now(),
            the_user().email,
            "skipped",
            format_plural(done, "document"),
            {"documents": [row.id for row in found]},
        )
    flash(f"{format_plural(done, 'document')} set aside.", "ok")
    if done < len(rows):
        flash(
            f"{format_plural(len(rows) - done, 'document')} could not be set aside: in the books or on the way.", "warn"
        )
    return redirect(url_for("home.documents"))


def _ask_skip(form: SkipForm, rows: Sequence[Document]) -> str:
    return render_template(
        "home/skip_confirm.html",
        form=form,
        totals=add_up((row.currency or "USD", row.total) for row in rows),
        documents=[
            {
                "id": row.id,
                "number": number_of(row),
                "customer": row.party_name,
                "amount": row.total,
                "currency": row.currency or "USD",
            }
            for row in rows
        ],
        action=url_for("home.skip"),
        keep_url=url_for("home.documents"),
    )


@blueprint.post("/c/<int:company_id>/documents/<int:document_id>/unskip")
def unskip(company_id: int, document_id: int) -> ResponseReturnValue:
    row = find(document_id)
    with writing() as write:
        back = decisions.unskip(write, write.get_one(Document, row.id), now=now(), who=the_user().name)
        if back:
            audit.record(write, company_id, now(), the_user().email, "unskipped", number_of(row))
    if back:
        flash("It is Pending Sync again and goes with the next Sync.", "ok")
    else:
        flash("It is not set aside, or a hold keeps it: release the hold.", "warn")
    return redirect(url_for("home.document", document_id=row.id))


@blueprint.post("/c/<int:company_id>/documents/<int:document_id>/retry")
def retry(company_id: int, document_id: int) -> ResponseReturnValue:
    return redirect(retry_run(company_id, [find(document_id).id]))


@blueprint.post("/c/<int:company_id>/documents/<int:document_id>/include")
def include(company_id: int, document_id: int) -> ResponseReturnValue:
    """Take a document in although it is dated before the start date."""
    row = find(document_id)
    with writing() as write:
        if row.before_start:
            requests.include(write, [write.get_one(Document, row.id)], now=now(), who=the_user().name)
            audit.record(write, company_id, now(), the_user().email, "included", number_of(row))
    flash("It is included and goes with the next Sync.", "ok")
    return redirect(url_for("home.document", document_id=row.id))


@blueprint.post("/c/<int:company_id>/documents/<int:document_id>/void")
def void(company_id: int, document_id: int) -> ResponseReturnValue:
    """Void the copy in the ledger of a document that was voided in the source."""
    row = find(document_id)
    with writing() as write:
        asked = voids.void(write, write.get_one(Document, row.id), now=now(), who=the_user().name)
        if asked:
            audit.record(write, company_id, now(), the_user().email, "void asked", number_of(row))
    if asked:
        ring(enqueue.ring, company_id)
        flash("It is voided as soon as the ledger was asked whether anything changed.", "ok")
    else:
        flash("There is nothing to void now: it was decided already, or its period is closed.", "warn")
    return redirect(url_for("home.document", document_id=row.id))


@blueprint.post("/c/<int:company_id>/documents/<int:document_id>/correct")
def correct(company_id: int, document_id: int) -> ResponseReturnValue:
    """Take back what stands in a closed period by a document on the first open day."""
    row = find(document_id)
    with writing() as write:
        asked = voids.correct(write, write.get_one(Document, row.id), now=now(), who=the_user().name)
        if asked:
            audit.record(write, company_id, now(), the_user().email, "correction asked", number_of(row))
    if asked:
        ring(enqueue.ring, company_id)
        flash("It is posted as soon as the ledger was asked whether anything changed.", "ok")
    else:
        flash("There is nothing to correct now: it was decided already.", "warn")
    return redirect(url_for("home.document", document_id=row.id))


@blueprint.route("/c/<int:company_id>/documents/<int:document_id>/keep", methods=["GET", "POST"])
def keep(company_id: int, document_id: int) -> ResponseReturnValue:
    """Leave the copy in the ledger although the source voided it: asks for the reason."""
    row = find(document_id)
    form = SkipForm() if request.method == "POST" else SkipForm(formdata=None)
    if request.method == "GET" or not form.validate():
        page = render_template(
            "home/void_keep.html", form=form, number=number_of(row), customer=row.party_name,
            action=url_for("home.keep", document_id=row.id), back_url=url_for("home.document", document_id=row.id),
        )  # fmt: skip
        return page, 422 if form.errors else 200
    why = form.reason.data or ""
    with writing() as write:
        kept = voids.keep(write, write.get_one(Document, row.id), why=why, now=now(), who=the_user().name)
        if kept:
            audit.record(write, company_id, now(), the_user().email, "kept a voided document", number_of(row),
                         {"why": why})  # fmt: skip
    flash("It stays as it is." if kept else "There is nothing to decide now.", "ok" if kept else "warn")
    return redirect(url_for("home.document", document_id=row.id))


@blueprint.get("/c/<int:company_id>/documents/<int:document_id>/open/<side>")
def open_in(company_id: int, document_id: int, side: str) -> ResponseReturnValue:
    """To the record on the other side: the ledger's page, or the source's."""
    row = find(document_id)
    if side == credentials.LEDGER and row.ledger_id and row.ledger_kind:
        return redirect(ledger_page(company(), row.ledger_kind, row.ledger_id))
    if side == credentials.SOURCE:
        joined = connection.of(db(), company_id, credentials.SOURCE)
        if joined is not None and joined.web_url:
            return redirect(source_page(joined.web_url, row.source_id, row.party_id))
    raise Problem(404, "404")
