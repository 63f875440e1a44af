"""The real clock, waiting, threads and failpoints of a process: what `sync` and `connectors` are given."""

from __future__ import annotations

import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import redis
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from sync.runtime import Finished

ASK_AGAIN_S = 300.0
"""How often a process compares its clock with the database's."""
TOLERANCE = timedelta(seconds=2)
"""So far clocks may be apart without being corrected."""


class SystemClock:
    """The machine's clock, put right by the database's: every process of an installation tells the same time, and a
    machine whose clock is minutes off neither holds work up nor begins it early. `offset_s` makes it wrong in tests.
    """

    def __init__(self, offset_s: float = 0.0, ask: Callable[[], datetime] | None = None) -> None:
        self._offset, self._ask = timedelta(seconds=offset_s), ask
        self._correction = timedelta(0)
        self._asked_at: float | None = None

    def now(self) -> datetime:
        if self._ask is not None and (self._asked_at is None or self.monotonic() - self._asked_at > ASK_AGAIN_S):
            self._put_right(self._ask)
        return self._machine() + self._correction

    def _machine(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def _put_right(self, ask: Callable[[], datetime]) -> None:
        """A database that is away is asked again later; until then the last correction holds."""
        self._asked_at = self.monotonic()
        try:
            apart = ask() - self._machine()
        except SQLAlchemyError:
            return
        self._correction = apart if abs(apart) > TOLERANCE else timedelta(0)

    def monotonic(self) -> float:
        return time.monotonic()


def pause(seconds: float) -> None:
    time.sleep(max(0.0, seconds))


def database_now(db: Session) -> datetime:
    """The database's own clock: a worker whose clock is wrong steals no lease (F28)."""
    if db.get_bind().dialect.name == "sqlite":
        stamp = db.execute(text("SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')")).scalar_one()
        return datetime.fromisoformat(stamp).replace(tzinfo=UTC)
    moment: datetime = db.execute(text("SELECT clock_timestamp()")).scalar_one()
    return moment.astimezone(UTC)


def asking(sessions: sessionmaker[Session]) -> Callable[[], datetime]:
    """What tells a clock the database's time."""

    def ask() -> datetime:
        with sessions() as db:
            db.connection(execution_options={"read_only": True})  # the caller may hold SQLite's write lock
            return database_now(db)

    return ask


class ThreadPool:
    """Runs calls in helper threads and hands their results to the one thread that asks."""

    def __init__(self, threads: int) -> None:
        self._executor = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="call")
        self._finished: queue.Queue[Finished] = queue.Queue()
        self._running = 0

    def submit(self, tag: Any, call: Callable[[], Any]) -> None:
        self._running += 1
        self._executor.submit(self._run, tag, call)

    def _run(self, tag: Any, call: Callable[[], Any]) -> None:
        try:
            self._finished.put(Finished(tag, value=call()))
        except Exception as error:  # noqa: BLE001 - handed over to the thread that decides
            self._finished.put(Finished(tag, error=error))

    def wait(self, seconds: float) -> list[Finished]:
        finished: list[Finished] = []
        try:
            patient = seconds > 0 and self._running > 0
            first = self._finished.get(timeout=seconds) if patient else self._finished.get_nowait()
        except queue.Empty:
            return finished
        finished.append(first)
        while True:
            try:
                finished.append(self._finished.get_nowait())
            except queue.Empty:
                break
        self._running -= len(finished)
        return finished

    @property
    def running(self) -> int:
        return self._running


class Failpoint:
    """Crash tests: the process kills itself at a named point, as `kill -9` would. `name` or `name:count`."""

    def __init__(self, setting: str | None) -> None:
        name, _, count = (setting or "").partition(":")
        self._name, self._left = name, int(count or 1)
        self._lock = threading.Lock()

    def __call__(self, name: str) -> None:
        if name != self._name:
            return
        with self._lock:
            self._left -= 1
            if self._left == 0:
                print(f"killing itself at {name}", flush=True)
                os.kill(os.getpid(), signal.SIGKILL)


class RedisMemory:
    """The last beat of the installation, kept in Redis (`sync.installation`). A Redis that is away knows nothing."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def last(self, key: str) -> int | None:
        try:
            kept: Any = self._client.get(f"bookbridge:beat:{key}")
        except redis.RedisError:
            return None
        return int(kept) if kept is not None else None

    def remember(self, key: str, beat: int) -> None:
        with suppress(redis.RedisError):
            self._client.set(f"bookbridge:beat:{key}", beat)
