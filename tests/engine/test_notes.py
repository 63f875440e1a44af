"""A note in the ledger's history: once for each document, whatever answer is lost or process dies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connectors.http import LostAnswer
from connectors.ledgers.base import Kind
from connectors.ledgers.memory import MemoryLedger
from domain.statuses import PostingState, Status
from sync import attaching
from tests.engine.world import World, furnish, invoice, make_world
from tests.infra.database import Sessions


class Scripted(MemoryLedger):
    """Notes follow a script of words; afterwards they are honest."""

    def __init__(self, world: World, *script: str) -> None:
        super().__init__(world.books)
        self.script = list(script)
        self.looks = 0

    def noted(self, kind: Kind, ledger_id: str, marker: str) -> bool:
        self.looks += 1
        return super().noted(kind, ledger_id, marker)

    def note(self, kind: Kind, ledger_id: str, text: str) -> None:
        word = self.script.pop(0) if self.script else ""
        if word != "never arrived":
            super().note(kind, ledger_id, text)
        if word:
            raise LostAnswer("The ledger did not answer.")


def noting(sessions: Sessions, *script: str, **settings: Any) -> tuple[World, Scripted]:
    world = make_world(sessions, history_note=True, **settings)
    furnish(world)
    ledger = Scripted(world, *script)
    world.ledger = ledger
    world.source.put(invoice("1"), invoice("2", "-40.00"))
    return world, ledger


@pytest.mark.parametrize("script", [[], ["answer lost"], ["never arrived"], ["answer lost", "never arrived"]])
def test_one_note_stands_there_whatever_answer_is_lost(any_sessions: Sessions, script: list[str]) -> None:
    world, ledger = noting(any_sessions, *script)
    world.sync()
    told = sorted(text.partition("): ")[2] for _, text in world.books.notes)
    assert told == [f"Autotask invoice AT-{id}, id {id}, of 2026-11-13." for id in ("1", "2")]
    assert {one.state for one in world.postings() if one.operation == attaching.NOTE} == {PostingState.DONE}
    assert {row.status for row in world.documents().values()} == {Status.COMPLETE}
    assert bool(ledger.looks) is bool(script), "what was never sent needs no look"


@pytest.mark.parametrize("point", ["before_note", "after_note"])
def test_a_process_that_dies_around_the_note_leaves_one(any_sessions: Sessions, point: str) -> None:
    world, _ = noting(any_sessions)

    def die(name: str) -> None:
        if name == point:
            raise SystemExit

    honest = world.rt
    world.rt = replace(world.rt, failpoint=die)
    with pytest.raises(SystemExit):
        world.sync()
    world.rt = honest
    world.clock.advance(world.rt.times.lease + 1)
    world.serve_until_rest()
    assert len(world.books.notes) == 2 and len({record for record, _ in world.books.notes}) == 2


def test_the_text_begins_with_the_marker_and_fits(sessions: Sessions) -> None:
    world, ledger = noting(sessions)
    ledger.capabilities = replace(ledger.capabilities, note_length=40)
    world.sync()
    assert all(len(text) <= 40 and "(ref:" in text[:20] for _, text in world.books.notes)
