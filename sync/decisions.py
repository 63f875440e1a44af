"""What a person decides about documents: retry, skip, un-skip, link a customer or create it. Database only.

Each decision is audited by the caller. None of them posts: a retry reads and plans again, then the serving process
does what it always does. A posting that may be in the ledger is looked up before anything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.customers import CREATE_NEW, document_key
from domain.reasons import reason
from domain.statuses import Flag, PostingState, RunState, Status
from models import Company, Document, Link, Posting, Run, RunItem, User
from sync import requests
from sync.documents import add_to_run, drop, set_flag, set_status, step
from sync.lease import exclusive, wake
from sync.looking import look_first, may_be_in_books

CUSTOMER_CODES = (
    "customer_similar", "customer_twice_in_source", "customer_twice_in_ledger", "customer_inactive",
    "customer_is_vendor", "customer_currency", "link_gone", "customer_merged", "customer_refused",
)

VENDOR_CODES = (
    "vendor_similar", "vendor_twice_in_source", "vendor_twice_in_ledger", "vendor_inactive", "vendor_currency",
    "vendor_link_gone", "vendor_refused", "vendor_is_customer",
)


def _alone_with(db: Session, company_id: int, documents: Sequence[Document]) -> None:
    """Documents as they are now, unchanged by anybody else until the transaction ends."""
    exclusive(db, company_id)
    for document in documents:
        db.expire(document)


def retry_under_way(db: Session, company_id: int) -> Run | None:
    """The retry that is read or posted already, so that nothing can join it. It is as it is said to be until the
    transaction ends."""
    exclusive(db, company_id)
    run = requests.open_run(db, company_id, "retry")
    return run if run is not None and run.phase != "queued" else None


def retry(db: Session, company: Company, documents: Sequence[Document], *, now: datetime, user: User | None) -> Run:
    """Try Faults again as one run. The caller enqueues the scan of that run; pressing twice joins it."""
    _alone_with(db, company.id, documents)
    run, _ = requests.ask(db, company, kind="retry", trigger="button", now=now, user=user, confirmed=True)
    chosen = [d for d in documents if d.status == Status.FAULT and d.company_id == company.id]
    add_to_run(db, run, chosen, now)
    for document in chosen:
        step(db, document, now, "retry", "A person asked for another try", who=user.name if user else "")
        if document.alike:
            document.alike = {**document.alike, "looked_at": None}
        posting = db.get(Posting, document.posting_id) if document.posting_id else None
        if posting is not None and posting.state == PostingState.NEEDS_HUMAN:
            look_first(db, posting, document, now)
            document.due_at, document.prepared = now, True
    return run


def resubmit(db: Session, company: Company, run: Run, *, now: datetime, user: User | None) -> Run:
    """Try all Faults of a finished run again; that run is marked Resubmitted."""
    documents = db.scalars(
        select(Document).join(RunItem, RunItem.document_id == Document.id)
        .where(RunItem.run_id == run.id, Document.status == Status.FAULT, Document.company_id == company.id)
    ).all()
    again = retry(db, company, documents, now=now, user=user)
    if run.finished_at is not None and documents:
        run.state = RunState.RESUBMITTED
    return again


def skip(db: Session, document: Document, *, why: str, now: datetime, who: str) -> bool:
    """Set a document aside. False when it is in the books or may be on its way."""
    _alone_with(db, document.company_id, [document])
    posting = db.get(Posting, document.posting_id) if document.posting_id else None
    movable = (PostingState.NEW, PostingState.REJECTED, PostingState.NEEDS_HUMAN, PostingState.SKIPPED)
    if document.status in (Status.COMPLETE, Status.PROCESSING) or (posting and posting.state not in movable):
        return False
    told = reason("skipped_by_person", who=who, why=why)
    if posting is not None:
        if may_be_in_books(posting):  # its billing items stay taken
            posting.state, posting.next_action_at, posting.changed_at = PostingState.SKIPPED, None, now
        else:  # what was refused stays so: it is certainly not in the ledger
            refused = posting.state == PostingState.REJECTED
            drop(db, posting, PostingState.REJECTED if refused else PostingState.SKIPPED, [told], now)
    set_status(db, document, Status.SKIPPED, [told], now)
    step(db, document, now, "skipped", told.sentence(), who=who)
    return True


def unskip(db: Session, document: Document, *, now: datetime, who: str) -> bool:
    """Bring a document back; it is read and planned with the next Sync. False when it was not set aside, or is held:
    a hold is released, not passed by.

    What may be in the books is looked up first: only when the ledger does not hold it may it be posted again.
    """
    _alone_with(db, document.company_id, [document])
    if document.status != Status.SKIPPED or document.reason_code == "held":
        return False
    document.lines = None
    posting = db.get(Posting, document.posting_id) if document.posting_id else None
    if posting is not None and may_be_in_books(posting):
        look_first(db, posting, document, now)
    else:
        set_status(db, document, Status.PENDING, [reason("waits_for_reading")], now)
    step(db, document, now, "un-skipped", "Brought back by a person", who=who)
    return True


def bill_to(
    db: Session, company: Company, document: Document, ledger_id: str, *, now: datetime, user: User | None
) -> None:
    """The customer of one document that names no company. Choosing again replaces it; posted ones are left alone."""
    link_customer(db, company, document_key(document.source_id), "", ledger_id, now=now, user=user)


def mark_again(db: Session, document: Document, *, now: datetime, who: str) -> bool:
    """Write the mark of a document that is in the books once more. False when it is not, or is being marked."""
    _alone_with(db, document.company_id, [document])
    posting = db.get(Posting, document.posting_id) if document.posting_id else None
    if document.status != Status.COMPLETE or posting is None or posting.state != PostingState.DONE:
        return False
    posting.state, posting.written_back_at, posting.write_back_tries = PostingState.CONFIRMED, None, 0
    posting.next_action_at, posting.changed_at = now, now
    set_flag(document, Flag.MARK_CLEARED, False)
    step(db, document, now, "marking again", "A person asked for the mark in Autotask to be written again", who=who)
    wake(db, document.company_id, now)
    return True


def link_customer(
    db: Session, company: Company, party_id: str, name: str, ledger_id: str | None, *, now: datetime,
    user: User | None, kind: str = "customer",
) -> list[Document]:
    """`Link This` (with the customer's or vendor's id) or `Create New` (None). Returns the Faults to retry."""
    exclusive(db, company.id)
    link = db.execute(select(Link).where(
        Link.company_id == company.id, Link.kind == kind, Link.source_key == party_id
    )).scalar_one_or_none()
    if link is None:
        link = Link(company_id=company.id, kind=kind, source_key=party_id, source_name=name, how="", made_at=now)
        db.add(link)
    link.ledger_id = ledger_id or CREATE_NEW
    link.how = "linked by a person" if ledger_id else "create new, said a person"
    link.made_by, link.made_at = user.id if user else None, now
    db.flush()
    return list(db.scalars(select(Document).where(
        Document.company_id == company.id, Document.party_id == party_id, Document.status == Status.FAULT,
        Document.reason_code.in_(VENDOR_CODES if kind == "vendor" else CUSTOMER_CODES),
    )))


def accept_difference(db: Session, document: Document, *, why: str, now: datetime, who: str) -> None:
    """Keep a total that differs, with a reason. Both totals stay visible; accepting twice keeps the first answer."""
    _alone_with(db, document.company_id, [document])
    if document.accepted or str(Flag.DIFFERS) not in (document.flags or []):
        return
    document.accepted = {"by": who, "at": now.isoformat(), "why": why}
    set_flag(document, Flag.DIFFERS, on=False)
    set_flag(document, Flag.ACCEPTED)
    document.changed_at = now
    step(db, document, now, "difference accepted", why, who=who)
