"""Reconciling through the engine: the memory ledger is the judge of what stands in the books."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from connectors.errors import NotAllowed
from connectors.ledgers.base import Kind
from connectors.ledgers.memory import MemoryCompany, MemoryLedger
from domain.statuses import RunState
from models import Company, Document, MirrorState, Pause, Run, ToolRow
from sync import mirror, pauses, reconciling, tools, voids
from sync.tool_report import csv_text, rows_of
from tests.engine.world import World, furnish, invoice, make_world
from tests.infra.database import Sessions


@pytest.fixture
def world(sessions: Sessions) -> World:
    made = make_world(sessions)
    furnish(made)
    return made


def reconcile(world: World) -> Run:
    with world.sessions() as db, db.begin():
        run, _ = tools.ask(
            db, db.get_one(Company, world.company_id), reconciling.KIND, {}, now=world.clock.now(), user=None
        )
        run_id = run.id
    tools.carry(world.rt, run_id, lambda kind: reconciling.read(world.rt, world.company_id, world.ledger, run_id))
    return world.run(run_id)


def outcomes(world: World, run: Run) -> dict[str, str]:
    with world.sessions() as db:
        rows = db.scalars(select(ToolRow).where(ToolRow.run_id == run.id))
        return {f"{row.data['number']}/{row.data['ledger_id']}": row.outcome for row in rows}


def test_a_month_that_is_in_the_books_agrees_and_costs_one_look(world: World) -> None:
    world.source.put(*(invoice(str(n), f"{n * 10}.00") for n in range(1, 6)), invoice("6", "-20.00"))
    world.sync()
    world.books.calls.clear()
    run = reconcile(world)
    assert run.summary["counts"] == {"of": 6, "agree": 6, "drift": 0, "missing": 0, "duplicate": 0, "orphan": 0}
    assert run.state == RunState.FINISHED
    assert world.books.calls == ["find"]
    assert run.summary["sums"]["USD"]["ours"] == run.summary["sums"]["USD"]["theirs"]


def test_what_is_gone_twice_unknown_or_changed_is_named(world: World) -> None:
    world.source.put(*(invoice(str(n), f"{n * 10}.00") for n in range(1, 5)))
    world.sync()
    entries = {str(entry.number): entry for entry in world.books.documents()}
    world.books.void(entries["AT-1"].id)
    copy = world.books._store(Kind.INVOICE, {**entries["AT-2"].body, "number": "AT-2b"})
    entries["AT-3"].total, entries["AT-3"].version = Decimal("31.00"), 5
    stranger = world.books._store(Kind.INVOICE, {**entries["AT-4"].body, "marker": "x ref:ZZZZZZZZ", "number": "9"})
    run = reconcile(world)
    found = outcomes(world, run)
    assert found[f"AT-1/{entries['AT-1'].id}"] == "missing"
    assert found[f"AT-2/{copy.id}"] == "duplicate"
    assert found[f"AT-3/{entries['AT-3'].id}"] == "drift"
    assert found[f"9/{stranger.id}"] == "orphan"
    assert run.state == RunState.PROBLEMS
    with world.sessions() as db:
        told = csv_text(db.get_one(Run, run.id), rows_of(db, db.get_one(Run, run.id)), "QuickBooks")
    assert "Total: 30.00 here, 31.00 in the ledger" in told


def test_what_the_ledger_holds_without_our_knowing_is_taken_over_and_not_posted_again(world: World) -> None:
    """As after a restore: the credit is in the books, its number is checked by nobody, and the database forgot it."""
    world.source.put(invoice("1", "-50.00"))
    world.sync()
    posted = world.books.documents()
    world.source.clear_mark("invoice", "1")
    _forget(world)
    with world.sessions() as db, db.begin():
        pauses.begin(db, world.company_id, pauses.RESTORED, {}, world.clock.now())
    world.sync()
    assert world.books.documents() == posted
    run = reconcile(world)
    assert run.summary["counts"]["orphan"] == 1
    with world.sessions() as db:
        assert pauses.current(db, world.company_id) is None, "what is there is looked up before it is sent"
    world.sync()
    assert world.books.documents() == posted
    assert world.documents()["1"].status == "Complete"
    assert world.documents()["1"].ledger_id == posted[0].id


def test_posting_stays_blocked_while_something_is_missing(world: World) -> None:
    world.source.put(invoice("1"), invoice("2"))
    world.sync()
    world.books.void(world.books.documents()[0].id)
    with world.sessions() as db, db.begin():
        pauses.begin(db, world.company_id, pauses.RESTORED, {}, world.clock.now())
    reconcile(world)
    with world.sessions() as db:
        assert pauses.current(db, world.company_id) is not None
        assert db.scalars(select(Pause)).one().code == pauses.RESTORED


def test_another_companys_books_are_not_read(world: World) -> None:
    other = MemoryLedger(MemoryCompany(clock=world.clock.now, tenant="9130000000000099"))
    with pytest.raises(NotAllowed):
        mirror.refresh(world.rt, world.company_id, other, world.source)
    with world.sessions() as db:
        assert db.get_one(MirrorState, world.company_id).watermark is None


def test_the_night_is_three_oclock_where_the_company_is_and_one_scheduler_takes_it(world: World) -> None:
    with world.sessions() as db, db.begin():
        company = db.get_one(Company, world.company_id)
        company.first_posted_at, company.time_zone = world.clock.now(), "America/New_York"
    with world.sessions() as db, db.begin():
        assert reconciling.claim_due(db, world.clock.now()) == [world.company_id]
    with world.sessions() as db, db.begin():
        assert reconciling.claim_due(db, world.clock.now()) == []
        night = db.get_one(Company, world.company_id).reconcile_at
    assert night is not None
    local = night.astimezone(ZoneInfo("America/New_York"))
    assert (local.hour, local.minute) == (3, 0)
    assert timedelta(hours=1) <= night - world.clock.now() <= timedelta(hours=25)


def _forget(world: World, kind: str = "invoice") -> None:
    """The database of before the posting: everything about it is gone."""
    with world.sessions() as db, db.begin():
        for table in ("run_items", "steps", "item_claims", "posting_needs", "attempts", "batches"):
            db.execute(_sql(f"DELETE FROM {table}"))
        db.execute(_sql("UPDATE documents SET posting_id = NULL, run_id = NULL"))
        db.execute(_sql(f"DELETE FROM postings WHERE kind = '{kind}'"))
        db.execute(_sql("DELETE FROM documents"))


def _sql(statement: str):  # type: ignore[no-untyped-def]
    from sqlalchemy import text

    return text(statement)




def test_what_corrects_a_document_of_a_closed_period_agrees_and_is_no_stranger(world: World) -> None:
    world.source.put(invoice("1", "100.00"))
    world.sync()
    world.books.closed_through = date(2026, 11, 30)
    world.source.void("1", world.clock.now())
    for decide in (voids.void, voids.correct):
        world.sync()
        with world.sessions() as db, db.begin():
            row = db.scalars(select(Document)).one()
            assert decide(db, row, now=world.clock.now(), who="Robin")
        world.serve_until_rest()
    run = reconcile(world)
    assert len(world.books.documents()) == 2 and run.summary["green"]
    assert run.summary["counts"] == {"of": 2, "agree": 2, "drift": 0, "missing": 0, "duplicate": 0, "orphan": 0}
    world.books._store(Kind.CREDIT_MEMO, world.books.documents()[1].body)  # a late twin of the correction
    assert sorted(outcomes(world, reconcile(world)).values()) == ["agree", "agree", "duplicate"]
