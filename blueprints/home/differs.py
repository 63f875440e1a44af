"""A ledger total that is not the source's: both figures on the document, and accepting it with a reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from blueprints.chosen import find
from blueprints.context import company, db, now, the_user, writing
from blueprints.forms import Form
from blueprints.home.routes import blueprint
from blueprints.rows import number_of
from blueprints.shell import ledger_names
from domain.documents import Draft
from domain.formats import format_money
from domain.statuses import Flag
from models import Document
from sync import audit, decisions


class AcceptForm(Form):
    reason = StringField("Why", [InputRequired("Say why, for whoever looks at it later."), Length(max=200)])


def apart(row: Document) -> bool:
    """The ledger's total is known and is not the source's, accepted or not."""
    return row.ledger_total is not None and str(Flag.DIFFERS) in (row.flags or []) + _accepted(row)


def booked(row: Document, sent: Draft) -> Draft:
    """The draft with the figures of the ledger's answer, where those are others than were sent."""
    if row.ledger_total is None or not apart(row):
        return sent
    tax = row.ledger_tax if row.ledger_tax is not None else sent.tax_total + row.ledger_total - sent.total
    return replace(sent, total=row.ledger_total, tax_total=tax)


def marked(row: Document) -> list[str]:
    """What is not the same on both papers."""
    if not apart(row):
        return []
    same_tax = row.ledger_tax is None or row.ledger_tax == abs(row.tax_total or 0)
    return ["total"] if same_tax else ["tax", "total"]


def difference(row: Document) -> str:
    """Both totals in words; empty where they agree or the ledger's is not known."""
    if row.ledger_total is None or not apart(row):
        return ""
    _long, short = ledger_names(company())
    there = -row.ledger_total if row.total < 0 else row.ledger_total
    return (
        f"Autotask's total is {format_money(row.total, row.currency)}, {short} holds "
        f"{format_money(there, row.currency)}: {format_money(abs(there - row.total), row.currency)} "
        f"{'more' if there > row.total else 'less'}."
    )


def note(row: Document, *, staff: bool) -> dict[str, Any] | None:
    """The box on the document's page; after it was accepted it says by whom and why."""
    text = difference(row)
    if not text:
        return None
    if row.accepted:
        kept = row.accepted
        return {"kind": "plain", "text": f"{text} Accepted by {kept['by']}: {kept['why']}", "actions": []}
    action = {"label": "Accept, with a reason…", "url": url_for("home.accept_difference", document_id=row.id)}
    return {"kind": "warn", "text": f"{text} It is not posted again.", "actions": [action] if staff else []}


def _accepted(row: Document) -> list[str]:
    return [str(Flag.DIFFERS)] if row.accepted else []


@blueprint.route("/c/<int:company_id>/documents/<int:document_id>/accept-difference", methods=["GET", "POST"])
def accept_difference(company_id: int, document_id: int) -> ResponseReturnValue:
    """Asks for a reason, then keeps the ledger's total as it is. Nothing is written to either side."""
    row = find(document_id)
    back = url_for("home.document", document_id=row.id)
    if str(Flag.DIFFERS) not in (row.flags or []):
        return redirect(back)
    form = AcceptForm() if request.method == "POST" else AcceptForm(formdata=None)
    if request.method == "GET" or not form.validate():
        page = render_template(
            "home/accept_difference.html", form=form, number=number_of(row), text=difference(row), keep_url=back,
            action=url_for("home.accept_difference", document_id=row.id),
        )
        return page, 422 if form.errors else 200
    with writing() as write:
        kept = write.get_one(Document, row.id)
        decisions.accept_difference(write, kept, why=str(form.reason.data), now=now(), who=the_user().name)
        audit.record(write, company_id, now(), the_user().email, "difference accepted", number_of(row))
    flash("The difference is accepted and stays visible.", "ok")
    db().expire(row)
    return redirect(back)
