"""Token races: several processes need a token that has just expired, answers get lost, processes die while they renew.

One renewal per expiry where nothing goes wrong, and nobody is ever disconnected by what goes wrong on the way: the
identity service keeps a replaced token alive for its grace (reliability reference 1.8; faults F08, F15, F17, F18).
Between two expiries the installation may stand still for nearly as long as a refresh token lives unused.
"""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.orm import sessionmaker

from connectors.errors import NeedsReconnect, Unavailable
from models import Grant, make_engine, make_sessions
from sync.tokens import SPARE, TokenService, store_new_grant
from tests.simulation.campaign import memory, template
from tests.simulation.identity import RING, ROTATIONS, Rotation, SimIdentity
from tests.simulation.kernel import Kernel, Process
from tests.simulation.machine import SteppingSession

MINUTE_S, DAY_S = 60.0, 86_400.0


@dataclass(frozen=True)
class Raced:
    expiries: int
    renewals: int
    crashes: int
    lost: int
    disconnected: int
    errors: tuple[str, ...]


def race(seed: int, ledger: str, *, expiries: int = 10) -> Raced:
    """Some expiries of one grant, each met by several processes at once. Odd seeds are without trouble."""
    with tempfile.TemporaryDirectory(prefix="bb-race-", dir=memory()) as folder:
        path = Path(folder) / "race.sqlite"
        shutil.copyfile(template(), path)
        engine = make_engine(f"sqlite:///{path}")
        try:
            return Race(random.Random(seed), engine, ROTATIONS[ledger], 0.0 if seed % 2 else 0.3).run(expiries)
        finally:
            engine.dispose()


class Race:
    """One grant, its identity service and the processes that want its token."""

    def __init__(self, rng: random.Random, engine: Any, rotation: Rotation, trouble: float) -> None:
        self.rng, self.rotation, self.trouble = rng, rotation, trouble
        self.kernel = Kernel(random.Random(rng.random()), fate=self._fate)
        self.identity = SimIdentity(rotation, self.kernel, rng, trouble)
        self.sessions = sessionmaker(engine, class_=SteppingSession, expire_on_commit=False, kernel=self.kernel)
        self.plain = make_sessions(engine)
        self.told: list[str] = []
        self.crashes = 0
        with self.plain() as db, db.begin():
            self.grant_id = store_new_grant(
                db, RING, provider=rotation.provider, subject="1", tokens=self.identity.first(),
                now=self.kernel.now(),
            ).id  # fmt: skip

    def run(self, expiries: int) -> Raced:
        for number in range(expiries):
            self.kernel.now_s += self._until_the_next()
            before = self._grant().version
            self._meet(number, self.rng.randint(2, 6))
            while self._grant().version == before and self._grant().ended_at is None:
                self.kernel.now_s += MINUTE_S  # Companies are polled every minute, whoever died.
                self._meet(number, 1)
        ended = self._grant().ended_at is not None
        return Raced(expiries, self.identity.renewals - 1, self.crashes, self.identity.lost,
                     int(ended) + len(self.told), tuple(self.kernel.failures))  # fmt: skip

    def _until_the_next(self) -> float:
        """Seconds: the token has just a little left, or the installation stood still for days."""
        if self.rng.random() < 0.2:
            return self.rng.uniform(DAY_S, self.rotation.unused.total_seconds() - DAY_S)
        return (self.rotation.life - SPARE).total_seconds() + 1

    def _meet(self, number: int, processes: int) -> None:
        for one in range(processes):
            process = Process(f"worker-{number}-{one}")
            after = self.rng.choice((0.0, 0.0, 0.1, 2.0))
            self.kernel.spawn(process, process.name, partial(self._worker, process), after=after)
        self.kernel.run(lambda: not self.kernel.tasks, limit_s=3600)

    def _worker(self, process: Process) -> None:
        service = TokenService(
            self.sessions, RING, {self.rotation.provider: self.identity}, self.kernel.now,
            lambda seconds: self.kernel.sleep(seconds, "pause"), process.name, self.kernel.step, patience_s=120.0,
        )  # fmt: skip
        for _ in range(3):
            try:
                service.access_token(self.grant_id)
                return
            except Unavailable:
                self.kernel.sleep(70.0, "pause")
            except NeedsReconnect as error:
                self.told.append(str(error))
                return

    def _fate(self, process: Process, label: str) -> str | float | None:
        if self.trouble and label != "pause" and self.rng.random() < 0.02:
            self.crashes += 1
            return "crash"
        return None

    def _grant(self) -> Grant:
        with self.plain() as db:
            return db.get_one(Grant, self.grant_id)


def run(pool: ProcessPoolExecutor, seeds: range) -> int:
    """Print one JSON line per ledger; 0 when nobody was disconnected and calm expiries cost one renewal each."""
    good = [_told(ledger, list(pool.map(partial(race, ledger=ledger), seeds)), seeds) for ledger in ROTATIONS]
    return 0 if all(good) else 1


def _told(ledger: str, results: list[Raced], seeds: range) -> bool:
    calm = [result for result, seed in zip(results, seeds, strict=True) if seed % 2]
    told = {
        "ledger": ledger, "races": sum(result.expiries for result in results), "start": seeds.start,
        "calm_expiries": sum(result.expiries for result in calm), "calm_renewals": sum(r.renewals for r in calm),
        "crashes": sum(result.crashes for result in results), "answers_lost": sum(result.lost for result in results),
        "disconnected": sum(result.disconnected for result in results),
        "errors": sum(len(result.errors) for result in results),
    }  # fmt: skip
    print(json.dumps(told))
    return not told["disconnected"] and not told["errors"] and told["calm_expiries"] == told["calm_renewals"]
