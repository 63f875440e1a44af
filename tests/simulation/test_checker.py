"""The checker of the simulation says what is wrong: each thing that may be wrong is planted once in a finished world.

A plant is a few lines that spoil books, source, mailbox or database (`wrong_*.py`); what the checker must then say
stands above them.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation import wrong_books, wrong_mails, wrong_records
from tests.simulation.campaign import BUSY, FOUND_WITHIN, SETTLES_WITHIN, Simulation, template
from tests.simulation.planting import PLANTS, Planted, finished, planted

pytestmark = pytest.mark.timeout(300)
COPIES = itertools.count()
PARTS = (wrong_books, wrong_records, wrong_mails)
"""Whose plants are in `PLANTS`."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    path = tmp_path_factory.mktemp("finished") / "world.sqlite"
    shutil.copyfile(template(), path)
    made = finished(path)
    yield made
    made.watcher.db.close()
    made.engine.dispose()


@pytest.fixture
def world(whole: Simulation, tmp_path: Path) -> Iterator[Planted]:
    with planted(whole, tmp_path / f"{next(COPIES)}.sqlite") as made:
        yield made


def test_a_world_in_which_nothing_is_wrong_is_blamed_for_nothing(world: Planted) -> None:
    assert world.told() == []


@pytest.mark.parametrize("name", PLANTS)
def test_what_is_wrong_is_named(name: str, world: Planted) -> None:
    kind, words, plant = PLANTS[name]
    plant(world)
    told = world.told()
    assert any(found == kind and words in text for found, text in told), told


@pytest.mark.parametrize(("held", "within"), [(True, FOUND_WITHIN), (False, SETTLES_WITHIN)])
def test_what_is_not_settled_in_time_is_stuck(held: bool, within: float, world: Planted) -> None:
    tenant, _, entry = world.posted()
    row = world.posting(tenant, entry)
    world.sql("UPDATE postings SET state = 'UNKNOWN' WHERE id = ?", row)
    told = len(world.watcher.violations)
    company = world.watcher.postings[row].company_id
    now = world.kernel.now_s
    assert world.world._settle({row: held}, {company: now - within}), "there is time left"
    assert len(world.watcher.violations) == told
    assert not world.world._settle({row: held}, {company: now - within - 1})
    assert world.watcher.violations[-1].kind == "stuck"
    assert "after the last fault" in world.watcher.violations[-1].text


MOVING = {
    "documents WHERE due_at": "UPDATE documents SET due_at = '2026-11-21'",
    "todos WHERE ended_at": "UPDATE todos SET next_action_at = '2026-11-21' WHERE ended_at IS NULL",
    "todo_states WHERE dirty_at": "UPDATE todo_states SET dirty_at = '2026-11-21'",
    "error_marks WHERE": "INSERT INTO error_marks (document_id, company_id, source_tenant, area, kind, source_id,"
    " state, sends, tries, fence) VALUES (1, 1, '', 'invoices', 'invoice', '1', 'wanted', 0, 0, 0)",
    "error_mark_states WHERE": "UPDATE error_mark_states SET dirty_at = '2026-11-21'",
    "company_leases WHERE": "UPDATE company_leases SET holder = 'somebody'",
    "runs WHERE": "UPDATE runs SET finished_at = NULL WHERE id = (SELECT max(id) FROM runs)",
    "state IN ('READY'": "UPDATE postings SET state = 'READY'",
    "state = 'CONFIRMED'": "UPDATE postings SET state = 'CONFIRMED', next_action_at = '2026-11-21'",
    "state = 'NEW'": "UPDATE postings SET state = 'NEW', next_action_at = '2026-11-21' WHERE kind = 'invoice'",
}
"""What moves, as it begins in `BUSY` or stands in it, and how it never ends."""


@pytest.mark.parametrize("what", MOVING)
def test_what_never_comes_to_rest_is_told(what: str, world: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where nothing of it shows in the books: a follow-up write that stays due."""
    assert list(world.world._moving()) == []
    world.sql(MOVING[what])
    monkeypatch.setattr(world.kernel, "run", lambda until, limit_s: until())
    world.world._come_to_rest()
    assert any(what in one.text and one.kind == "stuck" for one in world.watcher.violations)


def test_all_that_can_move_was_asked_for() -> None:
    assert all(any(what in busy for what in MOVING) for busy in BUSY)
    assert len(MOVING) == len(BUSY)
