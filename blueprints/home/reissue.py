"""Invoices that bill a voided one again: the chain on the page of each, and posting one although the other stands."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints.chosen import find
from blueprints.context import company, db, now, the_user, writing
from blueprints.home.actions import SkipForm
from blueprints.home.routes import blueprint
from blueprints.logs.retry import retry_run
from blueprints.rows import number_of
from blueprints.shell import ledger_names
from domain.formats import format_day, format_money
from domain.statuses import Flag
from models import Document
from sync import audit, reissues


@blueprint.route("/c/<int:company_id>/documents/<int:document_id>/post-anyway", methods=["GET", "POST"])
def post_anyway(company_id: int, document_id: int) -> ResponseReturnValue:
    """Post a document that may bill a voided one again: asks for the reason, records it, then tries it again."""
    row = find(document_id)
    form = SkipForm() if request.method == "POST" else SkipForm(formdata=None)
    if request.method == "GET" or not form.validate():
        old = db().get(Document, row.reissue_of) if row.reissue_of else None
        page = render_template(
            "home/post_anyway.html", form=form, number=number_of(row), customer=row.party_name,
            amount=row.total, currency=row.currency or "USD", old=number_of(old) if old else "",
            action=url_for("home.post_anyway", document_id=row.id),
            back_url=url_for("home.document", document_id=row.id),
        )  # fmt: skip
        return page, 422 if form.errors else 200
    why = form.reason.data or ""
    with writing() as write:
        allowed = reissues.allow(write, write.get_one(Document, row.id), why=why, now=now(), who=the_user().name)
        if allowed:
            audit.record(write, company_id, now(), the_user().email, "posted anyway", number_of(row), {"why": why})
    if not allowed:
        flash("There is nothing to decide now.", "warn")
        return redirect(url_for("home.document", document_id=row.id))
    return redirect(retry_run(company_id, [row.id]))


def chain(row: Document) -> list[dict[str, Any]]:
    """Voided documents and what bills them again, in their order; empty where there is no more than this one."""
    before, after = reissues.chain(db(), row)
    if not before and not after:
        return []
    return [_link(one, current=one.id == row.id) for one in (*before, row, *after)]


def _link(row: Document, *, current: bool) -> dict[str, Any]:
    return {
        "number": number_of(row),
        "url": url_for("home.document", document_id=row.id),
        "current": current,
        "text": f"{format_money(row.total, row.currency or 'USD')}, {_state(row)}",
    }


def _state(row: Document) -> str:
    _long, short = ledger_names(company())
    voided = f"voided in Autotask {format_day(row.voided_at.date())}, " if row.voided_at else ""
    flags = row.flags or []
    if str(Flag.VOIDED) in flags:
        return f"{voided}out of {short}"
    if str(Flag.KEPT) in flags:
        return f"{voided}kept in {short}"
    if row.reissue_allowed:
        return f"{row.status}; posted anyway by {row.reissue_allowed['by']}: {row.reissue_allowed['why']}"
    return f"{voided}{f'still in {short}' if row.voided_at else row.status}"
