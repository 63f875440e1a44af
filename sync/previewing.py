"""A batch previewed: documents planned from what is stored, added up and kept as a run's result. No platform is asked.

The rows keep what was looked at (`domain/changes.py`), so that posting from the result posts that and nothing else.
A small batch is carried out while the page waits, a large one by a worker; both the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.ledgers.base import Capabilities, Ledger
from connectors.sources.base import Source
from domain.batch import Batch
from domain.documents import PartyDraft
from domain.plan import Plan
from domain.reasons import Reason, reason
from domain.stages import Outcome, outcome_of
from domain.statuses import Status
from models import Document, Run, ToolRow
from sync import holds, release, reports
from sync.areas import INVOICES, by_area
from sync.preview import Accounts
from sync.reading import plans_for
from sync.runtime import Runtime

KIND = "preview"
AT_ONCE = 50
"""Documents that are previewed while the page waits; more are a worker's job."""
PAGE = 100


def chosen(db: Session, company_id: int, asked: Mapping[str, Any]) -> list[int]:
    """Ids of the documents meant: those ticked, a customer's invoices, or all invoices that are pending."""
    statement = select(Document.id).where(
        Document.company_id == company_id, Document.before_start.is_(False),
    ).order_by(Document.document_date, Document.id)
    if asked.get("ids") is not None:
        return list(db.scalars(statement.where(Document.id.in_([int(each) for each in asked["ids"]]))))
    statement = statement.where(Document.status == Status.PENDING, Document.kind == INVOICES.kind)
    if asked.get("party"):
        statement = statement.where(Document.party_id == asked["party"])
    return list(db.scalars(statement))


def at_once(rt: Runtime, company_id: int, capabilities: Capabilities, run_id: int) -> None:
    """Carry a small preview out now, and end its run."""
    summary = _carry_out(rt, company_id, capabilities, run_id)
    with rt.sessions() as db, db.begin():
        reports.finish_tool(db, db.get_one(Run, run_id), rt.clock.now(), summary=summary)


def read_preview(
    rt: Runtime, company_id: int, source: Source, ledger: Ledger, run_id: int
) -> Mapping[str, Any]:
    """The reading of a large preview. Neither platform is called: what is stored is planned."""
    return _carry_out(rt, company_id, ledger.capabilities, run_id)


def _carry_out(rt: Runtime, company_id: int, capabilities: Capabilities, run_id: int) -> dict[str, Any]:
    with rt.sessions() as db:
        asked = (db.get_one(Run, run_id).summary or {}).get("asked") or {}
        ids = chosen(db, company_id, asked)
    batch, counts = Batch(), dict.fromkeys(map(str, Outcome), 0)
    for start in range(0, len(ids), PAGE):
        with rt.sessions() as db, db.begin():
            rows = _page(db, company_id, ids[start : start + PAGE], capabilities, batch, run_id)
            for row in rows:
                counts[row.outcome] += 1
            db.add_all(rows)
            run = db.get_one(Run, run_id)
            run.step, run.heartbeat_at = f"Planning: {start + len(rows):,} of {len(ids):,}", rt.clock.now()
    return {"asked": asked, "totals": batch.to_json(), "counts": {name: n for name, n in counts.items() if n}}


def _page(
    db: Session, company_id: int, ids: Sequence[int], capabilities: Capabilities, batch: Batch, run_id: int
) -> list[ToolRow]:
    with db.no_autoflush:
        wanted = select(Document).where(Document.id.in_(ids)).order_by(Document.document_date, Document.id)
        found = db.scalars(wanted).all()
        read = [row for row in found if row.lines is not None]
        plans = {
            row.id: planned for area, part in by_area(read)
            for row, planned in zip(part, plans_for(db, company_id, part, capabilities, area.load(db, company_id)),
                                    strict=True)
        }
        held = holds.reasons(db, company_id, found)
        accounts = Accounts.of(db, company_id)
        made = [_row(db, row, plans.get(row.id), held.get(row.id), accounts, batch, run_id) for row in found]
    for row in found:
        db.expunge(row)  # planning notes a name and a currency on its rows; a preview changes nothing
    return made


def _row(
    db: Session, row: Document, planned: Plan | None, held: Reason | None, accounts: Accounts, batch: Batch, run_id: int
) -> ToolRow:
    reasons = _against(row, planned, held)
    draft = planned.draft if planned is not None and not reasons else None
    outcome = outcome_of(reasons)
    if draft is not None and planned is not None:
        batch.add(draft, accounts.journal(db, draft, planned.creations))
    data = {
        "document_id": row.id, "source_id": row.source_id, "number": row.number or row.source_id,
        "customer": draft.party.name if draft else row.party_name, "day": row.document_date.isoformat(),
        "amount": str(row.total), "currency": row.currency, "tax": str(row.tax_total),
        "reasons": [why.to_json() for why in reasons], "notes": list(draft.notes) if draft else [],
        "creates": [made.name for made in planned.creations if isinstance(made, PartyDraft)] if planned else [],
        "seen": release.looked_at(planned) if planned is not None and draft is not None else None,
    }
    return ToolRow(company_id=row.company_id, run_id=run_id, outcome=str(outcome), data=data)


def _against(row: Document, planned: Plan | None, held: Reason | None) -> tuple[Reason, ...]:
    """Every reason why a document would not be posted now, a person's decision first."""
    if row.status in (Status.COMPLETE, Status.PROCESSING) or row.reason_code == "skipped_by_person":
        kept = tuple(Reason.from_json(value) for value in row.reasons)
        return kept or (reason("already_posted"),)
    first = (held,) if held is not None else ()
    if planned is None:
        return (*first, reason("waits_for_reading"))
    return (*first, *planned.reasons)


def seen(db: Session, company_id: int, run_id: int) -> dict[int, dict[str, Any]]:
    """Document id → what this preview showed of it, for what could be posted."""
    rows = db.scalars(select(ToolRow).where(
        ToolRow.company_id == company_id, ToolRow.run_id == run_id, ToolRow.outcome == str(Outcome.READY)
    ))
    return {int(row.data["document_id"]): row.data["seen"] for row in rows if row.data.get("seen")}
