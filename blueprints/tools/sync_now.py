"""Sync Invoices Now: the form, the page that shows count and total first, and the run that follows.

Pressing twice joins the run that is on. Before the first posting the tool leads there.
"""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from wtforms import EmailField, StringField

from blueprints.connect.first import ready_documents
from blueprints.context import company, db, now, ring, the_user, writing
from blueprints.forms import Address, Addresses, Form, split_addresses
from blueprints.home.review import confirm_all
from blueprints.queries import sums
from blueprints.stepwords import step_words
from blueprints.tools.results import cards, other_cards
from blueprints.tools.routes import blueprint
from domain.formats import format_age, format_plural
from domain.statuses import RunState, Status
from models import Company, Document, Run, RunItem, User
from sync import audit, release, requests, safety, settings
from workers import enqueue

READY = ("waits_for_sync", "queued", "run_stopped", "waits_for_reading")


class SyncForm(Form):
    alternate = EmailField("Alternate address", [Address()])
    additional = StringField("Additional addresses", [Addresses()])


@blueprint.get("/c/<int:company_id>/tools")
def index(company_id: int) -> ResponseReturnValue:
    faults, totals = sums(db(), company_id, Document.status == Status.FAULT)
    causes = (
        db()
        .execute(
            select(func.count(func.distinct(Document.reason_code))).where(
                Document.company_id == company_id, Document.status == Status.FAULT
            )
        )
        .scalar_one()
    )
    return render_template(
        "tools/index.html",
        recipients=settings.load_invoices(db(), company_id).recipients,
        last=_last(),
        faults={"count": faults, "causes": causes, "totals": totals},
        cards=[*cards(), *other_cards()],
        **_form_context(SyncForm(formdata=None)),
    )


@blueprint.get("/c/<int:company_id>/tools/sync-now")
def sync_now(company_id: int) -> ResponseReturnValue:
    if request.args.get("post_all"):
        return _confirm(SyncForm(formdata=None), {})
    return render_template("tools/sync_now.html", **_form_context(SyncForm(formdata=None)))


@blueprint.post("/c/<int:company_id>/tools/sync-now")
def do_sync(company_id: int) -> ResponseReturnValue:
    """Do It Now. Shows what would be posted, unless that was confirmed, nothing is known yet, or a run is on.

    Under Review first it means: release all that stands ready; when nothing does, it reads and posts nothing.
    """
    form = SyncForm()
    if not form.validate():
        return render_template("tools/sync_now.html", **_form_context(form)), 422
    if company().first_posted_at is None:
        return redirect(url_for("connect.first_posting"))
    running = requests.open_run(db(), company_id)
    confirmed = request.form.get("confirmed") == "yes"
    if release.on(db(), company_id) and (shown := confirm_all(company_id)) is not None:
        return shown
    if running is None and not confirmed and ready_documents(company_id)[0]:
        return _confirm(form, {"alternate": form.alternate.data or "", "additional": form.additional.data or ""})
    run_id, new = _ask(company_id, form, confirmed=confirmed)
    if new:
        ring(enqueue.scan, company_id, run_id)
    return redirect(url_for("logs.run", run_id=run_id, joined=None if new else 1))


def _ask(company_id: int, form: SyncForm, *, confirmed: bool) -> tuple[int, bool]:
    recipients = [{"address": form.alternate.data, "kind": "alternate"}] if form.alternate.data else []
    recipients += [{"address": each, "kind": "additional"} for each in split_addresses(form.additional.data)]
    with writing() as write:
        user = write.get_one(User, the_user().id)
        run, new = requests.ask_sync(
            write, write.get_one(Company, company_id), now=now(), user=user, recipients=recipients, confirmed=confirmed
        )
        audit.record(
            write,
            company_id,
            now(),
            user.email,
            "sync started" if new else "sync joined",
            f"run {run.id}",
            {"recipients": len(recipients), "confirmed": confirmed},
        )
        return run.id, new


def _confirm(form: SyncForm, kept: dict[str, str]) -> ResponseReturnValue:
    count, totals = ready_documents(company().id)
    if not count:
        return redirect(url_for("tools.sync_now"))
    where = (Document.status == Status.PENDING, Document.before_start.is_(False), Document.reason_code.in_(READY))
    first, last = (
        db()
        .execute(
            select(func.min(Document.document_date), func.max(Document.document_date)).where(
                Document.company_id == company().id, *where
            )
        )
        .one()
    )
    limit = settings.load_invoices(db(), company().id).run_limit
    found = safety.parties(db(), company().id)
    faults, _ = sums(db(), company().id, Document.status == Status.FAULT)
    return render_template(
        "tools/sync_confirm.html",
        count=count,
        totals=totals,
        kinds=_kinds(where),
        limit=limit,
        over=count > limit,
        new_customers=found.all - found.known,
        strangers=found.strangers,
        first_day=first,
        last_day=last,
        faults=faults,
        fields={**kept, "confirmed": "yes"},
        action=url_for("tools.do_sync"),
        keep_url=url_for("tools.sync_now"),
    )


def _kinds(where: tuple[Any, ...]) -> list[dict[str, Any]]:
    found = []
    for label, condition in (("Invoices", Document.total >= 0), ("Credit memos", Document.total < 0)):
        count, totals = sums(db(), company().id, *where, condition)
        if count:
            found.append({"label": label, "count": count, "totals": totals})
    return found


def _form_context(form: SyncForm) -> dict[str, Any]:
    """What tools/_sync_form.html and tools/_banner.html ask for."""
    count, totals = ready_documents(company().id)
    before = company().first_posted_at is None
    return {
        "form": form,
        "sync": {"ready": count, "totals": totals},
        "running": running_run(),
        "first_posting_url": url_for("connect.first_posting") if before else "",
    }


def running_run() -> dict[str, Any] | None:
    """The open Sync run as banners show it."""
    run = requests.open_run(db(), company().id)
    if run is None:
        return None
    done = (
        db()
        .execute(
            select(func.count())
            .select_from(RunItem)
            .where(RunItem.run_id == run.id, RunItem.status.in_((Status.COMPLETE, Status.FAULT, Status.SKIPPED)))
        )
        .scalar_one()
    )
    words = step_words(run.step, company().time_zone)
    return {
        "url": url_for("logs.run", run_id=run.id),
        "started_at": run.started_at,
        "text": f"{format_plural(done, 'document')} decided so far. {words}".strip(),
    }


def _last() -> dict[str, Any] | None:
    run = (
        db()
        .scalars(
            select(Run)
            .where(Run.company_id == company().id, Run.kind == "sync", Run.finished_at.is_not(None))
            .order_by(Run.id.desc())
            .limit(1)
        )
        .first()
    )
    if run is None or run.finished_at is None:
        return None
    kinds = {RunState.FINISHED: "ok", RunState.PROBLEMS: "warn", RunState.FAILED: "bad"}
    posted = (run.counts or {}).get(Status.COMPLETE, 0)
    text = f"{run.state} {format_age(now() - run.finished_at)} ago, {format_plural(posted, 'document')} posted"
    return {"kind": kinds.get(RunState(run.state), "skip"), "text": text, "url": url_for("logs.run", run_id=run.id)}
