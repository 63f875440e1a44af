"""`ERROR` in the source: off unless chosen, only where no number stands, gone when the Fault is; whatever dies."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from connectors.errors import PlatformError, Unavailable
from connectors.sources.memory import MemorySource
from domain.settings import MissingItem, Numbering
from domain.statuses import PostingState, Status
from models import Company, Document, ErrorMark, Pause, Step
from sync import decisions, gather, settings
from tests.engine.world import World, furnish, invoice, make_world
from tests.infra.database import Sessions


class Dies(BaseException):
    """The process ends here."""


class Losing(MemorySource):
    """Writing or clearing the word fails once each as planned: before it, or after it was done."""

    def __init__(self, world: World) -> None:
        super().__init__(world.source.tenant)
        self.contents, self.companies, self.lists = world.source.contents, world.source.companies, world.source.lists
        self.plan: list[str] = []

    def set_error(self, kind: str, id: str) -> None:
        self._around(lambda: MemorySource.set_error(self, kind, id))

    def clear_error(self, kind: str, id: str, *, number: str | None) -> None:
        self._around(lambda: MemorySource.clear_error(self, kind, id, number=number))

    def _around(self, call: object) -> None:
        how = self.plan.pop(0) if self.plan else "fine"
        lost: PlatformError = Unavailable("Autotask did not answer completely.", platform="Autotask")
        if how == "before":
            raise lost
        call()  # type: ignore[operator]
        if how == "after":
            raise lost


def marking(sessions: Sessions, numbering: Numbering = Numbering.SOURCE, *, on: bool = True) -> World:
    world = make_world(sessions, missing_item="hold", numbering=numbering)
    furnish(world)
    world.books.own_numbers = numbering is not Numbering.LEDGER
    world.source = Losing(world)
    if on:
        choose(world, mark_errors=True)
    return world


@pytest.fixture
def world(sessions: Sessions) -> World:
    return marking(sessions)


@pytest.fixture
def any_world(any_sessions: Sessions) -> World:
    return marking(any_sessions)


def choose(world: World, **values: object) -> None:
    with world.sessions() as db, db.begin():
        settings.change(db, world.company_id, now=world.clock.now(), user=None, **values)


def bare(world: World, *ids: str) -> None:
    """Invoices without a number of their own."""
    for id in ids:
        made = invoice(id)
        world.source.put(replace(made, header=replace(made.header, number=None)))


def retry(world: World) -> None:
    with world.sessions() as db, db.begin():
        company, faults = db.get_one(Company, world.company_id), db.scalars(select(Document)).all()
        run_id = decisions.retry(db, company, faults, now=world.clock.now(), user=None).id
    gather.scan(world.rt, world.company_id, world.source, world.ledger, run_id)
    world.serve_until_rest()


def rows(world: World) -> list[ErrorMark]:
    with world.sessions() as db:
        return list(db.scalars(select(ErrorMark).order_by(ErrorMark.document_id)))


def test_nothing_is_written_unless_it_was_chosen(sessions: Sessions) -> None:
    world = marking(sessions, on=False)
    bare(world, "1")
    world.sync()
    assert world.documents()["1"].status == Status.FAULT
    assert world.source.failed == set() and rows(world) == []


def test_the_word_stands_while_the_fault_does_and_is_cleared_after_the_retry(any_world: World) -> None:
    world = any_world
    bare(world, "1", "2")
    world.sync()
    assert world.source.failed == {"1", "2"} and {row.state for row in rows(world)} == {"marked"}
    choose(world, missing_item=MissingItem.CREATE)
    retry(world)
    assert world.source.failed == set() and rows(world) == []
    assert {p.state for p in world.postings()} == {PostingState.DONE}
    with world.sessions() as db:
        told = list(db.scalars(select(Step.text).where(Step.name == "error mark").order_by(Step.id)))
    assert told == ["ERROR stands in Autotask where its number would"] * 2 + ["ERROR in Autotask was cleared"] * 2


def test_a_number_of_the_source_is_never_overwritten(world: World) -> None:
    world.source.put(invoice("1"))
    bare(world, "2")
    world.sync()
    assert world.documents()["1"].status == Status.FAULT
    assert world.source.failed == {"2"} and world.source.contents["1"].header.number == "AT-1"


def test_a_number_given_meanwhile_stays(world: World) -> None:
    """The document was read without a number; when the word is about to be written one stands there."""
    bare(world, "1")
    world.sync()
    world.source.clear_error("invoice", "1", number="AT-1")
    with world.sessions() as db, db.begin():
        db.delete(db.scalars(select(ErrorMark)).one())
    choose(world, mark_errors=False)
    choose(world, mark_errors=True)
    world.serve_until_rest()
    [row] = rows(world)
    assert (row.state, row.problem) == ("left", "A number stands there by now")
    assert world.source.contents["1"].header.number == "AT-1" and world.source.failed == set()


def test_a_word_of_another_program_is_not_taken_away(world: World) -> None:
    bare(world, "1")
    world.source.failed.add("1")
    world.sync()
    assert [(row.state, row.problem) for row in rows(world)] == [("left", "Another program had written it before")]
    choose(world, missing_item=MissingItem.CREATE)
    retry(world)
    assert "clear_error" not in world.source.calls and world.source.failed == {"1"}
    assert world.documents()["1"].status == Status.COMPLETE


def test_switching_it_off_clears_every_word(world: World) -> None:
    bare(world, "1", "2")
    world.sync()
    choose(world, mark_errors=False)
    world.serve_until_rest()
    assert world.source.failed == set() and rows(world) == []
    assert {row.status for row in world.documents().values()} == {Status.FAULT}


def test_our_own_word_is_not_taken_for_another_program(sessions: Sessions) -> None:
    """The ledger numbers, so "unsynced" means a blank number: documents that bear the word are still found."""
    world = marking(sessions, Numbering.LEDGER)
    bare(world, *(str(n) for n in range(1, 6)))
    world.sync()
    assert len(world.source.failed) == 5
    for _ in range(3):
        world.clock.advance(600)
        world.sync()
    assert {row.reason_code for row in world.documents().values()} == {"item_missing"}
    with world.sessions() as db:
        assert db.scalars(select(Pause)).all() == []
    choose(world, missing_item=MissingItem.CREATE)
    retry(world)
    numbers = {world.source.contents[id].header.number for id in world.documents()}
    assert numbers == {entry.number for entry in world.books.documents()} and world.source.failed == set()
    assert {p.state for p in world.postings()} == {PostingState.DONE}


@pytest.mark.parametrize("plan", [["before"], ["after"], ["before", "after"], ["after", "fine", "before", "after"]])
def test_lost_answers_change_nothing(any_world: World, plan: list[str]) -> None:
    world, source = any_world, any_world.source
    assert isinstance(source, Losing)
    source.plan = list(plan)
    bare(world, "1")
    world.sync()
    assert source.failed == {"1"} and [row.state for row in rows(world)] == ["marked"]
    choose(world, missing_item=MissingItem.CREATE)
    retry(world)
    assert source.failed == set() and rows(world) == []


@pytest.mark.parametrize("point", ["after_error_mark_intent", "after_error_mark_sent"])
@pytest.mark.parametrize("clearing", [False, True])
def test_a_process_that_dies_is_made_good_by_the_next(any_world: World, point: str, clearing: bool) -> None:
    world, died = any_world, []
    alive = world.rt

    def die(name: str) -> None:
        if name == point and not died:
            died.append(name)
            raise Dies

    bare(world, "1")
    if clearing:
        world.sync()
        choose(world, mark_errors=False)
    world.rt = replace(alive, failpoint=die)
    with pytest.raises(Dies):
        world.serve_until_rest() if clearing else world.sync()
    world.rt = alive
    world.clock.advance(600)  # its lease expires
    world.serve_until_rest()
    assert world.source.failed == (set() if clearing else {"1"})
    assert [row.state for row in rows(world)] == ([] if clearing else ["marked"])
