"""What people are told without having asked: collected reports, problems, a lost connection, silence.

Effects: rows of the outbox, in the caller's transaction. Addresses of an event that declined it or bounce get
nothing; `addresses.nobody_hears` shows when that leaves nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased, sessionmaker

from domain.formats import format_moment
from domain.ledger_words import words_of
from domain.mails import SILENCE, Event, next_digest, next_problem
from domain.settings import SyncState
from domain.statuses import RunState, Status
from models import Company, Outbox, Run, RunItem
from sync import access, addresses, settings
from sync.outbox import collect, queue_mail


def queue_digest(db: Session, run: Run, now: datetime) -> None:
    """The run is told with the next hourly or daily report. Repeating is safe."""
    current = settings.load_invoices(db, run.company_id)
    for address in addresses.recipients(db, run):
        collect(
            db, run.company_id, "digest", run.id, address, now,
            at=lambda: next_digest(current.scheduled_mails, now, current.time_zone, current.mail_hour),
        )


def queue_problems(db: Session, run: Run, now: datetime, told: Collection[str]) -> None:
    """The run's new problems: the first at once, further ones an hour after the last mail. Repeating is safe.

    `told`: addresses that get the run's own report at once, which has them all.
    """
    if not needs_person(run) and not new_faults(db, [run.id]):
        return
    have = {address.casefold() for address in told}
    for address in addresses.listening(db, run.company_id, Event.PROBLEMS):
        if address.casefold() not in have:
            collect(
                db, run.company_id, "problems", run.id, address, now,
                at=lambda to=address: next_problem(_last_problem(db, run.company_id, to), now),  # type: ignore[misc]
            )


def needs_person(run: Run) -> bool:
    """The run itself ended in a way that waits for somebody: it failed, or stopped for an answer."""
    return run.state == RunState.FAILED or (run.state == RunState.STOPPED and not run.stop_requested)


def new_faults(db: Session, run_ids: Sequence[int]) -> list[RunItem]:
    """Faults of these runs that the document's run before did not end with already, for the same reason."""
    earlier = aliased(RunItem)
    before = (
        select(func.max(earlier.id)).where(
            earlier.document_id == RunItem.document_id, earlier.id < RunItem.id, earlier.run_id.not_in(run_ids)
        ).correlate(RunItem).scalar_subquery()
    )
    rows = db.execute(
        select(RunItem, before).where(RunItem.run_id.in_(run_ids), RunItem.status == Status.FAULT).order_by(RunItem.id)
    ).all()
    known = {row.id: row for row in db.scalars(select(RunItem).where(RunItem.id.in_([id for _, id in rows if id])))}
    latest = {row.document_id: row for row, _ in rows}
    return [
        row for row, id in rows
        if latest[row.document_id] is row and not (id in known and _same(known[id], row))
    ]


def _same(before: RunItem, after: RunItem) -> bool:
    def code(row: RunItem) -> str:
        return str(row.reasons[0]["code"]) if row.reasons else ""

    return before.status == Status.FAULT and code(before) == code(after)


def _last_problem(db: Session, company_id: int, address: str) -> datetime | None:
    """When the last mail about problems to this address went or was to go."""
    return db.execute(
        select(func.max(func.coalesce(Outbox.sent_at, Outbox.created_at))).where(
            Outbox.company_id == company_id, Outbox.kind == "problems", Outbox.recipient == address,
        )
    ).scalar_one_or_none()


# ---- alarms -------------------------------------------------------------------------------------------------


def connection_lost(db: Session, company_id: int, side: str, why: str, now: datetime) -> None:
    """A platform no longer accepts us. Called with the change of the connection's state; at most one mail an hour."""
    company = db.get_one(Company, company_id)
    platform = words_of(company.ledger).the_ledger if side == "ledger" else "Autotask"
    for address in addresses.listening(db, company_id, Event.CONNECTION):
        _alarm(
            db, company, f"connection:{side}:{now:%Y%m%d%H}", address, now, event=Event.CONNECTION,
            title=f"{platform} must be connected again", happened=why,
            why=f"Until then nothing is read from or posted to {platform}. Nothing is lost: what is open goes on by "
                "itself afterwards.",
            todo=["Open Connections.", f"Press Reconnect at {platform} and sign in, or save new credentials."],
            button="Open Connections", path="/connections",
        )


def silence(sessions: sessionmaker[Session], now: datetime) -> int:
    """Tell, once each time, that nothing was checked for 24 hours although syncing is on. Returns how many mails."""
    told = 0
    for company_id in _silent(sessions, now):
        try:
            with sessions() as db, db.begin():
                told += _tell_silence(db, db.get_one(Company, company_id), now)
        except IntegrityError:
            continue  # another scheduler told it in this very moment
    return told


def silent_since(db: Session, company: Company, now: datetime) -> datetime | None:
    """The last successful check when it is more than 24 hours ago and syncing is on; else None."""
    if company.first_posted_at is None:
        return None
    last = company.last_checked_at or company.first_posted_at
    saved = settings.newest(db, company.id)
    if saved is None or settings.from_values(saved.values).sync_state is SyncState.OFF:
        return None
    # Syncing that was switched on a moment ago was not silent for a day.
    return last if max(last, saved.saved_at) <= now - SILENCE else None


def _silent(sessions: sessionmaker[Session], now: datetime) -> list[int]:
    with sessions() as db:
        found = db.scalars(
            select(Company).where(
                Company.first_posted_at.is_not(None),
                func.coalesce(Company.last_checked_at, Company.first_posted_at) <= now - SILENCE,
            )
        ).all()
        return [company.id for company in found if silent_since(db, company, now) is not None]


def _tell_silence(db: Session, company: Company, now: datetime) -> int:
    last = company.last_checked_at or company.first_posted_at or now
    zone = settings.load_invoices(db, company.id).time_zone
    told = 0
    for address in addresses.listening(db, company.id, Event.SILENCE):
        told += _alarm(
            db, company, f"silence:{last.isoformat()}", address, now, event=Event.SILENCE,
            title="Nothing was checked for 24 hours",
            happened=f"Automatic syncing is on, but the last successful check was {format_moment(last, zone)}.",
            why="A connection may be lost, a platform may be away, or Bookbridge itself may not be running.",
            todo=[
                "Open Home: what stands in the way is named there.",
                "Is nothing named, ask whoever runs Bookbridge to look at its worker and scheduler.",
            ],
            button="Open Home", path="/",
        )
    return told


def came_back(db: Session, company_id: int, address: str, why: str, now: datetime) -> None:
    """Mail to an address came back: the admins are told, unless it is their own."""
    company = db.get_one(Company, company_id)
    for admin in access.admins(db, company_id):
        if admin.email.casefold() != address.casefold():
            _alarm(
                db, company, f"bounce:{address.casefold()}:{now.isoformat()}", admin.email, now,
                event=None, title=f"Mail to {address} came back", happened=why,
                why="Nothing more is sent there by itself, so that your mails are not taken for spam.",
                todo=[
                    "Correct or remove the address under Settings, Mails.",
                    "Is the address right after all, press Mail it again there.",
                ],
                button="Open Settings, Mails", path="/settings/mails",
            )


def _alarm(
    db: Session, company: Company, key: str, address: str, now: datetime, *, event: Event | None, title: str,
    happened: str, why: str, todo: list[str], button: str, path: str,
) -> bool:
    data = {
        "event": event, "subject": f"{title} - {company.name}", "title": title, "happened": happened, "why": why,
        "todo": todo, "button": button, "path": path, "detail": "", "at": now.isoformat(),
    }
    return queue_mail(db, company.id, "alert", f"{key}:{address.casefold()}"[:400], address, now, data=data) is not None
