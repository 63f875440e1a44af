"""What a failed seed tells: the fewest faults with which it still fails so, and the events that concern them.

First whole kinds of faults are left out, then everything after the fault that is needed last, then faults one by one
and in groups. Every try is a whole run of the seed, so their number and their time are bounded.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from tests.simulation.campaign import Outcome, Profile, run_seed
from tests.simulation.faults import RATES

MOST_RUNS = 80
MOST_SECONDS = 300.0
"""After so long no other try is begun: a seed of many documents that never rests is slow, again and again."""


class Shrinking:
    def __init__(self, seed: int, profile: Profile, most_runs: int) -> None:
        self.seed, self.profile, self.left = seed, profile, most_runs
        self.until = time.monotonic() + MOST_SECONDS
        self.outcome = run_seed(seed, profile)
        self.kind = next((one.kind for one in self.outcome.violations if one.kind != "residual"), "")
        """What is looked for: another violation is another history's."""

    def smallest(self) -> Outcome:
        if self.outcome.ok:
            return self.outcome
        self._kinds()
        self._end()
        self._groups()
        return self.outcome

    def _fails(self, profile: Profile) -> bool:
        if self.left <= 0 or time.monotonic() > self.until:
            return False
        self.left -= 1
        tried = run_seed(self.seed, profile)
        if not tried.count(self.kind):
            return False
        self.outcome, self.profile = tried, profile
        return True

    def _kinds(self) -> None:
        for name in RATES:
            if self.outcome.counts[name]:
                self._fails(replace(self.profile, without=self.profile.without | {name}))

    def _end(self) -> None:
        """Halve the history for as long as its first half is enough."""
        low, high = 0, self.outcome.drawn
        while high - low > 1:
            middle = (low + high) // 2
            if self._fails(replace(self.profile, kept=frozenset(range(1, middle + 1)))):
                high = middle
            else:
                low = middle

    def _groups(self) -> None:
        """Leave out ever smaller groups of the faults that remain."""
        kept = sorted(self.profile.kept or range(1, self.outcome.drawn + 1))
        size = max(1, len(kept) // 2)
        while size >= 1 and self.left > 0 and time.monotonic() <= self.until:
            for start in range(0, len(kept), size):
                fewer = kept[:start] + kept[start + size :]
                if self._fails(replace(self.profile, kept=frozenset(fewer))):
                    kept = fewer
                    break
            else:
                size //= 2


def shrink(seed: int, profile: Profile, *, most_runs: int = MOST_RUNS) -> Outcome:
    """The failing seed with as few faults as were found to make it fail."""
    return Shrinking(seed, profile, most_runs).smallest()


def timeline(outcome: Outcome, lines: int = 60) -> Iterator[str]:
    """The last events of the company of the first violation, up to it."""
    first = next((v for v in outcome.violations if v.kind != "residual"), None)
    if first is None:
        return
    mine = [e for e in outcome.events if e.company in (first.company, None)]
    subject = first.subject.rpartition(" ")[2]
    index = next((n for n, e in enumerate(mine) if e.who == "checker" and str(first) in e.what), len(mine))
    shown = mine[:index]
    words = (f" {subject}", "batch", "KILLED", "FROZEN", "forgot", "off", "another company", "by hand",
             "FAILED", "ERROR ", "DATABASE", "database", "MAIL", "mail")  # fmt: skip
    told = [event for event in shown if any(word in event.what for word in words)]
    happened = ", ".join(f"{count} × {name}" for name, count in sorted(outcome.counts.items()))
    yield f"seed {outcome.seed}, faults that matter: {happened or 'none'}"
    yield from (str(event) for event in (told if len(told) > 5 else shown)[-lines:])
    yield from (f"  ==> {violation}" for violation in outcome.violations[:12])
