"""Hold: keep a document, ticked ones, or everything of a customer back, with a reason; and Release hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from blueprints.chosen import find, ticked
from blueprints.context import company, db, now, ring, the_user, writing
from blueprints.forms import Form
from blueprints.home.routes import blueprint
from blueprints.problems import Problem
from blueprints.queries import add_up
from blueprints.rows import number_of
from domain.formats import format_plural
from models import Document, Hold
from sync import audit, holds
from workers import enqueue


class HoldForm(Form):
    reason = StringField(
        "Why", [InputRequired("Say why, for whoever wants to release it."), Length(max=200)]
    )  # fmt: skip


@blueprint.route("/c/<int:company_id>/documents/hold", methods=["GET", "POST"])
def hold(company_id: int) -> ResponseReturnValue:
    """Asks for a reason, then keeps the ticked documents back."""
    rows = ticked(request.form.getlist("id") or request.args.getlist("id"))
    if not rows:
        raise Problem(404, "404")
    form = HoldForm() if request.method == "POST" and "reason" in request.form else HoldForm(formdata=None)
    if request.method == "GET" or "reason" not in request.form or not form.validate():
        return ask(form, rows), 422 if form.errors else 200
    with writing() as write:
        found = write.scalars(select(Document).where(Document.id.in_([row.id for row in rows]))).all()
        late = [
            number_of(row) for row in found
            if not holds.hold_document(write, row, why=form.reason.data, now=now(), who=the_user().name)
        ]  # fmt: skip
        audit.record(
            write, company_id, now(), the_user().email, "held", format_plural(len(found) - len(late), "document"),
            {"documents": [row.id for row in found], "why": form.reason.data, "too_late": late},
        )  # fmt: skip
    _tell(len(rows) - len(late), late)
    return redirect(_back(rows))


@blueprint.route("/c/<int:company_id>/documents/<int:document_id>/hold-customer", methods=["GET", "POST"])
def hold_customer(company_id: int, document_id: int) -> ResponseReturnValue:
    """Keeps back everything of this document's customer, now and while the hold stands."""
    row = find(document_id)
    if not row.party_id:
        raise Problem(404, "404")
    form = HoldForm() if request.method == "POST" else HoldForm(formdata=None)
    if request.method == "GET" or not form.validate():
        return ask(form, [], customer=row), 422 if form.errors else 200
    with writing() as write:
        told = holds.hold_party(
            write, company_id, row.party_id, row.party_name or row.party_id, why=form.reason.data, now=now(),
            who=the_user().name,
        )  # fmt: skip
        late = [number_of(write.get_one(Document, each)) for each in told.too_late]
        audit.record(
            write, company_id, now(), the_user().email, "customer held", row.party_name[:200],
            {"party": row.party_id, "why": form.reason.data, "documents": list(told.kept), "too_late": late},
        )  # fmt: skip
    _tell(len(told.kept), late)
    return redirect(url_for("home.document", document_id=row.id))


@blueprint.post("/c/<int:company_id>/holds/<int:hold_id>/release")
def release_hold(company_id: int, hold_id: int) -> ResponseReturnValue:
    """Ends a hold; what it kept back is read again."""
    if (known := db().get(Hold, hold_id)) is None or known.company_id != company().id:
        raise Problem(404, "404")
    with writing() as write:
        mine = write.get_one(Hold, hold_id)
        freed = holds.release(write, mine, now=now(), who=the_user().name)
        audit.record(
            write, company_id, now(), the_user().email, "hold released", mine.name[:200],
            {"hold": hold_id, "documents": [row.id for row in freed]},
        )  # fmt: skip
        count = len(freed)
    ring(enqueue.poll, company_id)
    flash(f"The hold is released. {format_plural(count, 'document')} will be read again.", "ok")
    return redirect(url_for("home.review"))


def ask(form: HoldForm, rows: Sequence[Document], customer: Document | None = None) -> str:
    """The page that asks why. `customer`: a document of the customer to hold."""
    kept = rows or _open_of(customer)
    action = url_for("home.hold_customer", document_id=customer.id) if customer else url_for("home.hold")
    back = url_for("home.document", document_id=customer.id) if customer else _back(rows)
    return render_template(
        "home/hold_confirm.html",
        form=form,
        customer=customer.party_name if customer else "",
        documents=[_line(row) for row in kept],
        ids=[row.id for row in rows],
        totals=add_up((row.currency or "USD", row.total) for row in kept),
        action=action,
        keep_url=back,
    )


def _open_of(customer: Document | None) -> Sequence[Document]:
    if customer is None:
        return []
    return db().scalars(select(Document).where(
        Document.company_id == company().id, Document.party_id == customer.party_id,
        Document.status.in_(("Pending Sync", "Fault")), Document.before_start.is_(False),
    ).order_by(Document.id).limit(100)).all()  # fmt: skip


def _line(row: Document) -> dict[str, Any]:
    return {
        "number": number_of(row),
        "customer": row.party_name,
        "amount": row.total,
        "currency": row.currency or "USD",
    }


def _tell(kept: int, late: Sequence[str]) -> None:
    if kept:
        flash(f"{format_plural(kept, 'document')} held. Nothing posts what is held.", "ok")
    if late:
        flash(f"The hold came too late for {', '.join(late[:5])}: in the books or on the way.", "warn")
    if not kept and not late:
        flash("The hold stands. What is found of this customer from now on is held.", "ok")


def _back(rows: Sequence[Document]) -> str:
    return url_for("home.document", document_id=rows[0].id) if len(rows) == 1 else url_for("home.review")
