"""The mirror of ledger lists: what is believed, and what stops a run before its first write."""

from __future__ import annotations

import pytest

from connectors.errors import Unavailable
from connectors.ledgers.base import Kind
from domain.statuses import RunState
from sync import mirror
from tests.engine.world import World, furnish, invoice, make_world
from tests.infra.database import Sessions


@pytest.fixture
def world(sessions: Sessions) -> World:
    made = make_world(sessions)
    furnish(made)
    for number in range(12):
        made.books.add(Kind.CUSTOMER, f"Known {number}")
    mirror.refresh(made.rt, made.company_id, made.ledger, made.source, whole=True)
    return made


def test_a_customer_list_that_is_suddenly_empty_is_not_believed(world: World) -> None:
    world.books.entries = [entry for entry in world.books.entries if entry.kind is not Kind.CUSTOMER]
    with pytest.raises(Unavailable, match="no customer any more, although 12 were known"):
        mirror.refresh(world.rt, world.company_id, world.ledger, world.source, whole=True)
    with world.sessions() as db:
        assert mirror.counts(db, world.company_id)["customer"] == 12


def test_a_run_stops_there_before_anything_is_written(world: World) -> None:
    world.source.put(invoice("1"))
    world.books.entries = [entry for entry in world.books.entries if entry.kind is not Kind.CUSTOMER]
    world.clock.advance(40 * 86_400)
    run = world.run(world.sync())
    assert run.state == RunState.FAILED
    assert "Nothing was changed" in (run.message or "")
    assert world.books.documents() == []
