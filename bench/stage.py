"""The stage of one measurement: a fresh sandbox, Redis and database, a connected company, the real processes.

The sandbox is seeded in this process and then started again as a process of its own on the same state and port, as
it survives a restart. No web process runs: what a press on Sync Now leaves in database and queue is left here.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from config import Config
from models import Run
from sandbox.server import running
from sandbox.world import World, open_world
from tests.infra.company import ask_sync, connect
from tests.infra.database import migrate
from tests.infra.processes import Processes, Started
from tools import redis_server
from tools.environment import Ports, app_environment, sandbox_command
from tools.waiting import free_port, wait_until
from workers import enqueue
from workers.wiring import Services

Seed = Callable[[World], dict[str, Any]]
WORKERS = {"worker": ["worker"], "interactive": ["worker", "--queue", "interactive"]}


@dataclass(frozen=True)
class Conditions:
    """What the platforms do during a measurement, and how many bulk calls go side by side."""

    limits: bool = True
    latency: bool = False
    factor: float = 1.0
    """Latencies are divided by this; limits stay as they are."""
    calls_in_flight: int = 1


@dataclass
class Stage:
    """A connected company and running processes, before anybody pressed Sync Now."""

    services: Services
    company_id: int
    made: dict[str, Any]
    url: str
    processes: Processes
    sandbox: Started

    def control(self, path: str, **query: Any) -> Any:
        answer = requests.get(f"{self.url}/control/{path}", params=query, timeout=120)
        answer.raise_for_status()
        return answer.json()

    def sync(self, patience_s: float) -> dict[str, Any]:
        """Press Sync Now and wait until the run has ended; returns the journal's mark and both instants."""
        mark, started = self.control("journal/mark")["mark"], self.services.now()
        run_id = ask_sync(self.services, self.company_id)
        enqueue.scan(self.services, self.company_id, run_id)

        def ended() -> bool:
            for process in self.processes.started:
                self.processes.check(process)
            with self.services.sessions() as db:
                return db.get_one(Run, run_id).finished_at is not None

        wait_until(ended, timeout_s=patience_s, what="the run has ended", every_s=0.5)
        return {"mark": mark, "started": started, "ended": self.services.now()}

    def usage(self) -> dict[str, dict[str, float]]:
        """End the workers and read what each leaves: peaks in MB and processor seconds."""
        for process in reversed(self.processes.started):
            if process.name in WORKERS:
                process.stop(timeout_s=90)
        folder = self.processes.folder
        return {name: json.loads((folder / f"{name}.json").read_text()) for name in WORKERS}


@contextmanager
def stage(seed: Seed, conditions: Conditions, **settings: Any) -> Iterator[Stage]:
    """Seed, connect, start everything; end it all afterwards and forget it."""
    with tempfile.TemporaryDirectory(prefix="bookbridge-bench-") as name, redis_server.running() as redis_url:
        folder, ports = Path(name), Ports(free_port(), free_port(), free_port())
        environment = app_environment(
            ports=ports, redis_url=redis_url, database_url=f"sqlite:///{folder / 'bench.sqlite'}",
            secrets_path=folder / "secrets.json",
        ) | {"CALLS_IN_FLIGHT": str(conditions.calls_in_flight), "LOG_LEVEL": "WARNING"}  # fmt: skip
        given = {key.lower(): value for key, value in environment.items()}
        config = Config.model_validate({key: value for key, value in given.items() if key in Config.model_fields})
        migrate(config.database_url)
        services = Services.from_config(config)
        state = folder / "sandbox.sqlite"
        company_id, made = _set_up(services, state, ports, seed, conditions, settings)
        processes = Processes(folder, environment)
        try:
            sandbox = processes.python("sandbox", *sandbox_command(ports, state))
            processes.wait_http(sandbox, f"{ports.sandbox_url}/control/health")
            _start_workers(processes, folder)
            yield Stage(services, company_id, made, ports.sandbox_url, processes, sandbox)
        finally:
            processes.stop_all()
            services.engine.dispose()


def _set_up(
    services: Services, state: Path, ports: Ports, seed: Seed, conditions: Conditions, settings: dict[str, Any]
) -> tuple[int, dict[str, Any]]:
    world = open_world(state, ports.sandbox_url, ports.web_url, [f"{ports.web_url}/connect/intuit/callback"])
    try:
        with running(world, ports.sandbox):
            made = seed(world)
            company_id = connect(services, world, made, **settings)
            world.limits.switch(conditions.limits)
            world.latency.switch("model" if conditions.latency else "off", conditions.factor, 1)
    finally:
        world.close()
    return company_id, made


def _start_workers(processes: Processes, folder: Path) -> None:
    for name, arguments in WORKERS.items():
        processes.python(name, "-m", "bench.worker", str(folder / f"{name}.json"), *arguments)
    processes.python("scheduler", "-m", "workers", "scheduler")


def processor_seconds(pid: int) -> float | None:
    """Processor time a running process has used; None where there is no /proc."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return None
    # Fields 14 and 15 (utime, stime) in clock ticks; the name in field 2 may hold blanks (proc(5)).
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
