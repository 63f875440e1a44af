"""Manually Copy an Invoice: the form, and what a person decides on the page of its result.

Every press starts a run; the page of its result shows what was found. A decision (this invoice, copy it all the same,
adopt, replace) is a new run with the same invoice, so that both sides are read again before anything is written.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, StringField
from wtforms.validators import InputRequired, Length, ValidationError

from blueprints.context import company, db, now, ring, the_user, writing
from blueprints.forms import Addresses, Form, split_addresses
from blueprints.runs import find
from blueprints.tools.results import last_result
from blueprints.tools.routes import blueprint
from domain.wanted import LONGEST, wanted
from models import Company, Run, User
from sync import audit, mirror, tools
from sync.copy_outcome import KIND, Asked, Outcome, outcome_of
from workers import enqueue

DECISIONS = ("choose", "copy", "adopt", "replace", "anew", "again")


class CopyForm(Form):
    invoice = StringField(
        "Autotask Invoice ID", [InputRequired("Enter the id, the number or the address."), Length(max=LONGEST)]
    )
    overwrite = BooleanField("Overwrite")
    additional = StringField("Additional Email", [Addresses()])

    def validate_invoice(self, field: Any) -> None:
        if field.data and wanted(field.data).nothing:
            raise ValidationError(
                "This names no invoice. Enter the Autotask Invoice ID, the invoice's number, or the address of its "
                "page in Autotask."
            )


@blueprint.get("/c/<int:company_id>/tools/manual-copy")
def manual_copy(company_id: int) -> ResponseReturnValue:
    form = CopyForm(formdata=None, invoice=request.args.get("invoice", "")[:LONGEST])
    return render_template("tools/manual_copy.html", **_context(form))


@blueprint.post("/c/<int:company_id>/tools/manual-copy")
def do_manual_copy(company_id: int) -> ResponseReturnValue:
    """Do It Now. Pressing twice joins the copy that is on."""
    form = CopyForm()
    if not form.validate():
        return render_template("tools/manual_copy.html", **_context(form)), 422
    asked = Asked(form.invoice.data, overwrite=bool(form.overwrite.data))
    return start(company_id, asked, split_addresses(form.additional.data))


@blueprint.post("/c/<int:company_id>/tools/results/<int:run_id>/decide")
def decide_copy(company_id: int, run_id: int) -> ResponseReturnValue:
    """A person's decision about what a result showed. The run it starts reads both sides again."""
    shown = find(run_id)
    decision = request.form.get("decision", "")
    outcome = outcome_of(shown) if shown.kind == KIND else None
    asked = _decided(shown, decision, outcome) if outcome is not None and decision in DECISIONS else None
    if asked is None:
        flash("Nothing was done: this result does not offer that.", "warn")
        return redirect(url_for("tools.result", run_id=run_id))
    others = [r["address"] for r in shown.recipients or [] if r.get("kind") == "additional"]
    return start(company_id, asked, others, decision=decision, shown=shown.id)


def _decided(shown: Run, decision: str, outcome: Outcome) -> Asked | None:
    """The fields of the run that follows; None for a decision that this result does not offer."""
    summary = shown.summary or {}
    before = Asked.of(shown)
    invoice = summary.get("invoice") or {}
    chosen = replace(
        before, source_id=str(invoice.get("source_id", "")), adopt="", replace=False, anew=False, version=""
    )
    held = summary.get("held") or {}
    yes = request.form.get("differences") == "yes"
    if decision == "choose" and outcome is Outcome.CHOOSE:
        hits = {hit["source_id"] for hit in summary.get("hits") or ()}
        picked = request.form.get("source_id", "")
        return replace(before, source_id=picked) if picked in hits else None
    if decision == "copy" and outcome is Outcome.ASK:
        codes = tuple(value["code"] for value in summary.get("reasons") or ())
        return replace(chosen, confirmed=tuple(dict.fromkeys((*before.confirmed, *codes))))
    if decision == "adopt" and outcome is Outcome.FOREIGN and held:
        return replace(chosen, adopt=held["ledger_id"], version=held["version"], differences=yes, mail=True)
    if decision == "replace" and outcome is Outcome.COMPARE and held and not summary.get("obstacles"):
        return replace(chosen, replace=True, version=held["version"], mail=True)
    if decision == "anew" and yes and summary.get("anew") and not summary.get("anew_obstacles"):
        seen = "" if summary["anew"] == "again" else held["version"]
        return replace(chosen, anew=True, version=seen, mail=True) if outcome is Outcome.COMPARE else None
    return replace(chosen, compare=True) if decision == "again" and chosen.source_id else None


def start(
    company_id: int, asked: Asked, additional: list[str], *, decision: str = "", shown: int = 0
) -> ResponseReturnValue:
    if not mirror.ready(db(), company_id):
        return redirect(url_for("connect.first_scan"))
    others = [{"address": each, "kind": "additional"} for each in additional]
    with writing() as write:
        user = write.get_one(User, the_user().id)
        run, new = tools.ask(
            write, write.get_one(Company, company_id), KIND, asked.to_json(), now=now(), user=user, recipients=others
        )
        same = new or Asked.of(run) == asked
        if new:
            detail = {"run": run.id, "asked": asked.to_json(), "shown_in_run": shown or None}
            word = f"manual copy: {decision}" if decision else "manual copy"
            audit.record(write, company_id, now(), user.email, word, asked.wanted[:200], detail)
        run_id = run.id
    if new:
        ring(enqueue.tool, company_id, run_id)
    elif not same:
        flash("Another invoice is being copied at this moment; this is it. Copy yours when it has ended.", "warn")
    return redirect(url_for("tools.result", run_id=run_id, joined=None if new else 1))


def _context(form: CopyForm) -> dict[str, Any]:
    return {"form": form, "last": last_result(KIND), "connected": company().source_tenant is not None}
