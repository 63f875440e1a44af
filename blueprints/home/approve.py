"""Drafts in the ledger: one is looked at again and approved, or all of ours once enough of them were looked at."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, url_for
from flask.typing import ResponseReturnValue

from blueprints.context import company, db, now, ring, the_user, writing
from blueprints.home.actions import find
from blueprints.home.routes import blueprint
from blueprints.rows import number_of
from domain.formats import format_plural
from domain.settings import InitialStatus
from domain.statuses import Flag
from models import Document, Posting, User
from sync import audit, promoting, settings
from workers import enqueue


def note(row: Document, *, staff: bool) -> dict[str, Any] | None:
    """What a person may do about a draft; None where the document is none."""
    if str(Flag.DRAFT) not in (row.flags or []) or not row.ledger_id:
        return None
    one = {"label": "Approve in {the_ledger}", "url": url_for("home.approve", document_id=row.id), "method": "post"}
    actions = [one]
    text = "It is in {the_ledger} as a draft: nothing is in the books until it is approved, there or here."
    count = promoting.waiting(db(), company().id)
    if count >= promoting.OFFER_AFTER and g.role == "admin":
        text += f" {format_plural(count, 'draft')} of ours wait there."
        actions.append(_all(count))
    return {"kind": "plain", "text": text, "actions": actions if staff else []}


def needs(company_id: int) -> list[dict[str, Any]]:
    """Home's entry about drafts, once so many wait that approving all of them is offered (to admins)."""
    count = promoting.waiting(db(), company_id)
    if count < promoting.OFFER_AFTER:
        return []
    look = {"label": "Show them", "url": url_for("home.documents", tab="complete", flag=Flag.DRAFT.name)}
    return [{
        "title": f"{format_plural(count, 'draft')} of ours wait in {{the_ledger}}",
        "sentence": "Nothing of them is in the books until they are approved, there or here.",
        "action": _all(count) if g.role == "admin" else look,
    }]  # fmt: skip


def _all(count: int) -> dict[str, Any]:
    return {
        "label": f"Approve all {count:,}, and post as approved from now on", "url": url_for("home.approve_all"),
        "method": "post",
    }  # fmt: skip


@blueprint.post("/c/<int:company_id>/documents/<int:document_id>/approve")
def approve(company_id: int, document_id: int) -> ResponseReturnValue:
    """The draft is read again and approved as it was checked; one that is approved already is told as such."""
    row = find(document_id)
    with writing() as write:
        document = write.get_one(Document, row.id)
        if document.posting_id and document.ledger_id:
            created = write.get_one(Posting, document.posting_id)
            promoting.ask(write, document, created, now(), the_user().name)
            audit.record(write, company_id, now(), the_user().email, "approval asked", number_of(row))
    ring(enqueue.ring, company_id)
    return redirect(url_for("home.document", document_id=document_id))


@blueprint.post("/c/<int:company_id>/drafts/approve")
def approve_all(company_id: int) -> ResponseReturnValue:
    """Every draft of ours, and from now on documents arrive approved. Offered once enough of them wait."""
    if promoting.waiting(db(), company_id) < promoting.OFFER_AFTER:
        flash(f"Nothing was changed: fewer than {promoting.OFFER_AFTER} drafts of ours wait for approval.", "plain")
        return redirect(url_for("home.index"))
    with writing() as write:
        user = write.get_one(User, the_user().id)
        count = promoting.approve_all(write, company_id, now(), user.name)
        settings.change(write, company_id, now=now(), user=user, initial_status=InitialStatus.APPROVED)
        audit.record(write, company_id, now(), user.email, "drafts approved", f"{count}")
    ring(enqueue.ring, company_id)
    flash(f"{format_plural(count, 'draft')} will be approved in {{the_ledger}}; new documents arrive approved.", "ok")
    return redirect(url_for("home.index"))
