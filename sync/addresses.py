"""Who is told: addresses of a run and of each event, which of them are known, what each of them declined.

Effects: database only. A stranger's address gets no name and no amount until its owner pressed the notice's button.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.mails import Event, own_domain, unique
from models import Connection, MailAddress, Membership, Run, User
from sync import settings

MAX_RECIPIENTS = 10


def connected_address(db: Session, company_id: int) -> str | None:
    """The address of the person who connected the ledger: where the seeds' apps send everything."""
    return db.execute(
        select(User.email).join(Connection, Connection.connected_by == User.id)
        .where(Connection.company_id == company_id, Connection.side == "ledger")
    ).scalar_one_or_none()


def recipients(db: Session, run: Run) -> list[str]:
    """Addresses of a run's report, each once: an alternate replaces the connected address, others are added."""
    asked = [r for r in run.recipients or [] if r.get("address")]
    alternates = [r["address"] for r in asked if r.get("kind") == "alternate"]
    connected = connected_address(db, run.company_id)
    chosen = alternates or ([connected] if connected else [])
    chosen += settings.load_invoices(db, run.company_id).recipients
    chosen += [r["address"] for r in asked if r.get("kind") != "alternate"]
    return unique(chosen)[:MAX_RECIPIENTS]


def of_event(db: Session, company_id: int, event: Event) -> list[str]:
    """Who hears of an event by the settings: its own addresses, else those of the reports."""
    current = settings.load_invoices(db, company_id)
    own = {
        Event.PROBLEMS: current.problem_recipients, Event.CONNECTION: current.connection_recipients,
        Event.SILENCE: current.silence_recipients,
    }.get(event, ())
    if own:
        return unique(own)
    return of_reports(db, company_id)


def of_reports(db: Session, company_id: int) -> list[str]:
    """Who gets every report: the connected address and those kept in Settings."""
    connected = connected_address(db, company_id)
    kept = settings.load_invoices(db, company_id).recipients
    return unique([*([connected] if connected else []), *kept])[:MAX_RECIPIENTS]


def listening(db: Session, company_id: int, event: Event) -> list[str]:
    """Those of `of_event` who did not decline it and whose mail does not come back."""
    rows = {row.folded: row for row in known_rows(db, company_id)}
    found = []
    for address in of_event(db, company_id, event):
        row = rows.get(address.casefold())
        if row is None or (row.bounced_at is None and event not in (row.muted or [])):
            found.append(address)
    return found


def nobody_hears(db: Session, company_id: int) -> list[Event]:
    """Alarms that reach nobody; shown in Settings and on Home."""
    return [
        event for event in (Event.PROBLEMS, Event.CONNECTION, Event.SILENCE) if not listening(db, company_id, event)
    ]


def is_known(db: Session, company_id: int, address: str) -> bool:
    """Members, addresses kept in Settings, those of the company's own mail domain, and strangers who confirmed."""
    wanted = address.casefold()
    members = db.scalars(
        select(User.email).join(Membership, Membership.user_id == User.id).where(Membership.company_id == company_id)
    ).all()
    if wanted in {known.casefold() for known in (*members, *_kept(db, company_id))}:
        return True
    if own_domain(connected_address(db, company_id) or "", address):
        return True
    row = find(db, company_id, address)
    return row is not None and row.known_at is not None


def _kept(db: Session, company_id: int) -> Iterable[str]:
    current = settings.load_invoices(db, company_id)
    return (
        *current.recipients, *current.problem_recipients, *current.connection_recipients, *current.silence_recipients,
    )


# ---- what is known about one address ------------------------------------------------------------------------


def known_rows(db: Session, company_id: int) -> Sequence[MailAddress]:
    return db.scalars(
        select(MailAddress).where(MailAddress.company_id == company_id).order_by(MailAddress.folded)
    ).all()


def find(db: Session, company_id: int, address: str) -> MailAddress | None:
    return db.scalars(
        select(MailAddress).where(MailAddress.company_id == company_id, MailAddress.folded == address.casefold())
    ).one_or_none()


def row_for(db: Session, company_id: int, address: str, now: datetime) -> MailAddress:
    """The row of an address, made when it is missing."""
    row = find(db, company_id, address)
    if row is None:
        row = MailAddress(
            company_id=company_id, folded=address.casefold(), address=address, muted=[], created_at=now,
        )
        db.add(row)
        db.flush()
    return row


def make_known(db: Session, company_id: int, address: str, now: datetime) -> bool:
    """Its owner pressed the button. True when it was not known before. Repeating is safe."""
    row = row_for(db, company_id, address, now)
    new = row.known_at is None
    row.known_at = row.known_at or now
    return new


def remove(db: Session, row: MailAddress, now: datetime) -> None:
    """An admin takes a confirmed stranger out: notices again, and links from before open nothing."""
    row.known_at, row.removed_at = None, now


def mute(db: Session, company_id: int, address: str, events: Iterable[Event], now: datetime) -> None:
    """From now on the address does not want these events, and wants all others."""
    wanted = [str(event) for event in Event if event in set(events)]
    row_for(db, company_id, address, now).muted = wanted


def declined(db: Session, company_id: int, address: str, event: Event | None) -> str | None:
    """Why nothing is sent to this address by itself; None when mail may go."""
    row = find(db, company_id, address)
    if row is None:
        return None
    if row.bounced_at is not None:
        return f"not sent: mail to this address came back on {row.bounced_at:%d %b %Y}"
    if event is not None and event in (row.muted or []):
        return "not sent: this address does not want such mails"
    return None
