"""Answers that were tried and not saved: what they change in words, and what they would have changed in 30 days."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from flask import Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from blueprints.access import Need, may
from blueprints.context import company, db, ring, the_user, writing
from blueprints.context import now as the_time
from blueprints.queries import paged
from blueprints.settings.fields import as_sent, check
from blueprints.settings.history import in_words
from blueprints.settings.invoices import opened, page, save, saved, scene_now
from blueprints.settings.lists import mirror_ready
from blueprints.settings.routes import blueprint
from domain.reasons import Reason
from domain.statuses import RunState
from models import Run, SettingsVersion, ToolRow
from sync import audit, tools, wanted, what_if
from sync.reports import safe
from sync.what_if import Effect
from workers import enqueue

WORDS = {
    Effect.POSTS: "would post", Effect.WAITS: "would wait", Effect.SKIPPED: "would be skipped over",
    Effect.CHANGED: "would be written differently", Effect.REASON: "would wait for another reason",
    Effect.SAME: "stay as they are",
}  # fmt: skip


@blueprint.get("/c/<int:company_id>/settings/wanted")
def wanted_page(company_id: int) -> ResponseReturnValue:
    row = wanted.kept(db(), company_id)
    if row is None:
        return redirect(url_for("settings.invoices"))
    return render_template("settings/wanted.html", **_context(row))


@blueprint.get("/c/<int:company_id>/settings/wanted/live")
def wanted_live(company_id: int) -> ResponseReturnValue:
    row = wanted.kept(db(), company_id)
    return render_template("settings/_wanted.html", **_context(row)) if row else ("", 204)


@blueprint.post("/c/<int:company_id>/settings/wanted/save")
def save_wanted(company_id: int) -> ResponseReturnValue:
    """Save them after all. They meet the rules of the form again: an account may be gone by now."""
    row = wanted.kept(db(), company_id)
    if row is None:
        flash("These answers were saved or dropped already.", "plain")
        return redirect(url_for("settings.invoices"))
    scene, aim = scene_now(), wanted.settings_of(row)
    form = as_sent(aim, scene)
    if not check(form, scene, lists_ready=mirror_ready(company_id)):
        return page(form, scene, None), 422
    with writing() as write:
        scan_id = save(write, company_id, aim)
        wanted.drop(write, company_id)
    if scan_id is not None:
        ring(enqueue.first_scan, company_id, scan_id)
    return redirect(url_for("settings.invoices"))


@blueprint.post("/c/<int:company_id>/settings/wanted/drop")
def drop_wanted(company_id: int) -> ResponseReturnValue:
    with writing() as write:
        wanted.drop(write, company_id)
        audit.record(write, company_id, the_time(), the_user().email, "tried settings dropped")
    flash("The answers are dropped. The settings are as they were.", "ok")
    return redirect(url_for("settings.invoices"))


@blueprint.get("/c/<int:company_id>/settings/wanted.csv")
def wanted_csv(company_id: int) -> ResponseReturnValue:
    run = tools.last(db(), company_id, what_if.KIND)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ("Number", "Autotask Invoice ID", "Customer", "Date", "Amount", "Currency", "Effect", "Now", "Then", "Changes")
    )
    for row in db().scalars(select(ToolRow).where(ToolRow.run_id == (run.id if run else 0)).order_by(ToolRow.id)):
        writer.writerow(_line(row))
    headers = {"Content-Disposition": 'attachment; filename="bookbridge-what-would-change.csv"'}
    return Response(out.getvalue().encode("utf-8-sig"), mimetype="text/csv", headers=headers)


def _line(row: ToolRow) -> list[str]:
    data = row.data
    changes = "; ".join(f"{each['label']}: {each['before']} → {each['after']}" for each in data["changes"])
    return [
        safe(data["number"]), safe(data["source_id"]), safe(data["customer"]), data["day"], data["amount"],
        data["currency"], WORDS[Effect(row.outcome)], safe(_sentences(data["before"]) or "posts"),
        safe(_sentences(data["after"]) or "posts"), safe(changes),
    ]  # fmt: skip


def _context(row: SettingsVersion) -> dict[str, Any]:
    scene, aim = scene_now(), wanted.settings_of(row)
    run = tools.last(db(), company().id, what_if.KIND)
    opens = opened(company().id, scene.current, aim)
    return {
        "kept": saved(row), "changes": in_words(scene.current, aim, scene), "may_save": may(g.role, Need.ADMIN),
        "opens": {"count": opens[0], "totals": opens[1]} if opens else None,
        **_counted(run, row.version),
    }  # fmt: skip


def _counted(run: Run | None, version: int) -> dict[str, Any]:
    """`running`, or `failed` with its sentence, or the figures with the first examples of the chosen effect."""
    empty: dict[str, Any] = {
        "running": False, "failed": "", "step": "", "figures": [], "rows": [], "page": None, "unread": 0, "effect": "",
        "live_url": "", "csv_url": "", "days": what_if.DAYS, "ended_at": None,
    }  # fmt: skip
    if run is None:
        return {**empty, "failed": "Nothing was counted yet."}
    if run.finished_at is None:
        return {**empty, "running": True, "step": run.step, "live_url": url_for("settings.wanted_live")}
    if run.state == RunState.FAILED or (run.summary or {}).get("wanted") != version:
        return {**empty, "failed": run.message or "These answers were not counted."}
    sums = run.summary["sums"]
    chosen = request.args.get("effect", "")
    statement = select(ToolRow).where(ToolRow.run_id == run.id).order_by(ToolRow.id)
    listed = paged(db(), statement.where(ToolRow.outcome == chosen) if chosen in set(Effect) else statement, 10)
    return {
        **empty, "figures": [_figure(each, sums[each]) for each in Effect if each in sums],
        "rows": [_row(each) for each in listed.rows], "page": listed.pager, "unread": run.summary["unread"],
        "effect": chosen if chosen in set(Effect) else "", "csv_url": url_for("settings.wanted_csv"),
        "ended_at": run.finished_at,
    }  # fmt: skip


def _figure(effect: Effect, by: dict[str, Any]) -> dict[str, Any]:
    return {
        "count": sum(each["count"] for each in by.values()), "words": WORDS[effect],
        "totals": [(currency, Decimal(each["amount"])) for currency, each in sorted(by.items())],
        "url": url_for("settings.wanted_page", effect=str(effect)) if effect is not Effect.SAME else "",
    }  # fmt: skip


def _row(row: ToolRow) -> dict[str, Any]:
    data = row.data
    return {
        **data, "url": url_for("home.document", document_id=data["document_id"]),
        "day": date.fromisoformat(data["day"]), "amount": Decimal(data["amount"]),
        "words": WORDS[Effect(row.outcome)], "more": max(0, len(data["changes"]) - 4), "changes": data["changes"][:4],
        "before": _sentences(data["before"]), "after": _sentences(data["after"]),
    }  # fmt: skip


def _sentences(reasons: Sequence[dict[str, Any]]) -> str:
    return "; ".join(Reason.from_json(each).sentence() for each in reasons)
