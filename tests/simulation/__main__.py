"""`python -m tests.simulation --seeds 50 --start 0`: the campaign as a command.

The first failing seed is printed with its shortest readable timeline. The last line is one JSON object; the exit
code is 0 only when nothing was posted twice, lost, posted to another company or stuck, and no invariant broke.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.campaign import Outcome, run_seed, shrink, timeline

FATAL = ("duplicates", "lost", "wrong_company", "stuck")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=50, help="how many seeds")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1), help="processes side by side")
    parser.add_argument("--timeline", action="store_true", help="print the whole timeline of the first seed")
    given = parser.parse_args()
    begin = time.monotonic()
    with ProcessPoolExecutor(given.jobs, initializer=quiet) as pool:
        outcomes = list(pool.map(run_seed, range(given.start, given.start + given.seeds)))
    if given.timeline and outcomes:
        print("\n".join(map(str, outcomes[0].events)))
    failed = next((outcome for outcome in outcomes if not outcome.ok), None)
    if failed is not None:
        quiet()
        print(f"Seed {failed.seed} failed; the fewest kinds of faults with which it still does:")
        print("\n".join(timeline(shrink(failed.seed))))
        print("Failed seeds:", ", ".join(str(outcome.seed) for outcome in outcomes if not outcome.ok))
    print(json.dumps(summary(outcomes, given.start, time.monotonic() - begin)))
    return 0 if failed is None else 1


def quiet() -> None:
    """The product's own warnings are expected by the hundred here."""
    logging.disable(logging.CRITICAL)


def summary(outcomes: list[Outcome], start: int, seconds: float) -> dict[str, object]:
    """The figures that a release publishes. `broken`: violations of the other invariants."""
    counts = {kind: sum(outcome.count(kind) for outcome in outcomes) for kind in (*FATAL, "residual")}
    everything = sum(len(outcome.violations) for outcome in outcomes)
    return {
        "seeds": len(outcomes), "start": start,
        "documents": sum(outcome.documents for outcome in outcomes),
        "faults": sum(sum(outcome.faults.values()) for outcome in outcomes),
        "crashes": sum(outcome.crashes for outcome in outcomes),
        "recoveries": sum(outcome.recoveries for outcome in outcomes),
        **counts, "broken": everything - sum(counts.values()), "seconds": round(seconds, 1),
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
