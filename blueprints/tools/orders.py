"""Connection settings and logs: the purchase orders' own page, with Settings, Sync one PO and View Your Logs."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from blueprints.access import Need, may
from blueprints.causes import first, problem
from blueprints.chosen import find
from blueprints.context import company, db, now, ring, the_user, writing
from blueprints.forms import Addresses, Form, split_addresses
from blueprints.logs.retry import retry_run
from blueprints.queries import paged
from blueprints.rows import number_of
from blueprints.shell import ledger_names
from blueprints.todo_words import error_mark_facts, todo_facts_of
from blueprints.tools.routes import blueprint
from domain.order_documents import ORDER
from domain.reasons import Reason
from domain.statuses import RunState, Status
from domain.wanted import LONGEST
from models import Company, Document, Run, RunItem, User
from sync import audit, mirror, one_order, requests, settings
from workers import enqueue

READY = "waits_for_sync"


class OnePoForm(Form):
    order = StringField("Autotask PO", [InputRequired("Enter the id of the purchase order."), Length(max=LONGEST)])
    alternate = StringField("alternate email", [Addresses()])


@blueprint.get("/c/<int:company_id>/orders")
def orders(company_id: int) -> ResponseReturnValue:
    """The three ways in, how things stand, and the orders that wait."""
    current = settings.load_orders(db(), company_id)
    found = db().execute(
        select(Document.status, func.count()).where(Document.company_id == company_id, Document.kind == ORDER)
        .group_by(Document.status)
    )
    counts = {str(status): int(count) for status, count in found}
    listed = paged(db(), select(Document).where(
        Document.company_id == company_id, Document.kind == ORDER, Document.status == Status.PENDING,
    ).order_by(Document.before_start, Document.id.desc()), 25)
    return render_template(
        "tools/orders.html", state=_state(current), paused=current.paused, automatic=current.active,
        counts=[(str(status), counts.get(status, 0)) for status in Status], rows=[_waiting(row) for row in listed.rows],
        page=listed.pager, may_admin=may(g.role, Need.ADMIN), may_post=may(g.role, Need.STAFF),
        posted=bool(counts.get(Status.COMPLETE)), chosen=current.becomes is not None,
    )  # fmt: skip


def _state(current: Any) -> str:
    if current.paused:
        return "Paused"
    return "Active" if current.active else "Looking, posting by hand"


def _waiting(row: Document) -> dict[str, Any]:
    why = first(row.reasons)
    return {
        "id": row.id, "number": number_of(row) + (f" · {row.part}" if row.part else ""), "vendor": row.party_name,
        "day": row.document_date, "amount": row.total, "currency": row.currency,
        "why": why.sentence(ledger_names(company())[1]) if why else "",
        "url": url_for("home.document", document_id=row.id),
        "ready": row.reason_code == READY, "early": row.before_start,
    }  # fmt: skip


@blueprint.post("/c/<int:company_id>/orders/<int:document_id>/include")
def include_order(company_id: int, document_id: int) -> ResponseReturnValue:
    """Take in an order that was created before the window."""
    found = _order(document_id)
    if found is None:
        return redirect(url_for("home.document", document_id=document_id))
    with writing() as write:
        row = write.get_one(Document, found.id)
        if row.before_start:
            requests.include(write, [row], now=now(), who=the_user().name)
            audit.record(write, company_id, now(), the_user().email, "order included", number_of(row))
    ring(enqueue.poll, company_id)
    flash("Included. It is read and checked now.", "busy")
    return redirect(url_for("tools.orders"))


# ---- Sync one PO ----------------------------------------------------------------------------------------------


@blueprint.get("/c/<int:company_id>/orders/sync-one")
def sync_po(company_id: int) -> ResponseReturnValue:
    form = OnePoForm(formdata=None, order=request.args.get("order", "")[:LONGEST])
    return render_template("tools/sync_po.html", form=form, **_last())


@blueprint.post("/c/<int:company_id>/orders/sync-one")
def do_sync_po(company_id: int) -> ResponseReturnValue:
    """Do It Now. Pressing twice joins the one that is on."""
    form = OnePoForm()
    if not form.validate():
        return render_template("tools/sync_po.html", form=form, **_last()), 422
    if not mirror.ready(db(), company_id):
        return redirect(url_for("connect.first_scan"))
    others = [{"address": each, "kind": "alternate"} for each in split_addresses(form.alternate.data)]
    with writing() as write:
        user, asked = write.get_one(User, the_user().id), form.order.data or ""
        found = write.get_one(Company, company_id)
        run, new = one_order.ask(write, found, asked, now=now(), user=user, recipients=others)
        if new:
            audit.record(write, company_id, now(), user.email, "sync one PO", asked[:200], {"run": run.id})
        run_id = run.id
    if new:
        ring(enqueue.scan, company_id, run_id)
    else:
        flash("Another purchase order is being synced at this moment; this is it.", "warn")
    return redirect(url_for("tools.sync_po"))


def _last() -> dict[str, Any]:
    """What became of the last one: the error stands in red above the overview."""
    connected = bool(company().source_tenant)
    run = db().scalars(
        select(Run).where(Run.company_id == company().id, Run.kind == one_order.KIND).order_by(Run.id.desc()).limit(1)
    ).first()
    if run is None:
        return {"running": False, "asked": "", "error": None, "done": [], "waits": "", "run_url": "",
                "connected": connected, "live_url": ""}  # fmt: skip
    items = db().scalars(select(RunItem).where(RunItem.run_id == run.id).order_by(RunItem.id)).all()
    error = _error(run, items)
    return {
        "running": run.finished_at is None, "asked": one_order.asked_for(run), "error": error, "connected": connected,
        "done": [item for item in items if item.status == Status.COMPLETE],
        "waits": _waits(items) if run.finished_at is not None and error is None else "",
        "run_url": url_for("logs.run", run_id=run.id),
        "live_url": url_for("tools.sync_po") if run.finished_at is None else "",
    }  # fmt: skip


def _waits(items: Any) -> str:
    """Why an order that nothing stands against is not in the books yet: it waits for goods, say."""
    found = next((item for item in items if item.status == Status.PENDING and item.reasons), None)
    if found is None:
        return ""
    why = Reason.from_json(found.reasons[0])
    return f"{found.number}: {why.sentence(ledger_names(company())[1])}."


def _error(run: Run, items: Any) -> dict[str, Any] | None:
    ledger = ledger_names(company())[1]
    if run.state == RunState.FAILED:
        return {"happened": run.message or "It failed.", "why": "", "todo": [], "actions": [], "detail": []}
    stopped = next((item for item in items if item.status in (Status.FAULT, Status.SKIPPED) and item.reasons), None)
    if run.finished_at is None or stopped is None:
        return None
    return problem(Reason.from_json(stopped.reasons[0]), ledger)


# ---- View Your Logs -------------------------------------------------------------------------------------------


@blueprint.get("/c/<int:company_id>/orders/logs")
def order_logs(company_id: int) -> ResponseReturnValue:
    """Every order with an error, the newest first, and the ones a retry runs for now."""
    listed = paged(db(), select(Document).where(
        Document.company_id == company_id, Document.kind == ORDER, Document.status == Status.FAULT,
    ).order_by(Document.changed_at.desc()), 50)
    return render_template(
        "tools/order_logs.html", rows=[_entry(row) for row in listed.rows], page=listed.pager,
        running=_running() is not None,
    )  # fmt: skip


def _entry(row: Document) -> dict[str, Any]:
    why = first(row.reasons)
    return {
        "id": row.id, "number": number_of(row), "part": row.part, "vendor": row.party_name, "at": row.changed_at,
        "error": why.sentence(ledger_names(company())[1]) if why else "", "running": _runs(row),
        "url": url_for("tools.order_log", document_id=row.id),
    }  # fmt: skip


def _runs(row: Document) -> bool:
    """A retry of it is on."""
    return row.run_id is not None and row.run_id == _running()


def _running() -> int | None:
    run = requests.open_run(db(), company().id, "retry")
    return run.id if run is not None else None


@blueprint.get("/c/<int:company_id>/orders/logs/<int:document_id>")
def order_log(company_id: int, document_id: int) -> ResponseReturnValue:
    """One entry: the error with its cause and fix, Retry, Done."""
    row = _order(document_id)
    if row is None:
        return redirect(url_for("home.document", document_id=document_id))
    why = first(row.reasons)
    running = _runs(row)
    return render_template(
        "tools/order_log.html", entry=_entry(row), status=row.status, running=running, document_url=url_for(
            "home.document", document_id=row.id), may_retry=may(g.role, Need.STAFF),
        problem=problem(why, ledger_names(company())[1]) if why and row.status == Status.FAULT else None,
        live_url=url_for("tools.order_log", document_id=row.id) if running else "",
        facts=[*(todo_facts_of([why]) if why else []), *error_mark_facts(row)],
    )  # fmt: skip


@blueprint.post("/c/<int:company_id>/orders/logs/<int:document_id>/retry")
def retry_order(company_id: int, document_id: int) -> ResponseReturnValue:
    """Retry: the entry then shows that it is running."""
    row = _order(document_id)
    if row is None:
        return redirect(url_for("home.document", document_id=document_id))
    retry_run(company_id, [row.id])
    return redirect(url_for("tools.order_log", document_id=document_id))


def _order(document_id: int) -> Document | None:
    """An order of this company; None for an invoice, which has its own pages. 404 for what is not this company's."""
    row = find(document_id)
    return row if row.kind == ORDER else None
