"""`python -m tests.chaos --minutes 30`: a whole installation, broken again and again while months are posted.

PostgreSQL, Redis, two web processes, three workers, two schedulers, the sandbox with its limits on, times divided by
ten. Every few seconds something happens: a process is killed, frozen beyond its lease, started with a clock that is
wrong, deployed anew; Redis is emptied or stopped, PostgreSQL is stopped, its disk is filled; tokens expire and grants
are revoked; buttons are pressed twice; the platforms lose answers. The judge is the sandbox. The last line is one JSON
object with the simulation's keys; the exit code is 0 only with the four zeros.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import requests
from sqlalchemy.exc import SQLAlchemyError

from sandbox import server
from sandbox.intuit import tokens as sandbox_tokens
from tests.chaos.installation import FACTOR, ROLES, Installation
from tests.simulation.__main__ import p99
from tools.waiting import WaitedTooLong, wait_until
from workers.system import pause

FROZEN_S = 15.0
"""Longer than the lease of nine seconds."""
SETTLE_S = 420.0
PLATFORM = ("response_lost", "request_lost", "delivered_late", "error_500_before", "error_500_after", "cut_json",
            "slow_after", "status_429", "batch_item_fault", "stale_reads", "requestid_forgotten")  # fmt: skip


class Chaos:
    """Breaks an installation. Every event notes how many documents were in flight when it struck."""

    def __init__(self, told: Installation, rng: random.Random) -> None:
        self.told, self.rng = told, rng
        self.faults: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.crashes = 0
        self.events: dict[str, Callable[[], None]] = {
            "kill": self.kill, "freeze": self.freeze, "flush_redis": told.redis.flush, "stop_redis": self.stop_redis,
            "stop_postgres": self.stop_postgres, "clock": self.clock, "expire_tokens": told.expire_tokens,
            "revoke": self.revoke, "press_twice": self.press_twice, "deploy": self.deploy, "platform": self.platform,
        }  # fmt: skip
        if told.disk.mounted:
            self.events["fill_disk"] = self.fill_disk
        self.weights = {"kill": 4, "platform": 5, "press_twice": 3, "freeze": 2}

    def once(self) -> None:
        names = list(self.events)
        name = self.rng.choices(names, [self.weights.get(name, 1) for name in names])[0]
        documents = self.told.in_flight()
        self.counts[name] += 1
        self.faults[name] += documents
        if name == "kill" and documents:
            self.crashes += 1
        say(f"{name}, {documents} documents in flight")
        try:
            self.events[name]()
        except (SQLAlchemyError, requests.RequestException) as error:
            say(f"  {name}: {type(error).__name__}")

    def _role(self) -> str:
        return self.rng.choice([*ROLES, "worker-1", "worker-2", "web-1", "web-2"])

    def kill(self) -> None:
        self.told.kill(self._role())

    def freeze(self) -> None:
        role = self.rng.choice(("worker-1", "worker-2", "scheduler-1"))
        self.told.freeze(role)
        threading.Timer(FROZEN_S, lambda: self.told.freeze(role, thaw=True)).start()

    def stop_redis(self) -> None:
        self.told.redis.stop()
        pause(self.rng.uniform(2, 8))
        self.told.redis.start()

    def stop_postgres(self) -> None:
        self.told.database.stop()
        pause(self.rng.uniform(2, 8))
        self.told.database.start()

    def fill_disk(self) -> None:
        self.told.disk.fill()
        pause(self.rng.uniform(2, 6))
        self.told.disk.free()
        if not self.told.database.answers():  # a full disk can end it; whoever runs it starts it again
            self.told.database.start()

    def clock(self) -> None:
        wrong = f"{self.rng.uniform(-600, 600):.0f}"
        self.told.replace(self.rng.choice(("worker-1", "worker-2")), CLOCK_OFFSET_SECONDS=wrong)

    def revoke(self) -> None:
        month = self.rng.choice(self.told.months)
        sandbox_tokens.revoke_company(self.told.world, str(month.made["realm"]))
        threading.Timer(6.0, lambda: self.told.reconnect(month)).start()

    def press_twice(self) -> None:
        month = self.rng.choice(self.told.months)
        presses = [threading.Thread(target=self.told.press, args=(month,)) for _ in range(2)]
        for press in presses:
            press.start()
        for press in presses:
            press.join(timeout=20)

    def deploy(self) -> None:
        """A new revision takes over process by process while the old one still works."""
        for role in ROLES:
            self.told.replace(role)

    def platform(self) -> None:
        for name in self.rng.sample(PLATFORM, 3):
            where = "autotask" if self.rng.random() < 0.3 and name not in ("batch_item_fault",) else "qbo"
            seconds = {"delivered_late": 20.0, "slow_after": 5.0, "stale_reads": 4.0}.get(name)
            extra: dict[str, Any] = {"seconds": seconds} if seconds else {}
            self.told.world.faults.plan(name, where, "batch" if where == "qbo" else None, times=2, **extra)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--invoices", type=int, default=150, help="in each company's month")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended on every way out
    with tempfile.TemporaryDirectory(prefix="bb-chaos-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        world = server.open_world(folder / "sandbox.sqlite")
        try:
            with server.running(world) as url:
                told = Installation(folder, url, world, random.Random(given.seed))
                try:
                    return run(told, given)
                finally:
                    told.close()
        finally:
            world.close()


def run(told: Installation, given: argparse.Namespace) -> int:
    begin = time.monotonic()
    chaos = Chaos(told, random.Random(given.seed))
    requests.post(f"{told.url}/control/limits", json={"on": True, "scale": 1}, timeout=10).raise_for_status()
    told.start()
    told.open_month(given.invoices)
    end = begin + given.minutes * 60
    while time.monotonic() < end:
        if not told.in_flight():  # so that every event strikes something
            _try(lambda: told.open_month(given.invoices))
            with suppress(WaitedTooLong):
                wait_until(told.in_flight, timeout_s=20, what="documents are in flight", every_s=0.1)
        pause(chaos.rng.uniform(0, 1))
        chaos.once()
    say("no more events from here on")
    told.world.faults.clear()
    for month in told.months:
        _try(lambda m=month: told.reconnect(m))  # type: ignore[misc]
        _try(lambda m=month: told.press(m))  # type: ignore[misc]
    found, absent, stuck = settle(told)
    account = judge(told)
    figures = {
        "seeds": 1, "start": given.seed, "documents": account["documents"], "faults": sum(chaos.faults.values()),
        "crashes": chaos.crashes, "recoveries": told.recoveries(), "converge_found_p99_s": p99(found),
        "converge_absent_p99_s": p99(absent), "duplicates": account["duplicates"], "lost": account["lost"],
        "wrong_company": account["wrong_company"], "stuck": stuck, "residual": 0,
        "seconds": round(time.monotonic() - begin, 1),
    }  # fmt: skip
    say("events: " + ", ".join(f"{name} {count}" for name, count in sorted(chaos.counts.items())))
    if "fill_disk" not in chaos.events:
        say("the disk was not filled: mounting a file system is not allowed here")
    print(json.dumps(figures))
    return 0 if not any(figures[key] for key in ("duplicates", "lost", "wrong_company", "stuck")) else 1


def settle(told: Installation) -> tuple[list[float], list[float], int]:
    """Wait until nothing is in flight. Times are the product's own: what passed, times the factor."""
    begin = time.monotonic()
    open_ = told.waiting()
    sends = dict(open_)
    found: list[float] = []
    absent: list[float] = []

    def settled() -> bool:
        now = told.waiting()
        for id in [id for id in open_ if id not in now]:
            passed = (time.monotonic() - begin) * FACTOR
            (absent if sends[id][1] > open_[id][1] else found).append(passed)
            del open_[id]
        sends.update(now)
        return told.at_rest()

    try:
        wait_until(settled, timeout_s=SETTLE_S, what="everything has settled", every_s=0.3)
    except WaitedTooLong:
        left = told.waiting()
        say(f"did not settle: {told.what_waits()}")
        return found, absent, max(1, len(left))
    return found, absent, 0


def judge(told: Installation) -> dict[str, int]:
    """The sandbox's account of every company: it compares source and books, and asks nobody."""
    total: Counter[str] = Counter()
    for month in told.months:
        query = {"ci": month.made["ci"], "realm": month.made["realm"], "details": 1}
        verdict = requests.get(f"{told.url}/control/audit", params=query, timeout=60).json()
        total["documents"] += verdict["seen"]
        total["duplicates"] += verdict["duplicates"]
        total["lost"] += verdict["missing"] + verdict["unmarked"]
        extra = verdict["posted"] + verdict["credit_memos"] - (verdict["seen"] - verdict["missing"])
        total["wrong_company"] += max(0, extra - verdict["duplicates"])
    return {key: total[key] for key in ("documents", "duplicates", "lost", "wrong_company")}


def _try(what: Callable[[], None]) -> None:
    try:
        what()
    except (SQLAlchemyError, requests.RequestException) as error:
        say(f"  not now: {type(error).__name__}")


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
