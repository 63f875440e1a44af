"""Compare Billing Codes and Items: shows how they match, and on request creates what is missing, in bulk and once.

The comparison reads only. A creation is a posting like any other (key, frozen payload, look-up after a lost answer):
it is reserved here and sent by the serving process; the unique identity row absorbs whatever is asked for twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from connectors.ledgers.base import Kind, Ledger
from connectors.sources.base import Source
from domain.compare import Compared, Result, compare, missing_items
from domain.documents import ItemDraft
from domain.known import Facts, Lists
from domain.reasons import Reason
from domain.settings import InvoiceSettings, MatchBy
from domain.statuses import PostingState
from models import Company, Posting, Run, ToolRow
from sync import codec, mirror
from sync.lease import exclusive, wake
from sync.lists import facts, item_lists
from sync.runtime import Runtime
from sync.settings import load_invoices

COPY = "copy_items"
"""The kind of the run that creates."""
CREATED, REFUSED = "created", "refused"
ENDED = (PostingState.REJECTED, PostingState.SKIPPED, PostingState.DONE)
"""After these a missing item is created anew, as the next generation."""


def match_of(run: Run, settings: InvoiceSettings) -> MatchBy:
    """`Match Item Using` of the run; the field of Settings where it does not say."""
    asked = ((run.summary or {}).get("asked") or {}).get("match_by")
    return MatchBy(asked) if asked else settings.match_by


def read_comparison(rt: Runtime, company_id: int, source: Source, ledger: Ledger, run_id: int) -> Mapping[str, Any]:
    """Read the lists, compare, keep one row per billing code. Raises PlatformError; safe to repeat."""
    read_lists(rt, company_id, source, ledger)
    with rt.sessions() as db, db.begin():
        run = db.get_one(Run, run_id)
        _, rows = _compare(db, run, ledger)
        return {"counts": _counts([row.outcome for _, row in rows])}


def copy_missing(rt: Runtime, company_id: int, source: Source, ledger: Ledger, run_id: int) -> Mapping[str, Any] | None:
    """Compare, and reserve the creation of what is missing. None: the run goes on in the serving process."""
    read_lists(rt, company_id, source, ledger)
    with rt.sessions() as db, db.begin():
        exclusive(db, company_id)
        run = db.get_one(Run, run_id)
        the_facts, rows = _compare(db, run, ledger)
        account = load_invoices(db, company_id).created_item_account or ""
        drafts = missing_items(tuple(one for one, _ in rows), account, the_facts)
        company, now = db.get_one(Company, company_id), rt.clock.now()
        for one, row in rows:
            if one.code.id in drafts:
                row.posting_id = _reserve(db, company, drafts[one.code.id], now).id
        summary = {"counts": _counts([row.outcome for _, row in rows])}
        if not drafts:
            return summary
        run.summary = {**(run.summary or {}), **summary}
        run.phase, run.step, run.heartbeat_at = "posting", f"Creating {len(drafts):,} items", now
        wake(db, company_id, now)
    rt.ring(company_id)
    return None


def read_lists(rt: Runtime, company_id: int, source: Source, ledger: Ledger) -> None:
    """What changed in the ledger (one metered read), and the billing codes as they are now."""
    mirror.refresh(rt, company_id, ledger, None)
    mirror.refresh_catalog(rt, company_id, source)


def _compare(db: Session, run: Run, ledger: Ledger) -> tuple[Facts, list[tuple[Compared, ToolRow]]]:
    company = db.get_one(Company, run.company_id)
    the_facts = facts(mirror.profile_of(company), ledger.capabilities)
    match_by = match_of(run, load_invoices(db, run.company_id))
    lists: Lists = item_lists(db, run.company_id, mirror.catalog_of(db, run.company_id))
    rows = []
    for one in compare(lists, match_by, the_facts):
        row = ToolRow(company_id=run.company_id, run_id=run.id, outcome=one.result, data=_data(one))
        db.add(row)
        rows.append((one, row))
    db.flush()
    return the_facts, rows


def _data(one: Compared) -> dict[str, Any]:
    return {
        "code_id": one.code.id, "code": one.code.name, "number": one.code.number or "", "name": one.name,
        "item_id": one.item.id if one.item else "", "item": one.item.name if one.item else "",
        "type": str(one.item.details.get("type") or "") if one.item else "", "notes": list(one.notes),
    }


def _counts(outcomes: list[str]) -> dict[str, int]:
    return {str(result): outcomes.count(result) for result in Result if result in outcomes}


def _reserve(db: Session, company: Company, draft: ItemDraft, now: datetime) -> Posting:
    """The posting that creates this item: the open one, else a new one. Never changes what may have been sent."""
    known = _newest(db, company, draft.key)
    if known is None or known.state in ENDED:
        made = Posting(
            company_id=company.id, ledger_tenant=company.ledger_tenant, source_tenant=company.source_tenant or "",
            kind=Kind.ITEM.value, source_id=draft.key, operation="create", part="",
            generation=known.generation + 1 if known else 1, ledger_kind=Kind.ITEM.value, state=PostingState.NEW,
            draft=codec.dump(draft), plan_digest=codec.digest(codec.dump(draft)), created_at=now, changed_at=now,
            next_action_at=now, sends=0, lookups=0,
        )
        try:
            with db.begin_nested():
                db.add(made)
            return made
        except IntegrityError:  # the serving process reserved it for an invoice at this moment
            known = _newest(db, company, draft.key)
            if known is None:
                raise
    db.execute(
        update(Posting).where(Posting.id == known.id, Posting.state == PostingState.NEW).values(next_action_at=now)
        .execution_options(synchronize_session=False)
    )
    return known


def _newest(db: Session, company: Company, key: str) -> Posting | None:
    return db.scalars(
        select(Posting).where(
            Posting.company_id == company.id, Posting.ledger_tenant == company.ledger_tenant,
            Posting.source_tenant == (company.source_tenant or ""), Posting.kind == Kind.ITEM.value,
            Posting.source_id == key, Posting.operation == "create",
        ).order_by(Posting.generation.desc()).limit(1)
    ).first()


def settle_rows(db: Session, run: Run) -> dict[str, int]:
    """What became of each item that was asked for; returns the counts of the finished run.

    Codes of one name have one item: the first is Created, the others are Shared, so that Created counts items.
    """
    rows = db.scalars(select(ToolRow).where(ToolRow.run_id == run.id).order_by(ToolRow.id)).all()
    told_of: set[int] = set()
    for row in rows:
        posting = db.get(Posting, row.posting_id) if row.posting_id else None
        if posting is None:
            continue
        if posting.state == PostingState.DONE:
            again = posting.id in told_of
            told_of.add(posting.id)
            row.outcome = Result.SHARED if again else CREATED
            row.data = {**row.data, "item_id": posting.ledger_id, "item": row.data["name"]}
        else:
            told = [Reason.from_json(value).sentence() for value in posting.reasons or []]
            row.outcome, row.data = REFUSED, {**row.data, "notes": told or ["It was not created"]}
    outcomes = [row.outcome for row in rows]
    return {outcome: outcomes.count(outcome) for outcome in dict.fromkeys(outcomes)}
