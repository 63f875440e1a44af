"""What can go wrong in a seed, and how often: rates by name, drawn from one seeded random source and counted.

A profile names the rates; a seed varies them, so that some seeds are calm with one kind of trouble and others are
storms. `stop()` ends all faults: from then on the system must come to rest by itself.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace

RATES: dict[str, float] = {
    # at each yield point of a worker, web process or scheduler
    "crash": 0.004,
    "freeze": 0.001,
    # for each write to the ledger
    "request_lost": 0.06,
    "answer_lost": 0.12,
    "delivered_late": 0.1,
    "error_before_commit": 0.05,
    "error_after_commit": 0.07,
    "cut_off": 0.08,
    "not_sent": 0.04,
    "retry_later": 0.06,
    # for each member of a batch
    "member_refused_for_now": 0.03,
    # for each record that the ledger makes: how long reads do not show it
    "stale_read": 0.2,
    # for each read of either platform
    "read_unavailable": 0.03,
    "read_retry_later": 0.02,
    # for each mark in the source
    "mark_lost": 0.06,
    "mark_answer_lost": 0.06,
    # for each bell
    "bell_lost": 0.08,
    "bell_twice": 0.08,
    "bell_late": 0.08,
    # for each minute and company
    "outage": 0.02,
    "keys_forgotten": 0.02,
    "subscription_lapsed": 0.02,
    # for each place asked of the limiter
    "slot_wait": 0.05,
}


@dataclass(frozen=True)
class Bounds:
    """Longest times in seconds. Together `late`, `freeze` and `stale` stay below the quarantine in a world
    whose keys are forgotten: what exceeds it there is the residual risk that DESIGN section 6 documents."""

    late: float = 120.0
    freeze: float = 100.0
    stale: float = 60.0


@dataclass
class Faults:
    rng: random.Random
    rates: dict[str, float]
    bounds: Bounds = field(default_factory=Bounds)
    counts: Counter[str] = field(default_factory=Counter)
    over: bool = False

    @classmethod
    def draw(cls, rng: random.Random, *, without: frozenset[str] = frozenset(), only: dict[str, float] | None = None,
             bounds: Bounds | None = None) -> Faults:  # fmt: skip
        """The faults of one seed: each kind is off, normal or heavy. `without` switches kinds off for good."""
        rates: dict[str, float] = {}
        for name, rate in RATES.items():
            factor = rng.choice((0.0, 0.5, 1.0, 1.0, 2.5))
            rates[name] = 0.0 if name in without else rate * factor
        rates |= only or {}
        drawn = bounds or Bounds()
        if bounds is None and rates["keys_forgotten"] == 0:
            drawn = replace(drawn, late=rng.choice((120.0, 900.0, 3000.0)), freeze=rng.choice((100.0, 900.0, 3000.0)))
        return cls(rng, rates, drawn)

    def happens(self, name: str, weight: float = 1.0) -> bool:
        if self.over or self.rng.random() >= self.rates[name] * weight:
            return False
        self.counts[name] += 1
        return True

    def seconds(self, low: float, high: float) -> float:
        return self.rng.uniform(low, high)

    def stop(self) -> None:
        self.over = True

    @property
    def total(self) -> int:
        return sum(self.counts.values())
