"""Trying Faults again: a run of its own that reads exactly these documents once more and posts what fits now."""

from __future__ import annotations

from collections.abc import Sequence

from flask import flash, url_for
from sqlalchemy import select

from blueprints.context import now, ring, the_user, writing
from domain.formats import format_plural
from domain.statuses import RunState, Status
from models import Company, Document, Run, User
from sync import audit, decisions
from workers import enqueue


def retry_run(company_id: int, document_ids: Sequence[int], *, resubmitted: int | None = None) -> str:
    """Ask for a retry of these Faults and return where to go. Documents that are no Faults any more are left out."""
    with writing() as write:
        documents = write.scalars(
            select(Document)
            .where(Document.company_id == company_id, Document.id.in_(document_ids), Document.status == Status.FAULT)
            .order_by(Document.id)
        ).all()
        if not documents:
            flash("None of these documents is a Fault any more.", "plain")
            return url_for("logs.errors")
        user = write.get_one(User, the_user().id)
        under_way = decisions.retry_under_way(write, company_id)
        if under_way is not None:
            flash("A retry is running. When it has ended, retry what is left.", "busy")
            return url_for("logs.run", run_id=under_way.id)
        run = decisions.retry(write, write.get_one(Company, company_id), documents, now=now(), user=user)
        former = write.get_one(Run, resubmitted) if resubmitted is not None else None
        if former is not None and former.finished_at is not None:
            former.state = RunState.RESUBMITTED
        audit.record(write, company_id, now(), user.email, "retried", f"run {run.id}", {"documents": len(documents)})
        run_id, count = run.id, len(documents)
    ring(enqueue.scan, company_id, run_id)
    flash(f"{format_plural(count, 'document')} {'is' if count == 1 else 'are'} tried again.", "busy")
    return url_for("logs.run", run_id=run_id)
