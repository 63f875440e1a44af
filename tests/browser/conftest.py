"""The running product that all browser tests share; each test has a company of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.site import Site, running
from tests.infra import database
from tools import redis_server


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One running product for all tests of this folder."""
    folder: Path = tmp_path_factory.mktemp("site")
    url = database.copy_sqlite(database.migrated_sqlite(tmp_path_factory.mktemp("schema")), folder / "app.sqlite")
    with redis_server.running() as redis_url, running(folder, redis_url, url) as started:
        yield started
