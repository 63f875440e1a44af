"""The engine end to end on the memory ledger: what is in the books is the judge."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import update

from connectors.ledgers.base import Kind
from domain.statuses import PostingState, RunState, Status
from models import CompanyLease, Posting
from sync import due
from tests.engine.world import World, furnish, invoice, make_world
from tests.infra.database import Sessions


@pytest.fixture
def world(sessions: Sessions) -> World:
    made = make_world(sessions)
    furnish(made)
    return made


def numbers(world: World) -> Counter[str]:
    return Counter(entry.number or "" for entry in world.books.documents())


def test_a_sync_posts_every_invoice_once_and_marks_it(world: World) -> None:
    world.source.put(*(invoice(str(n), party=str(175 + n % 3)) for n in range(1, 66)))
    run = world.run(world.sync())
    assert numbers(world) == Counter({f"AT-{n}": 1 for n in range(1, 66)})
    assert (run.state, run.counts) == (RunState.FINISHED, {Status.COMPLETE: 65})
    assert {p.state for p in world.postings()} == {PostingState.DONE}
    assert all(doc.header.marked_at for doc in world.source.contents.values())


def test_full_batches_cross_pages_and_parties_share_one_with_items(world: World) -> None:
    world.source.put(*(invoice(str(n), party=str(175 + n % 3)) for n in range(1, 151)))
    world.sync()
    assert world.books.calls.count("send") == 1 + 5


def test_what_was_written_down_by_a_clock_that_is_ahead_is_neither_forgotten_nor_held_up(world: World) -> None:
    world.source.put(invoice("1", party="175"), invoice("2", party="176"))
    now = world.clock.now()
    world.clock.advance(600)  # of the machine that reads
    world.release()
    world.clock.instant = now
    world.serve_until_rest()
    assert numbers(world) == Counter({"AT-1": 1, "AT-2": 1})
    assert world.clock.now() < now + timedelta(seconds=600)


def test_a_posting_that_is_due_by_a_clock_that_is_ahead_wakes_its_company(world: World) -> None:
    world.source.put(invoice("1"))
    world.release()
    world.dies_at("after_reserve")
    later = world.clock.now() + timedelta(seconds=600)
    with world.sessions() as db, db.begin():
        db.execute(update(Posting).where(Posting.kind == "invoice").values(next_action_at=later))
    world.serve_until_rest()
    assert numbers(world) == Counter({"AT-1": 1})


@pytest.mark.parametrize(("rung_s_ago", "rings"), [(None, True), (11, True), (9, False), (-9, False), (-600, True)])
def test_a_bell_that_a_clock_ahead_dated_into_the_future_keeps_nobody_from_ringing(
    world: World, rung_s_ago: float | None, rings: bool
) -> None:
    """Found by the simulation (seed 30083): ten minutes ahead, and nobody rang for ten minutes."""
    now = world.clock.now()
    with world.sessions() as db, db.begin():
        lease = db.get_one(CompanyLease, world.company_id)
        lease.wake_at = now
        lease.rung_at = None if rung_s_ago is None else now - timedelta(seconds=rung_s_ago)
    with world.sessions() as db:
        assert due.companies_to_ring(db, now, 10.0) == ([world.company_id] if rings else [])


def test_syncing_twice_posts_nothing_new(world: World) -> None:
    world.source.put(invoice("1"), invoice("2"))
    world.sync()
    world.sync()
    assert numbers(world) == Counter({"AT-1": 1, "AT-2": 1})


def test_a_negative_invoice_becomes_a_credit_memo(world: World) -> None:
    world.source.put(invoice("9", "-40.00"))
    world.sync()
    [entry] = world.books.documents()
    assert (entry.kind, str(entry.total)) == (Kind.CREDIT_MEMO, "40.00")


def test_what_cannot_be_posted_says_why_and_the_rest_goes_on(world: World) -> None:
    world.source.put(
        invoice("1"), invoice("2", party=None), invoice("3", "0.00"), invoice("4", number="X" * 40),
    )
    run = world.run(world.sync())
    documents = world.documents()
    assert {key: doc.reason_code for key, doc in documents.items()} == {
        "1": None, "2": "no_customer", "3": "zero_total", "4": "number_too_long",
    }
    assert run.state == RunState.PROBLEMS
    assert run.counts == {Status.COMPLETE: 1, Status.FAULT: 2, Status.SKIPPED: 1}


def test_a_run_above_its_limit_posts_nothing(sessions: Sessions) -> None:
    world = make_world(sessions, run_limit=2)
    furnish(world)
    world.source.put(*(invoice(str(n)) for n in range(3)))
    run = world.run(world.sync(confirmed=False))
    assert run.state == RunState.STOPPED
    assert world.books.documents() == []
    assert "Post all 3" in (run.message or "")


def test_a_run_posts_nothing_when_not_one_of_many_parties_is_known(sessions: Sessions) -> None:
    world = make_world(sessions)
    furnish(world, parties=12)
    for n in range(10):
        world.books.add(Kind.CUSTOMER, f"Dental practice {n}")
    world.source.put(*(invoice(str(n), party=str(175 + n)) for n in range(12)))
    run = world.run(world.sync(confirmed=False))
    assert run.state == RunState.STOPPED
    assert "None of the 12 companies to be billed is among the 10 customers" in (run.message or "")
    assert world.books.documents() == []
    world.books.add(Kind.CUSTOMER, "customer 180")
    world.sync(confirmed=False)
    assert len(world.books.documents()) == 12
