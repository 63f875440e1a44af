"""Review first: what stands ready, and a person's release of it. Database only; the caller rings.

While the sync state is Review first, reading never hands a document on by itself: it stands ready with the plan that
was made of it, kept as `Document.reviewed`. A release posts exactly that plan. Reserving plans once more; where the
result is another one, the document stays and says what changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from domain import changes
from domain.plan import Plan
from domain.reasons import Reason, reason
from domain.settings import SyncState
from domain.statuses import Status
from models import Company, Document, Run, User
from sync import requests
from sync.documents import park, set_status, step
from sync.lease import exclusive
from sync.settings import load_invoices

READY = ("waits_for_release", "changed_since_preview", "waits_for_sync", "run_stopped")
KIND = "release"


def ready(company_id: int, kind: str | None = None) -> tuple[ColumnElement[bool], ...]:
    """Conditions of documents that stand ready: read, planned without a reason against them, asked for by nobody.

    "All that is ready" always names the kind: a release of all invoices takes no purchase order along.
    """
    return (
        *((Document.kind == kind,) if kind else ()),
        Document.company_id == company_id, Document.status == Status.PENDING, Document.before_start.is_(False),
        Document.reason_code.in_(READY), Document.due_at.is_(None), Document.lines.is_not(None),
        Document.reread_at.is_(None),
    )


def waiting(db: Session, company_id: int, kind: str) -> requests.Waiting:
    """Count and sum per currency of what stands ready of this kind."""
    rows = db.execute(
        select(Document.currency, func.count(), func.sum(Document.total)).where(*ready(company_id, kind))
        .group_by(Document.currency)
    ).all()
    return requests.Waiting(sum(row[1] for row in rows), {row[0]: row[2] for row in rows})


def stand_ready(db: Session, row: Document, planned: Plan, state: SyncState, now: datetime) -> None:
    """A document that could be posted and that nothing asked for: its StatusCode says what it waits for."""
    if state is not SyncState.REVIEW:
        row.reviewed = None
        set_status(db, row, Status.PENDING, [reason("waits_for_sync")], now)
        return
    seen = looked_at(planned)
    if row.reason_code == "changed_since_preview" and (row.reviewed or {}).get("digest") == (seen or {}).get("digest"):
        return  # What changed stays told until somebody releases it.
    row.reviewed = seen
    set_status(db, row, Status.PENDING, [reason("waits_for_release")], now)


def looked_at(planned: Plan) -> dict[str, Any] | None:
    """What is kept of a plan that a person can release; None when there is nothing to post."""
    if planned.draft is None:
        return None
    seen = changes.face(planned.draft)
    return {"digest": changes.digest(seen), "face": seen}


def changed(row: Document, planned: Plan) -> Reason | None:
    """What is not as it was looked at; None also where nobody looked (an ordinary sync)."""
    now_seen = looked_at(planned)
    if not row.reviewed or now_seen is None or row.reviewed["digest"] == now_seen["digest"]:
        return None
    told = changes.differences(row.reviewed.get("face") or {}, now_seen["face"])
    return reason("changed_since_preview", what=changes.sentence(told) or "the text of a line")


def ask_again(db: Session, row: Document, planned: Plan, why: Reason, now: datetime) -> None:
    """Not posted: it stands ready as it is now, and says what changed. The next release posts that."""
    park(db, row)
    row.reviewed = looked_at(planned)
    set_status(db, row, Status.PENDING, [why], now)
    step(db, row, now, "changed", why.sentence())


def token(rows: Iterable[tuple[int, Any]]) -> str:
    """Proof of what a confirmation showed: equal while the same documents stand ready with the same plans.

    `rows` are (document id, what was looked at).
    """
    told = sorted(f"{row_id}:{(seen or {}).get('digest', '')}" for row_id, seen in rows)
    return hashlib.sha256("|".join(told).encode()).hexdigest()[:32]


def ask(
    db: Session, company: Company, documents: Sequence[Document], *, now: datetime, user: User | None,
    recipients: Sequence[dict[str, Any]] = (), ahead: bool = False,
) -> Run | None:
    """Release exactly these documents, at once (`ahead` of all others); what does not stand ready any more is left out.

    None when none is left. Pressing twice is one posting: what is due already does not stand ready.
    """
    exclusive(db, company.id)
    ids = [document.id for document in documents]
    chosen: list[Document] = []
    for start in range(0, len(ids), 500):
        chosen += db.scalars(
            select(Document).where(*ready(company.id), Document.id.in_(ids[start : start + 500]))
            .order_by(Document.id).execution_options(populate_existing=True)
        )
    if not chosen:
        return None
    run, _ = requests.ask(db, company, kind=KIND, trigger="button", now=now, user=user, recipients=recipients,
                          confirmed=True)
    run.phase, run.step = "posting", "Posting what was released"
    who = user.name if user else ""
    requests.release(db, run, chosen, now, interactive=ahead)
    for document in chosen:
        step(db, document, now, "released", "Released for posting by a person", who=who)
    return run


def on(db: Session, company_id: int) -> bool:
    """Whether the sync state is Review first."""
    return load_invoices(db, company_id).sync_state is SyncState.REVIEW

