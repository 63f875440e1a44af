"""What a person (or the schedule) asks for: runs are inserted or joined, stopped, finished. Effects: database only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import exists, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased, defer

from domain.reasons import reason
from domain.statuses import PostingState, RunState, Status
from models import Company, Document, Posting, PostingNeed, Run, RunItem, ToolRow, User
from sync import holds
from sync.documents import add_to_run, drop, set_status, step
from sync.lease import exclusive, wake
from sync.reading import touchable
from sync.todo_state import AREA_OF

LOOKED_AT = ("release", "first_posting")
"""Kinds of run that post what a person looked at, and nothing else in its place."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a Sync would post: number of documents and sum per currency."""

    documents: int
    totals: dict[str, Decimal]


def open_run(db: Session, company_id: int, kind: str = "sync", area: str = "invoices") -> Run | None:
    return db.execute(
        select(Run).where(
            Run.company_id == company_id, Run.kind == kind, Run.area == area, Run.finished_at.is_(None)
        )
    ).scalar_one_or_none()


def ask(
    db: Session, company: Company, *, kind: str, trigger: str, now: datetime, user: User | None,
    recipients: Sequence[dict[str, Any]] = (), confirmed: bool = False, area: str = "invoices",
) -> tuple[Run, bool]:
    """Insert a run, or join the open one of that kind and area. Returns the run and whether it is new.

    Pressing twice, two tabs and two users all get the same run: a partial unique index absorbs the race.
    """
    existing = open_run(db, company.id, kind, area)
    if existing is None:
        run = Run(
            company_id=company.id, kind=kind, area=area, trigger=trigger, requested_by=user.id if user else None,
            requested_by_name=user.name if user else "", state=RunState.IN_PROCESS, phase="queued",
            step="Waiting for a worker", recipients=list(recipients), confirmed=confirmed, counts={}, summary={},
            started_at=now, heartbeat_at=now,
        )
        try:
            with db.begin_nested():
                db.add(run)
            return run, True
        except IntegrityError:
            existing = open_run(db, company.id, kind, area)
            if existing is None:
                raise
    if trigger == "button" and existing.trigger != "button":
        recipients = [*recipients, {"asked_by": user.name if user else ""}]  # a person waits for its end now
    known = {r.get("address") for r in existing.recipients or []}
    existing.recipients = [*(existing.recipients or []), *(r for r in recipients if r.get("address") not in known)]
    existing.confirmed = existing.confirmed or confirmed
    return existing, False


def ask_sync(
    db: Session, company: Company, *, now: datetime, user: User | None,
    recipients: Sequence[dict[str, Any]] = (), confirmed: bool = False,
) -> tuple[Run, bool]:
    """Sync Now: the caller enqueues the scan when the run is new."""
    return ask(db, company, kind="sync", trigger="button", now=now, user=user, recipients=recipients,
               confirmed=confirmed)


def ask_one(db: Session, company: Company, document: Document, *, now: datetime, user: User | None) -> Run:
    """Post exactly this document, at once and ahead of others (first posting). The caller rings afterwards."""
    _alone_with(db, company.id, [document])
    run, _ = ask(
        db, company, kind="first_posting", trigger="button", now=now, user=user, confirmed=True,
        area=AREA_OF[document.kind],
    )
    run.phase, run.step = "posting", "Posting one document"
    release(db, run, [document], now, interactive=True)
    who = user.name if user else ""
    step(db, document, now, "asked", "A person asked for this document to be posted", who=who)
    return run


def release(db: Session, run: Run, documents: Sequence[Document], now: datetime, *, interactive: bool = False) -> None:
    """Hand documents to the serving process: they are due from now on, as rows of the run.

    What is in the books or may be on its way is left as it is, and so is what a person holds back.
    """
    held = holds.reasons(db, run.company_id, documents)
    documents = [document for document in documents if document.id not in held and touchable(db, document)]
    add_to_run(db, run, documents, now)
    for document in documents:
        if run.kind not in LOOKED_AT:
            document.reviewed = None
        document.due_at, document.prepared, document.interactive = now, False, interactive
        if document.status != Status.PENDING or document.reason_code != "queued":
            set_status(db, document, Status.PENDING, [reason("queued")], now)
    wake(db, run.company_id, now)


def waiting(db: Session, company_id: int, kind: str = "invoice") -> Waiting:
    """Documents that a Sync would post now, by what is known without asking a platform."""
    rows = db.execute(
        select(Document.currency, func.count(), func.sum(Document.total))
        .where(Document.company_id == company_id, Document.status == Status.PENDING)
        .where(Document.before_start.is_(False), Document.party_id.is_not(None), Document.total != 0)
        .where(Document.kind == kind, func.coalesce(Document.reason_code, "") != "waits_for_receipt")
        .group_by(Document.currency)
    ).all()
    return Waiting(sum(row[1] for row in rows), {row[0]: row[2] for row in rows})


def stop(db: Session, run: Run, *, now: datetime, user: User | None) -> None:
    """Stop after this batch: what is in flight settles, the rest stays Pending Sync and is not due."""
    exclusive(db, run.company_id)
    db.refresh(run)
    if run.finished_at is None and not run.stop_requested:
        run.stop_requested = True
        run.step = "Stopping after this batch"
        run.message = f"Stopped by {user.name}" if user else "Stopped"
        wake(db, run.company_id, now)


def withdraw(db: Session, run: Run, now: datetime) -> None:
    """Take back what the run released and what is certainly not in the ledger. Called under the lease."""
    rows = db.scalars(select(Document).options(defer(Document.lines)).where(
        Document.company_id == run.company_id, Document.run_id == run.id, Document.due_at.is_not(None)
    )).all()
    for document in rows:
        posting = db.get(Posting, document.posting_id) if document.posting_id else None
        if posting is not None and not _unsent(posting):
            continue
        if posting is not None:
            posting.next_action_at = None
            if posting.state == PostingState.READY:  # frozen, and kept back by a limit: the next try is planned anew
                drop(db, posting, PostingState.REJECTED, [], now)
        document.due_at, document.prepared = None, False
        set_status(db, document, Status.PENDING, [reason("run_stopped")], now)
    db.flush()
    _withdraw_creations(db, run.company_id, now)


def _unsent(posting: Posting) -> bool:
    """Nothing of it can be in the ledger or on its way there."""
    return posting.state in (PostingState.NEW, PostingState.REJECTED) or (
        posting.state == PostingState.READY and posting.sends == 0
    )


def _withdraw_creations(db: Session, company_id: int, now: datetime) -> None:
    """Frozen customers and items that nothing asks for any more. Whoever needs them later plans them anew."""
    wanting = aliased(Posting)
    needed = exists().where(
        PostingNeed.need_id == Posting.id, wanting.id == PostingNeed.posting_id, wanting.next_action_at.is_not(None)
    )
    asked_for = exists().where(ToolRow.posting_id == Posting.id, Run.id == ToolRow.run_id, Run.finished_at.is_(None))
    for posting in db.scalars(select(Posting).where(
        Posting.company_id == company_id, Posting.document_id.is_(None), Posting.state == PostingState.READY,
        Posting.sends == 0, ~needed, ~asked_for,
    )):
        drop(db, posting, PostingState.REJECTED, [], now)


def include(db: Session, documents: Sequence[Document], *, now: datetime, who: str) -> None:
    """A person takes documents in although they are dated before the start date."""
    for company_id in {document.company_id for document in documents}:
        _alone_with(db, company_id, documents)
    for document in documents:
        document.included_at, document.before_start = now, False
        set_status(db, document, Status.PENDING, [reason("waits_for_reading")], now)
        step(db, document, now, "included", "Included although dated before the start date", who=who)


def _alone_with(db: Session, company_id: int, documents: Sequence[Document]) -> None:
    """Documents as they are now, unchanged by anybody else until the transaction ends."""
    exclusive(db, company_id)
    for document in documents:
        db.expire(document)


def count(db: Session, run: Run) -> dict[str, int]:
    rows = db.execute(
        select(RunItem.status, func.count()).where(RunItem.run_id == run.id).group_by(RunItem.status)
    )
    return {str(status): int(number) for status, number in rows}


def finish(db: Session, run: Run, now: datetime, *, state: RunState | None = None, message: str | None = None) -> None:
    """Close a run: counts, sums, the coloured word. The report is queued by `sync.reports` in the same transaction."""
    counts = Counter(count(db, run))
    if state is None:
        if run.stop_requested:
            state = RunState.STOPPED
        else:
            state = RunState.PROBLEMS if counts[Status.FAULT] or run.message else RunState.FINISHED
    run.state, run.phase, run.step, run.finished_at = state, "finished", "", now
    run.message = message or run.message
    run.counts, run.summary = dict(counts), _sums(db, run)
    db.execute(update(Document).where(Document.run_id == run.id, Document.due_at.is_(None)).values(interactive=False))


def _sums(db: Session, run: Run) -> dict[str, Any]:
    rows = db.execute(
        select(RunItem.status, RunItem.currency, func.sum(RunItem.amount), func.count())
        .where(RunItem.run_id == run.id).group_by(RunItem.status, RunItem.currency)
    )
    sums: dict[str, Any] = {}
    for status, currency, amount, number in rows:
        sums.setdefault(status, {})[currency] = {"amount": str(amount), "count": number}
    return sums


def over_limit(run: Run, found: Waiting, limit: int) -> str | None:
    """The sentence with which a run stands as Stopped when it is above the limit and nobody confirmed it."""
    if run.confirmed or found.documents <= limit:
        return None
    sums = ", ".join(f"{currency} {total:,.2f}" for currency, total in sorted(found.totals.items()))
    return (
        f"{found.documents:,} documents ({sums}) are more than the {limit:,} that a run may post "
        f"without asking. Nothing was posted. Post all {found.documents:,} if that is right."
    )
