"""Changing a document's state: status, reasons, the row in its run and the step log, always together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from domain.reasons import Reason
from domain.statuses import Flag, PostingState, Status
from models import Document, ItemClaim, Posting, Run, RunItem, Step
from sync import todo_state, tracing, words


def set_status(
    db: Session, document: Document, status: Status, reasons: Sequence[Reason], now: datetime
) -> None:
    """Give a document its status and reasons, and show the same in the run it belongs to.

    A document that leaves Pending Sync or Processing Now is not due any more.
    """
    if Status.FAULT in (document.status, status):
        todo_state.stir(db, document.company_id, now)
    tracing.changed(db, document, status, reasons, now)
    document.status = status
    document.reasons = [r.to_json() for r in reasons]
    document.reason_code = reasons[0].code if reasons else None
    document.changed_at = now
    if status in (Status.COMPLETE, Status.FAULT, Status.SKIPPED):
        document.due_at = None
        document.prepared = False
    item = _item(db, document)
    if item is not None:
        copy_to_item(document, item, now)


def load(db: Session, ids: Sequence[int]) -> dict[int, Document]:
    """These documents, and with them their rows in the runs they belong to: two queries instead of two each.

    The session keeps them to its end, so that finding one of them by its id later asks nothing.
    """
    documents = {row.id: row for row in db.scalars(select(Document).where(Document.id.in_(ids)))}
    db.info.setdefault("documents", {}).update(documents)
    _remember(db, db.scalars(
        select(RunItem).join(Document, Document.id == RunItem.document_id)
        .where(Document.id.in_(ids), RunItem.run_id == Document.run_id)
    ))
    return documents


def _remember(db: Session, items: Iterable[RunItem]) -> None:
    _known(db).update({(item.run_id, item.document_id): item for item in items})


def _known(db: Session) -> dict[tuple[int, int], RunItem]:
    """Rows of runs this session has read, so that one document after another asks no query each."""
    known: dict[tuple[int, int], RunItem] = db.info.setdefault("run_items", {})
    return known


def _item(db: Session, document: Document) -> RunItem | None:
    """The document's row in the run it belongs to."""
    if document.run_id is None:
        return None
    found = _known(db).get((document.run_id, document.id))
    if found is None:
        found = db.execute(
            select(RunItem).where(RunItem.run_id == document.run_id, RunItem.document_id == document.id)
        ).scalar_one_or_none()
    return found


def copy_to_item(document: Document, item: RunItem, now: datetime) -> None:
    item.status, item.reasons, item.flags = document.status, document.reasons, document.flags
    item.ledger_kind, item.ledger_id = document.ledger_kind, document.ledger_id
    item.ledger_number, item.party_name = document.ledger_number, document.party_name
    item.ledger_total, item.tax_sums = document.ledger_total, document.tax_sums
    item.number, item.amount, item.currency = document.number, document.total, document.currency
    item.rounded, item.default_lines = document.rounded, document.default_lines
    item.ledger_date = document.ledger_date
    item.changed_at = now


def add_to_run(db: Session, run: Run, documents: Iterable[Document], now: datetime) -> None:
    """Make these documents rows of the run. Repeating is safe: a document has one row per run."""
    documents = list(documents)
    ids = [d.id for d in documents]
    for start in range(0, len(ids), 500):
        _remember(db, db.scalars(
            select(RunItem).where(RunItem.run_id == run.id, RunItem.document_id.in_(ids[start : start + 500]))
        ))
    for document in documents:
        document.run_id = run.id
        if (run.id, document.id) in _known(db):
            continue
        item = RunItem(
            company_id=document.company_id, run_id=run.id, document_id=document.id,
            source_id=document.source_id, kind=document.kind, document_date=document.document_date,
        )
        copy_to_item(document, item, now)
        db.add(item)
        _remember(db, [item])
    db.flush()


def step(
    db: Session, document: Document, now: datetime, name: str, text: str, who: str = "", **detail: Any
) -> None:
    """One line of the document's step log, in words; the ledger's tokens are filled by the document's company."""
    db.add(Step(
        company_id=document.company_id, document_id=document.id, run_id=document.run_id, at=now, name=name,
        text=words.fill(db, document.company_id, text), detail=detail, who=who,
    ))


def drop(
    db: Session, posting: Posting, state: PostingState, reasons: Sequence[Reason], now: datetime
) -> None:
    """End a posting that is certainly not in the ledger: its billing items are free again."""
    posting.state, posting.next_action_at, posting.changed_at = state, None, now
    posting.reasons = [r.to_json() for r in reasons]
    db.execute(delete(ItemClaim).where(ItemClaim.posting_id == posting.id))


def end_unsent(db: Session, document: Document, reasons: Sequence[Reason], now: datetime) -> None:
    """The document's posting was reserved and never sent: it ends with the document's own reasons. One whose copy was
    taken out of the ledger to be posted anew holds its billing items for that: they are free again too."""
    posting = db.get(Posting, document.posting_id) if document.posting_id else None
    if posting is None:
        return
    if posting.state == PostingState.NEW:
        drop(db, posting, PostingState.REJECTED, reasons, now)
    elif posting.state == PostingState.REJECTED:
        db.execute(delete(ItemClaim).where(ItemClaim.posting_id == posting.id))


def park(db: Session, document: Document) -> None:
    """Not due for now; a posting that was reserved and never sent waits to be planned again."""
    document.due_at, document.prepared = None, False
    posting = db.get(Posting, document.posting_id) if document.posting_id else None
    if posting is not None and posting.state == PostingState.NEW:
        posting.next_action_at = None


def set_flag(document: Document, flag: Flag, on: bool = True) -> None:
    flags = [f for f in document.flags or [] if f != flag]
    document.flags = [*flags, str(flag)] if on else flags
