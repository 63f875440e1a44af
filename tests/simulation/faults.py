"""What can go wrong in a seed, and how often: rates by name, drawn from one seeded random source and counted.

A profile names the rates; a seed varies them, so that some seeds are calm with one kind of trouble and others are
storms. `stop()` ends all faults: from then on the system must come to rest by itself.

Two counts are kept. `counts`: how often a fault was drawn. `touched`: once for every document whose running step it
changed (a lost answer to a batch of twelve is twelve, a bell that is lost is none); that is the published figure.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace

DATABASE: dict[str, float] = {
    # for each statement, and each commit, of a worker, web process or scheduler
    "connection_cut": 0.0006,
    "commit_lost": 0.01,
    "commit_answer_lost": 0.01,
    # for each call to the ledger, whose token stands in the database
    "token_cut": 0.03,
    # for each minute and company: nothing, or nothing that writes, is committed for a while
    "database_away": 0.015,
    "disk_full": 0.02,
}
"""Trouble of the installation's own database."""
CLOCKS: dict[str, float] = {
    # for each minute and company
    "clock_back": 0.1,
}
"""Trouble with a machine's clock while its processes run."""
MAILS: dict[str, float] = {
    # for each mail that is handed to the mail server
    "mail_refused": 0.03,
    "mail_refused_for_now": 0.15,
    "mail_lost": 0.1,
    "mail_answer_lost": 0.1,
    "mail_quit_refused": 0.1,
    # for each minute and company
    "mail_server_away": 0.03,
}
"""Trouble with the mail server."""
RATES: dict[str, float] = {
    # at each yield point of a worker, web process or scheduler
    "crash": 0.006,
    "freeze": 0.0015,
    # for each write to the ledger
    "request_lost": 0.1,
    "answer_lost": 0.25,
    "delivered_late": 0.2,
    "delivered_twice": 0.12,
    "error_before_commit": 0.12,
    "error_after_commit": 0.15,
    "cut_off": 0.2,
    "not_sent": 0.1,
    "retry_later": 0.12,
    # for each member of a batch
    "member_refused_for_now": 0.08,
    # for each record that the ledger makes: how long reads do not show it
    "stale_read": 0.4,
    # for each read of either platform
    "read_unavailable": 0.12,
    "read_retry_later": 0.08,
    # for each mark in the source
    "mark_lost": 0.15,
    "mark_answer_lost": 0.15,
    # for each bell
    "bell_lost": 0.08,
    "bell_twice": 0.08,
    "bell_late": 0.08,
    # for each process that begins
    "clock_wrong": 0.15,
    # for each minute and company
    "outage": 0.03,
    "keys_forgotten": 0.02,
    "subscription_lapsed": 0.02,
    "relinked": 0.02,
    "changed_in_ledger": 0.1,
    "removed_in_ledger": 0.02,
    "party_away": 0.03,
    "day_limit": 0.01,
    "period_closed": 0.06,
    # for each place asked of the limiter
    "slot_wait": 0.05,
    **DATABASE,
    **CLOCKS,
    **MAILS,
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
    touched: Counter[str] = field(default_factory=Counter)
    only: frozenset[int] | None = None
    """When a failing seed is shortened: the numbers of the faults that still happen."""
    drawn: int = 0
    over: bool = False

    @classmethod
    def draw(cls, rng: random.Random, *, without: frozenset[str] = frozenset(), rates: dict[str, float] | None = None,
             bounds: Bounds | None = None, only: frozenset[int] | None = None,
             keys_end: bool = False, database: bool = True, mails: bool = True) -> Faults:  # fmt: skip
        """The faults of one seed: each kind is off, normal or heavy. `without` switches kinds off for good. `keys_end`:
        some ledger keeps its keys for minutes only, so nothing may be later than the quarantine. Without `database`
        (and the clocks) or `mails` their kinds take no random number either: set-ups without them keep the histories
        that they had."""
        drawn: dict[str, float] = {}
        for name, rate in RATES.items():
            if ((name in DATABASE or name in CLOCKS) and not database) or (name in MAILS and not mails):
                continue
            factor = rng.choice((0.0, 0.5, 1.0, 1.0, 2.5))
            drawn[name] = 0.0 if name in without else rate * factor
        drawn |= rates or {}
        longest = bounds or Bounds()
        if bounds is None and drawn["keys_forgotten"] == 0 and not keys_end:
            longest = replace(
                longest, late=rng.choice((120.0, 900.0, 3000.0)), freeze=rng.choice((100.0, 900.0, 3000.0))
            )
        return cls(rng, drawn, longest, only=only)

    def happens(self, name: str, weight: float = 1.0, *, documents: int = 0) -> bool:
        """Whether it happens now. `documents`: how many have a running step that it changes."""
        rate = self.rates.get(name)
        if self.over or rate is None or self.rng.random() >= rate * weight:
            return False
        self.drawn += 1
        if self.only is not None and self.drawn not in self.only:
            return False
        self.counts[name] += 1
        self.touched[name] += documents
        return True

    def touch(self, name: str, documents: int) -> None:
        """Documents met the consequence of a fault that was drawn before, such as a key that is forgotten."""
        if not self.over:
            self.touched[name] += documents

    def seconds(self, low: float, high: float) -> float:
        return self.rng.uniform(low, high)

    def stop(self) -> None:
        self.over = True
