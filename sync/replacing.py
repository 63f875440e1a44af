"""Overwrite, Resync, Replace: a document that is in the books is compared on both sides before anything is written.

Both sides are read now. What we wrote last (the frozen draft), what Autotask gives now and what the ledger holds are
three states; the flags *Changed in Autotask* and *Changed in QuickBooks* say which of the two moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.ledgers.base import Kind
from domain.documents import Draft
from domain.held import Held, compare
from domain.statuses import Flag, PostingState
from models import Company, Document, Posting, Run
from sync import codec, mirror
from sync.copy_outcome import Outcome
from sync.documents import set_flag, step

if TYPE_CHECKING:
    from sync.copying import Copy, Seen

WRITTEN = (PostingState.CONFIRMED, PostingState.DONE)
WRITES = ("create", "update")


def posted(copy: Copy, seen: Seen, document_id: int) -> Mapping[str, Any] | None:
    """What a run does with a document that is in the books: nothing, a comparison, or what a person confirmed."""
    with copy.rt.sessions() as db:
        row = db.get_one(Document, document_id)
        ours = last_written(db, row)
        kind, ledger_id = row.ledger_kind, row.ledger_id
        told = {"ledger_id": ledger_id or "", "ledger_number": row.ledger_number or ""}
    invoice = _invoice(copy, seen, document_id) | told
    if not (copy.asked.overwrite or copy.asked.compare or copy.asked.replace):
        return {"invoice": invoice, "outcome": Outcome.EXISTS}
    copy.scan.progress("Reading the document in the ledger")
    held = copy.ledger.read(Kind(kind or "invoice"), [ledger_id or ""]).get(ledger_id or "") if ours else None
    shown = _compared(copy, seen, ours, held)
    _flag(copy, document_id, shown)
    return {"invoice": invoice, **shown}


def last_written(db: Session, row: Document) -> Draft | None:
    """The frozen draft of our last write that is in the books."""
    posting = db.scalars(
        select(Posting).where(
            Posting.document_id == row.id, Posting.state.in_(WRITTEN), Posting.operation.in_(WRITES),
        ).order_by(Posting.id.desc()).limit(1)
    ).first()
    return codec.load(Draft, posting.draft) if posting is not None else None


def _compared(copy: Copy, seen: Seen, ours: Draft | None, held: Held | None) -> dict[str, Any]:
    """The comparison as it is shown; `obstacles` are why it cannot be replaced in place."""
    fresh = seen.open_plan.draft
    shown: dict[str, Any] = {
        "outcome": Outcome.COMPARE, "source": codec.dump(seen.document), "changes": [], "obstacles": [], "facts": [],
        "held": codec.dump(held) if held is not None else None,
        "draft": codec.dump(fresh) if fresh is not None else None,
        "reasons": [why.to_json() for why in seen.open_plan.reasons],
    }
    if held is None or ours is None:
        shown["gone"] = "deleted"
        return shown
    if not held.live:
        shown["gone"] = "voided"
        return shown
    with copy.rt.sessions() as db:
        closed = mirror.profile_of(db.get_one(Company, copy.company_id)).closed_through
    changes = compare(ours, fresh or ours, held)
    shown["changes"] = [{**asdict(one), "by": _by(one.in_source, one.in_ledger)} for one in changes]
    shown["facts"] = facts_of(held)
    shown["obstacles"] = obstacles(fresh, held, date.fromisoformat(closed) if closed else None)
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
    """Why the ledger's document cannot be replaced in place, in words."""
    found = []
    dates = [day for day in (held.date, fresh.date if fresh else None) if day is not None]
    if closed is not None and any(day <= closed for day in dates):
        found.append(
            f"The books are closed through {closed.isoformat()}: nothing in a closed period is changed. "
            "A credit memo on the first open day corrects it"
        )
    if fresh is None:
        found.append("Autotask's version cannot be posted as it is; the reasons stand below")
        return found
    if fresh.kind != held.kind:
        found.append("It was an invoice and is a credit now, or the other way round: another kind of document")
    if fresh.party.ledger_id is None or fresh.party.ledger_id != held.party_id:
        found.append(f"The customer is {fresh.party.name} now, not {held.party}: payments and address belong to it")
    if any(line.item.ledger_id is None for line in fresh.lines):
        found.append("A line needs an item that does not exist yet: copy missing items first")
    if fresh.total < held.applied:
        found.append(f"{held.applied:,.2f} is paid or credited, more than the new total {fresh.total:,.2f}")
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
        row = db.get_one(Document, document_id)
        run = db.get_one(Run, copy.run_id)
        for flag, on in flags.items():
            set_flag(row, flag, on)
        told = f"{gone.capitalize()} in QuickBooks" if gone else f"{len(shown['changes'])} fields differ"
        step(db, row, now, "compared", f"Compared on both sides: {told}", who=run.requested_by_name)
