"""Compare Billing Codes and Items: the form of the Compare or Copy page."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectField
from wtforms.validators import InputRequired, ValidationError

from blueprints.context import company, db, now, ring, the_user, writing
from blueprints.forms import Form
from blueprints.settings.sections.lines import MATCH_BY
from blueprints.tools.results import last_result
from blueprints.tools.routes import blueprint
from domain.settings import MatchBy
from models import Company, User
from sync import audit, mirror, settings, tools
from sync.comparing import COPY
from sync.list_compare import KIND as LISTS
from workers import enqueue

SHOW = "compare"
ACTIONS = [(SHOW, "Show Comparison"), (COPY, "Copy missing items to {ledger_in_full}")]
FIELDS = [
    ("setting", "The field chosen in Settings"),
    (str(MatchBy.NAME), "Billing Code Name"),
    (str(MatchBy.ID), "Billing Code ID"),
    (str(MatchBy.NUMBER), "External ID, and the Name where it is blank"),
]


class CompareForm(Form):
    action = SelectField("ACTIONS", [InputRequired("Choose what to do.")], choices=ACTIONS)
    match_by = SelectField("Match Item Using", [InputRequired("Choose the field.")], choices=FIELDS)

    def validate_action(self, field: Any) -> None:
        if field.data == COPY and not settings.load_invoices(db(), company().id).created_item_account:
            raise ValidationError("Choose the account for created items in Settings, Invoices first.")


@blueprint.get("/c/<int:company_id>/tools/compare")
def compare(company_id: int) -> ResponseReturnValue:
    return render_template("tools/compare.html", **_context(CompareForm(formdata=None, match_by="setting")))


@blueprint.post("/c/<int:company_id>/tools/compare")
def do_compare(company_id: int) -> ResponseReturnValue:
    """Do It Now. Pressing twice joins what is on."""
    form = CompareForm()
    if not form.validate():
        return render_template("tools/compare.html", **_context(form)), 422
    if not mirror.ready(db(), company_id):
        return redirect(url_for("connect.first_scan"))
    kind = form.action.data
    current = settings.load_invoices(db(), company_id)
    match_by = str(current.match_by) if form.match_by.data == "setting" else form.match_by.data
    with writing() as write:
        user = write.get_one(User, the_user().id)
        asked = {"match_by": match_by}
        run, new = tools.ask(write, write.get_one(Company, company_id), kind, asked, now=now(), user=user)
        word = "missing items copied" if kind == COPY else "items compared"
        audit.record(write, company_id, now(), user.email, word, f"run {run.id}")
        run_id = run.id
    if new:
        ring(enqueue.tool, company_id, run_id)
    return redirect(url_for("tools.result", run_id=run_id, joined=None if new else 1))


def _context(form: CompareForm) -> dict[str, Any]:
    current = settings.load_invoices(db(), company().id)
    return {
        "form": form,
        "last": last_result(SHOW),
        "copied": last_result(COPY),
        "lists": last_result(LISTS),
        "field_now": dict(MATCH_BY)[current.match_by],
        "connected": company().source_tenant is not None,
    }
