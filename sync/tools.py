"""Runs of the tools: asked for and read. Each kind has its own open run; none of them posts a document.

What a tool found are `ToolRow`s and the run's summary; `sync/reports.py` closes the run. Words, mail and CSV are in
`sync/tool_report.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from connectors.errors import PlatformError, RetryLater
from connectors.ledgers.base import Ledger
from connectors.sources.base import Source
from domain.statuses import RunState
from models import Company, Run, ToolRow, User
from sync import list_compare, previewing, reports, requests
from sync.check import check
from sync.comparing import COPY, copy_missing, read_comparison
from sync.copy_outcome import KIND as MANUAL_COPY
from sync.copying import read_copy
from sync.runtime import Runtime

Reading = Callable[[Runtime, int, Source, Ledger, int], Mapping[str, Any] | None]
READINGS: dict[str, Reading] = {
    "check": check, "compare": read_comparison, COPY: copy_missing, list_compare.KIND: list_compare.read,
    previewing.KIND: previewing.read_preview,
    MANUAL_COPY: read_copy,
}
"""The reading of each kind of run; returns the summary to keep, None when the serving process ends the run."""
KINDS = reports.TOOLS
PATIENCE = timedelta(minutes=2)


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
    """Carry a tool's run out. Starting it twice or again is safe: the rows of an earlier try are dropped.

    A platform that asks for patience gets it, for two minutes in all; then the run fails with its sentence.
    """
    carry(rt, run_id, lambda kind: READINGS[kind](rt, company_id, source, ledger, run_id))


def carry(rt: Runtime, run_id: int, reading: Callable[[str], Mapping[str, Any] | None]) -> None:
    """As `read`, for a tool that does not need both platforms. `reading` gets the kind of run."""
    give_up = rt.clock.now() + PATIENCE
    while (kind := _begin(rt, run_id)) is not None:
        try:
            summary = reading(kind)
        except RetryLater as error:
            if error.until > give_up:
                fail(rt, run_id, error.message)
                return
            rt.pause(max(0.05, (error.until - rt.clock.now()).total_seconds()))
            continue
        except PlatformError as error:
            fail(rt, run_id, error.message)
            return
        if summary is not None:
            with rt.sessions() as db, db.begin():
                reports.finish_tool(db, db.get_one(Run, run_id), rt.clock.now(), summary=summary)
        return


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
        reports.finish_tool(db, run, rt.clock.now(), state=RunState.FAILED, message=message)


def last(db: Session, company_id: int, kind: str) -> Run | None:
    """The newest run of a tool, whatever became of it."""
    return db.scalars(
        select(Run).where(Run.company_id == company_id, Run.kind == kind).order_by(Run.id.desc()).limit(1)
    ).first()
