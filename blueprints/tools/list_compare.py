"""Compare Lists: starting it, and what a person decides about its rows (Link This, Create New, accept all exact)."""

from __future__ import annotations

from flask import flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from blueprints.access import Need, may
from blueprints.context import company, db, now, ring, the_user, writing
from blueprints.logs.retry import retry_run
from blueprints.problems import Problem
from blueprints.runs import find
from blueprints.tools.routes import blueprint
from domain.formats import format_plural
from models import Company, Run, ToolRow, User
from sync import audit, list_compare, list_decisions, mirror, tools
from sync.list_report import NAMES
from workers import enqueue


@blueprint.post("/c/<int:company_id>/tools/compare/lists")
def do_compare_lists(company_id: int) -> ResponseReturnValue:
    """Do It Now. Pressing twice joins what is on."""
    if not mirror.ready(db(), company_id) or company().source_tenant is None:
        return redirect(url_for("connect.first_scan"))
    with writing() as write:
        user = write.get_one(User, the_user().id)
        run, new = tools.ask(
            write, write.get_one(Company, company_id), list_compare.KIND, {}, now=now(), user=user,
            recipients=[{"address": user.email, "kind": "additional"}],
        )  # fmt: skip
        audit.record(write, company_id, now(), user.email, "lists compared", f"run {run.id}")
        run_id = run.id
    if new:
        ring(enqueue.tool, company_id, run_id)
    return redirect(url_for("tools.result", run_id=run_id, joined=None if new else 1))


@blueprint.post("/c/<int:company_id>/tools/results/<int:run_id>/accept")
def accept_exact(company_id: int, run_id: int) -> ResponseReturnValue:
    """Link all exact ones of a list at once. Pressing twice links nothing more."""
    shown, which = find(run_id), request.form.get("list", "")
    if not _decidable(shown) or which not in NAMES:
        return _nothing(run_id)
    if which in list_compare.OF_SETTINGS and not may(g.role, Need.ADMIN):
        raise Problem(403, "403")
    with writing() as write:
        user = write.get_one(User, the_user().id)
        made = list_decisions.accept_exact(
            write, write.get_one(Company, company_id), write.get_one(Run, shown.id), which, now=now(), user=user
        )
        if made:
            detail = {"run": shown.id, "list": which, "links": made}
            audit.record(write, company_id, now(), user.email, "exact matches accepted", NAMES[which], detail)
    if made:
        flash(f"{format_plural(made, 'exact match', 'exact matches')} linked.", "ok")
    else:
        flash("Nothing was left to link. Links that were there are as they were.", "plain")
    return redirect(url_for("tools.result", run_id=run_id, list=which))


@blueprint.post("/c/<int:company_id>/tools/results/<int:run_id>/rows/<int:row_id>")
def choose_match(company_id: int, run_id: int, row_id: int) -> ResponseReturnValue:
    """Link This, or Create New, for one row. What waited for it is tried again."""
    shown, wanted = find(run_id), request.form.get("wanted", "").strip()[:500]
    if not _decidable(shown):
        return _nothing(run_id)
    back = url_for(
        "tools.result", run_id=run_id, list=request.args.get("list"), tab=request.args.get("tab"),
        page=request.args.get("page"),
    )  # fmt: skip
    with writing() as write:
        row = write.get(ToolRow, row_id)
        if row is None or row.run_id != shown.id or row.company_id != company_id:
            raise Problem(404, "404")
        if row.data["list"] in list_compare.OF_SETTINGS and not may(g.role, Need.ADMIN):
            raise Problem(403, "403")
        user = write.get_one(User, the_user().id)
        try:
            waiting = list_decisions.choose(
                write, write.get_one(Company, company_id), row, wanted, now=now(), user=user
            )
        except list_decisions.Refused as refused:
            flash(str(refused), "warn")
            return redirect(back)
        ids, data = [document.id for document in waiting], row.data
        detail = {"list": data["list"], "key": data["key"], "ledger": data["ledger_id"] or "new"}
        audit.record(write, company_id, now(), user.email, f"{data['list']} linked", data["name"][:200], detail)
    flash(f"“{data['name']}” is linked to “{data['ledger_name']}”." if data["ledger_name"]
          else f"“{data['name']}” will be created when it is needed.", "ok")  # fmt: skip
    if ids:
        retry_run(company_id, ids)
    return redirect(back)


def _decidable(shown: Run) -> bool:
    return shown.kind == list_compare.KIND and shown.finished_at is not None


def _nothing(run_id: int) -> ResponseReturnValue:
    flash("Nothing was done: this result does not offer that.", "warn")
    return redirect(url_for("tools.result", run_id=run_id))
