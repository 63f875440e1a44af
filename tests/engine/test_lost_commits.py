"""A database connection that is cut in commits, before what they hold is stored and after it (fault F32)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from domain.statuses import PostingState, Status
from models import Company, make_sessions
from sync import gather, requests
from tests.engine.world import World, furnish, invoice, make_world
from tests.infra.database import with_tables

EACH = 7


class Cut:
    """One of `EACH` commits fails, as the driver does: every second after it was stored, the others before."""

    def __init__(self, engine: Engine, first: int) -> None:
        self.seen, self.failed, self.first = 0, 0, first
        self.error = engine.dialect.loaded_dbapi.OperationalError
        self.commit = engine.dialect.do_commit
        engine.dialect.do_commit = self  # type: ignore[method-assign, assignment]

    def __call__(self, connection: Any) -> None:
        self.seen += 1
        fails = self.seen % EACH == self.first
        self.failed += fails
        if not fails or self.failed % 2:
            self.commit(connection)
        if fails:
            raise self.error("the connection was closed")


@pytest.mark.parametrize("first", range(EACH))
def test_whichever_commits_fail_each_invoice_is_in_the_books_once(sqlite_url: str, first: int) -> None:
    engine = with_tables(sqlite_url)
    world = make_world(make_sessions(engine))
    furnish(world)
    world.source.put(invoice("1", "100.00"), invoice("2", "250.00"))
    run_id = press(world)
    gather.scan(world.rt, world.company_id, world.source, world.ledger, run_id)
    cut = Cut(engine, first)
    serve(world)
    assert cut.failed > 1, "stored and not stored"
    assert sorted(one.total or 0 for one in world.books.documents()) == [Decimal(100), Decimal(250)]
    assert {row.status for row in world.documents().values()} == {Status.COMPLETE}
    assert {row.state for row in world.postings()} == {PostingState.DONE}
    assert world.run(run_id).counts == {Status.COMPLETE: 2}


def press(world: World) -> int:
    with world.sessions() as db, db.begin():
        run, _ = requests.ask_sync(
            db, db.get_one(Company, world.company_id), now=world.clock.now(), user=None, confirmed=True
        )
        return run.id


def serve(world: World) -> None:
    """Again each time the database failed it, when the lease that it held has run out."""
    for _ in range(50):
        try:
            return world.serve_until_rest()
        except OperationalError:
            world.clock.advance(world.rt.times.lease + 1)
    raise AssertionError("it never came to its end")
