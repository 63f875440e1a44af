"""The drill: back up, go on posting, restore, and let the reconciliation set posting free. SQLite and PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from domain.statuses import Status
from models import Company, Document, MirrorState, Pause, make_engine, make_sessions
from sync import installation, pauses, reconciling, tools
from tests.engine.world import World, furnish, invoice, make_world
from tools import backup


class Kept:
    """What remembers the beats outside the database, such as Redis."""

    def __init__(self) -> None:
        self.beats: dict[str, int] = {}

    def last(self, key: str) -> int | None:
        return self.beats.get(key)

    def remember(self, key: str, beat: int) -> None:
        self.beats[key] = beat


def test_after_a_restore_nothing_is_posted_twice_and_posting_waits_for_the_reconciliation(
    database_url: str, tmp_path: Path
) -> None:
    world, kept = _posted_a_month(database_url), Kept()
    installation.check(world.sessions, [kept], world.clock.now())
    saved = tmp_path / "saved"
    backup.make(database_url, saved)
    with pytest.raises(backup.BackupError):
        backup.make(database_url, saved)
    installation.beat(world.sessions, [kept], world.clock.now())
    # What is posted now is in no backup: an invoice under our number, and a credit whose number nobody checks. The
    # marks of both are lost, so that the source offers them again.
    world.source.put(invoice("4"), invoice("5", "-60.00"))
    world.clock.advance(120)
    world.sync()
    for id in ("4", "5"):
        world.source.clear_mark("invoice", id)
    books = {entry.id for entry in world.books.documents()}
    assert len(books) == 5
    world.sessions.kw["bind"].dispose()

    backup.restore(database_url, saved)
    assert installation.check(world.sessions, [kept], world.clock.now()) is True
    world.sync()
    assert {entry.id for entry in world.books.documents()} == books, "nothing goes while posting is paused"

    run_id = _reconcile(world)
    assert world.run(run_id).summary["counts"]["orphan"] == 2
    with world.sessions() as db:
        assert pauses.current(db, world.company_id) is None
    world.sync()
    assert {entry.id for entry in world.books.documents()} == books, "what was there is taken over"
    with world.sessions() as db:
        rows = db.scalars(select(Document)).all()
        assert {row.status for row in rows} == {Status.COMPLETE}
        assert db.scalars(select(Pause)).one().ended_by == "the reconciliation"
    assert world.run(_reconcile(world)).summary["green"] is True


def _posted_a_month(url: str) -> World:
    world = make_world(url)
    furnish(world)
    world.source.put(invoice("1"), invoice("2"), invoice("3", "-20.00"))
    world.sync()
    with world.sessions() as db, db.begin():
        db.get_one(Company, world.company_id).first_posted_at = world.clock.now()
        assert db.get_one(MirrorState, world.company_id).unknown_in_ledger is None
    return world


def _reconcile(world: World) -> int:
    with world.sessions() as db, db.begin():
        run, _ = tools.ask(
            db, db.get_one(Company, world.company_id), reconciling.KIND, {}, now=world.clock.now(), user=None
        )
        db.flush()
        run_id = run.id
    tools.carry(world.rt, run_id, lambda kind: reconciling.read(world.rt, world.company_id, world.ledger, run_id))
    return run_id


def test_a_backup_that_is_not_there_changes_nothing(database_url: str, tmp_path: Path) -> None:
    make_world(database_url)
    with pytest.raises(backup.BackupError):
        backup.restore(database_url, tmp_path / "missing")
    with make_sessions(make_engine(database_url))() as db:
        assert db.scalars(select(Company)).all()
