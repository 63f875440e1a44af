"""What happens to the installation: one method per event, each counting whom it struck."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import requests
from sqlalchemy.exc import SQLAlchemyError

from connectors.errors import PlatformError
from tests.chaos.companies import STALE_S, Companies, Month
from tests.chaos.installation import ROLES, WEB, Installation, send
from tests.chaos.people import People
from tools.waiting import WaitedTooLong, wait_until
from workers.system import pause

FROZEN_S = 15.0
"""Longer than the lease of nine seconds, shorter than the quarantine of thirty."""
WORKERS = ("worker-1", "worker-2", "worker-3")
EVERYWHERE = ("response_lost", "request_lost", "delivered_late", "error_500_before", "error_500_after", "cut_json",
              "slow_after", "status_429", "status_503", "status_401")  # fmt: skip
CREATING = {"qbo": "batch", "xero": "* PUT"}
"""The calls that create."""
LEDGERS = {"qbo": ("batch_item_fault", "stale_reads", "requestid_forgotten"), "xero": ("requestid_forgotten",)}
SECONDS = {"delivered_late": 20.0, "slow_after": 5.0, "stale_reads": STALE_S}


class Chaos:
    """Breaks an installation. Every event notes how many documents were in hand where it struck."""

    def __init__(self, told: Installation, companies: Companies, people: People, rng: random.Random) -> None:
        self.told, self.companies, self.rng = told, companies, rng
        self.faults: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.crashes = 0
        self.deployed: list[str] = []
        self._later: list[threading.Timer] = []
        self.events: dict[str, Callable[[], None]] = {
            "kill": self.kill, "freeze": self.freeze, "flush_redis": told.redis.flush, "stop_redis": self.stop_redis,
            "stop_postgres": self.stop_postgres, "clock": self.clock, "rotate_tokens": companies.expire_tokens,
            "revoke": self.revoke, "press_twice": self.press_twice, "deploy": self.deploy, "platform": self.platform,
            **{what.__name__: partial(self._somebody, what)
               for what in (people.void, people.edit, people.replace, people.receive)},
        }  # fmt: skip
        if told.disk.mounted:
            self.events["fill_disk"] = self.fill_disk
        self.weights = {"kill": 5, "platform": 5, "press_twice": 6, "freeze": 2, "deploy": 0.3,
                        "void": 2, "replace": 3, "receive": 2}  # fmt: skip

    def once(self, name: str | None = None) -> None:
        """One event, drawn unless named. Those that strike everybody count everything in hand."""
        names = list(self.events)
        name = name or self.rng.choices(names, [self.weights.get(name, 1) for name in names])[0]
        struck = self.companies.in_hand()
        self.counts[name] += 1
        if name in ("flush_redis", "stop_redis", "stop_postgres", "fill_disk", "rotate_tokens", "deploy"):
            self.faults[name] += struck
        say(f"{name}, {struck} documents in hand")
        try:
            self.events[name]()
        except (SQLAlchemyError, requests.RequestException, PlatformError) as error:
            say(f"  {name}: {type(error).__name__}")

    def end(self) -> None:
        """Nothing more happens: what was to come later comes now, and whoever stands still goes on."""
        for timer in self._later:
            timer.join()
        self.told.world.faults.clear()
        for role in ROLES:
            send(signal.SIGCONT, self.told.family(role))

    def last_blow(self, open_months: Callable[[], None]) -> None:
        """So that there is something to converge: of the last months answers and requests of both ledgers are lost, and
        a worker with documents in hand dies."""
        for platform, operation in CREATING.items():
            # Customers and vendors are made before the documents, which are what is meant.
            for name, after in (("response_lost", 2), ("request_lost", 4)):
                self.told.world.faults.plan(name, platform, operation, after=after, times=2)
        open_months()
        with suppress(WaitedTooLong):
            wait_until(self._uncertain, timeout_s=120, what="answers were lost", every_s=0.2)
        busy = self._busy(always=True)
        if busy:
            self.kill(busy)
        self.told.world.faults.clear()

    def _uncertain(self) -> bool:
        """Both ledgers left something unanswered."""
        struck = [one for one in self.told.world.faults.planned() if one["struck"]]
        return {one["platform"] for one in struck} == set(CREATING)

    def kill(self, role: str | None = None) -> None:
        role = role or self._busy() or self.rng.choice((*WORKERS, "scheduler-1", "scheduler-2", *WEB))
        # What stands in the database under the names of the dead is asked afterwards: that is what they left behind.
        dead = self.told.kill(role, only=self.rng.choice(("", "", "child", "parent")))
        struck = self.companies.in_hand(self.told.holders(dead))
        self.faults["kill"] += struck
        self.crashes += struck > 0

    def _busy(self, *, always: bool = False) -> str | None:
        """Two times out of three a worker that has documents in hand, where there is one."""
        busy = [role for role in WORKERS if self.companies.in_hand(self.told.holders(self.told.family(role)))]
        return self.rng.choice(busy) if busy and (always or self.rng.random() < 0.67) else None

    def freeze(self) -> None:
        stopped = self.told.freeze(self._busy() or self.rng.choice((*WORKERS, "scheduler-1")))
        self.faults["freeze"] += self.companies.in_hand(self.told.holders(stopped))
        self._after(FROZEN_S, lambda: send(signal.SIGCONT, stopped))

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
        self.told.replace(self.rng.choice(WORKERS), CLOCK_OFFSET_SECONDS=wrong)

    def revoke(self) -> None:
        month = self.rng.choice(self.companies.months)
        self.companies.revoke(month)
        self._after(6.0, lambda: self._reconnect(month))

    def _reconnect(self, month: Month) -> None:
        try:
            self.companies.reconnect(month)
        except SQLAlchemyError as error:  # the database is away: whoever is at the end of the run connects it again
            say(f"  reconnect: {type(error).__name__}")

    def press_twice(self) -> None:
        month = self.rng.choice(self.companies.months[-4:])
        sites = (self.told.sites[WEB[0]], self.told.sites[WEB[1]])
        say(f"  {month.person.press_something_twice(sites) or 'nothing to press there'}")

    def _somebody(self, what: Callable[[], str]) -> None:
        say(f"  {what() or 'nothing to do there'}")

    def deploy(self) -> None:
        name = self.told.deploy()
        say(f"  {name or 'did not come about'}")
        if name:
            self.deployed.append(name)

    def platform(self) -> None:
        where = self.rng.choice(("qbo", "xero", "autotask"))
        names = (*EVERYWHERE, *LEDGERS.get(where, ()))
        operation = "batch" if where == "qbo" and self.rng.random() < 0.7 else None
        for name in self.rng.sample(names, 3):
            extra: dict[str, Any] = {"seconds": SECONDS[name]} if name in SECONDS else {}
            self.told.world.faults.plan(name, where, operation, times=2, **extra)

    def _after(self, seconds: float, what: Callable[[], None]) -> None:
        timer = threading.Timer(seconds, what)
        self._later = [each for each in self._later if each.is_alive()] + [timer]
        timer.start()


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)
