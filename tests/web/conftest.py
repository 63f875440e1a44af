"""Fixtures of the web tests: the application with two companies, fresh for a test or shared by readers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.site import Site, make_site


@pytest.fixture
def site(_migrated_sqlite: Path, tmp_path: Path) -> Iterator[Site]:
    """A site of this test's own."""
    made = make_site(_migrated_sqlite, tmp_path)
    yield made
    made.services.engine.dispose()


@pytest.fixture(scope="module")
def shared_site(_migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One site for tests that change nothing."""
    made = make_site(_migrated_sqlite, tmp_path_factory.mktemp("site"))
    yield made
    made.services.engine.dispose()
