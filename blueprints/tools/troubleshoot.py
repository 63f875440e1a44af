"""Troubleshoot: the form, the page of a diagnosis, and the bundle to download."""

from __future__ import annotations

import re
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import HiddenField, StringField
from wtforms.validators import Length, Regexp, ValidationError
from wtforms.validators import Optional as Blank

from blueprints.context import company, db, now, ring, the_user, writing
from blueprints.forms import Addresses, Form, split_addresses
from blueprints.runs import find
from blueprints.shell import ledger_names
from blueprints.tools.results import last_result
from blueprints.tools.routes import blueprint
from domain.wanted import LONGEST, wanted
from models import Company, User
from sync import audit, tools
from sync.diagnosis import KIND, Asked, bundle
from sync.tool_report import csv_text, rows_of
from workers import enqueue


class TroubleshootForm(Form):
    invoice = StringField("Autotask Invoice ID", [Blank(), Length(max=LONGEST)])
    additional = StringField("Additional Email", [Addresses()])
    source_id = HiddenField("Invoice", [Blank(), Regexp(re.compile(r"[0-9]{1,18}\Z"), message="Choose the invoice.")])

    def validate_invoice(self, field: Any) -> None:
        if field.data and wanted(field.data).nothing:
            raise ValidationError(
                "This names no invoice. Enter the Autotask Invoice ID, the invoice's number, or the address of its "
                "page in Autotask; leave it blank for the company as a whole."
            )


@blueprint.get("/c/<int:company_id>/tools/troubleshoot")
def troubleshoot(company_id: int) -> ResponseReturnValue:
    form = TroubleshootForm(formdata=None, invoice=request.args.get("invoice", "")[:LONGEST])
    return render_template("tools/troubleshoot.html", form=form, last=last_result(KIND))


@blueprint.post("/c/<int:company_id>/tools/troubleshoot")
def do_troubleshoot(company_id: int) -> ResponseReturnValue:
    """Do It Now. Pressing twice joins the diagnosis that is on."""
    form = TroubleshootForm()
    if not form.validate():
        return render_template("tools/troubleshoot.html", form=form, last=last_result(KIND)), 422
    asked = Asked((form.invoice.data or "").strip(), form.source_id.data or "")
    others = [{"address": each, "kind": "additional"} for each in split_addresses(form.additional.data)]
    with writing() as write:
        user = write.get_one(User, the_user().id)
        run, new = tools.ask(
            write, write.get_one(Company, company_id), KIND, asked.to_json(), now=now(), user=user, recipients=others
        )
        same = new or Asked.of(run) == asked
        if new:
            audit.record(write, company_id, now(), user.email, "troubleshoot", asked.wanted[:200], {"run": run.id})
        run_id = run.id
    if new:
        ring(enqueue.tool, company_id, run_id)
    elif not same:
        flash("Another diagnosis is running at this moment; this is it. Start yours when it has ended.", "warn")
    return redirect(url_for("tools.result", run_id=run_id, joined=None if new else 1))


@blueprint.get("/c/<int:company_id>/tools/results/<int:run_id>/bundle.zip")
def result_bundle(company_id: int, run_id: int) -> ResponseReturnValue:
    """Everything the diagnosis found, masked when it was stored."""
    run = find(run_id)
    if run.kind != KIND or run.finished_at is None:
        return redirect(url_for("tools.result", run_id=run_id))
    rows, short = rows_of(db(), run), ledger_names(company())[1]
    return Response(
        bundle(run, rows, csv_text(run, rows, short), short), mimetype="application/zip",
        headers={"Content-Disposition": f'attachment; filename="bookbridge-diagnosis-{run.id}.zip"'},
    )  # fmt: skip
