"""Review and release: what stands ready, what is held, and the page that shows count and sum before anything goes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from blueprints.access import Need, may
from blueprints.chosen import ticked
from blueprints.context import company, db, now, ring, the_user, writing
from blueprints.forms import MAX_ADDRESSES, is_address, split_addresses
from blueprints.home.routes import blueprint
from blueprints.queries import Totals, add_up, paged
from blueprints.rows import document_row
from domain.formats import format_plural
from domain.order_documents import ORDER
from domain.settings import SyncState
from models import Company, Document, Hold, User
from sync import audit, holds, previewing, release, settings
from sync.invoices import KIND
from workers import enqueue

SHOWN = 100
"""Documents that a confirmation names; count and sum stand for all of them."""


@blueprint.get("/c/<int:company_id>/review")
def review(company_id: int) -> ResponseReturnValue:
    q = request.args.get("q", "").strip()
    statement = select(Document).where(*release.ready(company_id, KIND)).order_by(Document.document_date, Document.id)
    if q:
        statement = statement.where(
            or_(Document.number.icontains(q, autoescape=True), Document.party_name.icontains(q, autoescape=True))
        )
    listed = paged(db(), statement, 50)
    waiting = release.waiting(db(), company_id, KIND)
    current = settings.load_invoices(db(), company_id)
    return render_template(
        "home/review.html",
        on=current.sync_state is SyncState.REVIEW,
        sync_state=str(current.sync_state),
        q=q,
        rows=[document_row(row) for row in listed.rows],
        page=listed.pager,
        count=waiting.documents,
        totals=sorted(waiting.totals.items()),
        orders=release.waiting(db(), company_id, ORDER).documents,
        holds=[_hold(hold) for hold in holds.live(db(), company_id)],
        may_act=may(g.role, Need.STAFF),
        may_post=may(g.role, Need.STAFF) and company().first_posted_at is not None,
    )


def _hold(hold: Hold) -> dict[str, Any]:
    document = hold.kind == holds.DOCUMENT
    return {
        "id": hold.id,
        "name": hold.name,
        "what": "Document" if document else "Customer",
        "url": url_for("home.document", document_id=int(hold.key)) if document else "",
        "why": hold.why,
        "who": hold.placed_by,
        "at": hold.placed_at,
        "count": holds.count(db(), hold),
        "action": url_for("home.release_hold", hold_id=hold.id),
    }


@blueprint.post("/c/<int:company_id>/documents/release")
def release_documents(company_id: int) -> ResponseReturnValue:
    """Shows how many documents and how much; pressed there, exactly these are posted.

    `token` proves that what stands ready is still what the page showed; otherwise it is shown once more.
    """
    if company().first_posted_at is None:
        return redirect(url_for("connect.first_posting"))
    rows = _chosen(db(), company_id)
    if not rows:
        flash("Nothing of this stands ready any more.", "warn")
        return redirect(url_for("home.review"))
    seen = _seen(company_id)
    shown = release.token((row.id, seen.get(row.id, row.reviewed)) for row in rows)
    if request.form.get("confirmed") != "yes" or request.form.get("token") != shown:
        return confirm_page(
            rows, shown, changed=request.form.get("confirmed") == "yes", everything=request.form.get("all") == "yes"
        )
    with writing() as write:
        user = write.get_one(User, the_user().id)
        looked_at = select(Document).where(Document.company_id == company_id, Document.id.in_(_ids(rows, seen)))
        for row in write.scalars(looked_at):
            row.reviewed = seen[row.id]
        write.flush()
        run = release.ask(
            write, write.get_one(Company, company_id), rows, now=now(), user=user, recipients=_recipients()
        )
        audit.record(
            write, company_id, now(), user.email, "released", format_plural(len(rows), "document"),
            {"run": run.id if run else None, "documents": [row.id for row in rows[:500]]},
        )  # fmt: skip
        run_id = run.id if run else None
    if run_id is None:
        flash("Nothing of this stands ready any more.", "warn")
        return redirect(url_for("home.review"))
    ring(enqueue.ring, company_id)
    return redirect(url_for("logs.run", run_id=run_id))


def _recipients() -> list[dict[str, Any]]:
    """Addresses that Sync Now asked for; wrong ones were refused there and are left out here."""
    alternate, more = request.form.get("alternate", ""), split_addresses(request.form.get("additional"))
    found = [{"address": alternate, "kind": "alternate"}] if is_address(alternate) else []
    return found + [{"address": each, "kind": "additional"} for each in more[:MAX_ADDRESSES] if is_address(each)]


def _seen(company_id: int) -> dict[int, dict[str, Any]]:
    """Document id → what the preview showed that the press came from; empty for other presses."""
    run_id = request.form.get("preview", type=int)
    return previewing.seen(db(), company_id, run_id) if run_id is not None else {}


def _chosen(session: Session, company_id: int) -> Sequence[Document]:
    """The ticked documents that stand ready, those of a preview, or all invoices that do."""
    statement = select(Document).where(*release.ready(company_id)).order_by(Document.document_date, Document.id)
    if request.form.get("all") == "yes" and request.form.get("preview"):
        wanted = _seen(company_id)
        return [row for row in session.scalars(statement) if row.id in wanted]
    if request.form.get("all") == "yes":
        statement = statement.where(Document.kind == KIND)
    else:
        statement = statement.where(Document.id.in_([row.id for row in ticked(request.form.getlist("id"))]))
    return session.scalars(statement).all()


def confirm_all(company_id: int) -> str | None:
    """The confirmation for every invoice that stands ready: what Sync Now means under Review first."""
    rows = db().scalars(select(Document).where(*release.ready(company_id, KIND)).order_by(Document.id)).all()
    return confirm_page(rows, release.token((row.id, row.reviewed) for row in rows), everything=True) if rows else None


def confirm_page(rows: Sequence[Document], token: str, *, changed: bool = False, everything: bool = False) -> str:
    """Count, sums and the documents themselves, before a release."""
    fields = {"confirmed": "yes", "token": token, **({"all": "yes"} if everything else {})}
    fields |= {name: request.form[name] for name in ("alternate", "additional", "preview") if request.form.get(name)}
    return render_template(
        "home/release_confirm.html",
        count=len(rows),
        kinds=_kinds(rows),
        totals=_totals(rows),
        ids=[] if everything else [row.id for row in rows],
        documents=[document_row(row) for row in rows[:SHOWN]],
        more=max(0, len(rows) - SHOWN),
        changed=changed,
        fields=fields,
        action=url_for("home.release_documents"),
        keep_url=url_for("home.review"),
    )


def _totals(rows: Sequence[Document]) -> Totals:
    return add_up((row.currency, row.total) for row in rows)


def _ids(rows: Sequence[Document], seen: dict[int, dict[str, Any]]) -> list[int]:
    return [row.id for row in rows if row.id in seen]


def _kinds(rows: Sequence[Document]) -> list[dict[str, Any]]:
    """Invoices, credit memos and purchase orders apart, with their sums."""
    parts = (
        ("Invoices", [row for row in rows if row.kind == KIND and row.total >= Decimal(0)]),
        ("Credit memos", [row for row in rows if row.kind == KIND and row.total < Decimal(0)]),
        ("Purchase orders", [row for row in rows if row.kind == ORDER]),
    )
    return [{"label": label, "count": len(some), "totals": _totals(some)} for label, some in parts if some]
