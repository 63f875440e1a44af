"""Who did what, as rows that are only ever added, each carrying the hash of the one before it.

One chain per company; chain 0 is the installation (sign-ins, refused sign-ins). Values of settings and secrets
never stand here: `detail` holds names, counts and ids.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from models import Audit

_START = "0" * 64
_LOCK_CLASS = 7301  # any number of our own: the first half of PostgreSQL's advisory lock key


def record(
    db: Session,
    company_id: int | None,
    now: datetime,
    who: str,
    action: str,
    subject: str = "",
    detail: Mapping[str, Any] | None = None,
) -> Audit:
    """Add one row in the caller's transaction, so that the action and its trace are kept or dropped together."""
    chain = company_id or 0
    _one_at_a_time(db, chain)
    last = db.scalars(select(Audit).where(Audit.chain == chain).order_by(Audit.n.desc()).limit(1)).first()
    row = Audit(
        chain=chain,
        n=last.n + 1 if last else 1,
        company_id=company_id,
        at=now,
        who=who[:320],
        action=action[:60],
        subject=subject[:200],
        detail=dict(detail or {}),
        previous_hash=last.hash if last else _START,
    )
    row.hash = _digest(row)
    db.add(row)
    db.flush()
    return row


def verify(db: Session, company_id: int | None) -> int | None:
    """The number of the first row that was altered, removed or reordered; None when the chain is whole.

    Rows cut off at the end cannot be noticed from here: keep the last hash elsewhere for that.
    """
    previous = _START
    rows = db.scalars(select(Audit).where(Audit.chain == (company_id or 0)).order_by(Audit.n))
    for n, row in enumerate(rows.yield_per(500), 1):
        if row.n != n or row.previous_hash != previous or row.hash != _digest(row):
            return n
        previous = row.hash
    return None


def _digest(row: Audit) -> str:
    values = [
        row.chain,
        row.n,
        row.company_id,
        row.at.astimezone(UTC).isoformat(timespec="microseconds"),
        row.who,
        row.action,
        row.subject,
        row.detail,
        row.previous_hash,
    ]
    text_form = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text_form.encode()).hexdigest()


def _one_at_a_time(db: Session, chain: int) -> None:
    """Writers of one chain follow each other. SQLite needs nothing: its transactions begin as writers."""
    if db.get_bind().dialect.name == "postgresql":
        db.execute(text("SELECT pg_advisory_xact_lock(:class, :chain)"), {"class": _LOCK_CLASS, "chain": chain})
