"""Overwrite, Resync, Replace: a document that is in the books is compared on both sides before anything is written.

Both sides are read now. What we wrote last (the frozen draft), what Autotask gives now and what the ledger holds are
three states; the flags *Changed in Autotask* and *Changed in QuickBooks/Xero* say which of the two moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.ledgers.base import Kind
from domain.documents import Draft, SourceLine
from domain.held import Held, compare
from domain.reasons import Reason, reason
from domain.statuses import OPEN_STATES, Flag, PostingState, Status
from models import Company, Document, Posting, Run, ToolRow
from sync import anew, claims, codec, mirror, operations, release
from sync.copy_outcome import Outcome
from sync.documents import add_to_run, set_flag, set_status, step
from sync.lease import exclusive
from sync.reading import storable

if TYPE_CHECKING:
    from sync.copying import Copy, Seen

WRITTEN = (PostingState.CONFIRMED, PostingState.DONE)
WRITES = ("create", "update")
CONFIRMED = {
    operations.UPDATE: "A person confirmed the replacement",
    operations.REMOVE: "A person confirmed that it is taken out and copied again",
}


def posted(copy: Copy, seen: Seen, document_id: int) -> Mapping[str, Any] | None:
    """What a run does with a document that is in the books: nothing, a comparison, or what a person confirmed."""
    with copy.rt.sessions() as db:
        row = db.get_one(Document, document_id)
        ours = last_written(db, row)
        kind, ledger_id = row.ledger_kind, row.ledger_id
        told = {"ledger_id": ledger_id or "", "ledger_number": row.ledger_number or ""}
    invoice = _invoice(copy, seen, document_id) | told
    if not (copy.asked.overwrite or copy.asked.compare or copy.asked.replace or copy.asked.anew):
        return {"invoice": invoice, "outcome": Outcome.EXISTS}
    copy.scan.progress("Reading the document in the ledger")
    held = copy.ledger.read(Kind(kind or "invoice"), [ledger_id or ""]).get(ledger_id or "") if ours else None
    shown = _compared(copy, seen, document_id, ours, held)
    _flag(copy, document_id, shown)
    draft = seen.open_plan.draft
    if copy.asked.anew:
        return _anew(copy, seen, document_id, {"invoice": invoice, **shown}, held)
    confirmed = copy.asked.replace and shown["outcome"] == Outcome.COMPARE and held is not None and held.live
    if not confirmed or held is None or draft is None or shown["obstacles"]:
        return {"invoice": invoice, **shown}
    if copy.asked.version != held.version:
        return {"invoice": invoice, **shown, "outcome": Outcome.CHANGED}
    return _reserve(copy, seen, document_id, operations.UPDATE, draft, {"invoice": invoice, **shown})


def _anew(
    copy: Copy, seen: Seen, document_id: int, told: dict[str, Any], held: Held | None
) -> Mapping[str, Any] | None:
    """Take out exactly the version that was shown, then post. What is not offered (any more) is shown as it is."""
    draft = seen.planned.draft
    if not told["anew"] or told["anew_obstacles"] or draft is None:
        return told
    if copy.asked.version != (held.version if held is not None and held.live else ""):
        return {**told, "outcome": Outcome.CHANGED}
    return _reserve(copy, seen, document_id, operations.REMOVE, draft, told)


def in_books(db: Session, row: Document) -> bool:
    """It stands in the ledger and nothing of it is under way, whatever became of the last change of it."""
    created = db.get(Posting, row.posting_id) if row.posting_id else None
    if created is None or created.state not in WRITTEN or not row.ledger_id or str(Flag.VOIDED) in (row.flags or []):
        return False
    return db.scalars(select(Posting.id).where(
        Posting.document_id == row.id,
        Posting.operation.in_((operations.VOID, operations.UPDATE, operations.REMOVE)),
        Posting.state.in_((*OPEN_STATES, PostingState.NEEDS_HUMAN)),
    ).limit(1)).first() is None


def _reserve(
    copy: Copy, seen: Seen, document_id: int, operation: str, draft: Draft, told: dict[str, Any]
) -> Mapping[str, Any] | None:
    """The change of exactly the version that was shown; the serving process does the rest. Else why not."""
    now = copy.rt.clock.now()
    with copy.rt.sessions() as db, db.begin():
        exclusive(db, copy.company_id)
        run, row = db.get_one(Run, copy.run_id), db.get_one(Document, document_id)
        db.refresh(row)
        if not in_books(db, row):
            return _refused(told, reason("in_hand"))
        other = claims.take(db, row, [line.id for line in seen.document.lines])
        if other is not None:
            return _refused(told, reason("billed_before", other=other))
        _snapshot(row, seen, now)
        add_to_run(db, run, [row], now)
        terms: dict[str, Any] = {"by": run.requested_by_name, "version": copy.asked.version}
        if operation == operations.REMOVE:
            terms["reviewed"] = release.looked_at(seen.planned)
        posting = operations.reserve(
            db, row, operation, codec.dump(draft), now=now, interactive=1, terms=terms
        )
        waiting = db.scalars(select(ToolRow).where(ToolRow.run_id == run.id).order_by(ToolRow.id).limit(1)).one()
        waiting.posting_id = posting.id  # the run ends when this is settled
        step(db, row, now, operation, CONFIRMED[operation], who=run.requested_by_name, version=copy.asked.version,
             changes=told["changes"])
        run.phase, run.step, run.heartbeat_at = "posting", "Replacing one invoice", now
        kept = {**told, "outcome": "", "released": row.id, "posting": posting.id}
        run.summary = {**(run.summary or {}), **kept}
    copy.rt.ring(copy.company_id)
    return None


def _refused(told: Mapping[str, Any], why: Reason) -> Mapping[str, Any]:
    return {**told, "outcome": Outcome.REFUSED, "reasons": [why.to_json()]}


def _snapshot(row: Document, seen: Seen, now: datetime) -> None:
    """What the source says now, which is what the ledger is about to hold."""
    header = seen.document.header
    row.read_at = row.lines_read_at = now
    row.header = codec.dump(header)
    row.header_hash = codec.digest(row.header)
    row.lines = codec.dump_text(seen.document.lines, tuple[SourceLine, ...])
    row.number, row.party_id, row.document_date = header.number, header.party_id, header.document_date
    row.total, row.tax_total = storable(header.total), storable(header.tax_total)
    row.party_name = seen.party


def last_written(db: Session, row: Document) -> Draft | None:
    """The frozen draft of our last write that is in the books."""
    posting = db.scalars(
        select(Posting).where(
            Posting.document_id == row.id, Posting.state.in_(WRITTEN), Posting.operation.in_(WRITES),
        ).order_by(Posting.id.desc()).limit(1)
    ).first()
    return codec.load(Draft, posting.draft) if posting is not None else None


def _compared(
    copy: Copy, seen: Seen, document_id: int, ours: Draft | None, held: Held | None
) -> dict[str, Any]:
    """The comparison as it is shown; `obstacles` are why it cannot be replaced in place. `anew` says how it could be
    taken out and copied again ("" where that is not called for), `anew_obstacles` why not."""
    fresh = seen.open_plan.draft
    shown: dict[str, Any] = {
        "outcome": Outcome.COMPARE, "source": codec.dump(seen.document), "changes": [], "obstacles": [], "facts": [],
        "held": codec.dump(held) if held is not None else None,
        "draft": codec.dump(fresh) if fresh is not None else None,
        "reasons": [why.to_json() for why in seen.open_plan.reasons], "anew": "", "anew_obstacles": [],
    }
    with copy.rt.sessions() as db:
        row, company = db.get_one(Document, document_id), db.get_one(Company, copy.company_id)
        day = mirror.profile_of(company).closed_through
        closed = date.fromisoformat(day) if day else None
        capabilities = copy.ledger.capabilities
        party_id = seen.document.header.party_id
        against = anew.obstacles(db, row, party_id, seen.planned.draft, held, closed, capabilities)
        was_refused = row.reason_code == "overwrite_refused"
    if held is None or ours is None or not held.live:
        gone = "voided" if held is not None and not held.live else "deleted"
        return shown | {"gone": gone, "anew": anew.verb(held, capabilities), "anew_obstacles": against}
    changes = compare(ours, fresh or ours, held)
    shown["changes"] = [{**asdict(one), "by": _by(one.in_source, one.in_ledger)} for one in changes]
    shown["facts"] = facts_of(held)
    in_place = out_of_place(fresh, held)
    shown["obstacles"] = [*in_place, *obstacles(fresh, held, closed)]
    if in_place or was_refused:
        shown |= {"anew": anew.verb(held, capabilities), "anew_obstacles": against}
    if fresh is not None and not any(one.writes for one in changes):
        shown["outcome"] = Outcome.SAME
    return shown


def _by(source: bool, ledger: bool) -> str:
    return "both" if source and ledger else "source" if source else "ledger"


def facts_of(held: Held) -> list[str]:
    """What happened to the document in the ledger that a person should know before it is changed."""
    found = []
    if held.applied or held.linked:
        by = f" ({', '.join(held.linked)})" if held.linked else ""
        found.append(f"{held.applied:,.2f} of it is paid or credited{by}; that stays applied")
    if held.deposit:
        found.append(f"A deposit of {held.deposit:,.2f} was taken with it")
    if held.mailed:
        found.append("It was mailed to the customer, who has the old version")
    return found


def obstacles(fresh: Draft | None, held: Held, closed: date | None) -> list[str]:
    """Why the ledger's document cannot be changed at all, in words."""
    found = []
    dates = [day for day in (held.date, fresh.date if fresh else None) if day is not None]
    if closed is not None and any(day <= closed for day in dates):
        found.append(
            f"The books are closed through {closed.isoformat()}: nothing in a closed period is changed. "
            "A {credit_memo} on the first open day corrects it"
        )
    if fresh is None:
        found.append("Autotask's version cannot be posted as it is; the reasons stand below")
    elif fresh.total < held.applied:
        found.append(f"{held.applied:,.2f} is paid or credited, more than the new total {fresh.total:,.2f}")
    return found


def out_of_place(fresh: Draft | None, held: Held) -> list[str]:
    """Why another document would have to take its place, in words."""
    if fresh is None:
        return []
    found = []
    if fresh.kind != held.kind:
        found.append("It was an invoice and is a credit now, or the other way round: another kind of document")
    if fresh.party.ledger_id is None or fresh.party.ledger_id != held.party_id:
        found.append(f"The customer is {fresh.party.name} now, not {held.party}: payments and address belong to it")
    if any(line.item.ledger_id is None for line in fresh.lines):
        found.append("A line needs an item that does not exist yet: copy missing items first")
    return found


def _invoice(copy: Copy, seen: Seen, document_id: int) -> dict[str, Any]:
    from sync.copy_outcome import invoice_data

    return invoice_data(seen.document, seen.party, seen.currency, document_id)


def _flag(copy: Copy, document_id: int, shown: Mapping[str, Any]) -> None:
    """Beside the status: which side changed since our last write. Told in the step log when it is new."""
    sides = {one["by"] for one in shown["changes"]}
    gone = shown.get("gone")
    flags = {
        Flag.CHANGED_SOURCE: bool(sides & {"source", "both"}),
        Flag.CHANGED_LEDGER: bool(sides & {"ledger", "both"}) or gone is not None,
    }
    now = copy.rt.clock.now()
    with copy.rt.sessions() as db, db.begin():
        exclusive(db, copy.company_id)  # the list of flags is written as a whole
        row = db.get_one(Document, document_id)
        run = db.get_one(Run, copy.run_id)
        for flag, on in flags.items():
            set_flag(row, flag, on)
        if shown["outcome"] == Outcome.SAME and (row.reason_code or "").startswith("overwrite_"):
            set_status(db, row, Status.COMPLETE, [], now)  # the replacement that failed is not needed any more
        told = gone.capitalize() + " in {the_ledger}" if gone else f"{len(shown['changes'])} fields differ"
        step(db, row, now, "compared", f"Compared on both sides: {told}", who=run.requested_by_name)
