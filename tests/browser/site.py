"""The whole product as real processes for the browser: sandbox, web, two workers, scheduler.

Here: starting it and seeding companies. Not here: what a person does in it (person.py).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shlex import split
from typing import Any

from tests.infra.processes import Processes
from tools.demo.sandbox_api import SandboxApi
from tools.demo.story import Company
from tools.environment import ROOT, Ports, app_environment, sandbox_command
from tools.waiting import free_port


@dataclass
class Site:
    """A running product: its addresses, the control interface of its platforms, its processes."""

    ports: Ports
    processes: Processes
    api: SandboxApi

    @property
    def url(self) -> str:
        return self.ports.web_url

    @property
    def sandbox_url(self) -> str:
        return self.ports.sandbox_url

    def seed(self, **options: Any) -> Company:
        """A generated company on both platforms."""
        company, _ = self.api.seed("msp", **options)
        return company

    def check(self) -> None:
        """Raises with the end of its log when one of the processes has ended."""
        for process in self.processes.started:
            self.processes.check(process)


@contextmanager
def running(folder: Path, redis_url: str, database_url: str) -> Iterator[Site]:
    """Start everything on free ports against a migrated database; end everything afterwards."""
    ports = Ports(free_port(), free_port(), free_port())
    environment = app_environment(
        ports=ports, redis_url=redis_url, database_url=database_url, secrets_path=folder / "secrets.json", demo=True,
    )
    processes = Processes(folder, environment)
    try:
        sandbox = processes.python("sandbox", *sandbox_command(ports, folder / "sandbox.sqlite"))
        web = processes.start("web", procfile()["web"])
        for name in ("worker", "interactive", "scheduler"):
            processes.start(name, procfile()[name])
        processes.wait_http(sandbox, f"{ports.sandbox_url}/control/health")
        processes.wait_http(web, f"{ports.web_url}/healthz")
        yield Site(ports, processes, SandboxApi(ports.sandbox_url))
    finally:
        print(processes.logs())  # pytest shows it when the test failed
        for process in reversed(processes.started):
            process.kill9()  # nothing of this world is kept, so nobody needs to settle anything


def procfile() -> dict[str, list[str]]:
    """What the Procfile starts, as arguments of this virtualenv's programs."""
    lines = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    commands = dict(line.split(": exec ", 1) for line in lines if ": exec " in line)
    programs = Path(sys.executable).parent
    return {name: [str(programs / first), *rest] for name, (first, *rest) in
            ((name, split(command)) for name, command in commands.items())}


