"""Mail to customers, attachments and error to-dos (domain/catalogue/mailing.py, todos.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from connectors.errors import BadAnswer, NotAllowed, Unavailable
from connectors.ledgers.base import Kind, Refusal
from connectors.ledgers.memory import Entry
from domain.documents import Party
from domain.settings import MissingItem
from domain.statuses import Status
from domain.todos import Choice, TodoDraft
from models import TodoState
from sync import attaching, delivery, todo_state
from tests.catalogue.stage import Case, Stage, Where, invoice
from tests.engine.test_todos import step

MAILS = {"mail_customers": True}
TODOS = {"error_todos": True, "todo_action_type": "7", "todo_resource": "29", "missing_item": MissingItem.HOLD}
ADDRESS = "ap@customer175.example"


def _post(stage: Stage, *, email: str | None = ADDRESS) -> None:
    stage.ledger.concerns = lambda member: member.operation == "send"
    stage.world.source.put_party(Party("175", "Customer 175", email=email))
    stage.put(invoice("1"))
    stage.sync()


def _unsure(stage: Stage) -> None:
    stage.books.shows_mails = False
    stage.loses()
    _post(stage)


def _decide(act: Callable[..., bool]) -> Callable[[Stage], None]:
    """A button on the document's page."""

    def press(stage: Stage) -> None:
        stage.honest()
        assert stage.with_row(lambda db, row: act(db, row, now=stage.world.clock.now(), who="Robin"))
        stage.rest()
        assert (stage.row.status, stage.row.flags) == (Status.COMPLETE, [])

    return press


def _mailed(stage: Stage) -> None:
    """The address is entered in the ledger, and the mail is asked for again."""
    for entry in stage.books.documents():
        entry.body = {**entry.body, "email": ADDRESS}
    _decide(delivery.send_again)(stage)
    assert len(stage.books.mails) == 1


def _refused(stage: Stage) -> None:
    stage.refuses(Refusal.OTHER, "6000", "The mail limit of today is reached.")
    _post(stage)


def _meanwhile(change: Callable[[Stage, Entry], object]) -> Callable[[Stage], None]:
    """Somebody does something to the document between the posting and the mail."""

    def provoke(stage: Stage) -> None:
        def quicker(name: str) -> None:
            if name == "after_confirm":
                for entry in stage.books.documents():
                    change(stage, entry)

        stage.world.rt = replace(stage.world.rt, failpoint=quicker)
        _post(stage)

    return provoke


def _no_pdf(stage: Stage) -> None:
    def away(kind: str, id: str) -> bytes:
        raise Unavailable("Autotask did not send a PDF of this invoice.")

    stage.world.source.original = away  # type: ignore[method-assign]
    _post(stage)


def _attach(stage: Stage) -> None:
    del stage.world.source.original
    _decide(attaching.try_again)(stage)
    assert len(stage.books.files) == 1


def _no_note(stage: Stage) -> None:
    def refuse(kind: Kind, ledger_id: str, text: str) -> None:
        raise BadAnswer("The history takes no notes today.")

    stage.ledger.note = refuse  # type: ignore[method-assign]
    _post(stage)


def _write(stage: Stage) -> None:
    del stage.ledger.note
    _decide(attaching.try_again)(stage)
    assert len(stage.books.notes) == 1


def _todo(before: Callable[[Stage], object]) -> Callable[[Stage], None]:
    """To-dos are wanted, something is wrong with them, and there is a Fault to tell of."""

    def provoke(stage: Stage) -> None:
        with stage.world.sessions() as db, db.begin():
            todo_state.choose(
                db, stage.world.company_id, todo_state.INVOICES, TodoState, True, stage.world.clock.now())
        before(stage)
        stage.put(invoice("1"))
        stage.press()
        for _ in range(6):  # a refused to-do is tried again for ever, ever more slowly
            step(stage.world)
        assert (stage.row.reason_code, stage.world.source.todos) == ("item_missing", {}), "documents are not held up"
        with stage.world.sessions() as db:
            found = todo_state.problem_of(db, stage.world.company_id)
        stage.told = [found] if found is not None else []

    return provoke


def _staff(**changes: Any) -> Callable[[Stage], None]:
    def change(stage: Stage) -> None:
        stage.world.source.staff = replace(stage.world.source.staff, **changes)

    return change


def _may_not(stage: Stage) -> None:
    def refuse(draft: TodoDraft) -> str:
        raise NotAllowed("The Autotask user may not do this with CompanyToDos.", platform="Autotask")

    stage.world.source.create_todo = refuse  # type: ignore[method-assign]


def _written(change: Callable[[Stage], object]) -> Callable[[Stage], None]:
    """What the fix says, and an hour: the to-do is there."""

    def mend(stage: Stage) -> None:
        change(stage)
        stage.refresh()
        stage.world.clock.advance(3700)
        stage.rest()
        assert len(stage.world.source.todos) == 1
        with stage.world.sessions() as db:
            assert todo_state.problem_of(db, stage.world.company_id) is None

    return mend


def _may(stage: Stage) -> None:
    del stage.world.source.create_todo


PEOPLE = (Choice("29", "Billing Desk"),)
TYPES = (Choice("7", "To-Do: Phone Call"),)
CASES: dict[str, Case] = {
    "mail_unsure": Case(_unsure, _decide(delivery.it_was_sent), on=(), left=1, settings=MAILS),
    "mail_no_address": Case(
        lambda s: _post(s, email=None), _mailed, on=(), where=Where.FOLLOWS, left=1, settings=MAILS),
    "mail_refused": Case(_refused, _mailed, on=(), where=Where.FOLLOWS, left=1, settings=MAILS),
    "mail_gone": Case(
        _meanwhile(lambda s, entry: s.books.void(entry.id)), on=(), where=Where.FOLLOWS, ends=0, settings=MAILS),
    "mail_zero": Case(
        _meanwhile(lambda s, entry: setattr(entry, "total", Decimal(0))), on=(), where=Where.FOLLOWS, left=1,
        settings=MAILS,
    ),
    "not_attached": Case(_no_pdf, _attach, on=(), where=Where.FOLLOWS, left=1, settings={"attach_pdf": True}),
    "not_noted": Case(_no_note, _write, on=(), where=Where.FOLLOWS, left=1, settings={"history_note": True}),
    "todo_resource_gone": Case(
        _todo(_staff(people=(replace(PEOPLE[0], active=False),))), _written(_staff(people=PEOPLE)), on=(),
        where=Where.TOLD, ends=0, settings=TODOS,
    ),
    "todo_action_gone": Case(
        _todo(_staff(action_types=(replace(TYPES[0], active=False),))), _written(_staff(action_types=TYPES)), on=(),
        where=Where.TOLD, ends=0, settings=TODOS,
    ),
    "todo_lists_hidden": Case(
        _todo(_staff(readable=False)), _written(_staff(readable=True)), on=(), where=Where.TOLD, ends=0,
        settings=TODOS,
    ),
    "todo_refused": Case(
        _todo(_may_not), _written(_may), on=(), where=Where.TOLD, ends=0, settings=TODOS),
}
