"""What would change: every stored document of the last 30 days planned under the settings that hold and under those
that are wanted. Both are planned by the one `plan`; no platform is called, nothing is posted and no document changes.

Differing documents are `ToolRow`s of the run, counts and sums its summary. Documents without their lines (never read
that far) are left out; the summary says how many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from connectors.ledgers.base import Capabilities
from domain.differences import differences
from domain.money import round_money
from domain.plan import Plan
from domain.reasons import Reason, Turn, reason
from domain.settings import InvoiceSettings
from domain.statuses import RunState
from models import Document, Run, ToolRow
from sync import codec, requests, wanted
from sync.reading import plans_for
from sync.runtime import Runtime
from sync.settings import load_invoices

KIND = "what_if"
DAYS = 30
PAGE = 100


class Effect(StrEnum):
    """What the wanted settings do to one document."""

    POSTS = "would_post"
    WAITS = "would_wait"
    SKIPPED = "would_skip"
    CHANGED = "changed"
    REASON = "other_reason"
    SAME = "same"


@dataclass(slots=True)
class Counted:
    """Count and sum per effect and currency."""

    sums: dict[str, dict[str, tuple[int, Decimal]]] = field(default_factory=dict)

    def add(self, effect: Effect, currency: str, amount: Decimal) -> None:
        by = self.sums.setdefault(str(effect), {})
        count, total = by.get(currency, (0, Decimal(0)))
        by[currency] = (count + 1, total + amount)

    def to_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for effect, by in self.sums.items():
            for currency, (count, total) in by.items():
                told.setdefault(effect, {})[currency] = {"count": count, "amount": str(round_money(total, currency))}
        return told


def run(rt: Runtime, company_id: int, capabilities: Capabilities, run_id: int) -> None:
    """Count, and count again while other answers came meanwhile. Starting it twice or again is safe."""
    while True:
        with rt.sessions() as db, db.begin():
            row, asked = db.get_one(Run, run_id), wanted.kept(db, company_id)
            if row.finished_at is not None:
                return
            db.execute(delete(ToolRow).where(ToolRow.run_id == run_id))
            row.phase, row.step, row.heartbeat_at = "reading", "Planning documents", rt.clock.now()
            if asked is None:  # dropped or saved before it was counted
                requests.finish(db, row, rt.clock.now(), state=RunState.STOPPED)
                return
            version, aim = asked.version, wanted.settings_of(asked)
        summary = _count(rt, company_id, capabilities, run_id, aim)
        with rt.sessions() as db, db.begin():
            row, asked = db.get_one(Run, run_id), wanted.kept(db, company_id)
            if asked is None or asked.version == version:
                requests.finish(db, row, rt.clock.now(), state=RunState.FINISHED)
                row.summary = {**summary, "wanted": version}
                return


def _count(
    rt: Runtime, company_id: int, capabilities: Capabilities, run_id: int, aim: InvoiceSettings
) -> dict[str, Any]:
    with rt.sessions() as db:
        current = load_invoices(db, company_id)
        since = rt.clock.now().astimezone(ZoneInfo(current.time_zone)).date() - timedelta(days=DAYS)
        recent = select(Document.id).where(Document.company_id == company_id, Document.document_date >= since)
        ids = db.scalars(recent.where(Document.lines.is_not(None)).order_by(Document.id.desc())).all()
        unread = db.scalar(select(func.count()).select_from(recent.where(Document.lines.is_(None)).subquery()))
    counted = Counted()
    for start in range(0, len(ids), PAGE):
        with rt.sessions() as db, db.no_autoflush:  # planning notes names at the rows it reads; none of it is kept
            found = _page(db, company_id, ids[start : start + PAGE], capabilities, (current, aim), counted, run_id)
        with rt.sessions() as db, db.begin():
            db.add_all(found)
            row = db.get_one(Run, run_id)
            row.heartbeat_at = rt.clock.now()
            row.step = f"{min(start + PAGE, len(ids)):,} of {len(ids):,} documents planned"
    return {"sums": counted.to_json(), "days": DAYS, "since": since.isoformat(), "unread": unread or 0}


def _page(
    db: Session, company_id: int, ids: Sequence[int], capabilities: Capabilities,
    pair: tuple[InvoiceSettings, InvoiceSettings], counted: Counted, run_id: int,
) -> list[ToolRow]:
    rows = db.scalars(select(Document).where(Document.id.in_(ids)).order_by(Document.id.desc())).all()
    plans = [plans_for(db, company_id, rows, capabilities, settings) for settings in pair]
    found = []
    for document, before, after in zip(rows, *plans, strict=True):
        effect, data = judge(document, before, after, *pair)
        counted.add(effect, document.currency or "", document.total)
        if effect is not Effect.SAME:
            found.append(ToolRow(company_id=company_id, run_id=run_id, outcome=str(effect), data=data))
    return found


def judge(
    row: Document, before: Plan, after: Plan, current: InvoiceSettings, aim: InvoiceSettings
) -> tuple[Effect, dict[str, Any]]:
    """The effect on one document, and what page and CSV show of it."""
    old, new = _reasons(row, before, current), _reasons(row, after, aim)
    changes = []
    if before.draft is not None and after.draft is not None:
        changes = differences(before.draft, after.draft, before.creations, after.creations)
    if old and not new:
        effect = Effect.POSTS
    elif new and not old:
        effect = Effect.SKIPPED if any(each.turn is Turn.SKIP for each in new) else Effect.WAITS
    elif old and new:
        effect = Effect.SAME if {each.code for each in old} == {each.code for each in new} else Effect.REASON
    else:
        effect = Effect.CHANGED if changes else Effect.SAME
    return effect, {
        "document_id": row.id, "source_id": row.source_id, "number": row.number or row.source_id,
        "customer": row.party_name or "", "day": row.document_date.isoformat(),
        "amount": str(round_money(row.total, row.currency or "")),
        "currency": row.currency or "", "status": row.status,
        "before": [each.to_json() for each in old], "after": [each.to_json() for each in new],
        "changes": [codec.dump(each) for each in changes],
    }


def _reasons(row: Document, planned: Plan, settings: InvoiceSettings) -> tuple[Reason, ...]:
    """The plan's reasons, with the start date, which is no matter of a draft."""
    if row.document_date < settings.start_date and row.included_at is None:
        return (reason("before_start", date=row.document_date, start=settings.start_date), *planned.reasons)
    return planned.reasons


def fail(rt: Runtime, run_id: int, message: str) -> None:
    """The count ends as Failed; saving stays possible without it."""
    with rt.sessions() as db, db.begin():
        requests.finish(db, db.get_one(Run, run_id), rt.clock.now(), state=RunState.FAILED, message=message)
