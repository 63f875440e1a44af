"""Run the Procfile's processes and the sandbox under honcho until told to stop: `python -m tools.demo.supervisor`.

A process of its own, because honcho forks and wants the main thread; the demo starts it, talks to the site,
and ends it. It ends by itself when the demo goes away: its standard input closes.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import threading
from pathlib import Path

import honcho.manager
from honcho.environ import parse_procfile
from honcho.printer import Printer

from tools.environment import ROOT

# honcho kills after five seconds; a worker may be settling a call of up to a minute, a page half of that.
KILL_WAIT_S = 30


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", type=Path, required=True, help="file all output goes to")
    parser.add_argument("--sandbox", required=True, help="arguments after `python` that start the sandbox")
    parser.add_argument("--only", nargs="*", default=["web", "worker", "interactive", "scheduler"])
    args = parser.parse_args()
    honcho.manager.KILL_WAIT = KILL_WAIT_S
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with args.log.open("a", encoding="utf-8") as log:
        manager = honcho.manager.Manager(Printer(output=log, colour=False))
        sandbox = f"exec {shlex.quote(sys.executable)} {args.sandbox}"
        manager.add_process("sandbox", sandbox, cwd=str(ROOT), env=dict(os.environ))
        lines = demo_lines()
        for name in args.only:
            manager.add_process(name, lines[name], cwd=str(ROOT), env=dict(os.environ))
        manager.loop()
    return int(manager.returncode or 0)


def demo_lines() -> dict[str, str]:
    """The Procfile's processes; the web process is the demo's own, which can pull the plug."""
    lines = parse_procfile((ROOT / "Procfile").read_text(encoding="utf-8")).processes
    return {name: line.replace("app:create_app()", "tools.demo.web:create_app()") for name, line in lines.items()}


def _end_with_parent() -> None:
    """Block until standard input closes, then ask ourselves to stop as a terminal would."""
    while os.read(0, 1024):
        continue
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
