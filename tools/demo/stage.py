"""Set the demo's stage: a folder of its own, Redis, database, every process, and the address that answers.

Here: starting and ending. Not here: what happens on the stage (story.py) and who judges it (sandbox_api.py).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shlex import join

import requests

from tools import redis_server
from tools.environment import ROOT, Ports, app_environment, sandbox_command
from tools.waiting import free_port, port_is_free, wait_until

READY_S = 60.0
# Longer than the supervisor's own patience with its processes.
STOP_S = 45.0


class StageError(Exception):
    """The demo cannot start or go on; the message is a sentence for the person at the terminal."""


@dataclass
class Stage:
    """A running demo: where it lives, how it is reached, and the process that holds the others."""

    folder: Path
    ports: Ports
    environment: dict[str, str]
    fresh: bool
    supervisor: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.folder / "processes.log"

    def check(self) -> None:
        """Raise when a process has ended: honcho then ends all of them, and nothing will answer any more."""
        if self.supervisor is not None and self.supervisor.poll() is not None:
            raise StageError(f"a process of the demo has ended. The end of {self.log}:\n{self._log_end()}")

    def wait(self) -> None:
        """Block until the processes end; raises as check() does, because nobody asked them to."""
        if self.supervisor is not None:
            self.supervisor.wait()
        self.check()

    def _log_end(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-25:])


def choose_ports(port: int, *, any_free: bool) -> Ports:
    """The site's port, 100 above it the sandbox, 125 above it its mailbox.

    any_free: take whatever is free instead of asking for another PORT when one of the three is in use.
    """
    wanted = Ports(port, port + 100, port + 125)
    taken = [each for each in (wanted.web, wanted.sandbox, wanted.smtp) if not port_is_free(each)]
    if not taken:
        return wanted
    if any_free:
        return Ports(free_port(), free_port(), free_port())
    raise StageError(
        f"port {taken[0]} of 127.0.0.1 is in use, perhaps by another demo. Choose another: make demo PORT=8500"
    )


def choose_folder(*, once: bool) -> Path:
    """`var/demo`, kept from one start to the next; a folder of its own for each run that only counts."""
    if not once:
        return ROOT / "var" / "demo"
    stamp = datetime.now(tz=UTC).strftime("%Y%m%d-%H%M%S")
    return ROOT / "var" / f"demo-{stamp}-{os.getpid()}"


@contextmanager
def set_up(folder: Path, ports: Ports, *, limits: str = "on") -> Iterator[Stage]:
    """Start everything, yield once the site answers, and end everything, Redis last.

    limits: `off` keeps the workers from waiting for rate limits that the sandbox does not apply either.
    """
    state = folder / "sandbox.sqlite"
    fresh = not state.exists()
    folder.mkdir(parents=True, exist_ok=True)
    with _redis(folder) as redis_url:
        environment = app_environment(
            ports=ports,
            redis_url=redis_url,
            database_url=os.environ.get("DATABASE_URL") or f"sqlite:///{folder / 'bookbridge.sqlite'}",
            secrets_path=folder / "secrets.json",
            demo=True,
            limits=limits,
        )
        stage = Stage(folder, ports, environment, fresh)
        _migrate(stage)
        stage.supervisor = _start(stage, state)
        try:
            _wait_for_the_site(stage)
            yield stage
        finally:
            _stop(stage.supervisor)


@contextmanager
def _redis(folder: Path) -> Iterator[str]:
    given = os.environ.get("REDIS_URL")
    if given:
        yield given
        return
    try:
        with redis_server.running(folder / "redis", keep=True) as url:
            yield url
    except redis_server.RedisError as error:
        raise StageError(str(error)) from error


def _migrate(stage: Stage) -> None:
    """Run the release step of the Procfile."""
    done = subprocess.run(
        [sys.executable, "-m", "workers", "migrate"],
        cwd=ROOT,
        env={**os.environ, **stage.environment},
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise StageError(f"the database could not be brought up to date:\n{done.stdout}{done.stderr}".rstrip())


def _start(stage: Stage, state: Path) -> subprocess.Popen[bytes]:
    command = [
        sys.executable, "-m", "tools.demo.supervisor", "--log", str(stage.log),
        "--sandbox", join(sandbox_command(stage.ports, state)),
    ]  # fmt: skip
    with stage.log.open("ab") as log:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **stage.environment},
            # The supervisor ends when this pipe closes, so nothing outlives a demo that was killed.
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Ctrl-C is ours to handle: the workers settle what is in flight before anything else ends.
            start_new_session=True,
        )


def _wait_for_the_site(stage: Stage) -> None:
    for url in (f"{stage.ports.sandbox_url}/control/health", f"{stage.ports.web_url}/healthz"):

        def answers(url: str = url) -> bool:
            stage.check()
            try:
                return requests.get(url, timeout=2).status_code == 200
            except requests.RequestException:
                return False

        wait_until(answers, timeout_s=READY_S, what=f"{url} answers")


def _stop(supervisor: subprocess.Popen[bytes]) -> None:
    supervisor.send_signal(signal.SIGTERM)
    try:
        supervisor.wait(timeout=STOP_S)
    except subprocess.TimeoutExpired:
        supervisor.kill()
        supervisor.wait()
    if supervisor.stdin is not None:
        supervisor.stdin.close()
