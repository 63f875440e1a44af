"""Error to-dos: one per cause, counted in the source's own list; never two, whatever is lost or dies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from connectors.errors import BadAnswer, NotAllowed, PlatformError, Unavailable
from connectors.sources.base import Todo
from connectors.sources.memory import MemorySource
from domain.todos import Choice, TodoDraft
from models import Company, CompanyLease, Document, TodoRow, TodoState
from sync import decisions, gather, requests, settings, todo_state, todos
from sync.apply import serve
from tests.engine.world import World, furnish, invoice, make_world
from tests.infra.database import Sessions

ON = {"error_todos": True, "todo_action_type": "7", "todo_resource": "29", "missing_item": "hold"}


class Dies(BaseException):
    """The process ends here."""


class Losing(MemorySource):
    """Creating fails in a chosen way, once each: before or after the to-do was made, or made `late` seconds later."""

    def __init__(self, world: World) -> None:
        super().__init__(world.source.tenant)
        self.contents, self.companies, self.lists = world.source.contents, world.source.companies, world.source.lists
        self.plan: list[str] = []
        self.late: list[TodoDraft] = []

    def create_todo(self, draft: TodoDraft) -> str:
        how = self.plan.pop(0) if self.plan else "fine"
        lost = Unavailable("Autotask did not answer completely.", platform="Autotask")
        if how == "before":
            raise lost
        if how == "late":
            self.late.append(draft)
            raise lost
        made = super().create_todo(draft)
        if how == "after":
            raise lost
        if how == "refusal after":
            raise BadAnswer("Autotask refused the request: An error has occurred.", platform="Autotask")
        return made

    def deliver(self) -> None:
        while self.late:
            super().create_todo(self.late.pop())


def with_todos(sessions: Sessions) -> World:
    made = make_world(sessions, **ON)
    furnish(made)
    made.source = Losing(made)
    with made.sessions() as db, db.begin():
        todo_state.choose(db, made.company_id, todo_state.INVOICES, TodoState, True, made.clock.now())
    return made


@pytest.fixture
def world(sessions: Sessions) -> World:
    return with_todos(sessions)


@pytest.fixture
def any_world(any_sessions: Sessions) -> World:
    """On both databases."""
    return with_todos(any_sessions)


def rows(world: World) -> list[TodoRow]:
    with world.sessions() as db:
        return list(db.scalars(select(TodoRow).order_by(TodoRow.id)))


def held(world: World) -> list[Todo]:
    return list(world.source.todos.values())


def create_items(world: World) -> None:
    """The fix: missing items may be created now; all Faults are tried again."""
    with world.sessions() as db, db.begin():
        settings.change(db, world.company_id, now=world.clock.now(), user=None, missing_item="create")
    retry(world)


def retry(world: World) -> None:
    with world.sessions() as db, db.begin():
        company, faults = db.get_one(Company, world.company_id), db.scalars(select(Document)).all()
        run = decisions.retry(db, company, faults, now=world.clock.now(), user=None)
        run_id = run.id
    gather.scan(world.rt, world.company_id, world.source, world.ledger, run_id)
    world.serve_until_rest()


def test_one_todo_per_cause_lists_its_documents_and_is_completed_when_solved(world: World) -> None:
    world.source.put(*(invoice(str(n)) for n in range(1, 41)), invoice("50", code="2"), invoice("51", party=None))
    world.sync()
    found = sorted(held(world), key=lambda one: one.text.split("]")[1])
    assert [one.completed_at for one in found] == [None] * 3
    lab = next(one.text for one in found if "LAB-1" in one.text)
    assert "(40 documents wait)" in lab and "- AT-1, Customer 175" in lab and "- and 15 more" in lab
    assert "Create it in Memory" in lab
    create_items(world)
    assert sorted(one.completed_at is None for one in held(world)) == [False, False, True], "no customer is left"
    assert {row.state for row in rows(world)} == {"done", "open"}


def test_a_todo_follows_its_list_and_is_not_written_at_every_change(world: World) -> None:
    world.source.put(invoice("1"))
    world.sync()
    for n in range(2, 6):
        world.source.put(invoice(str(n)))
        world.sync()
    assert world.source.calls.count("create_todo") == 1
    assert world.source.calls.count("change_todo") <= 4
    [one] = held(world)
    assert "(5 documents wait)" in one.text


def step(world: World) -> datetime | None:
    """Serve once, then let time pass to the next wake-up, which is returned."""
    serve(world.rt, world.company_id, world.source, world.ledger)
    with world.sessions() as db:
        wake = db.get_one(CompanyLease, world.company_id).wake_at
    world.clock.instant = max(world.clock.instant, wake or world.clock.instant)
    return wake


@pytest.mark.parametrize("plan", [["after"], ["before"], ["before", "after"], ["refusal after"], ["late"]])
def test_a_lost_answer_never_makes_a_second_one(any_world: World, plan: list[str]) -> None:
    world, source = any_world, any_world.source
    assert isinstance(source, Losing)
    source.plan = plan
    source.put(invoice("1"))
    began = world.clock.now()
    read(world)
    step(world)
    while (woken := step(world)) is not None:
        if source.late and woken > began + timedelta(seconds=100):
            source.deliver()  # it was on its way for minutes, and arrives before the second look
    assert len(held(world)) == 1
    assert [(row.state, row.todo_id) for row in rows(world)] == [("open", held(world)[0].id)]


def read(world: World) -> int:
    """Sync Now, read and not yet served."""
    with world.sessions() as db, db.begin():
        company = db.get_one(Company, world.company_id)
        run_id = requests.ask_sync(db, company, now=world.clock.now(), user=None, confirmed=True)[0].id
    gather.scan(world.rt, world.company_id, world.source, world.ledger, run_id)
    return run_id


@pytest.mark.parametrize("point", ["after_todo_intent", "after_todo_sent"])
def test_a_process_that_dies_leaves_one(any_world: World, point: str) -> None:
    """The dead process holds its lease until it expires; the next one looks first."""
    world = any_world
    world.source.put(invoice("1"))
    read(world)
    died: list[str] = []

    def fail(name: str) -> None:
        if name == point and not died:
            died.append(name)
            raise Dies

    mortal = replace(world.rt, failpoint=fail, worker="worker-that-dies")
    world.rt, immortal = mortal, world.rt
    with pytest.raises(Dies):
        while step(world) is not None:
            assert not died
    world.rt = immortal

    world.clock.advance(100)
    world.serve_until_rest()
    assert len(held(world)) == 1 and [row.state for row in rows(world)] == ["open"]


def test_what_a_person_completed_stays_so_until_there_is_news(world: World) -> None:
    world.source.put(invoice("1"))
    world.sync()
    [first] = held(world)
    world.source.complete_todo(first.id, first.text, world.clock.now())
    world.source.put(invoice("2"))
    world.sync()
    world.clock.advance(600)
    world.serve_until_rest()
    assert [row.state for row in rows(world)] == ["closed"], "the second document was on it when it was closed"
    world.source.put(invoice("3"))
    world.sync()
    assert [row.state for row in rows(world)] == ["closed", "open"]
    assert "(3 documents wait)" in held(world)[1].text


def test_a_deactivated_person_makes_todos_wait_and_says_so(world: World) -> None:
    source = world.source
    source.staff = replace(source.staff, people=(Choice("29", "Billing Desk", active=False), Choice("30", "New Hand")))
    source.put(invoice("1"))
    world.sync()
    with world.sessions() as db:
        told = todo_state.problem_of(db, world.company_id)
    assert told is not None and told.code == "todo_resource_gone" and "Billing Desk" in told.sentence()
    assert held(world) == []
    with world.sessions() as db, db.begin():
        settings.change(db, world.company_id, now=world.clock.now(), user=None, todo_resource="30")
    world.serve_until_rest()
    assert len(held(world)) == 1 and rows(world)[0].resource_name == "New Hand"


@pytest.mark.parametrize("error", [
    NotAllowed("The Autotask user may not do this with CompanyToDos.", platform="Autotask"),
    BadAnswer("Autotask refused the request: no.", platform="Autotask"),
])
def test_a_refusal_is_told_tried_again_and_holds_up_no_document(
    world: World, error: PlatformError, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(draft: TodoDraft) -> str:
        raise error

    monkeypatch.setattr(world.source, "create_todo", refuse)
    world.source.put(invoice("1"), invoice("2", code="2"))
    read(world)
    for _ in range(6):
        step(world)
    assert {row.problem for row in rows(world)} == {str(error)}
    monkeypatch.undo()
    world.clock.advance(7200)
    world.serve_until_rest()
    assert len(held(world)) == 2 and {row.problem for row in rows(world)} == {None}


def test_switched_off_they_are_completed_and_nothing_new_is_made(world: World) -> None:
    world.source.put(invoice("1"))
    world.sync()
    with world.sessions() as db, db.begin():
        settings.change(db, world.company_id, now=world.clock.now(), user=None, error_todos=False)
    world.serve_until_rest()
    world.source.put(invoice("2", code="2"))
    world.sync()
    assert [one.completed_at is None for one in held(world)] == [False]


def test_many_subjects_of_one_code_share_a_todo() -> None:
    made: Callable[[int], Document] = lambda n: Document(  # noqa: E731
        id=n, reasons=[{"code": "item_missing", "params": {"item": f"I{n}"}}])
    few, many = todos.causes(map(made, range(3)), "QuickBooks"), todos.causes(map(made, range(30)), "QuickBooks")
    assert len(few) == 3 and list(many) == ["item_missing"] and len(many["item_missing"].documents) == 30
    assert list(todos.causes(map(made, range(3)), "QuickBooks", frozenset({"item_missing"}))) == ["item_missing"]
