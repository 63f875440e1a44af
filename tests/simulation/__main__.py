"""`python -m tests.simulation --seeds 300 --start 0`: the campaign as a command; `--what` names another one.

Each seed is told on standard error as it ends. A failing seed is printed with its shortest timeline found. The first
line is the revision, the last one a JSON object; the exit code is 0 only when nothing was posted twice, lost, posted to
another company or stuck, no other invariant broke, and (from fifty seeds on) every kind of fault occurred and changed
some document's step; of the residual campaign at least one residual copy must have shown then on each ledger.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.simulation import gate, races
from tests.simulation.campaign import Outcome, Profile, run_seed
from tests.simulation.dialects import DIALECTS
from tests.simulation.faults import MAILS, RATES
from tests.simulation.profiles import BY_NAME, CAMPAIGN, RESIDUAL
from tests.simulation.shrinking import shrink, timeline

FATAL = ("duplicates", "lost", "wrong_company", "stuck")
MANY = 50
"""From so many seeds on every kind of fault must have occurred, and the residual risk must have shown where sought."""
BESIDE = frozenset({
    "bell_lost", "bell_twice", "bell_late", "slot_wait",  # only when something is served changes
    "clock_wrong", "clock_back", "relinked",  # between steps: a step reckons with the database's clock, its own tenant
    "changed_in_ledger", "removed_in_ledger",  # people act on records that are written: no step runs
    *MAILS,  # a mail is on its way, and no document
})  # fmt: skip
"""Kinds of faults that change no running step of a document; every other kind must have changed one."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--what", choices=(*BY_NAME, "ablations", "races"), default="campaign")
    parser.add_argument("--seeds", type=int, default=50, help="how many seeds")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes side by side")
    parser.add_argument("--timeline", action="store_true", help="print the whole timeline of the first seed")
    given = parser.parse_args()
    seeds = range(given.start, given.start + given.seeds)
    print(f"--what {given.what} --seeds {given.seeds} --start {given.start} at {commit()}", flush=True)
    with ProcessPoolExecutor(given.jobs, initializer=quiet) as pool:
        if given.what == "ablations":
            return gate.run(pool, seeds)
        if given.what == "races":
            return races.run(pool, seeds)
        return campaign(pool, seeds, BY_NAME[given.what], timeline_of_first=given.timeline)


def campaign(pool: ProcessPoolExecutor, seeds: range, profile: Profile, *, timeline_of_first: bool) -> int:
    begin = time.monotonic()
    outcomes = []
    for outcome in pool.map(partial(run_seed, profile=profile), seeds):
        outcomes.append(outcome)
        if outcome.ok and not timeline_of_first:
            outcome.events.clear()  # ten thousand a seed
        told = "; ".join(map(str, outcome.violations)) or "nothing found"
        print(f"seed {outcome.seed} ({', '.join(outcome.ledgers)}): {outcome.documents} documents,"
              f" {sum(outcome.faults.values())} faults, {told}", file=sys.stderr, flush=True)  # fmt: skip
    if timeline_of_first and outcomes:
        print("\n".join(map(str, outcomes[0].events)))
    failed = next((outcome for outcome in outcomes if not outcome.ok), None)
    drawn, touched = (sum((getattr(o, name) for o in outcomes), Counter()) for name in ("counts", "faults"))
    missing = [name for name in RATES if not drawn[name]] if len(seeds) >= MANY and profile is CAMPAIGN else []
    print("faults:", ", ".join(f"{name} {drawn[name]} ({touched[name]} documents)" for name in RATES if drawn[name]))
    untouched = [name for name in RATES if drawn[name] and not touched[name] and name not in BESIDE]
    untouched = untouched if len(seeds) >= MANY and profile is CAMPAIGN else []
    silent = [ledger for ledger, copies in residual(outcomes).items() if not copies]
    silent = silent if len(seeds) >= MANY and profile is RESIDUAL else []
    if missing:
        print("never occurred:", ", ".join(missing))
    if untouched:
        print("changed no document's step:", ", ".join(untouched))
    if silent:
        print("the residual risk never showed on", ", ".join(silent), "- these seeds say nothing about it there")
    if failed is not None:
        quiet()
        for outcome in outcomes:
            broken = [violation for violation in outcome.violations if violation.kind != "residual"]
            for violation in broken[:3]:
                print(f"seed {outcome.seed}: {violation}", flush=True)
        print(f"Seed {failed.seed} failed at {commit()}; the fewest faults found with which it still does:")
        print("\n".join(timeline(shrink(failed.seed, profile))))
        print("Failed seeds:", ", ".join(str(outcome.seed) for outcome in outcomes if not outcome.ok))
    print(json.dumps(summary(outcomes, seeds.start, time.monotonic() - begin)))
    return 0 if failed is None and not missing and not untouched and not silent else 1


def residual(outcomes: list[Outcome]) -> dict[str, int]:
    """Residual copies by ledger, of seeds whose companies all keep their books there."""
    found = dict.fromkeys(sorted(DIALECTS), 0)
    for outcome in outcomes:
        if len(set(outcome.ledgers)) == 1:
            found[outcome.ledgers[0]] += outcome.count("residual")
    return found


def quiet() -> None:
    """The product's own warnings are expected by the hundred here; garbage may wait for the end of a seed."""
    logging.disable(logging.CRITICAL)
    gc.set_threshold(100_000, 20, 20)


def commit() -> str:
    """The revision that is tested, where this is a checkout."""
    asked = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return asked.stdout.strip() or "an unknown revision"


def summary(outcomes: list[Outcome], start: int, seconds: float) -> dict[str, object]:
    """The figures that a release publishes. `faults`: once for every document whose running step one changed."""
    return {
        "seeds": len(outcomes), "start": start,
        "documents": sum(outcome.documents for outcome in outcomes),
        "faults": sum(sum(outcome.faults.values()) for outcome in outcomes),
        "crashes": sum(outcome.crashes for outcome in outcomes),
        "recoveries": sum(outcome.recoveries for outcome in outcomes),
        "converge_found_p99_s": p99([s for outcome in outcomes for s in outcome.found_s]),
        "converge_absent_p99_s": p99([s for outcome in outcomes for s in outcome.absent_s]),
        **{kind: sum(outcome.count(kind) for outcome in outcomes) for kind in (*FATAL, "residual")},
        "residual_by_ledger": residual(outcomes),
        "seconds": round(seconds, 1),
    }  # fmt: skip


def p99(values: list[float]) -> float:
    """The 99th percentile, seconds; 0 when there is nothing."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 1) if ordered else 0.0


if __name__ == "__main__":
    sys.exit(main())
