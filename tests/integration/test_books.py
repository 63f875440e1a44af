"""Generated invoices with awkward amounts against sums added up by hand: bench.books, with a few in three companies."""

from __future__ import annotations

from typing import Any

import pytest

from bench import books
from tests.infra.company import config_for
from workers.wiring import Services


@pytest.mark.parametrize(
    ("profile", "differs"), [("us-explicit", False), ("us-ast", True), ("uk-computes", False), ("ca", False)]
)
def test_the_books_hold_what_adding_up_by_hand_gives(
    migrated_sqlite_url: str, sandbox: str, sandbox_world: Any, redis_url: str, profile: str, differs: bool
) -> None:
    services = Services.from_config(config_for(
        sandbox, database_url=migrated_sqlite_url, redis_url=redis_url, guard_young_seconds=0.0,
        guard_give_up_seconds=0.0,
    ))  # fmt: skip
    found = books.run(services, sandbox_world, profile, 40)
    assert found["differences"] == []
    assert found["posted"] == 40 - found["waiting"] and found["credits"] > 0
    assert (found["differs"] > 0) is differs and found["rounding_lines"] > 0
