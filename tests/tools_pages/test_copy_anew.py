"""Manually Copy where the copy cannot be replaced in place or is gone: out first, then in, never two; whatever dies."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from connectors.ledgers.base import Answer, Batch, Kind, LedgerFault, Refusal, Refused, Sought, Unknown
from connectors.ledgers.memory import Entry, MemoryLedger
from domain.settings import Numbering, SyncState
from domain.statuses import PostingState, Status
from models import Company, ItemClaim, Posting, Run
from sync import holds, tools
from sync.apply import serve
from sync.copy_outcome import KIND, Asked
from tests.engine.test_reconciling import outcomes, reconcile
from tests.engine.world import World, furnish, invoice, line, make_world
from tests.infra.database import Sessions
from tests.tools_pages.test_manual_copy import copy, told


@pytest.fixture
def world(sessions: Sessions) -> World:
    return made(sessions)


@pytest.fixture
def any_world(any_sessions: Sessions) -> World:
    return made(any_sessions)


def made(sessions: Sessions, **changes: Any) -> World:
    world = make_world(sessions, sync_state=SyncState.OFF, **changes)
    furnish(world)
    return world


def live(world: World) -> list[Entry]:
    return world.books.documents()


def other_customer(world: World) -> dict[str, Any]:
    """Posted, then billed to another customer in the source; what the comparison shows."""
    lines = (line("1-1", "60.00"), line("1-2", "40.00", code="2"))
    world.source.put(invoice("1", lines=lines))
    copy(world)
    lines = (line("1-1", "60.00"), line("1-3", "15.00", code="2"))
    world.source.put(invoice("1", total="75.00", party="176", lines=lines, marked_at=mark(world)))
    return copy(world, overwrite=True).summary


def mark(world: World) -> Any:
    return world.source.contents["1"].header.marked_at


def once(world: World, party: str = "Customer 176", total: str = "75.00") -> None:
    """One live document, and that of the right customer; the items are claimed by it alone."""
    [entry] = live(world)
    names = {one.id: one.body.get("name") for one in world.books.entries}
    assert (names[entry.body["party"]], entry.total) == (party, Decimal(total))
    row = world.documents()["1"]
    assert (row.status, row.ledger_id, row.flags) == (Status.COMPLETE, entry.id, [])
    with world.sessions() as db:
        owners = set(db.scalars(select(ItemClaim.posting_id)))
        assert owners == {row.posting_id} and db.get_one(Posting, row.posting_id).state == PostingState.DONE


def test_what_cannot_be_replaced_in_place_is_taken_out_and_copied_after_a_yes(any_world: World) -> None:
    world = any_world
    shown = other_customer(world)
    assert (shown["outcome"], shown["anew"], shown["anew_obstacles"]) == ("compare", "delete", [])
    assert len(live(world)) == 1 and live(world)[0].total == 100, "showing writes nothing"
    run = copy(world, anew=True, version=shown["held"]["version"])
    assert (told(run), run.state) == (("anew", []), "Finished")
    once(world)
    with world.sessions() as db:
        assert sorted(db.scalars(select(ItemClaim.item_id))) == ["1-1", "1-3"], "what left the invoice is free"
    assert told(copy(world, compare=True))[0] == "same"


def test_the_comparison_expects_what_the_new_copy_was_written_with(world: World) -> None:
    """Found by the simulation (seed 53157): what had replaced the former copy in place was expected of the new one."""
    world.source.put(invoice("1"))
    copy(world)
    world.source.put(invoice("1", total="75.00", marked_at=mark(world)))
    shown = copy(world, overwrite=True).summary
    assert told(copy(world, replace=True, version=shown["held"]["version"]))[0] == "replaced"
    assert set(outcomes(world, reconcile(world)).values()) == {"agree"}
    world.source.put(invoice("1", total="75.00", party="176", marked_at=mark(world)))
    shown = copy(world, overwrite=True).summary
    assert told(copy(world, anew=True, version=shown["held"]["version"]))[0] == "anew"
    once(world)
    assert set(outcomes(world, reconcile(world)).values()) == {"agree"}


def test_a_ledger_that_cannot_delete_voids(world: World) -> None:
    world.ledger.capabilities = replace(world.ledger.capabilities, can_delete=frozenset())
    shown = other_customer(world)
    assert shown["anew"] == "void"
    assert told(copy(world, anew=True, version=shown["held"]["version"]))[0] == "anew"
    once(world)
    assert [one.live for one in world.books.documents(live=False)] == [False, True]


def test_an_update_that_was_refused_offers_it(world: World) -> None:
    class Refusing(MemoryLedger):
        def send(self, batch: Batch) -> Answer:
            if batch.members[0].operation != "update":
                return super().send(batch)
            no = Refused((LedgerFault(Refusal.OTHER, "2010", "Not like this."),))
            return Answer({member.short_id: no for member in batch.members}, 200, None)

    world.source.put(invoice("1"))
    copy(world)
    world.ledger = Refusing(world.books)
    world.source.put(invoice("1", total="75.00", marked_at=mark(world)))
    shown = copy(world, overwrite=True).summary
    assert shown["anew"] == "", "in place is offered first"
    assert told(copy(world, replace=True, version=shown["held"]["version"]))[1] == ["overwrite_refused"]
    shown = copy(world, overwrite=True).summary
    assert shown["anew"] == "delete" and len(live(world)) == 1
    assert told(copy(world, anew=True, version=shown["held"]["version"]))[0] == "anew"
    once(world, "Customer 175")


@pytest.mark.parametrize("why", ["paid", "mailed", "closed", "held"])
def test_it_is_not_offered_where_something_would_be_lost(world: World, why: str) -> None:
    shown = other_customer(world)
    [entry] = live(world)
    if why == "paid":
        world.books.pay(entry.id, "10.00")
    elif why == "mailed":
        entry.mailed = True
    elif why == "closed":
        world.books.closed_through = date(2026, 11, 30)
        world.clock.advance(7200)  # the closing date is read again
    else:
        hold(world)
    shown = copy(world, overwrite=True).summary
    assert shown["anew_obstacles"], why
    run = copy(world, anew=True, version=shown["held"]["version"])
    assert told(run)[0] == "compare" and [one.id for one in live(world)] == [entry.id]


def hold(world: World) -> None:
    with world.sessions() as db, db.begin():
        named = {"why": "Disputed", "who": "Ada", "now": world.clock.now()}
        holds.hold_party(db, world.company_id, "176", "Customer 176", **named)  # type: ignore[arg-type]


def test_what_changed_after_it_was_shown_is_left_alone(world: World) -> None:
    shown = other_customer(world)
    [entry] = live(world)
    entry.version += 1
    assert told(copy(world, anew=True, version=shown["held"]["version"]))[0] == "changed"
    assert [one.id for one in live(world)] == [entry.id]


def test_a_payment_between_the_last_look_and_the_removal_stops_it(world: World) -> None:
    class PaidFirst(MemoryLedger):
        def send(self, batch: Batch) -> Answer:
            if batch.members[0].operation == "delete":
                world.books.pay(live(world)[0].id, "10.00")
            return super().send(batch)

    shown = other_customer(world)
    world.ledger = PaidFirst(world.books)
    run = copy(world, anew=True, version=shown["held"]["version"])
    assert told(run) == ("refused", ["remove_changed"])
    [entry] = live(world)
    assert entry.paid == 10 and world.documents()["1"].ledger_id == entry.id


# ---- copy again ---------------------------------------------------------------------------------------------


def test_a_copy_that_somebody_deleted_is_copied_again_once(any_world: World) -> None:
    world = any_world
    world.source.put(invoice("1"))
    copy(world)
    world.books.entries.remove(live(world)[0])
    world.clock.advance(world.rt.times.quarantine)
    shown = copy(world, overwrite=True).summary
    assert (shown["gone"], shown["anew"], shown["anew_obstacles"]) == ("deleted", "again", [])
    assert live(world) == []
    assert told(copy(world, anew=True))[0] == "anew"
    once(world, "Customer 175", "100.00")


def test_a_copy_that_only_was_not_shown_yet_is_not_copied_again(world: World) -> None:
    """Reads lag behind: the ledger is asked until a record of that age would be shown."""
    world.source.put(invoice("1"))
    copy(world)
    [entry] = live(world)
    world.books.hidden_since = entry.created_at
    assert copy(world, overwrite=True).summary["gone"] == "deleted"
    with world.sessions() as db, db.begin():
        asked = Asked("1", anew=True).to_json()
        run, _ = tools.ask(db, db.get_one(Company, world.company_id), KIND, asked, now=world.clock.now(), user=None,
                           recipients=[])
        run_id = run.id
    tools.read(world.rt, world.company_id, world.source, world.ledger, run_id)
    serve(world.rt, world.company_id, world.source, world.ledger)
    world.books.hidden_since = None
    world.serve_until_rest()
    with world.sessions() as db:
        assert told(db.get_one(Run, run_id)) == ("refused", ["remove_changed"])
    assert [one.id for one in live(world)] == [entry.id]


def test_a_voided_copy_keeps_its_number_and_says_so(world: World) -> None:
    world.source.put(invoice("1"))
    copy(world)
    world.books.void(live(world)[0].id)
    shown = copy(world, overwrite=True).summary
    assert shown["gone"] == "voided" and "number stays in use" in shown["anew_obstacles"][0]
    assert told(copy(world, anew=True))[0] == "compare" and live(world) == []


def test_where_the_ledger_numbers_a_voided_copy_is_no_obstacle(sessions: Sessions) -> None:
    world = made(sessions, numbering=Numbering.LEDGER)
    world.books.own_numbers = False
    document = invoice("1")
    world.source.put(replace(document, header=replace(document.header, number=None)))
    copy(world)
    world.books.void(live(world)[0].id)
    assert told(copy(world, anew=True))[0] == "anew"
    [entry] = live(world)
    assert world.source.contents["1"].header.number == entry.number, "the new number stands in the source"


# ---- lost answers and deaths --------------------------------------------------------------------------------


class Scripted(MemoryLedger):
    """From the removal on, sends follow a script; afterwards they are honest."""

    def __init__(self, world: World, *script: str) -> None:
        super().__init__(world.books)
        self.script = list(script)
        self.late: list[Batch] = []

    def send(self, batch: Batch) -> Answer:
        word = self.script.pop(0) if self.script and batch.members[0].kind is Kind.INVOICE else ""
        lost = Answer({member.short_id: Unknown("no answer") for member in batch.members}, None, None)
        if word == "answer lost":
            super().send(batch)
            return lost
        if word == "late":
            self.late.append(batch)
            return lost
        return lost if word == "request lost" else super().send(batch)


@pytest.mark.parametrize("script", [
    ["answer lost"], ["request lost"], ["late"], ["", "answer lost"], ["", "request lost"], ["", "late"],
    ["answer lost", "answer lost"], ["request lost", "", "answer lost"], ["late", "", "late"],
])  # fmt: skip
def test_lost_answers_never_make_two_or_none(any_world: World, script: list[str]) -> None:
    world = any_world
    shown = other_customer(world)
    world.ledger = ledger = Scripted(world, *script)
    run = copy(world, anew=True, version=shown["held"]["version"])
    for batch in ledger.late:
        world.books.execute(batch)
    assert told(run)[0] == "anew"
    once(world)
    assert Counter(one.number for one in live(world)) == {"AT-1": 1}


def test_a_read_that_still_shows_the_old_copy_is_not_taken_for_the_new_one(world: World) -> None:
    """The new copy's answer is lost, and the look-up still shows the deleted one as live."""

    class Lagging(Scripted):
        def find(self, sought: Any) -> Any:
            found = {key: list(rows) for key, rows in super().find(sought).items()}
            if self.removed:
                for one in sought:
                    if one.number == "AT-1":
                        found[one.key].append(stale)
            return found

        @property
        def removed(self) -> bool:
            return not any(entry.id == stale.ledger_id for entry in world.books.entries)

    shown = other_customer(world)
    [stale] = world.ledger.find([Sought("old", Kind.INVOICE, number="AT-1")])["old"]
    world.ledger = Lagging(world, "", "answer lost")
    assert told(copy(world, anew=True, version=shown["held"]["version"]))[0] == "anew"
    once(world)


class Dies(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("nth", range(1, 12))
def test_a_process_may_die_at_any_point_between_out_and_in(any_world: World, nth: int) -> None:
    world, seen = any_world, []
    shown = other_customer(world)
    alive = world.rt

    def die(name: str) -> None:
        seen.append(name)
        if len(seen) == nth:
            raise Dies

    with world.sessions() as db, db.begin():
        asked = Asked("1", anew=True, version=shown["held"]["version"]).to_json()
        run, _ = tools.ask(db, db.get_one(Company, world.company_id), KIND, asked, now=world.clock.now(), user=None,
                           recipients=[])
        run_id = run.id
    tools.read(world.rt, world.company_id, world.source, world.ledger, run_id)
    world.rt = replace(alive, failpoint=die)
    for _ in range(40):
        try:
            serve(world.rt, world.company_id, world.source, world.ledger)
        except Dies:
            assert len(live(world)) <= 1
            break
        world.clock.advance(5)
    world.rt = alive
    world.clock.advance(200)
    world.serve_until_rest()
    assert nth <= len(seen) or nth > 6
    once(world)
    assert told(world.run(run_id))[0] == "anew"
