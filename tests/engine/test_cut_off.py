"""The cut-off question: what is dated to a day and not in the books, and why, by the real paths that lead there."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from domain.reasons import reason
from domain.settings import ClosedPeriod
from domain.statuses import Status
from models import Company, Document
from sync import cut_off, decisions, holds, settings, voids
from sync.cut_off import CutOff, Standing
from sync.documents import set_status
from tests.engine.test_reconciling import reconcile
from tests.engine.world import World, furnish, invoice, make_world
from tests.infra.database import Sessions

DAY = date(2026, 11, 15)


@pytest.fixture
def world(sessions: Sessions) -> World:
    made = make_world(sessions)
    furnish(made)
    return made


def asked(world: World, through: date = DAY) -> CutOff:
    with world.sessions() as db:
        return cut_off.answer(db, world.company_id, through)


def told(world: World, through: date = DAY) -> list[tuple[Standing, str]]:
    return [(why, row.source_id) for why, row in asked(world, through).told]


def set_aside(world: World, source_id: str) -> None:
    with world.sessions() as db, db.begin():
        row = db.scalars(select(Document).where(Document.source_id == source_id)).one()
        assert decisions.skip(db, row, why="billed twice", now=world.clock.now(), who="Robin")


def test_what_waits_is_named_and_what_is_dated_later_is_not(world: World) -> None:
    world.source.put(invoice("1"), invoice("2", party=None), invoice("3", document_date=date(2026, 11, 20), party=None))
    world.sync()
    assert told(world) == [(Standing.WAITS, "2")]
    assert told(world, date(2026, 11, 30)) == [(Standing.WAITS, "2"), (Standing.WAITS, "3")]
    assert asked(world).absent == 1


def test_what_a_person_set_aside_or_holds_is_an_exception_and_what_a_rule_skips_is_none(world: World) -> None:
    world.source.put(invoice("1"), invoice("2", party=None), invoice("3", party="176"), invoice("4", "0.00"))
    now = world.clock.now()
    with world.sessions() as db, db.begin():
        holds.hold_party(db, world.company_id, "176", "Customer 176", why="in dispute", now=now, who="Robin")
    world.sync()
    set_aside(world, "2")
    assert world.documents()["4"].reason_code == "zero_total"
    assert told(world) == [(Standing.SET_ASIDE, "2"), (Standing.HELD, "3")]
    assert not asked(world).absent
    assert told(world, date(2026, 11, 12)) == []


def test_what_a_person_set_aside_before_the_start_date_is_not_ours_to_post(world: World) -> None:
    world.source.put(invoice("1", document_date=date(2025, 12, 31)))
    world.sync()
    set_aside(world, "1")
    assert told(world) == []


def test_what_the_newest_comparison_misses_makes_it_a_no_until_it_is_settled(world: World) -> None:
    world.source.put(invoice("1"), invoice("2"))
    world.sync()
    assert not asked(world).told and asked(world).compared_at is None
    [gone, _] = world.books.documents()
    world.books.void(gone.id)
    run = reconcile(world)
    assert told(world) == [(Standing.MISSING, "1")]
    assert asked(world).absent == 1
    assert asked(world).compared_at == run.finished_at
    assert told(world, date(2026, 11, 12)) == []
    gone.live = True
    reconcile(world)
    assert told(world) == [], "the newest comparison counts, not an older one"


def test_what_was_missing_and_was_voided_in_the_source_since_is_not_told(world: World) -> None:
    world.source.put(invoice("1"))
    world.sync()
    world.books.void(str(world.documents()["1"].ledger_id))
    reconcile(world)
    assert told(world) == [(Standing.MISSING, "1")]
    world.source.void("1", world.clock.now())
    world.sync()
    with world.sessions() as db, db.begin():
        assert voids.void(db, db.scalars(select(Document)).one(), now=world.clock.now(), who="Robin")
    world.serve_until_rest()
    assert told(world) == []


def voided(world: World, source_id: str) -> None:
    world.source.void(source_id, world.clock.now())
    world.sync()


def test_what_was_voided_in_the_source_is_in_the_books_and_should_not_be(world: World) -> None:
    """As long as its void waits for a person, is on its way, or is refused; not after a person decided."""
    world.source.put(*(invoice(str(n)) for n in range(1, 6)))
    world.sync()
    for id in ("1", "2", "3", "4"):
        voided(world, id)
    rows = world.documents()
    world.books.pay(rows["2"].ledger_id, "40.00")
    with world.sessions() as db, db.begin():
        for id, decide in (("2", voids.void), ("3", voids.void)):
            assert decide(db, db.get_one(Document, rows[id].id), now=world.clock.now(), who="Robin")
    assert told(world) == [(Standing.UNDUE, id) for id in ("1", "2", "3", "4")], "its void is on its way"
    world.serve_until_rest()
    with world.sessions() as db, db.begin():
        assert voids.keep(db, db.get_one(Document, rows["4"].id), why="agreed", now=world.clock.now(), who="Robin")
    assert world.documents()["2"].reason_code == "void_paid"
    assert told(world) == [(Standing.UNDUE, "1"), (Standing.UNDUE, "2")]
    assert not asked(world).absent


def test_what_was_booked_on_the_first_open_day_is_in_the_books_of_a_later_day(world: World) -> None:
    with world.sessions() as db, db.begin():
        settings.change(db, world.company_id, now=world.clock.now(), user=None, closed_period=ClosedPeriod.OPEN_DAY)
    world.books.closed_through = date(2026, 11, 16)
    world.source.put(invoice("1"), invoice("2", document_date=date(2026, 11, 17)))
    world.sync()
    assert told(world, date(2026, 11, 16)) == [(Standing.LATER, "1")]
    assert not asked(world, date(2026, 11, 16)).absent and told(world, date(2026, 11, 17)) == []


def test_what_was_voided_in_the_source_and_is_gone_from_the_ledger_is_not_told(world: World) -> None:
    world.source.put(invoice("1"))
    world.sync()
    voided(world, "1")
    world.books.void(str(world.documents()["1"].ledger_id))
    reconcile(world)
    assert told(world) == []


def test_a_document_in_the_books_whose_mail_asks_a_person_is_told_only_when_it_is_missing(world: World) -> None:
    world.source.put(invoice("1"))
    world.sync()
    with world.sessions() as db, db.begin():
        row = db.scalars(select(Document)).one()
        set_status(db, row, Status.FAULT, [reason("mail_unsure", number="AT-1")], world.clock.now())
    assert told(world) == []
    world.books.void(str(world.documents()["1"].ledger_id))
    reconcile(world)
    assert told(world) == [(Standing.MISSING, "1")]


def test_another_companys_documents_are_not_told(world: World) -> None:
    world.source.put(invoice("1", party=None))
    world.sync()
    with world.sessions() as db, db.begin():
        other = Company(
            name="Other", ledger="quickbooks", ledger_tenant="9", source_tenant="9", country="US", currency="USD",
            created_at=world.clock.now(), profile={}, setup_step="ready",
        )  # fmt: skip
        db.add(other)
        db.flush()
        assert cut_off.answer(db, other.id, DAY) == CutOff([], None)
