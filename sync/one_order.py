"""Sync one PO: one order by its id, number or address, read, planned and posted at once, as the settings say.

What a person names this way is meant: an order outside the window is taken in, and a mark of another program is named
before anything else. The run ends as every other one, with its report by mail.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.sources.base import Source
from domain.documents import SourceHeader
from domain.order_documents import ORDER
from domain.wanted import wanted
from models import Company, Document, Run, User
from sync import requests
from sync.documents import add_to_run
from sync.reading import touchable

KIND = "one_order"


def ask(
    db: Session, company: Company, asked: str, *, now: datetime, user: User | None, recipients: Sequence[dict[str, Any]]
) -> tuple[Run, bool]:
    """Do It Now. Pressing twice joins the run that is on; the caller enqueues a new one."""
    run, new = requests.ask(
        db, company, kind=KIND, trigger="button", now=now, user=user, recipients=recipients, confirmed=True,
        area="orders",
    )
    if new:
        run.summary = {"asked": asked}
    return run, new


def asked_for(run: Run) -> str:
    return str((run.summary or {}).get("asked") or "")


def find(source: Source, asked: str) -> tuple[SourceHeader | None, str]:
    """The order that is meant, or a sentence why there is none."""
    meant = wanted(asked)
    found = source.headers_by_id(ORDER, [meant.id]) if meant.id else []
    if meant.number:
        known = {one.id for one in found}
        named = source.headers_by_number(ORDER, meant.number)
        found += [one for one in named if one.id not in known]
    if not found:
        return None, f"Autotask shows its API user no purchase order “{asked}”. Look at the id, then Do It Now again."
    if len(found) > 1:
        told = ", ".join(f"id {one.id}" for one in found[:5])
        return None, f"“{asked}” fits {len(found)} purchase orders ({told}). Enter the id of the one you mean."
    return found[0], ""


def take_in(db: Session, run: Run, header: SourceHeader, tenant: str, now: datetime) -> list[int]:
    """The order and its parts as rows of the run; one outside the window is included. What is posted stays as it is,
    and what another open run is about to post stays that one's. Called with nobody else at the documents."""
    rows = db.scalars(select(Document).where(
        Document.company_id == run.company_id, Document.source_tenant == tenant, Document.kind == ORDER,
        Document.source_id == header.id,
    ).order_by(Document.id)).all()
    for row in rows:
        if row.before_start:
            row.before_start, row.included_at = False, now
    mine = [row for row in rows if not _due_elsewhere(db, row, run)]
    if len(mine) < len(rows):
        run.message = "It was about to be posted already: the run that was asked for before tells how that ends."
    add_to_run(db, run, mine, now)
    return [row.id for row in mine if touchable(db, row)]


def _due_elsewhere(db: Session, row: Document, run: Run) -> bool:
    other = db.get(Run, row.run_id) if row.due_at is not None and row.run_id not in (None, run.id) else None
    return other is not None and other.finished_at is None
