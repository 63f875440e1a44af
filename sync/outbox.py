"""Putting mails into the outbox: in the transaction of what they tell, once each. Sending is `sync/mail.py`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import MailRun, Outbox


def queue_mail(
    db: Session, company_id: int, kind: str, dedupe: str, recipient: str, now: datetime, *,
    run_id: int | None = None, data: dict[str, Any] | None = None, at: datetime | None = None,
) -> Outbox | None:
    """Queue a mail, due `at` (now unless given), unless one with this key exists; then None. Repeating is safe."""
    known = db.execute(
        select(Outbox.id).where(Outbox.company_id == company_id, Outbox.dedupe == dedupe)
    ).first()
    if known is not None:
        return None
    row = Outbox(
        company_id=company_id, kind=kind, dedupe=dedupe, run_id=run_id, recipient=recipient, data=data or {},
        state="due", tries=0, next_at=at or now, created_at=now,
    )
    db.add(row)
    return row


def collect(
    db: Session, company_id: int, kind: str, run_id: int, recipient: str, now: datetime, *,
    at: Callable[[], datetime],
) -> None:
    """Let the next mail of this kind to this address tell of the run; `at` says when a new one is due.

    A mail that is already being sent takes nothing more: the run then goes with a new one. Repeating is safe.
    """
    row = db.scalars(
        select(Outbox).where(
            Outbox.company_id == company_id, Outbox.kind == kind, Outbox.state == "due", Outbox.tries == 0,
            Outbox.recipient == recipient,
        ).order_by(Outbox.id.desc()).limit(1).with_for_update()
    ).first()
    if row is None:
        row = queue_mail(db, company_id, kind, f"{kind}:{run_id}:{recipient.casefold()}", recipient, now, at=at())
        if row is None:
            return
        db.flush()
    if db.get(MailRun, (row.id, run_id)) is None:
        db.add(MailRun(outbox_id=row.id, run_id=run_id, company_id=company_id))
