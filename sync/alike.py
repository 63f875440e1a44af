"""Bills that somebody typed in or another program brought: the ledger is asked before one is posted (R73).

Bills have no number that the ledger keeps unique, so a second copy would be taken without a word. What is found is a
Fault that a person decides: adopt it, post anyway, skip. Looked at once per plan; a Retry looks again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from connectors.errors import PlatformError
from connectors.ledgers.base import Alike, Capabilities, Kind, Ledger
from domain.documents import Draft
from domain.formats import format_day, format_money
from domain.held import Held
from domain.order_documents import ORDER
from domain.order_settings import OrderSettings
from domain.plan import Plan
from domain.reasons import Reason, reason
from domain.statuses import LIVE_STATES, OPEN_STATES, PostingState, Status
from models import Company, Document, ItemClaim, Posting
from sync import codec, orders
from sync.documents import set_status, step
from sync.lease import Lease, exclusive, wake
from sync.looking import may_be_in_books
from sync.reading import marker_of, plans_for
from sync.runtime import Runtime
from sync.settings import load_orders

FRESH = timedelta(minutes=2)
OLD = timedelta(minutes=15)
"""So old is a look at most when the bill goes out: a limit of the ledger may hold it up for hours."""
_UNDER_WAY = (*OPEN_STATES, PostingState.NEEDS_HUMAN, PostingState.SKIPPED)


def look(rt: Runtime, lease: Lease, company_id: int, ledger: Ledger, ids: Sequence[int]) -> bool:
    """Ask the ledger about the bills among these documents. False: it did not answer, so none of them goes now."""
    with rt.sessions() as db:
        sought = _sought(db, company_id, ledger, ids, rt.clock.now())
    if not sought:
        return True
    try:
        found = ledger.alike([one for one, _ in sought])
    except PlatformError:
        return False
    with lease.transaction("Looking for bills that are there already") as db:
        now = rt.clock.now()
        company = db.get_one(Company, company_id)
        ours = _ours(db, company_id, ledger.tenant)
        asked = {int(one.key): of for one, of in sought}
        for row in db.scalars(select(Document).where(Document.id.in_(asked))):
            marker = marker_of(company, row)
            others = [one for one in found.get(str(row.id), ()) if one.ledger_id not in ours and marker not in one.note]
            row.alike = {
                **(row.alike or {}), "looked_at": now.isoformat(), "asked": asked[row.id],
                "found": [_told(one) for one in others],
            }  # fmt: skip
    return True


def _sought(
    db: Session, company_id: int, ledger: Ledger, ids: Sequence[int], now: datetime
) -> list[tuple[Alike, list[str]]]:
    """What the ledger is asked, and what of the draft that is about."""
    rows = [row for row in db.scalars(select(Document).where(Document.id.in_(ids), Document.kind == ORDER))
            if row.lines is not None and not _fresh(row, now)]
    if not rows:
        return []
    settings = load_orders(db, company_id)
    plans = plans_for(db, company_id, rows, ledger.capabilities, settings)
    return [
        (_alike(row, planned.draft, settings), asked) for row, planned in zip(rows, plans, strict=True)
        if planned.draft is not None and (asked := _asked(planned.draft)) is not None
    ]


def _asked(draft: Draft) -> list[str] | None:
    """What of the draft the ledger is asked about; None where nothing can be there: it is no bill, or its vendor is
    new."""
    if draft.kind != Kind.BILL or draft.party.ledger_id is None:
        return None
    return [draft.party.ledger_id, draft.number or "", str(draft.total), draft.date.isoformat()]


def unasked(row: Document, draft: Draft) -> bool:
    """The ledger was asked about another bill than this one: its vendor, number or total are others by now."""
    asked = _asked(draft)
    return asked is not None and (row.alike or {}).get("asked") != asked


def look_again(row: Document) -> None:
    """Prepared again, and looked for before that."""
    row.alike, row.prepared = {**(row.alike or {}), "looked_at": None}, False


def out_of_date(row: Document, now: datetime) -> bool:
    """A bill that was looked for too long ago to be sent on that."""
    looked = _looked_at(row)
    return looked is not None and now - looked >= OLD


def _fresh(row: Document, now: datetime) -> bool:
    looked = _looked_at(row)
    return looked is not None and now - looked < FRESH


def _looked_at(row: Document) -> datetime | None:
    looked = (row.alike or {}).get("looked_at")
    return datetime.fromisoformat(looked) if looked is not None else None


def _alike(row: Document, draft: Draft, settings: OrderSettings) -> Alike:
    span = timedelta(days=settings.duplicate_days)
    return Alike(
        str(row.id), Kind.BILL, draft.party.ledger_id or "", draft.number, draft.total, draft.date - span,
        draft.date + span,
    )


def _ours(db: Session, company_id: int, tenant: str) -> set[str]:
    return set(db.scalars(select(Posting.ledger_id).where(
        Posting.company_id == company_id, Posting.ledger_tenant == tenant, Posting.ledger_kind == Kind.BILL,
        Posting.ledger_id.is_not(None), Posting.operation == "create",
        Posting.state.in_((PostingState.CONFIRMED, PostingState.DONE)),
    )))


def _told(held: Held) -> dict[str, Any]:
    return {
        "id": held.ledger_id, "number": held.number or "", "date": held.date.isoformat() if held.date else "",
        "text": f"{held.number or 'without a number'}, {format_money(held.total, held.currency or '')}"
        + (f", {format_day(held.date)}" if held.date else ""),
    }  # fmt: skip


def objection(db: Session, row: Document, planned: Plan, beside: Sequence[tuple[Document, Draft]]) -> Reason | None:
    """Why it is not posted: a bill that may be the same, about which nobody decided. `beside`: bills that are reserved
    together with it. One of ours counts too, where its vendor gave two orders one number: no ledger is relied on to
    refuse the second."""
    kept, draft = row.alike or {}, planned.draft
    if draft is None or draft.kind != Kind.BILL or kept.get("post_anyway"):
        return None
    told = [one["text"] for one in kept.get("found") or ()][:3] or _same_number(db, row, draft, beside)
    return reason("bill_exists", what="; ".join(told)) if told else None


def _same_number(
    db: Session, row: Document, draft: Draft, beside: Sequence[tuple[Document, Draft]]
) -> list[str]:
    """Bills of ours under this number of this vendor, made for another order."""
    if draft.number is None:
        return []
    with db.no_autoflush:
        rows = db.execute(
            select(Document.number, Document.ledger_number, Posting)
            .join(Posting, Posting.id == Document.posting_id).where(
                Document.company_id == row.company_id, Document.source_tenant == row.source_tenant,
                Document.kind == ORDER, Document.party_id == row.party_id, Document.source_id != row.source_id,
                Posting.ledger_kind == Kind.BILL.value, Posting.state.in_((*LIVE_STATES, PostingState.SKIPPED)),
                or_(Document.ledger_number == draft.number, Posting.state.in_(_UNDER_WAY)),
            )
        ).all()  # fmt: skip
    there = [
        number for number, known, its in rows
        if draft.number in (known, (its.draft or {}).get("number"))
        and (its.state != PostingState.SKIPPED or may_be_in_books(its))
    ]
    there += [other.number for other, its in beside if its.kind == Kind.BILL and its.number == draft.number
              and other.party_id == row.party_id and other.source_id != row.source_id]
    return [f"{draft.number}, made for order {number}" for number in there[:3]]


def post_anyway(db: Session, row: Document, *, why: str, now: datetime, who: str) -> bool:
    """A person says that it is another bill: a recorded exception. The caller retries."""
    exclusive(db, row.company_id)
    db.expire(row)
    if row.status != Status.FAULT or row.reason_code != "bill_exists":
        return False
    row.alike = {**(row.alike or {}), "post_anyway": {"by": who, "at": now.isoformat(), "why": why}}
    set_status(db, row, Status.PENDING, [reason("waits_for_sync")], now)
    step(db, row, now, "decided", f"Another bill, to be posted beside it: {why}", who=who)
    return True


def adopt(
    db: Session, row: Document, capabilities: Capabilities, ledger_id: str, *, why: str, now: datetime, who: str
) -> bool:
    """A person says that one of the bills found is this one: it is linked, and nothing is posted. The caller rings, so
    that the order gets its mark. False: it was not asked about, or is another document's by now."""
    exclusive(db, row.company_id)
    db.expire(row)
    there = next((one for one in (row.alike or {}).get("found") or () if one["id"] == ledger_id), None)
    company = db.get_one(Company, row.company_id)
    taken = ledger_id in _ours(db, row.company_id, company.ledger_tenant or "")
    if row.status != Status.FAULT or row.reason_code != "bill_exists" or there is None or taken:
        return False
    settings = load_orders(db, row.company_id)
    [planned] = plans_for(db, row.company_id, [row], capabilities, settings)
    if planned.draft is None:
        return False
    former = db.get(Posting, row.posting_id) if row.posting_id else None
    posting = Posting(
        company_id=row.company_id, document_id=row.id, ledger_tenant=company.ledger_tenant,
        source_tenant=row.source_tenant, kind=row.kind, source_id=row.source_id, operation="create", part=row.part,
        generation=former.generation + 1 if former else 1, marker=marker_of(company, row), created_at=now, sends=0,
        lookups=0, ledger_kind=Kind.BILL.value, state=PostingState.CONFIRMED, draft=codec.dump(planned.draft),
        ledger_id=ledger_id, ledger_number=there["number"] or None, confirmed_by="person", changed_at=now,
        marked_at=now.replace(microsecond=0), next_action_at=now,
    )
    posting.plan_digest = codec.digest(posting.draft)
    mark = orders.mark_of_order(db, row) or orders.own_mark(posting, settings)
    posting.terms = {"mark": mark}
    db.add(posting)
    db.flush()
    db.add_all([
        ItemClaim(company_id=row.company_id, source_tenant=row.source_tenant, item_id=key, posting_id=posting.id)
        for key in orders.claims(planned)
    ])
    orders.record(row, planned.document, planned.draft)
    row.posting_id, row.ledger_kind, row.ledger_id = posting.id, Kind.BILL.value, ledger_id
    row.ledger_number, row.completed_at = there["number"] or None, now
    set_status(db, row, Status.COMPLETE, [], now)
    text = f"Linked to the bill {{the_ledger}} held already: {why}"
    step(db, row, now, "adopted", text, who=who, ledger_id=ledger_id)
    wake(db, row.company_id, now)
    return True
