"""The installation that is broken: its processes, whoever starts them again, and the revision they run."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from models import migrate
from sandbox.mailbox import start_smtp
from sandbox.world import World
from tests.chaos.releases import Releases, running_from
from tests.chaos.servers import Disk, OwnPostgres, OwnRedis
from tests.infra import postgres
from tests.infra.company import config_for
from tests.infra.processes import ROOT, Processes, Started
from tools.waiting import WaitedTooLong, free_port, wait_until
from workers.wiring import Services

FACTOR = 10
"""Lease 9 s, quarantine 30 s, sweep 3 s."""
ROLES = {
    "worker-1": ("-m", "workers", "worker"), "worker-2": ("-m", "workers", "worker"),
    "worker-3": ("-m", "workers", "worker", "--queue", "interactive"),
    "scheduler-1": ("-m", "workers", "scheduler"), "scheduler-2": ("-m", "workers", "scheduler"),
    "web-1": ("-m", "gunicorn", "-c", "gunicorn.conf.py", "app:create_app()"),
    "web-2": ("-m", "gunicorn", "-c", "gunicorn.conf.py", "app:create_app()"),
}  # fmt: skip
WEB = ("web-1", "web-2")


@dataclass
class Installation:
    folder: Path
    url: str
    world: World
    rng: random.Random
    disk: Disk = field(init=False)
    database: OwnPostgres = field(init=False)
    redis: OwnRedis = field(init=False)
    services: Services = field(init=False)
    processes: Processes = field(init=False)
    releases: Releases = field(init=False)
    running: dict[str, Started] = field(default_factory=dict)
    sites: dict[str, str] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)
    _lock: Any = field(default_factory=threading.RLock)
    _orphans: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.disk = Disk(self.folder / "disk")
        (self.folder / "disk").chmod(0o755)
        self.database = OwnPostgres(self.folder / "disk")
        self.redis = OwnRedis(self.folder)
        smtp_port = free_port()
        self._smtp = start_smtp(self.world, "127.0.0.1", smtp_port)
        database_url = postgres.create(self.database.url, "chaos")
        config = config_for(
            self.url, database_url=database_url, redis_url=self.redis.url, time_factor=FACTOR, guard_young_seconds=0.0,
            calls_in_flight=4, public_url=f"http://127.0.0.1:{free_port()}", poll_seconds=30,
            smtp_url=f"smtp://127.0.0.1:{smtp_port}",
        )  # fmt: skip
        migrate.upgrade(database_url)
        self.services = Services.from_config(config)
        environment = {name.upper(): str(value) for name, value in config.model_dump(exclude_none=True).items()}
        self.processes = Processes(self.folder, environment)
        self.releases = Releases(self.folder / "releases", environment)

    # ---- processes ------------------------------------------------------------------------------------------

    def start(self) -> None:
        for role in ROLES:
            self.launch(role)
        threading.Thread(target=self._supervise, daemon=True).start()
        for role in WEB:
            wait_until(lambda role=role: self._answers(role), timeout_s=60, what=f"{role} answers")  # type: ignore[misc]

    def launch(self, role: str, **env: str) -> None:
        with self._lock:
            if role in WEB:
                port = free_port()
                env = {"WEB_BIND": f"127.0.0.1:{port}", "WEB_CONCURRENCY": "1", **env}
                self.sites[role] = f"http://127.0.0.1:{port}"
            self.running[role] = self.processes.python(role, *ROLES[role], env=env, cwd=self.releases.current)

    def _supervise(self) -> None:
        """What ended is started again within a second."""
        while not self.stopping.wait(1.0):
            with self._lock:
                for role, process in list(self.running.items()):
                    if not process.alive and not self.stopping.is_set():
                        self.launch(role)

    def kill(self, role: str, *, only: str = "") -> list[int]:
        """SIGKILL a process and what it forked, the fork alone ("child"), or the process alone ("parent"), whose fork
        then goes on by itself. Returns who died."""
        with self._lock:
            parent, *children = self.family(role)
            dead = {"child": children or [parent], "parent": [parent]}.get(only, [parent, *children])
            for pid in dead:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if parent in dead:
                self.running[role].popen.wait(timeout=10)
                self._orphans += [pid for pid in children if pid not in dead]
            return dead

    def freeze(self, role: str) -> list[int]:
        """SIGSTOP a process and what it forked; returns who stands still."""
        family = self.family(role)
        send(signal.SIGSTOP, family)
        return family

    def replace(self, role: str, **env: str) -> None:
        """The process ends as it is asked to, and another one takes its place."""
        with self._lock:
            send(signal.SIGCONT, self.family(role))
            self.running[role].stop(timeout_s=15)
            self.launch(role, **env)

    def family(self, role: str) -> list[int]:
        """The process and its children: a horse has a process group of its own."""
        parent = self.running[role].pid
        found = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True, check=False).stdout
        return [parent, *map(int, found.split())]

    def holders(self, pids: list[int]) -> tuple[str, ...]:
        """How these processes call themselves where they hold a lease."""
        return tuple(f"{socket.gethostname()}:{pid}:%" for pid in pids)

    # ---- revisions ------------------------------------------------------------------------------------------

    def deploy(self) -> str:
        """A new revision: its migration while the old code works, then process by process. Returns its name when
        every process runs it and both web processes find the database's tables to be theirs; "" when it failed."""
        try:
            name = self.releases.release()
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return ""
        for role in ROLES:
            self.replace(role)
        with suppress(WaitedTooLong):
            wait_until(lambda: all(map(self._ready, WEB)), timeout_s=40, what="the new revision answers")
            if all(running_from(each.pid) in (self.releases.current, None) for each in self.running.values()):
                return name
        return ""

    def _answers(self, role: str) -> bool:
        try:
            return requests.get(f"{self.sites[role]}/healthz", timeout=2).ok
        except requests.RequestException:
            return False

    def _ready(self, role: str) -> bool:
        """The web process has the revision's own tables: its word, not ours."""
        try:
            return bool(requests.get(f"{self.sites[role]}/readyz", timeout=3).json()["database"] == "ok")
        except (requests.RequestException, KeyError):
            return False

    def close(self) -> None:
        self.stopping.set()
        with self._lock:
            for role in list(self.running):
                send(signal.SIGCONT, self.family(role))
            self.processes.stop_all()
            send(signal.SIGKILL, [pid for pid in self._orphans if running_from(pid) in self._places()])
        self.services.engine.dispose()
        self._smtp.stop()
        self.redis.stop()
        self.database.close()
        self.disk.close()

    def _places(self) -> set[Path | None]:
        return {ROOT, *(self.folder / "releases").glob("*")}


def send(what: signal.Signals, pids: list[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, what)
