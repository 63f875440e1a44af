"""The engine's small world as a fixture: on SQLite, and on both databases where races and SQL matter."""

from __future__ import annotations

import pytest

from tests.engine.world import World, furnish, make_world


@pytest.fixture
def world(sqlite_url: str) -> World:
    made = make_world(sqlite_url)
    furnish(made)
    return made


@pytest.fixture
def any_world(database_url: str) -> World:
    """The same on SQLite and on PostgreSQL."""
    made = make_world(database_url)
    furnish(made)
    return made
