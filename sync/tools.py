"""Runs of the tools: asked for, read, finished, told. Each kind has its own open run; none of them posts a document.

What a tool found are `ToolRow`s and the run's summary. Words, mail and CSV are in `sync/tool_report.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from connectors.errors import PlatformError
from connectors.ledgers.base import Ledger
from connectors.sources.base import Source
from domain.statuses import RunState
from models import Company, Run, ToolRow, User
from sync import reports, requests
from sync.check import check
from sync.runtime import Runtime

Reading = Callable[[Runtime, int, Source, Ledger, int], Mapping[str, Any]]
READINGS: dict[str, Reading] = {"check": check}
"""The reading of each kind of run; returns the summary to keep."""
KINDS = tuple(READINGS)


def ask(
    db: Session, company: Company, kind: str, asked: Mapping[str, Any], *, now: datetime, user: User | None,
    recipients: Sequence[dict[str, Any]] = (),
) -> tuple[Run, bool]:
    """Insert a run of this tool with its fields, or join the open one (whose fields then hold)."""
    run, new = requests.ask(
        db, company, kind=kind, trigger="button", now=now, user=user, recipients=recipients, confirmed=True
    )
    if new:
        run.summary = {"asked": dict(asked)}
    return run, new


def read(rt: Runtime, company_id: int, source: Source, ledger: Ledger, run_id: int) -> None:
    """Carry a tool's run out. Starting it twice or again is safe: the rows of an earlier try are dropped."""
    kind = _begin(rt, run_id)
    if kind is None:
        return
    try:
        summary = READINGS[kind](rt, company_id, source, ledger, run_id)
    except PlatformError as error:
        fail(rt, run_id, error.message)
        return
    with rt.sessions() as db, db.begin():
        finish(db, db.get_one(Run, run_id), rt.clock.now(), summary=summary)


def _begin(rt: Runtime, run_id: int) -> str | None:
    with rt.sessions() as db, db.begin():
        run = db.get_one(Run, run_id)
        if run.finished_at is not None or run.phase not in ("queued", "reading"):
            return None
        run.phase, run.heartbeat_at = "reading", rt.clock.now()
        db.execute(delete(ToolRow).where(ToolRow.run_id == run_id))
        return run.kind


def fail(rt: Runtime, run_id: int, message: str) -> None:
    """The run ends as Failed with a platform's sentence; whoever asked is told."""
    with rt.sessions() as db, db.begin():
        run = db.get_one(Run, run_id)
        finish(db, run, rt.clock.now(), state=RunState.FAILED, message=message)


def finish(
    db: Session, run: Run, now: datetime, *, summary: Mapping[str, Any] | None = None,
    state: RunState = RunState.FINISHED, message: str | None = None,
) -> None:
    """Close the run and queue its mails. Repeating is safe: a finished run stays."""
    if run.finished_at is not None:
        return
    kept = dict(run.summary or {}) | dict(summary or {})
    requests.finish(db, run, now, state=state, message=message)
    run.summary = kept
    for address in reports.recipients(db, run):
        kind = "tool" if reports.is_known(db, run.company_id, address) else "tool_notice"
        reports.queue_mail(
            db, run.company_id, kind, f"run:{run.id}:{address.casefold()}", address, now, run_id=run.id
        )


def last(db: Session, company_id: int, kind: str) -> Run | None:
    """The newest run of a tool, whatever became of it."""
    return db.scalars(
        select(Run).where(Run.company_id == company_id, Run.kind == kind).order_by(Run.id.desc()).limit(1)
    ).first()
