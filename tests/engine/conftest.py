"""The engine's small world as a fixture: on SQLite, and on both databases where races and SQL matter."""

from __future__ import annotations

import pytest

from tests.engine.world import World, furnish, make_world
from tests.infra.database import Sessions


@pytest.fixture
def world(sessions: Sessions) -> World:
    made = make_world(sessions)
    furnish(made)
    return made


@pytest.fixture
def any_world(any_sessions: Sessions) -> World:
    """The same on SQLite and on PostgreSQL."""
    made = make_world(any_sessions)
    furnish(made)
    return made
