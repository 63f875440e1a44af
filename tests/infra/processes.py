"""Start the product's own processes, wait until they are ready, kill them, read their logs.

Used by crash tests and the browser test. Nothing sleeps a fixed time: waits poll a condition with a deadline.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import requests

from tests.infra.nursery import Forked, fork
from tools.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
READY_S = 30.0


class ProcessEnded(AssertionError):
    """A process ended while a test waited for it; the message carries the end of its log."""


@dataclass
class Started:
    """One running process and the file its output goes to."""

    name: str
    popen: subprocess.Popen[bytes] | Forked
    log_path: Path

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def alive(self) -> bool:
        return self.popen.poll() is None

    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def kill9(self) -> None:
        """SIGKILL the process and everything it forked (an RQ worker's horse too), as a power cut would."""
        try:
            os.killpg(self.popen.pid, signal.SIGKILL)
        except ProcessLookupError:
            return  # It ended by itself a moment ago, which is as dead as we want it.
        finally:
            self.popen.wait(timeout=10)

    def kill9_alone(self) -> None:
        """SIGKILL the parent only: what it forked goes on, as an orphaned horse does."""
        self.popen.kill()
        self.popen.wait(timeout=10)

    def stop(self, timeout_s: float = 15) -> None:
        """SIGTERM the group and wait; SIGKILL what has not ended in time."""
        if self.alive:
            self.popen.terminate()
            try:
                self.popen.wait(timeout=timeout_s)
            except subprocess.TimeoutExpired:
                self.kill9()
        try:
            os.killpg(self.popen.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return  # Nobody of the group is left.


@dataclass
class Processes:
    """All processes of one test; `stop_all` ends them in reverse order."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    started: list[Started] = field(default_factory=list)

    def start(
        self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None, cwd: Path = ROOT
    ) -> Started:
        """Start one process in a session of its own; its output goes to <folder>/<name>-<n>.log."""
        log_path = self._log(name)
        with log_path.open("wb") as log:
            popen = subprocess.Popen(
                list(argv),
                cwd=cwd,
                env=self._environment(env),
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        return self._keep(Started(name, popen, log_path))

    def workers(self, name: str, *args: str, env: Mapping[str, str] | None = None) -> Started:
        """Start what `python -m workers <args>` is, without the two seconds it takes to import it: for tests that start
        many of them."""
        log_path = self._log(name)
        log_path.touch()
        return self._keep(Started(name, fork(args, self._environment(env), log_path), log_path))

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}-{len(self.started)}.log"

    def _environment(self, env: Mapping[str, str] | None) -> dict[str, str]:
        return {**os.environ, "TZ": "UTC", "PYTHONUNBUFFERED": "1", **self.env, **(env or {})}

    def _keep(self, process: Started) -> Started:
        self.started.append(process)
        return process

    def python(self, name: str, *args: str, env: Mapping[str, str] | None = None, cwd: Path = ROOT) -> Started:
        """Start `python <args>` with this virtualenv's Python."""
        return self.start(name, [sys.executable, *args], env, cwd)

    def run(self, *args: str, env: Mapping[str, str] | None = None, timeout_s: float = 60) -> str:
        """Run `python <args>` to its end and return its output; a non-zero exit fails the test."""
        process = self.python("run", *args, env=env)
        code = process.popen.wait(timeout=timeout_s)
        if code != 0:
            raise ProcessEnded(f"python {' '.join(args)} ended with {code}:\n{process.log()[-4000:]}")
        return process.log()

    def wait_http(self, process: Started, url: str, *, timeout_s: float = READY_S) -> None:
        """Wait until url answers below 500; fail at once when the process has ended."""

        def answers() -> bool:
            self.check(process)
            try:
                return requests.get(url, timeout=2, allow_redirects=False).status_code < 500
            except requests.RequestException:
                return False

        wait_until(answers, timeout_s=timeout_s, what=f"{process.name} answers at {url}")

    def wait_log(self, process: Started, text: str, *, timeout_s: float = READY_S) -> None:
        """Wait until the process has printed text."""
        self.wait_for(lambda: text in process.log(), process, what=f"{process.name} printed {text!r}",
                      timeout_s=timeout_s)  # fmt: skip

    def wait_for(
        self, condition: Callable[[], object], *alive: Started, what: str, timeout_s: float = READY_S
    ) -> None:
        """Wait for a condition while the named processes stay alive."""

        def ask() -> object:
            answer = condition()
            if not answer:
                for process in alive:
                    self.check(process)
            return answer

        wait_until(ask, timeout_s=timeout_s, what=what)

    def check(self, process: Started) -> None:
        if not process.alive:
            raise ProcessEnded(
                f"{process.name} ended with {process.popen.returncode}; the end of its log:\n"
                f"{process.log()[-4000:]}"
            )

    def stop_all(self) -> None:
        for process in reversed(self.started):
            process.stop()

    def logs(self) -> str:
        """Every log, newest process last: what a failed test wants to show."""
        return "\n".join(f"--- {p.name} (pid {p.pid})\n{p.log()[-6000:]}" for p in self.started)
