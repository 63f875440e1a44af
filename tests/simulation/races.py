"""Token races: several processes need a token that has just expired, answers get lost, processes die while they renew.

One renewal per expiry where nothing goes wrong, and nobody is ever disconnected by what goes wrong on the way: the
identity service keeps a replaced token alive for its grace (reliability reference 1.8; faults F08, F15, F17, F18).
"""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy.orm import sessionmaker

from connectors.errors import NeedsReconnect, Unavailable
from connectors.oauth import GrantRejected, TokenSet
from models import Grant, KeyRing, make_engine, make_sessions
from sync.tokens import SPARE, TokenService, store_new_grant
from tests.simulation.campaign import memory, template
from tests.simulation.kernel import Kernel, Process
from tests.simulation.machine import SteppingSession

RING = KeyRing([("k1", b"1" * 32)])
LIFE = timedelta(hours=1)
GRACE_S = 86_400.0


@dataclass
class SimIdentity:
    """The identity service: every renewal replaces the refresh token; the one before works for a day."""

    platform: ClassVar[str] = "Identity"
    grace: ClassVar[timedelta] = timedelta(seconds=86_400)

    kernel: Kernel
    rng: random.Random
    trouble: float
    """The share of renewals whose answer is lost, or that are refused with a server's error."""
    renewals: int = 0
    lost: int = 0
    issued: dict[str, float] = field(default_factory=dict)
    """Refresh token → until when it works."""

    def first(self) -> TokenSet:
        return self._issue()

    def refresh(self, token: str) -> TokenSet:
        self.kernel.sleep(self.rng.choice((0.05, 0.2, 1.0)), "renewal")
        if self.rng.random() < self.trouble / 2:
            self.lost += 1
            raise Unavailable("Intuit did not answer.", platform="Intuit")
        if self.issued.get(token, 0.0) < self.kernel.now_s:
            raise GrantRejected("invalid_grant")
        made = self._issue()
        self.issued[token] = min(self.issued[token], self.kernel.now_s + GRACE_S)
        self.kernel.sleep(self.rng.choice((0.05, 0.2)), "renewal answered")
        if self.rng.random() < self.trouble:
            self.lost += 1
            raise Unavailable("Intuit did not answer.", platform="Intuit")
        return made

    def _issue(self) -> TokenSet:
        self.renewals += 1
        token = f"refresh-{self.renewals}"
        self.issued[token] = self.kernel.now_s + 100 * 86_400
        now = self.kernel.now()
        return TokenSet(f"access-{self.renewals}", token, now + LIFE, now + timedelta(days=100), None)


@dataclass(frozen=True)
class Raced:
    expiries: int
    renewals: int
    crashes: int
    lost: int
    disconnected: int
    errors: tuple[str, ...]


def race(seed: int, *, expiries: int = 10) -> Raced:
    """Some expiries of one grant, each met by several processes at once. Odd seeds are without trouble."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="bb-race-", dir=memory()) as folder:
        path = Path(folder) / "race.sqlite"
        shutil.copyfile(template(), path)
        engine = make_engine(f"sqlite:///{path}")
        try:
            return _race(rng, engine, expiries, trouble=0.0 if seed % 2 else 0.3)
        finally:
            engine.dispose()


def _race(rng: random.Random, engine: Any, expiries: int, *, trouble: float) -> Raced:
    kernel = Kernel(random.Random(rng.random()))
    identity = SimIdentity(kernel, rng, trouble)
    sessions = sessionmaker(engine, class_=SteppingSession, expire_on_commit=False, kernel=kernel)
    with make_sessions(engine)() as db, db.begin():
        grant = store_new_grant(
            db, RING, provider="quickbooks", subject="1", tokens=identity.first(), now=kernel.now()
        )
        grant_id = grant.id
    told: list[str] = []
    crashes = 0

    def fate(process: Process, label: str) -> str | float | None:
        nonlocal crashes
        if trouble and label != "pause" and rng.random() < 0.02:
            crashes += 1
            return "crash"
        return None

    kernel.fate = fate

    def worker(process: Process) -> None:
        service = TokenService(
            sessions, RING, {"quickbooks": identity}, kernel.now,  # type: ignore[arg-type]
            lambda seconds: kernel.sleep(seconds, "pause"), process.name, lambda name: kernel.step(name),
            patience_s=120.0,
        )  # fmt: skip
        for _ in range(3):
            try:
                service.access_token(grant_id)
                return
            except Unavailable:
                kernel.sleep(70.0, "pause")
            except NeedsReconnect as error:
                told.append(str(error))
                return

    for number in range(expiries):
        kernel.now_s += (LIFE - SPARE).total_seconds() + 1
        for one in range(rng.randint(2, 6)):
            process = Process(f"worker-{number}-{one}")
            kernel.spawn(process, process.name, lambda p=process: worker(p), after=rng.choice((0.0, 0.0, 0.1, 2.0)))
        kernel.run(lambda: not kernel.tasks, limit_s=3600)
    with make_sessions(engine)() as db:
        ended = db.get_one(Grant, grant_id).ended_at is not None
    return Raced(expiries, identity.renewals - 1, crashes, identity.lost, int(ended) + len(told),
                 tuple(kernel.failures))  # fmt: skip


def run(pool: ProcessPoolExecutor, seeds: range) -> int:
    """Print one JSON line; 0 when nobody was disconnected and calm expiries cost one renewal each."""
    results = list(pool.map(race, seeds))
    calm = [result for result, seed in zip(results, seeds, strict=True) if seed % 2]
    told = {
        "races": sum(result.expiries for result in results), "start": seeds.start,
        "calm_expiries": sum(result.expiries for result in calm), "calm_renewals": sum(r.renewals for r in calm),
        "crashes": sum(result.crashes for result in results), "answers_lost": sum(result.lost for result in results),
        "disconnected": sum(result.disconnected for result in results),
        "errors": sum(len(result.errors) for result in results),
    }  # fmt: skip
    print(json.dumps(told))
    good = not told["disconnected"] and not told["errors"] and told["calm_expiries"] == told["calm_renewals"]
    return 0 if good else 1
