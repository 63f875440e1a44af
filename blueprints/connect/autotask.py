"""Step 2: the Autotask user, its secret and the integration code, tried out before anything is kept.

A secret is stored sealed and never shown again. A company is tied to one Autotask database; another is refused.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length, Optional

from blueprints.connect.facts import ledger_facts
from blueprints.connect.routes import blueprint
from blueprints.context import company, db, now, ring, services, the_user, writing
from blueprints.forms import Form
from connectors.errors import PlatformError
from connectors.sources.base import SourceCheck
from domain.formats import format_count
from models import Company
from sync import audit, connection, credentials, lease
from sync.credentials import Credentials
from workers import enqueue


class AutotaskForm(Form):
    username = StringField("Username (key)", [InputRequired("Enter the API user's name (its key)."), Length(max=200)])
    secret = PasswordField("Secret", [Length(max=200)])
    integration_code = StringField("Integration code", [Optional(), Length(max=200)])


@blueprint.get("/c/<int:company_id>/connect/autotask")
def autotask(company_id: int) -> ResponseReturnValue:
    stored = _stored()
    form = AutotaskForm(
        formdata=None,
        username=stored.user_name if stored else "",
        integration_code=(stored.integration_code or "") if stored else "",
    )
    row = connection.of(db(), company_id, credentials.SOURCE)
    found = row.found if row and row.found and row.state == credentials.TESTED else None
    return _page(form, _found_lines(found) if found else None)


@blueprint.post("/c/<int:company_id>/connect/autotask")
def save_autotask(company_id: int) -> ResponseReturnValue:
    """Try the credentials and keep them when they work. Nothing is kept that Autotask does not accept."""
    form = AutotaskForm()
    action = request.form.get("action", "next")
    stored = _stored()
    if action == "later" and not (form.secret.data or form.username.data):
        return redirect(url_for("home.index"))
    if not _complete(form, stored):
        return _page(form, None)
    given = _given(form, stored)
    try:
        check = services().test_source(given.user_name, given.secret, given.integration_code)
    except PlatformError as problem:
        return _page(form, _refused(problem))
    wrong = _other_database(company(), check)
    if wrong:
        return _page(form, wrong)
    _keep(company_id, given, check)
    if action == "test":
        return _page(form, _found_lines(asdict(check)))
    if action == "later" or company().source_tenant is not None:
        flash("The Autotask connection is saved.", "ok")
        return redirect(url_for("home.index" if action == "later" else "connect.connections"))
    return redirect(url_for("connect.review"))


def _stored() -> Credentials | None:
    row = connection.of(db(), company().id, credentials.SOURCE)
    return credentials.credentials_of(row, services().key_ring) if row else None


def _complete(form: AutotaskForm, stored: Credentials | None) -> bool:
    """The form's own rules, and what may stay empty: the secret when one is stored, the code when we have our own."""
    valid = form.validate()
    if not form.secret.data and stored is None:
        form.secret.errors = ["Enter the secret that was generated together with the key."]
        valid = False
    if not form.integration_code.data and services().config.autotask_integration_code is None:
        form.integration_code.errors = ["Enter the integration code (API Tracking Identifier) of this user."]
        valid = False
    return bool(valid)


def _given(form: AutotaskForm, stored: Credentials | None) -> Credentials:
    secret = form.secret.data or (stored.secret if stored else "")
    return Credentials(form.username.data, secret, form.integration_code.data or None)


def _other_database(found: Company, check: SourceCheck) -> dict[str, Any] | None:
    if found.source_tenant is None or found.source_tenant == check.tenant:
        return None
    return {
        "ok": False,
        "title": "This user belongs to another Autotask database",
        "lines": [
            {"kind": "no", "text": f"Its database is {check.tenant}; {found.name} is tied to {found.source_tenant}."}
        ],
        "todo": "Numbers and ids of two databases would mix, so a company never moves from one to the other. Use a "
        "user of the same database, or connect the other one as a company of its own.",
    }


def _keep(company_id: int, given: Credentials, check: SourceCheck) -> None:
    with writing() as db:
        lease.exclusive(db, company_id)
        found = db.get_one(Company, company_id)
        row = credentials.ensure(db, company_id, credentials.SOURCE, found.source, check.tenant)
        credentials.put_credentials(row, given, services().key_ring)
        fixing = found.source_tenant is not None
        row.tenant, row.api_url, row.web_url = check.tenant, check.api_url, check.web_url
        row.found, row.problem = asdict(check), None
        row.state = credentials.CONNECTED if fixing else credentials.TESTED
        row.connected_by, row.connected_at, row.last_success_at = the_user().id, now(), now()
        if not fixing and found.setup_step == "source":
            found.setup_step = "review"
        if fixing:
            found.next_poll_at = now()
            lease.wake(db, company_id, now())
        audit.record(db, company_id, now(), the_user().email, "source credentials saved", check.tenant)
    if fixing:
        ring(enqueue.ring, company_id)


def _page(form: AutotaskForm, test: dict[str, Any] | None) -> ResponseReturnValue:
    found = company()
    html = render_template(
        "connect/autotask.html",
        form=form,
        test=test,
        ledger=ledger_facts(found),
        secret_kept=_stored() is not None,
        fixing=found.source_tenant is not None,
    )
    refused = bool(form.errors) or (test is not None and not test["ok"])
    return html, 422 if refused else 200


def _refused(problem: PlatformError) -> dict[str, Any]:
    """Each refusal is its own sentence, made by the connector; a time-out is one as well."""
    return {
        "ok": False,
        "title": "Autotask did not let us in",
        "lines": [{"kind": "no", "text": problem.message}],
        "todo": "Nothing was saved. Correct it and test again; the secret has to be entered once more.",
    }


def _found_lines(found: dict[str, Any]) -> dict[str, Any]:
    """What was found, in the words a person can check: “1,204 companies, invoices yes …”."""
    lines = [
        _line(True, f"Signed in at {found['api_url']}"),
        _line(found["parties"] > 0, f"{format_count(found['parties'])} companies"),
        _line(found["can_read_invoices"], "Invoices: can be read", "Invoices: this user cannot see any"),
        _line(found["can_mark_invoices"], "Invoices: can be marked as synced", "Invoices: may not be marked as synced"),
        _line(
            found["has_purchase_orders"],
            "Purchase orders: yes",
            "Purchase orders: no, there is no inventory module",
            bad="dash",
        ),
    ]
    lines += [{"kind": "ask", "text": note} for note in found.get("notes", ())]
    return {"ok": True, "title": f"Connected to Autotask database {found['tenant']}", "lines": lines, "todo": ""}


def _line(yes: bool, text: str, otherwise: str = "", bad: str = "no") -> dict[str, str]:
    return {"kind": "yes" if yes else bad, "text": text if yes or not otherwise else otherwise}
