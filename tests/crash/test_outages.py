"""Redis away, the database away or locked, a process frozen beyond its lease, a death after a look-up.

Real processes on the sandbox; each story ends with every invoice exactly once in its books.
"""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis as redis_client
from sqlalchemy import make_url

from tests.crash.story import Story, die
from tests.infra.processes import Processes
from tools import redis_server
from tools.waiting import WaitedTooLong, free_port, wait_until

pytestmark = [pytest.mark.timeout(300), pytest.mark.process]


class OwnRedis:
    """A Redis of this test alone that can be stopped and started on the same port. It keeps nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.socket = folder, free_port(), folder / "s"
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *more: str) -> None:
        command = [
            redis_server.find_server(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
            "--appendonly", "no", "--dir", str(self.folder), "--unixsocket", str(self.socket), *more,
        ]  # fmt: skip
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._answers, timeout_s=15, what="Redis answers")

    def _answers(self) -> bool:
        try:
            with redis_client.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis_client.ConnectionError:
            return False

    def asked(self, *command: str) -> Any:
        with redis_client.Redis.from_url(self.url, decode_responses=True) as client:
            return client.execute_command(*command)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=10)
            self.process = None


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[OwnRedis]:
    made = OwnRedis(tmp_path)
    made.start()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def story(sandbox: str, sandbox_world: Any, smtp_port: int, processes: Processes) -> Callable[..., Story]:
    def begin(**settings: Any) -> Story:
        smtp_url = f"smtp://127.0.0.1:{smtp_port}"
        return Story.begin(sandbox, sandbox_world, processes, smtp_url=smtp_url, **settings)

    return begin


def test_redis_is_lost_in_mid_run_and_comes_back_empty(
    story: Callable[..., Story], migrated_sqlite_url: str, own_redis: OwnRedis, sandbox_world: Any
) -> None:
    """Neither the limiter's state nor a bell is business state (I16): the scheduler rings again."""
    told = story(database_url=migrated_sqlite_url, redis_url=own_redis.url)
    sandbox_world.faults.plan("slow_after", "qbo", "batch", times=2, seconds=1.0)
    told.start("worker", "scheduler")
    run_id = told.press()
    told.wait(lambda: told.attempts() > 0, "the first batch is on its way")
    own_redis.stop()
    told.wait(lambda: not own_redis._answers(), "Redis is away", timeout_s=5)
    own_redis.start()
    told.wait(lambda: told.finished(run_id), "the run finishes although Redis lost everything")
    told.once_each()


def test_a_press_while_redis_is_away_is_found_by_the_scheduler(
    story: Callable[..., Story], migrated_sqlite_url: str, own_redis: OwnRedis
) -> None:
    told = story(database_url=migrated_sqlite_url, redis_url=own_redis.url)
    own_redis.stop()
    run_id = told.press()
    own_redis.start()
    told.start("worker", "scheduler")
    told.wait(lambda: told.finished(run_id), "the run finishes without its bell")
    told.once_each()


def test_redis_fails_over_to_a_replica_that_lacks_the_last_writes(
    story: Callable[..., Story], migrated_sqlite_url: str, tmp_path_factory: pytest.TempPathFactory, sandbox_world: Any
) -> None:
    """The replica takes over the address. It knows the workers, and neither the bell, nor the job that was running, nor
    the calls that were counted."""
    first, replica = (OwnRedis(tmp_path_factory.mktemp("r")) for _ in range(2))
    address = tmp_path_factory.mktemp("r") / "s"
    address.symlink_to(first.socket)
    try:
        first.start()
        replica.start("--replicaof", "127.0.0.1", str(first.port))
        told = story(database_url=migrated_sqlite_url, redis_url=f"unix://{address}?db=0")
        sandbox_world.faults.plan("slow_after", "qbo", "batch", times=2, seconds=1.0)
        told.start("worker", "scheduler")
        told.wait(lambda: replica.asked("SMEMBERS", "rq:workers"), "the replica has what was written so far")
        replica.asked("REPLICAOF", "NO", "ONE")
        run_id = told.press()
        told.wait(lambda: told.attempts() > 0, "the first batch is on its way")
        before = set(first.asked("KEYS", "*"))
        assert before - set(replica.asked("KEYS", "*")), "writes that the replica lacks"
        first.stop()
        address.unlink()
        address.symlink_to(replica.socket)
        told.wait(lambda: told.finished(run_id), "the run finishes on the replica")
        told.once_each()
    finally:
        first.stop()
        replica.stop()


def test_sqlite_is_locked_for_a_while(
    story: Callable[..., Story], migrated_sqlite_url: str, redis_url: str, sandbox_world: Any
) -> None:
    """A backup or a person's tool holds the file: writers wait and go on."""
    told = story(database_url=migrated_sqlite_url, redis_url=redis_url)
    sandbox_world.faults.plan("slow_after", "qbo", "batch", times=1, seconds=1.0)
    told.start("worker", "second", "scheduler")
    run_id = told.press()
    told.wait(lambda: told.attempts() > 0, "the first batch is on its way")
    path = migrated_sqlite_url.removeprefix("sqlite:///")
    holding = sqlite3.connect(path, isolation_level=None, timeout=10)
    with closing(holding) as holder, closing(sqlite3.connect(path)) as eye:
        holder.execute("BEGIN IMMEDIATE")
        held = _attempts(eye)
        with pytest.raises(WaitedTooLong):  # Nothing is sent while no intent can be committed.
            wait_until(lambda: _attempts(eye) != held, timeout_s=4, what="an attempt appears")
        holder.execute("ROLLBACK")
    told.wait(lambda: told.finished(run_id), "the run finishes once the file is free")
    told.once_each()


def _attempts(database: sqlite3.Connection) -> int:
    count: int = database.execute("SELECT count(*) FROM attempts").fetchone()[0]
    return count


def test_postgresql_drops_every_connection_and_refuses_new_ones_for_a_while(
    story: Callable[..., Story], migrated_postgres_url: str, postgres_server: str, redis_url: str, sandbox_world: Any
) -> None:
    told = story(database_url=migrated_postgres_url, redis_url=redis_url)
    sandbox_world.faults.plan("slow_after", "qbo", "batch", times=2, seconds=1.0)
    told.start("worker", "second", "scheduler")
    run_id = told.press()
    told.wait(lambda: told.attempts() > 0, "the first batch is on its way")
    name = make_url(migrated_postgres_url).database
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        wait_until(lambda: _refused(migrated_postgres_url), timeout_s=10, what="PostgreSQL refuses connections")
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    told.services.engine.dispose()
    told.wait(lambda: told.finished(run_id), "the run finishes once the database is back")
    told.once_each()


def _refused(url: str) -> bool:
    try:
        psycopg.connect(url.replace("postgresql+psycopg", "postgresql")).close()
    except psycopg.OperationalError:
        return True
    return False


def test_a_process_frozen_beyond_its_lease_is_replaced_and_changes_nothing_when_it_wakes(
    story: Callable[..., Story], migrated_sqlite_url: str, redis_url: str, sandbox_world: Any
) -> None:
    told = story(database_url=migrated_sqlite_url, redis_url=redis_url)
    sandbox_world.faults.plan("slow_after", "qbo", "batch", times=1, seconds=2.0)
    told.start("worker", "scheduler")
    run_id = told.press()
    told.wait(lambda: told.attempts() > 0, "the first batch is on its way")
    fence = told.fence()
    told.freeze("worker")
    told.start("second")
    told.wait(lambda: told.fence() > fence, "another process takes over after the lease")
    told.wake("worker")
    told.wait(lambda: told.finished(run_id), "the run finishes with both processes alive")
    told.once_each()


def test_a_death_after_the_look_up_of_a_lost_answer(
    story: Callable[..., Story], migrated_sqlite_url: str, redis_url: str, sandbox_world: Any
) -> None:
    told = story(database_url=migrated_sqlite_url, redis_url=redis_url)
    sandbox_world.faults.plan("response_lost", "qbo", "batch", after=1, times=1)
    doomed = told.processes.workers("doomed", "worker", env={"FAILPOINT": "after_look_up"})
    told.start("scheduler")
    run_id = told.press()
    die(told.processes, doomed, "after_look_up")
    told.start("worker")
    told.wait(lambda: told.finished(run_id), "the run finishes after the crash")
    told.once_each()
