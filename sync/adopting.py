"""Adopting: a document that the ledger holds under this number is linked to the invoice instead of copied again.

It becomes a posting that is in the books (CONFIRMED by a person, or by the look-up when it bears our own marker), so
its billing items are taken, its mark goes to the source, and nothing posts it a second time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.ledgers.base import Kind
from domain.documents import Draft, SourceHeader, SourceLine
from domain.held import Held, adoption_problems
from domain.reasons import Reason, reason
from domain.statuses import Flag, PostingState, Status
from models import Company, Document, ItemClaim, Posting, Run
from sync import codec
from sync.copy_outcome import Outcome
from sync.documents import add_to_run, set_flag, set_status, step
from sync.lease import exclusive, wake
from sync.looking import may_be_in_books
from sync.reading import KIND, marker_of, new_document, refresh_header, rows_of, touchable

if TYPE_CHECKING:
    from sync.copying import Copy, Seen

ENDED = (PostingState.REJECTED, PostingState.SKIPPED)


def found(copy: Copy, seen: Seen, ledger_id: str, *, ours: bool) -> Mapping[str, Any] | None:
    """What is told of a ledger document under this number; linked at once when it is ours or a person said so."""
    draft = seen.open_plan.draft
    kind = Kind.CREDIT_MEMO if seen.document.header.total < 0 else Kind.INVOICE
    held = copy.ledger.read(kind, [ledger_id]).get(ledger_id)
    if draft is None or held is None or not held.live:
        why = seen.planned.reasons or (reason("number_taken", number=seen.document.header.number or ledger_id),)
        return {"outcome": Outcome.REFUSED, "reasons": [one.to_json() for one in why]}
    problems = [] if ours else adoption_problems(draft, held)
    shown = {
        "source": codec.dump(seen.document), "draft": codec.dump(draft), "held": codec.dump(held),
        "problems": problems, "reasons": [],
    }
    asked = copy.asked
    if ours or (asked.adopt == ledger_id and (asked.differences or not problems)):
        if not ours and asked.version != held.version:
            return {**shown, "outcome": Outcome.CHANGED}
        return _adopt(copy, seen, draft, held, shown, ours=ours)
    return {**shown, "outcome": Outcome.FOREIGN}


def _adopt(
    copy: Copy, seen: Seen, draft: Draft, held: Held, shown: dict[str, Any], *, ours: bool
) -> Mapping[str, Any] | None:
    now = copy.rt.clock.now()
    with copy.rt.sessions() as db, db.begin():
        exclusive(db, copy.company_id)
        run = db.get_one(Run, copy.run_id)
        row = _row(db, copy, seen.document.header, now)
        against = _against(db, row, seen, held)
        if against is not None:
            return {**shown, "outcome": Outcome.REFUSED, "reasons": [against.to_json()]}
        row.lines, row.lines_read_at = codec.dump_text(seen.document.lines, tuple[SourceLine, ...]), now
        row.party_name, row.currency, row.reread_at = seen.party, seen.currency, None
        posting = _posting(db, copy, row, draft, held, now, by="lookup" if ours else "person")
        add_to_run(db, run, [row], now)
        _complete(db, row, posting, draft, held, now, who="" if ours else run.requested_by_name)
        run.phase, run.step, run.heartbeat_at = "posting", "Marking the invoice in Autotask", now
        kept = run.summary or {}
        run.summary = {
            **kept, **shown, "outcome": Outcome.ADOPTED, "released": row.id,
            "invoice": {**kept.get("invoice", {}), **_figures(seen, row, held)},
        }
        wake(db, copy.company_id, now)
    copy.rt.ring(copy.company_id)
    return None


def _figures(seen: Seen, row: Document, held: Held) -> dict[str, Any]:
    from sync.copy_outcome import invoice_data

    told = invoice_data(seen.document, seen.party, seen.currency, row.id)
    return {**told, "ledger_id": held.ledger_id, "ledger_number": held.number or ""}


def _row(db: Session, copy: Copy, header: SourceHeader, now: datetime) -> Document:
    row = rows_of(db, copy.company_id, copy.source.tenant, [header.id]).get(header.id)
    if row is None:
        company = db.get_one(Company, copy.company_id)
        row = new_document(company, copy.source.tenant, header, copy.settings, now)
        db.add(row)
        db.flush()
    else:
        refresh_header(db, row, header, copy.settings, now)
    if row.before_start:
        row.included_at, row.before_start = now, False
    return row


def _against(db: Session, row: Document, seen: Seen, held: Held) -> Reason | None:
    """What a colleague, a run or another invoice did meanwhile; None when the link can be made."""
    posting = db.get(Posting, row.posting_id) if row.posting_id else None
    if not touchable(db, row) and (posting is None or posting.state != PostingState.NEEDS_HUMAN):
        return reason("in_hand")
    other = db.scalars(select(Posting).where(
        Posting.company_id == row.company_id, Posting.ledger_kind == held.kind, Posting.ledger_id == held.ledger_id,
        Posting.document_id != row.id, Posting.document_id.is_not(None),
    )).first()
    if other is not None:
        owner = db.get_one(Document, other.document_id)
        return reason("linked_elsewhere", number=held.number or held.ledger_id, other=owner.number or owner.source_id)
    ids = [line.id for line in seen.document.lines]
    holders = db.scalars(
        select(Document).join(Posting, Posting.document_id == Document.id)
        .join(ItemClaim, ItemClaim.posting_id == Posting.id)
        .where(ItemClaim.company_id == row.company_id, ItemClaim.source_tenant == row.source_tenant,
               ItemClaim.item_id.in_(ids), Document.id != row.id)
    ).all()
    if holders:
        return reason("billed_before", other=holders[0].ledger_number or holders[0].number or holders[0].source_id)
    return None


def _posting(
    db: Session, copy: Copy, row: Document, draft: Draft, held: Held, now: datetime, *, by: str
) -> Posting:
    """The posting that is in the books: the one that waited for a person or was set aside, else the next generation."""
    company = db.get_one(Company, copy.company_id)
    former = db.get(Posting, row.posting_id) if row.posting_id else None
    open_end = former is not None and (former.state not in ENDED or may_be_in_books(former))
    posting = former if open_end else None
    if posting is None:
        posting = Posting(
            company_id=company.id, document_id=row.id, ledger_tenant=company.ledger_tenant,
            source_tenant=row.source_tenant, kind=KIND, source_id=row.source_id, operation="create", part="",
            generation=former.generation + 1 if former else 1, marker=marker_of(company, row), created_at=now,
            sends=0, lookups=0, ledger_kind=held.kind, state=PostingState.CONFIRMED, draft=codec.dump(draft),
        )
        db.add(posting)
    posting.state, posting.reasons, posting.renew, posting.confirmed_by = PostingState.CONFIRMED, [], False, by
    posting.ledger_kind, posting.ledger_id, posting.ledger_number = held.kind, held.ledger_id, held.number
    posting.draft = codec.dump(draft)
    posting.plan_digest, posting.changed_at = codec.digest(posting.draft), now
    posting.marked_at = posting.marked_at or now.replace(microsecond=0)
    posting.next_action_at = now
    db.flush()
    row.posting_id = posting.id
    items = codec.load_text(tuple[SourceLine, ...], row.lines) if row.lines else ()
    mine = set(db.scalars(select(ItemClaim.item_id).where(ItemClaim.posting_id == posting.id)))
    db.add_all([
        ItemClaim(company_id=company.id, source_tenant=row.source_tenant, item_id=item, posting_id=posting.id)
        for item in dict.fromkeys(line.id for line in items) if item not in mine
    ])
    return posting


def _complete(
    db: Session, row: Document, posting: Posting, draft: Draft, held: Held, now: datetime, *, who: str
) -> None:
    row.ledger_kind, row.ledger_id, row.ledger_number = held.kind, held.ledger_id, held.number
    row.ledger_total, row.completed_at = held.total, now
    set_flag(row, Flag.DIFFERS, held.total != draft.total)
    set_status(db, row, Status.COMPLETE, [], now)
    text = "Linked to the document {the_ledger} held already" if who else "Found in {the_ledger} by its marker; linked"
    step(db, row, now, "adopted", text, who=who, ledger_id=held.ledger_id, number=held.number, version=held.version)
