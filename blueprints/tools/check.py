"""Check Which Invoices are Ready for Billing: the form. The answer is the page of its result."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import IntegerField, SelectField, StringField
from wtforms.validators import InputRequired, NumberRange

from blueprints.context import company, db, now, ring, the_user, writing
from blueprints.forms import Addresses, Form, split_addresses
from blueprints.settings.sections.numbers import NUMBERING
from blueprints.tools.results import last_result
from blueprints.tools.routes import blueprint
from domain.settings import Numbering
from models import Company, User
from sync import audit, mirror, settings, tools
from sync.check import Asked
from workers import enqueue


class CheckForm(Form):
    numbering = SelectField(
        "Invoice Number Options", [InputRequired("Choose the number.")],
        choices=[(str(value), label) for value, label in NUMBERING],
    )  # fmt: skip
    max_age_days = IntegerField(
        "Invoice Max Age",
        [InputRequired("Enter a number of days."), NumberRange(1, 400, "Enter a number of days from 1 to 400.")],
    )
    other = StringField("Other Email", [Addresses()])


@blueprint.get("/c/<int:company_id>/tools/check")
def check(company_id: int) -> ResponseReturnValue:
    current = settings.load_invoices(db(), company_id)
    form = CheckForm(formdata=None, numbering=str(current.numbering), max_age_days=current.look_back_days)
    return render_template("tools/check.html", **_context(form))


@blueprint.post("/c/<int:company_id>/tools/check")
def do_check(company_id: int) -> ResponseReturnValue:
    """Do It Now. Pressing twice joins the check that is on."""
    form = CheckForm()
    if not form.validate():
        return render_template("tools/check.html", **_context(form)), 422
    if not mirror.ready(db(), company_id):
        return redirect(url_for("connect.first_scan"))
    asked = Asked(Numbering(form.numbering.data), form.max_age_days.data)
    others = [{"address": each, "kind": "additional"} for each in split_addresses(form.other.data)]
    with writing() as write:
        user = write.get_one(User, the_user().id)
        run, new = tools.ask(
            write, write.get_one(Company, company_id), "check", asked.to_json(), now=now(), user=user, recipients=others
        )
        audit.record(write, company_id, now(), user.email, "invoices checked", f"run {run.id}")
        run_id = run.id
    if new:
        ring(enqueue.tool, company_id, run_id)
    return redirect(url_for("tools.result", run_id=run_id, joined=None if new else 1))


def _context(form: CheckForm) -> dict[str, Any]:
    return {"form": form, "last": last_result("check"), "connected": company().source_tenant is not None}
