"""Fixtures every test may ask for: real Redis, real databases, the sandbox, processes, a browser.

Here: the fixtures, kept thin. Not here: how each component is started (tests/infra/). Components start when
the first test asks for them, once for each test process, and every test gets a clean one.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.infra import browser as browsers
from tests.infra import database as databases
from tests.infra import postgres
from tests.infra.processes import Processes
from tools import redis_server
from tools.waiting import free_port

if TYPE_CHECKING:
    import redis as redis_client
    from playwright.sync_api import Browser, BrowserContext, Page
    from sqlalchemy import Engine

    from sandbox.world import World

SHARED = "BOOKBRIDGE_TEST_SHARED"
# Nothing of the developer's own set-up may leak into a test: each names the settings it needs.
for _name in ("DATABASE_URL", "REDIS_URL", "SANDBOX_URL", "PUBLIC_URL", "SECRET_KEYS", "FLASK_DEBUG"):
    os.environ.pop(_name, None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that asks for the browser or PostgreSQL carries the marker, so that it can be left out."""
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        if names & {"page", "browser", "browser_context"}:
            item.add_marker(pytest.mark.browser)
        if names & {"postgres_server", "postgres_url"} or "postgresql" in item.name:
            item.add_marker(pytest.mark.postgres)
        if "processes" in names:
            item.add_marker(pytest.mark.process)


def pytest_configure(config: pytest.Config) -> None:
    """The folder of what all test processes share. Not pytest's own: other sessions prune that one."""
    if not os.environ.get("PYTEST_XDIST_WORKER"):
        os.environ[SHARED] = tempfile.mkdtemp(prefix="bb-")
        os.chmod(os.environ[SHARED], 0o755)  # noqa: S103 - as root, the server runs as another user


def pytest_sessionfinish(session: pytest.Session) -> None:
    """The process that started the others ends what they shared."""
    if not os.environ.get("PYTEST_XDIST_WORKER"):
        postgres.stop(Path(os.environ[SHARED]))
        shutil.rmtree(os.environ.pop(SHARED), ignore_errors=True)


# ---------------------------------------------------------------- Redis


@pytest.fixture(scope="session")
def _redis_server() -> Iterator[str]:
    with redis_server.running() as url:
        yield url


@pytest.fixture
def redis_url(_redis_server: str) -> str:
    """URL of a private, empty Redis (unix socket); safe to flush, shared with no other test."""
    import redis

    with redis.Redis.from_url(_redis_server) as client:
        client.flushall()
    return _redis_server


@pytest.fixture
def redis(redis_url: str) -> Iterator[redis_client.Redis]:
    """A client of that Redis, answering bytes as RQ expects."""
    from redis import Redis

    with Redis.from_url(redis_url) as client:
        yield client


# ---------------------------------------------------------------- databases


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """SQLAlchemy URL of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'test.sqlite'}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of one PostgreSQL server, shared by all test processes of this session."""
    with postgres.server(Path(os.environ[SHARED])) as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """SQLAlchemy URL of a fresh, empty PostgreSQL database, dropped after the test."""
    with postgres.database(postgres_server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """URL of a fresh, empty database; the test runs once on SQLite and once on PostgreSQL."""
    name = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture(scope="session")
def _migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return databases.migrated_sqlite(tmp_path_factory.mktemp("template"))


@pytest.fixture
def migrated_sqlite_url(_migrated_sqlite: Path, tmp_path: Path) -> str:
    """URL of a SQLite database with the schema of the last migration and no rows."""
    return databases.copy_sqlite(_migrated_sqlite, tmp_path / "test.sqlite")


@pytest.fixture(scope="session")
def _migrated_postgres(postgres_server: str) -> str:
    return databases.migrated_postgres(postgres_server)


@pytest.fixture
def migrated_postgres_url(postgres_server: str, _migrated_postgres: str) -> Iterator[str]:
    """URL of a PostgreSQL database with the schema of the last migration and no rows."""
    with postgres.database(postgres_server, template=_migrated_postgres) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest) -> str:
    """URL of a migrated, empty database; the test runs once on SQLite and once on PostgreSQL."""
    name = {"sqlite": "migrated_sqlite_url", "postgresql": "migrated_postgres_url"}[request.param]
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture(scope="session")
def _sqlite_tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = databases.with_tables(f"sqlite:///{tmp_path_factory.mktemp('tables') / 'test.sqlite'}")
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(_sqlite_tables: Engine) -> databases.Sessions:
    """Sessions of a SQLite database with all tables and no rows, for tests that stay in this process."""
    return databases.emptied(_sqlite_tables)


@pytest.fixture(scope="session")
def _postgres_tables(postgres_server: str) -> Iterator[Engine]:
    with postgres.database(postgres_server) as url:
        engine = databases.with_tables(url)
        yield engine
        engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_sessions(request: pytest.FixtureRequest) -> databases.Sessions:
    """The same; the test runs once on SQLite and once on PostgreSQL."""
    name = {"sqlite": "_sqlite_tables", "postgresql": "_postgres_tables"}[request.param]
    return databases.emptied(request.getfixturevalue(name))


# ---------------------------------------------------------------- sandbox


@pytest.fixture
def sandbox_world(tmp_path: Path) -> Iterator[World]:
    """An empty sandbox world in this process; `sandbox` serves it over HTTP."""
    from sandbox.server import open_world

    world = open_world(tmp_path / "sandbox.sqlite")
    try:
        yield world
    finally:
        world.close()


@pytest.fixture
def sandbox(sandbox_world: World) -> Iterator[str]:
    """Base address of a running sandbox; seed and steer it through `sandbox_world` or `/control`."""
    from sandbox.server import running

    with running(sandbox_world) as url:
        yield url


# ---------------------------------------------------------------- processes and browser


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """Starts real processes and ends them after the test; their logs are printed when the test fails."""
    started = Processes(tmp_path)
    try:
        yield started
    finally:
        started.stop_all()
        print(started.logs())


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Headless Chromium, one for each test process."""
    with browsers.browser(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture
def browser_context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh browser profile that reaches this machine only."""
    with browsers.context(browser) as fresh:
        yield fresh


@pytest.fixture
def page(browser_context: BrowserContext) -> Iterator[Page]:
    """A page; script errors, CSP violations and failed requests on it fail the test at its end."""
    fresh = browser_context.new_page()
    complaints = browsers.watch(fresh)
    yield fresh
    assert not complaints, "the browser complained: " + "; ".join(complaints)


@pytest.fixture
def smtp_port(sandbox_world: World) -> Iterator[int]:
    """Port of the sandbox's mail server; what it takes in is in `/mailbox`."""
    from sandbox.mailbox import start_smtp

    port = free_port()
    server = start_smtp(sandbox_world, "127.0.0.1", port)
    try:
        yield port
    finally:
        server.stop()
