"""Documents that are in the ledger and were voided in the source: noticed, voided there too, or kept with a reason.

The open copy overstates receivables, so it is a Fault until a person decides. What is voided is released to be billed
again only when the ledger says that it is void (sync.operations). With the policy "Yes" the void is asked for at once;
what is paid, credited or closed ends as a Fault all the same. Repeating any of it is safe.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from connectors.sources.base import Source, Voided
from domain.order_documents import ORDER
from domain.reasons import Reason, reason
from domain.reversal import KINDS
from domain.settings import VoidPolicy
from domain.statuses import Flag, PostingState, Status
from models import Document, Posting, Run
from sync import codec, reissues
from sync.documents import add_to_run, set_flag, set_status, step
from sync.lease import exclusive
from sync.operations import CORRECT, VOID, reserve
from sync.replacing import WRITTEN, in_books, last_written
from sync.runtime import Runtime
from sync.settings import load_invoices

DECIDABLE = ("voided_open", "void_paid", "void_refused", "void_changing")
CORRECTABLE = ("void_closed", "correct_refused", "correct_changed")
"""In a closed period: corrected by another document, or kept."""


def look(rt: Runtime, company_id: int, source: Source, kind: str, *, posts: bool) -> int:
    """Ask the source what was voided lately; documents in the books become Faults, or are voided there too where that
    was chosen and `posts`: something may be written now. Returns how many. One read."""
    with rt.sessions() as db:
        settings = load_invoices(db, company_id)
    found = source.voided(kind, rt.clock.now() - timedelta(days=settings.void_window_days))
    by_itself = posts and settings.voids is VoidPolicy.VOID and len(found) <= settings.run_limit
    noticed = 0
    for start in range(0, len(found), 500):
        part = {one.id: one for one in found[start : start + 500]}
        with rt.sessions() as db, db.begin():
            exclusive(db, company_id)
            rows = db.scalars(select(Document).where(
                Document.company_id == company_id, Document.source_tenant == source.tenant, Document.kind == kind,
                Document.source_id.in_(part), _undecided(by_itself), Document.ledger_id.is_not(None),
            ).order_by(Document.id)).all()
            for row in rows:
                noticed += _notice(db, row, part[row.source_id], rt.clock.now(), by_itself=by_itself)
    if noticed and by_itself:
        rt.ring(company_id)
    return noticed


def _undecided(by_itself: bool) -> ColumnElement[bool]:
    """In the books, also at Fault for something else, such as a mail nobody is sure of; also what was only told of,
    because nothing might be written when it was noticed."""
    complete = Document.status == Status.COMPLETE
    told = and_(Document.status == Status.FAULT, Document.reason_code == "voided_open")
    untold = or_(complete, at_fault_in_books(*DECIDABLE, *CORRECTABLE))
    return or_(untold, told) if by_itself else untold


def at_fault_in_books(*told: str) -> ColumnElement[bool]:
    """Written for certain, and at Fault for another reason than these: a change or a mail of it asks a person."""
    written = exists().where(Posting.id == Document.posting_id, Posting.state.in_(WRITTEN))
    return and_(Document.status == Status.FAULT, Document.reason_code.not_in(told), written)


def _notice(db: Session, row: Document, voided: Voided, now: datetime, *, by_itself: bool) -> int:
    if {Flag.VOIDED, Flag.KEPT, Flag.CORRECTED} & set(row.flags or []):
        return 0
    if row.status == Status.FAULT and not in_books(db, row):
        return 0  # what a change made of it is not known: that is decided first
    row.voided_at = voided.at or now
    row.run_id = None  # the run that posted it is over; the next one tells of the void
    when = f" on {voided.at:%d %b %Y}" if voided.at else ""
    told = reason("voided_open", number=row.ledger_number or row.number, when=when)
    step(db, row, now, "voided_in_autotask", told.sentence())
    if not by_itself:
        set_status(db, row, Status.FAULT, [told], now)
        return 1
    reserve(db, row, VOID, db.get_one(Posting, row.posting_id).draft, terms={"by": "the setting"}, now=now)
    step(db, row, now, "void_asked", "Voided in {the_ledger} too, as the settings say, unless it is paid or credited")
    return 1


def untold() -> ColumnElement[bool]:
    """Voided documents that no run has told of since."""
    return and_(
        Document.voided_at.is_not(None), Document.run_id.is_(None),
        Document.status.in_((Status.FAULT, Status.PENDING)),
    )


def tell(db: Session, run: Run, now: datetime, kind: str) -> None:
    """They are rows of this sync; it is not over before a void that is under way is settled."""
    if run.kind != "sync":
        return
    exclusive(db, run.company_id)
    rows = db.scalars(select(Document).where(
        Document.company_id == run.company_id, Document.kind == kind, untold()
    )).all()
    add_to_run(db, run, rows, now)
    for row in rows:
        if row.reason_code == "void_queued":
            row.due_at, row.prepared = now, True


def decidable(row: Document) -> bool:
    """It waits for a person to say what becomes of the copy in the ledger."""
    asked = row.reason_code in (*DECIDABLE, *CORRECTABLE)
    return row.status == Status.FAULT and asked and row.ledger_id is not None


def correctable(row: Document) -> bool:
    """It stands in a closed period, and there is an opposite document that takes it back."""
    return decidable(row) and row.reason_code in CORRECTABLE and row.ledger_kind in KINDS


def void(db: Session, row: Document, *, now: datetime, who: str) -> bool:
    """Void in the ledger too; what was shown as paid may be set free, and no more. False: there is nothing to decide.

    The caller rings. In a closed period nothing is voided.
    """
    exclusive(db, row.company_id)
    db.expire(row)
    if not decidable(row) or row.reason_code in CORRECTABLE:
        return False
    shown = Reason.from_json(row.reasons[0]).params
    free = "applied" in shown and row.kind != ORDER  # a payment to a vendor is a person's to take off
    terms = {"by": who, "applied": shown["applied"]} if free else {"by": who}
    draft = db.get_one(Posting, row.posting_id).draft
    row.run_id = None
    reserve(db, row, VOID, draft, terms=terms, now=now, interactive=1)
    freed = f"; {terms['applied']} paid on it is set free" if "applied" in terms else ""
    step(db, row, now, "void_asked", f"A person asked for it to be voided in {{the_ledger}}{freed}", who=who)
    return True


def correct(db: Session, row: Document, *, now: datetime, who: str) -> bool:
    """In a closed period: the opposite document on the first open day. False: there is nothing to correct. Pressing
    twice joins the open one. The caller rings."""
    exclusive(db, row.company_id)
    db.expire(row)
    draft = last_written(db, row) if correctable(row) else None
    if draft is None:
        return False
    row.run_id = None
    terms = {"by": who, "number": row.ledger_number or row.number}
    reserve(db, row, CORRECT, codec.dump(draft), terms=terms, now=now, interactive=1, ledger_kind=KINDS[draft.kind])
    step(db, row, now, "correction asked", "A person asked for it to be corrected on the first open day", who=who)
    return True


def correction(db: Session, row: Document) -> Posting | None:
    """The posting that corrected it; None without."""
    return db.scalars(select(Posting).where(
        Posting.document_id == row.id, Posting.operation == CORRECT, Posting.state == PostingState.DONE
    ).limit(1)).first()


def keep(db: Session, row: Document, *, why: str, now: datetime, who: str) -> bool:
    """Leave the copy in the ledger as it is, with a reason. Its billing items stay taken, and what bills them
    again is asked about."""
    exclusive(db, row.company_id)
    db.expire(row)
    if not decidable(row):
        return False
    set_flag(row, Flag.KEPT)
    set_status(db, row, Status.COMPLETE, [], now)
    reissues.settle(db, row, now, kept=True)
    step(db, row, now, "kept", f"Voided in Autotask and kept in {{the_ledger}}: {why}", who=who)
    return True
