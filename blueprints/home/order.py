"""What a person decides about an order: a bill that may be there already, and what changed after posting."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints.causes import first
from blueprints.chosen import find
from blueprints.context import company, db, now, ring, the_user, writing
from blueprints.home.actions import SkipForm
from blueprints.home.preview import capabilities_of
from blueprints.home.routes import blueprint
from blueprints.rows import number_of
from blueprints.shell import ledger_names
from domain.order_documents import ORDER
from domain.order_parts import OrderHistory
from models import Document
from sync import alike, audit, order_changes, orders
from sync.lists import source_document
from workers import enqueue


@blueprint.route("/c/<int:company_id>/documents/<int:document_id>/decide", methods=["GET", "POST"])
def order_decision(company_id: int, document_id: int) -> ResponseReturnValue:
    """Adopt, post anyway, or settled: asks for the reason and records it. To skip is the document's own Skip."""
    row = find(document_id)
    if row.kind != ORDER:
        return redirect(url_for("home.document", document_id=row.id))
    beside = row.reason_code == "bill_exists"
    form = SkipForm() if request.method == "POST" else SkipForm(formdata=None)
    if request.method == "GET" or not form.validate():
        why = first(row.reasons)
        page = render_template(
            "home/order_decision.html", form=form, number=number_of(row), beside=beside,
            sentence=why.sentence(ledger_names(company())[1]) if why else "",
            found=(row.alike or {}).get("found") or [], takes_out=order_changes.may_take_out(db(), row),
            action=url_for("home.order_decision", document_id=row.id), skip_url=url_for("home.skip", id=row.id),
            back_url=url_for("home.document", document_id=row.id),
        )  # fmt: skip
        return page, 422 if form.errors else 200
    reason, adopted = form.reason.data or "", request.form.get("adopt", "") if beside else ""
    if not beside and request.form.get("delete") == "yes":
        return _take_out(company_id, row, reason)
    capabilities = capabilities_of(company_id) if adopted else None
    with writing() as write:
        mine, who = write.get_one(Document, row.id), the_user().name
        if capabilities is not None:
            done = alike.adopt(write, mine, capabilities, adopted, why=reason, now=now(), who=who)
        else:
            decide = alike.post_anyway if beside else order_changes.settle
            done = decide(write, mine, why=reason, now=now(), who=who)
        if done:
            word = "bill adopted" if adopted else "bill posted anyway" if beside else "order settled"
            audit.record(write, company_id, now(), the_user().email, word, number_of(row), {"why": reason})
    if not done:
        flash("There is nothing to decide now.", "warn")
    elif adopted:
        ring(enqueue.ring, company_id)
        flash("Linked. Nothing is posted; the order gets its number in Autotask.", "ok")
    elif beside:
        flash("It goes with the next posting, beside the other bill.", "ok")
    else:
        flash("Settled. The document counts as posted.", "ok")
    return redirect(url_for("home.document", document_id=row.id))


def _take_out(company_id: int, row: Document, reason: str) -> ResponseReturnValue:
    """Delete the bill or order of a cancelled order in the ledger too."""
    with writing() as write:
        mine = write.get_one(Document, row.id)
        done = order_changes.take_out(write, mine, why=reason, now=now(), who=the_user().name)
        if done:
            audit.record(write, company_id, now(), the_user().email, "void asked", number_of(row), {"why": reason})
    if done:
        ring(enqueue.ring, company_id)
        flash("It is deleted as soon as the ledger was asked whether anything changed.", "ok")
    else:
        flash("There is nothing to delete now: it was decided already, or a bill of the order stands.", "warn")
    return redirect(url_for("home.document", document_id=row.id))


def three_ways(row: Document) -> list[dict[str, Any]]:
    """Ordered, received and billed side by side, per line; empty for anything but an order that was read."""
    if row.kind != ORDER or row.lines is None:
        return []
    rows = orders.rows_of_order(db(), row)
    history = orders.whole_history(db(), rows)
    return orders.told(source_document(row), history or OrderHistory(), row.currency or "USD")


