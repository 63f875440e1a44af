"""How a restored database is recognised, and what it stops: SQLite and PostgreSQL, with and without what remembers."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from models import Company, Installation, Pause, make_engine, make_sessions
from sync import installation, pauses

NOW = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)


@dataclass
class Kept:
    """What remembers in these tests, such as a Redis that was not restored along."""

    beats: dict[str, int] = field(default_factory=dict)

    def last(self, key: str) -> int | None:
        return self.beats.get(key)

    def remember(self, key: str, beat: int) -> None:
        self.beats[key] = beat


def company(sessions: sessionmaker[Session]) -> int:
    with sessions() as db, db.begin():
        row = Company(
            name="Harbor Point IT", ledger="quickbooks", ledger_tenant="1", source_tenant="2", created_at=NOW,
            profile={}, setup_step="ready", first_posted_at=NOW,
        )  # fmt: skip
        db.add(row)
        db.flush()
        return row.id


def paused(sessions: sessionmaker[Session]) -> list[str]:
    with sessions() as db:
        return list(db.scalars(select(Pause.code).where(Pause.ended_at.is_(None))))


def test_a_database_that_goes_on_is_never_taken_for_a_restored_one(migrated_url: str) -> None:
    sessions, kept = make_sessions(make_engine(migrated_url)), Kept()
    company(sessions)
    assert installation.check(sessions, [kept], NOW) is False
    for _ in range(3):
        installation.beat(sessions, [kept], NOW)
        assert installation.check(sessions, [kept], NOW) is False
    assert installation.check(sessions, [Kept()], NOW) is False, "a Redis that was emptied proves nothing"
    assert paused(sessions) == []


def test_a_database_behind_its_own_beats_pauses_every_company(migrated_url: str) -> None:
    sessions, kept = make_sessions(make_engine(migrated_url)), Kept()
    company(sessions)
    installation.check(sessions, [kept], NOW)
    with sessions() as db, db.begin():
        db.get_one(Installation, 1).beat -= 1  # what a backup of a minute ago would hold
    assert installation.check(sessions, [Kept(), kept], NOW) is True
    assert paused(sessions) == [pauses.RESTORED]
    assert installation.check(sessions, [kept], NOW) is False, "it is told once"
    assert paused(sessions) == [pauses.RESTORED], "and stays until it is green"


def test_a_row_that_names_another_database_pauses_every_company(migrated_postgres_url: str) -> None:
    """As after `pg_restore` into a new database, or a failover to a replica that was promoted."""
    sessions = make_sessions(make_engine(migrated_postgres_url))
    company(sessions)
    installation.check(sessions, [], NOW)
    with sessions() as db, db.begin():
        row = db.get_one(Installation, 1)
        assert row.place.count(":") >= 1
        row.place = "7000000000000000000:16384:1"
    assert installation.check(sessions, [], NOW) is True
    assert paused(sessions) == [pauses.RESTORED]


def test_a_file_that_was_copied_back_is_recognised_by_the_one_beside_it(
    migrated_sqlite_url: str, tmp_path: Path
) -> None:
    path = Path(migrated_sqlite_url.removeprefix("sqlite:///"))
    beside = installation.BesideFile.of(migrated_sqlite_url)
    assert beside is not None
    engine = make_engine(migrated_sqlite_url)
    sessions = make_sessions(engine)
    company(sessions)
    installation.check(sessions, [beside], NOW)
    backup = tmp_path / "backup.sqlite"
    with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(backup)) as new:
        old.backup(new)
    installation.beat(sessions, [beside], NOW)
    engine.dispose()
    for leftover in (f"{path}-wal", f"{path}-shm"):
        Path(leftover).unlink(missing_ok=True)
    shutil.copyfile(backup, path)
    again = make_sessions(make_engine(migrated_sqlite_url))
    assert installation.check(again, [beside], NOW) is True
    assert paused(again) == [pauses.RESTORED]
    assert installation.BesideFile.of("postgresql+psycopg://db/app") is None


def test_whoever_restored_it_can_say_so(migrated_sqlite_url: str) -> None:
    sessions = make_sessions(make_engine(migrated_sqlite_url))
    company(sessions)
    installation.check(sessions, [], NOW)
    assert installation.check(sessions, [], NOW, said=True) is True
    assert paused(sessions) == [pauses.RESTORED]


def test_processes_that_start_at_once_find_no_restored_database(migrated_url: str) -> None:
    """Each of them reads the row and what is remembered while the others count their beats."""
    sessions = make_sessions(make_engine(migrated_url))
    company(sessions)
    kept, start = Kept(), threading.Barrier(4)

    def ask(_process: int) -> list[bool]:
        start.wait(timeout=10)
        return [installation.check(sessions, [kept], NOW) for _ in range(10)]

    with ThreadPoolExecutor(4) as processes:
        found = [restored for one in processes.map(ask, range(4)) for restored in one]
    assert found == [False] * 40
    assert paused(sessions) == []
