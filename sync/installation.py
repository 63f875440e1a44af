"""Is this database the one that was here yesterday? A restored one knows less than the ledgers do: posting waits.

One row counts beats. The last beat is remembered outside the database as well (Redis, and a file beside an SQLite
database), and the row names the database that holds it. A database that is behind its own beats, or that is another
one than its row says, was restored: every company is paused until its reconciliation is green (decision 0009).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy import select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from models import Company, Installation
from sync import audit, pauses


class Memory(Protocol):
    """Where a beat is remembered outside the database. Losing it is harmless; it never goes back by itself."""

    def last(self, key: str) -> int | None: ...

    def remember(self, key: str, beat: int) -> None: ...


class BesideFile:
    """In a file beside the SQLite database; it is no part of a backup."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def of(cls, database_url: str) -> BesideFile | None:
        database = make_url(database_url).database
        if not database_url.startswith("sqlite") or not database or database == ":memory:":
            return None
        return cls(Path(f"{database}.beat"))

    def last(self, key: str) -> int | None:
        try:
            kept, _, beat = self._path.read_text(encoding="utf-8").partition(" ")
            return int(beat) if kept == key else None
        except (OSError, ValueError):
            return None

    def remember(self, key: str, beat: int) -> None:
        self._path.write_text(f"{key} {beat}", encoding="utf-8")


def row_of(db: Session) -> Installation | None:
    return db.get(Installation, 1)


def place_of(db: Session) -> str:
    """How the database names itself: PostgreSQL's system, database and timeline. Empty where it cannot tell."""
    if db.get_bind().dialect.name == "sqlite":
        return ""
    asked = (
        "SELECT (SELECT system_identifier FROM pg_control_system()) || ':' || d.oid || ':' ||"
        " (SELECT timeline_id FROM pg_control_checkpoint()) FROM pg_database d WHERE d.datname = current_database()"
    )
    try:
        with db.begin_nested():
            return str(db.execute(text(asked)).scalar_one())
    except DBAPIError:  # not allowed to ask for the control file
        asked = "SELECT 'oid:' || oid FROM pg_database WHERE datname = current_database()"
        return str(db.execute(text(asked)).scalar_one())


def check(sessions: sessionmaker[Session], memories: Sequence[Memory], now: datetime, *, said: bool = False) -> bool:
    """Compare the row with what is remembered; pause every company when the database was restored. True: it was.

    `said`: whoever restored it says so. Every process asks before it begins to work; repeating is safe.
    """
    with sessions() as db, db.begin():
        place = place_of(db)
        row = _locked(db, place, now)
        remembered = [beat for memory in memories if (beat := memory.last(row.key)) is not None]
        elsewhere = bool(row.place) and bool(place) and row.place != place
        behind = any(beat > row.beat for beat in remembered)
        restored = said or behind or elsewhere
        row.place = place
        row.beat = max([row.beat, *remembered]) + 1
        row.beaten_at = now
        if restored:
            _block(db, now, "said" if said else "behind its beats" if behind else "another database")
        key, beat = row.key, row.beat
    for memory in memories:
        memory.remember(key, beat)
    return restored


def _locked(db: Session, place: str, now: datetime) -> Installation:
    """The row, made where there is none, and nobody else's until the transaction ends.

    Several processes start at once: a beat read before another one's was remembered would look like an old database.
    """
    insert = sqlite.insert if db.get_bind().dialect.name == "sqlite" else postgresql.insert
    first = {"id": 1, "key": str(uuid.uuid4()), "beat": 1, "place": place, "beaten_at": now}
    db.execute(insert(Installation).values(first).on_conflict_do_nothing())
    return db.execute(select(Installation).where(Installation.id == 1).with_for_update()).scalar_one()


def beat(sessions: sessionmaker[Session], memories: Sequence[Memory], now: datetime) -> None:
    """One beat, first in the database. A scheduler's work once a minute; several may beat."""
    with sessions() as db, db.begin():
        found = db.execute(
            update(Installation).where(Installation.id == 1)
            .values(beat=Installation.beat + 1, beaten_at=now).returning(Installation.key, Installation.beat)
            .execution_options(synchronize_session=False)
        ).one_or_none()
    if found is not None:
        for memory in memories:
            memory.remember(found[0], found[1])


def _block(db: Session, now: datetime, how: str) -> None:
    """Every company that can post waits for its own reconciliation, which is due at once: also one whose first posting
    the backup does not know."""
    for company in db.scalars(select(Company).where(Company.source_tenant.is_not(None)).order_by(Company.id)):
        pause = pauses.current(db, company.id)
        if pause is not None and pause.code != pauses.RESTORED:
            pauses.resume(db, company.id, now, "the restore, which pauses for another reason")
        pauses.begin(db, company.id, pauses.RESTORED, {"how": how}, now)
        company.reconcile_at = now
        audit.record(db, company.id, now, "Bookbridge", "posting paused", f"the database was restored ({how})")
