"""An older release on the tables of a newer one: it says what to do and leaves everything as it is (F36, I19)."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.infra.company import config_for
from tests.infra.processes import ROOT

pytestmark = pytest.mark.process


@pytest.mark.parametrize("process", ["worker", "scheduler", "migrate", "restored"])
def test_a_process_of_an_older_release_leaves_a_newer_database_alone(
    process: str, migrated_sqlite_url: str, sandbox: str, redis_url: str
) -> None:
    path = Path(migrated_sqlite_url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE alembic_version SET version_num = 'of a later release'")
        db.commit()
        before = list(db.iterdump())
    config = config_for(sandbox, database_url=migrated_sqlite_url, redis_url=redis_url)
    told = {name.upper(): str(value) for name, value in config.model_dump(exclude_none=True).items()}
    ended = subprocess.run(
        [sys.executable, "-m", "workers", process], cwd=ROOT, env={**os.environ, **told}, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (3, "")
    assert "belongs to a newer release" in ended.stderr and "Traceback" not in ended.stderr
    with closing(sqlite3.connect(path)) as db:
        assert list(db.iterdump()) == before
