"""Starts processes of the product without importing it anew for each: one process that has imported it forks them.

What it forks is a process like any other, with a session, an environment, an output and an end of its own: `kill -9`
ends it, and what RQ forks from it lives and dies as ever. As a program it reads one JSON line per process, answers with
its id, and ends when its input closes; what it forked goes on.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from tools.waiting import WaitedTooLong, wait_until

ROOT = Path(__file__).resolve().parents[2]


class Forked:
    """What `subprocess.Popen` tells of a child, of one that the nursery forked and waits for."""

    def __init__(self, pid: int, ended: Path) -> None:
        self.pid, self._ended = pid, ended
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None and self._ended.exists():
            self.returncode = int(self._ended.read_text(encoding="ascii"))
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Raises subprocess.TimeoutExpired after `timeout` seconds."""
        try:
            wait_until(lambda: self.poll() is not None, timeout_s=timeout, what="its end", every_s=0.01)
        except WaitedTooLong as late:
            raise subprocess.TimeoutExpired(str(self.pid), timeout) from late
        assert self.returncode is not None
        return self.returncode

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, which: signal.Signals) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it ended this very moment
                os.kill(self.pid, which)


@cache
def _nursery() -> subprocess.Popen[str]:
    """One for each test process, started when it is first needed. It ends with us, as its input closes then."""
    started = subprocess.Popen(
        [sys.executable, "-m", "tests.infra.nursery"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True, start_new_session=True,
    )
    atexit.register(started.communicate)
    return started


def fork(arguments: Sequence[str], env: Mapping[str, str], log: Path) -> Forked:
    """`python -m workers <arguments>` with exactly this environment, its output appended to `log`."""
    nursery, ended = _nursery(), log.with_suffix(".ended")
    assert nursery.stdin is not None and nursery.stdout is not None
    asked = {"arguments": list(arguments), "env": dict(env), "log": str(log), "ended": str(ended)}
    print(json.dumps(asked), file=nursery.stdin, flush=True)
    return Forked(int(nursery.stdout.readline()), ended)


# ---- the program --------------------------------------------------------------------------------------------


def main() -> None:
    import workers.__main__
    import workers.jobs  # noqa: F401 - what a worker imports before its first job

    wakes, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    living: dict[int, Path] = {}
    while True:
        ready, _, _ = select.select([sys.stdin, wakes], [], [])
        if wakes in ready:
            os.read(wakes, 4096)
            _note_ends(living)
        if sys.stdin in ready:
            line = sys.stdin.readline()  # whole: the next is sent when this one is answered
            if not line:
                return
            asked = json.loads(line)
            pid = os.fork()
            if pid == 0:
                _become(asked)
            living[pid] = Path(asked["ended"])


def _note_ends(living: dict[int, Path]) -> None:
    for pid in list(living):
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            ended = living.pop(pid)
            whole = ended.with_suffix(".whole")
            whole.write_text(str(os.waitstatus_to_exitcode(status)), encoding="ascii")
            whole.rename(ended)


def _become(asked: Mapping[str, Any]) -> NoReturn:
    """In the child: as if it had just been started."""
    from workers.__main__ import main as run

    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    os.write(1, f"{os.getpid()}\n".encode())
    log, nothing = os.open(asked["log"], os.O_WRONLY | os.O_APPEND), os.open(os.devnull, os.O_RDONLY)
    for place, file in ((0, nothing), (1, log), (2, log)):
        os.dup2(file, place)
    os.environ.clear()
    os.environ.update(asked["env"])
    time.tzset()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    code = 1
    try:
        code = run(asked["arguments"])
    finally:
        if sys.exc_info()[0] is not None:
            traceback.print_exc()
        sys.stdout.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
