"""The state of a connection as people see it: connected, or waiting to be connected again."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.errors import ConsentTooNarrow, NotAllowed, PlatformError
from models import Company, Connection
from sync import alerts

_NARROW = "narrow"
"""In `found`: the consent allows too little."""


def of(db: Session, company_id: int, side: str) -> Connection | None:
    """`side` is `ledger` or `source`."""
    return db.execute(
        select(Connection).where(Connection.company_id == company_id, Connection.side == side)
    ).scalar_one_or_none()


def needs_reconnect(db: Session, company_id: int, side: str, error: PlatformError, now: datetime) -> None:
    """The platform no longer accepts us: shown with Reconnect and mailed. What was open stays and goes on later."""
    row = of(db, company_id, side)
    if row is not None and row.state == "connected":
        row.state, row.problem = "reconnect", error.message
        if isinstance(error, ConsentTooNarrow):
            row.found = {**(row.found or {}), _NARROW: True}
        alerts.connection_lost(db, company_id, side, error.message, now)


def agreed(row: Connection) -> None:
    """A person has just consented: it is connected, whatever was wrong before."""
    row.state, row.problem = "connected", None
    row.found = {name: value for name, value in (row.found or {}).items() if name != _NARROW}


def succeeded(db: Session, company_id: int, side: str, now: datetime) -> None:
    """A call worked. Written at most once a minute. A consent that was too narrow stays so, whatever can be read."""
    row = of(db, company_id, side)
    if row is None:
        return
    if row.state == "reconnect" and not (row.found or {}).get(_NARROW):
        row.state, row.problem = "connected", None
    if row.last_success_at is None or row.last_success_at < now - timedelta(minutes=1):
        row.last_success_at = now


def same_company(db: Session, company_id: int, tenant: str) -> None:
    """The connection leads to the ledger company that this company was joined to, for good.

    Raises NotAllowed where it leads to another one: lists of a stranger would be matched with our customers, and
    everything that waits stays frozen with the pair it was reserved for.
    """
    company = db.get_one(Company, company_id)
    if company.ledger_tenant != tenant:
        raise NotAllowed("The connection leads to another company's books. Connect the right one again.")
