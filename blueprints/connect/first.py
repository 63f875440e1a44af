"""The first posting: one document that a person chooses and looks at, then the rest, then automatic syncing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import or_, select

from blueprints.access import Need, may
from blueprints.causes import sentence
from blueprints.connect.routes import blueprint
from blueprints.connect.scan import READY, scan_result
from blueprints.context import company, db, now, ring, services, the_user, writing
from blueprints.papers import draft_paper, journal_table, kind_word
from blueprints.problems import Problem
from blueprints.queries import paged, sums
from blueprints.rows import links, number_of
from blueprints.shell import ledger_names
from connectors.errors import PlatformError
from domain.formats import format_amount, format_plural
from domain.settings import SyncState
from domain.statuses import Flag, RunState, Status
from models import Company, Document, Run, RunItem, User
from sync import audit, release, requests, settings
from sync.preview import preview
from workers import enqueue


@blueprint.get("/c/<int:company_id>/first-posting")
def first_posting(company_id: int) -> ResponseReturnValue:
    scan = (
        db()
        .scalars(
            select(Run).where(Run.company_id == company_id, Run.kind == "first_scan").order_by(Run.id.desc()).limit(1)
        )
        .first()
    )
    if scan is None or scan.finished_at is None:
        return redirect(url_for("connect.first_scan" if scan else "connect.review"))
    sending, item = _by_hand(company_id)
    step = _step(company_id)
    listed = _candidates() if step == 2 and sending is None else None
    return render_template(
        "connect/first_posting.html",
        step=step,
        chosen=_chosen() if step == 2 and sending is None else None,
        result=scan_result(scan) if scan.state == RunState.FINISHED else None,
        sending=sending,
        candidates=[_candidate(row) for row in listed.rows] if listed else [],
        page=listed.pager if listed else None,
        q=request.args.get("q", ""),
        posted=_posted(item) if item is not None and sending is None else None,
        rest=_rest(company_id) if step == 3 else None,
        postable=may(g.role, Need.STAFF),
        automatic=settings.load_invoices(db(), company_id).sync_state is SyncState.ON,
    )


def _step(company_id: int) -> int:
    """2 choose or look, 3 one is posted, 4 the rest is asked for, 5 automatic syncing is on."""
    if company().first_posted_at is None:
        return 2
    if settings.load_invoices(db(), company_id).sync_state is SyncState.ON:
        return 5
    asked = db().execute(select(Run.id).where(Run.company_id == company_id, Run.kind == "sync").limit(1)).first()
    return 4 if asked or not ready_documents(company_id)[0] else 3


def ready_documents(company_id: int) -> tuple[int, list[tuple[str, Decimal]]]:
    """What a Sync would post, as far as the last reading knows."""
    return sums(
        db(),
        company_id,
        Document.status == Status.PENDING,
        Document.before_start.is_(False),
        Document.reason_code.in_((*READY, "waits_for_reading")),
        Document.kind == "invoice",
    )


def _by_hand(company_id: int) -> tuple[dict[str, Any] | None, RunItem | None]:
    """What is being sent now, and the row of the document last posted by hand."""
    run = (
        db()
        .scalars(
            select(Run)
            .where(Run.company_id == company_id, Run.kind == "first_posting")
            .order_by(Run.id.desc())
            .limit(1)
        )
        .first()
    )
    if run is None:
        return None, None
    item = db().scalars(select(RunItem).where(RunItem.run_id == run.id).order_by(RunItem.id.desc()).limit(1)).first()
    if run.finished_at is not None or item is None:
        return None, item
    here = url_for("connect.first_posting")
    return {
        "number": item.number or item.source_id,
        "run_url": url_for("logs.run", run_id=run.id),
        "live_url": here,
    }, item


def _candidates() -> Any:
    q = request.args.get("q", "").strip()
    statement = (
        select(Document)
        .where(Document.company_id == company().id, Document.status == Status.PENDING, Document.reason_code.in_(READY))
        .where(Document.before_start.is_(False), Document.kind == "invoice")
        .order_by(Document.document_date.desc(), Document.id.desc())
    )
    if q:
        statement = statement.where(
            or_(Document.number.icontains(q, autoescape=True), Document.party_name.icontains(q, autoescape=True))
        )
    return paged(db(), statement, 20)


def _candidate(row: Document) -> dict[str, Any]:
    return {
        "id": row.id,
        "number": number_of(row),
        "kind": kind_word(row.ledger_kind, row.total),
        "customer": row.party_name,
        "day": row.document_date,
        "amount": row.total,
        "currency": row.currency,
        "url": url_for("connect.first_posting", document=row.id),
    }


def _chosen() -> dict[str, Any] | None:
    """The chosen document as it would be sent: the same draft, its journal and its notes."""
    document_id = request.args.get("document", type=int)
    if document_id is None:
        return None
    with services().sessions() as own:
        own.connection(execution_options={"read_only": True})
        row = _document(own, document_id)
        _long, short = ledger_names(company())
        if row.lines is None:
            raise Problem(409, "409")
        try:
            with own.no_autoflush:  # planning touches the rows it reads; nothing of it is kept
                shown = preview(own, row, services().ledger(row.company_id).capabilities)
        except PlatformError as problem:
            raise Problem(409, "409", why=problem.message) from problem
        if shown.draft is None:
            flash(
                f"{number_of(row)} cannot be posted now: {'; '.join(r.sentence(short) for r in shown.reasons)}.", "warn"
            )
            return None
        ready = row.status == Status.PENDING and row.reason_code in READY
        return {
            "id": row.id,
            "number": number_of(row),
            "customer": shown.draft.party.name,
            "kind": kind_word(shown.draft.kind, row.total),
            "amount": shown.draft.total,
            "currency": shown.draft.currency,
            "journal": journal_table(shown.journal, shown.draft.currency),
            "paper": draft_paper(shown.draft, short, shown.accounts),
            "notes": [*shown.creates, *shown.notes, *shown.writes_back],
            "ready": ready,
            "reason": sentence(row.reasons, short),
        }


def _document(session: Any, document_id: int) -> Document:
    row = session.get(Document, document_id)
    if row is None or row.company_id != company().id:
        raise Problem(404, "404")
    return row


@blueprint.post("/c/<int:company_id>/first-posting")
def first_posting_post(company_id: int) -> ResponseReturnValue:
    """Post exactly this one document, at once. Pressing twice is one posting."""
    with writing() as write:
        row = _document(write, request.form.get("document_id", 0, type=int))
        found = write.get_one(Company, company_id)
        if row.status == Status.PENDING and row.due_at is None and row.reason_code in READY and not row.before_start:
            user = write.get_one(User, the_user().id)
            requests.ask_one(write, found, row, now=now(), user=user)
            audit.record(write, company_id, now(), user.email, "posted by hand", number_of(row), {"document": row.id})
    ring(enqueue.ring, company_id)
    return redirect(url_for("connect.first_posting"))


def _posted(item: RunItem) -> dict[str, Any]:
    row = db().get_one(Document, item.document_id)
    _long, short = ledger_names(company())
    done = row.status == Status.COMPLETE
    differs = str(Flag.DIFFERS) in (row.flags or [])
    return {
        "number": number_of(row),
        "kind": kind_word(row.ledger_kind, row.total),
        "customer": row.party_name,
        "at": row.completed_at or item.changed_at,
        "status": row.status,
        "ledger_number": row.ledger_number or row.ledger_id or "",
        "currency": row.currency,
        "same": not differs,
        "comparison": _comparison(row) if done else [],
        "reason": sentence(row.reasons, short),
        **links(row.id, row.source_id, row.ledger_id),
    }


def _comparison(row: Document) -> list[dict[str, Any]]:
    shown = row.ledger_total if row.ledger_total is not None else abs(row.total)
    return [
        {"label": "Number", "source": number_of(row), "ledger": row.ledger_number or "–", "strong": False},
        {
            "label": f"Total {row.currency}",
            "source": format_amount(abs(row.total), row.currency),
            "ledger": format_amount(shown, row.currency),
            "strong": True,
        },
    ]


def _rest(company_id: int) -> dict[str, Any] | None:
    count, totals = ready_documents(company_id)
    if not count:
        return None
    waiting, _ = sums(db(), company_id, Document.status == Status.FAULT)
    limit = settings.load_invoices(db(), company_id).run_limit
    over = (
        f" This is more than the {limit:,} a run may post without asking; pressing is the answer."
        if count > limit
        else ""
    )
    return {
        "count": count,
        "totals": totals,
        "waiting": waiting,
        "sentence": f"{format_plural(count, 'document')} will be posted.{over}",
        "choices": [
            {"value": "all", "label": "Everything that is ready", "note": "In full batches, with a report by mail."}
        ],
    }


@blueprint.post("/c/<int:company_id>/first-posting/rest")
def post_rest(company_id: int) -> ResponseReturnValue:
    """The person saw count and total: that is the answer to the run limit."""
    if company().first_posted_at is None:
        return redirect(url_for("connect.first_posting"))
    if release.on(db(), company_id):
        return redirect(url_for("home.review"))
    with writing() as write:
        user = write.get_one(User, the_user().id)
        run, new = requests.ask_sync(write, write.get_one(Company, company_id), now=now(), user=user, confirmed=True)
        audit.record(write, company_id, now(), user.email, "posted the rest", f"run {run.id}")
    if new:
        ring(enqueue.scan, company_id, run.id)
    return redirect(url_for("logs.run", run_id=run.id))


@blueprint.post("/c/<int:company_id>/first-posting/automatic")
def automatic(company_id: int) -> ResponseReturnValue:
    with writing() as write:
        user = write.get_one(User, the_user().id)
        settings.change(write, company_id, now=now(), user=user, sync_state=SyncState.ON)
        write.get_one(Company, company_id).next_poll_at = now()
        audit.record(write, company_id, now(), user.email, "settings saved", "sync state", {"fields": ["sync_state"]})
    flash("Automatic syncing is on. New invoices are posted by themselves, within a minute.", "ok")
    return redirect(url_for("connect.first_posting"))
