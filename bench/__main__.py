"""`python -m bench [thousand] [month] [flight]`: one JSON line per scenario; without a name, all three.

`thousand`: 1,000 generated invoices of five lines with known customers and items: calls per invoice.
`month`: a real month of invoices, customers and items unknown to the ledger: the highest memory of a worker.
`flight`: the thousand with answer times like those of the real services, one bulk call in flight and four.
Limits are those of the platforms. Nothing is asserted about seconds: they belong to the machine.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path
from typing import Any

from bench.figures import measure, verdicts
from bench.stage import Conditions, Seed, stage
from domain.settings import MatchBy
from sandbox.seeds import msp, retail
from sandbox.world import World
from tools.environment import ROOT

PATIENCE_S = 1800.0
SHARED_MONTH = ROOT.parent / "shared" / "data" / "online-retail"
OWN_DAY = ROOT / "sandbox" / "data" / "online-retail"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="scenario", help="thousand, month, flight (default: all)")
    parser.add_argument("--invoices", type=int, default=1000, help="how many generated invoices (default 1000)")
    parser.add_argument("--lines", type=int, default=5, help="lines of each (default 5)")
    parser.add_argument("--data", type=Path, help="folder of the month's .csv or .csv.gz files")
    parser.add_argument("--limits", choices=["on", "off"], default="on", help="the platforms' rate limits")
    parser.add_argument("--latency", choices=["off", "model"], default="off", help="answer times of thousand and month")
    parser.add_argument("--factor", type=float, default=1.0, help="divides modelled answer times (at most 5)")
    parser.add_argument("--in-flight", type=int, default=1, help="bulk calls side by side in thousand and month")
    given = parser.parse_args()
    unknown = set(given.scenarios) - set(SCENARIOS)
    if unknown:
        parser.error(f"there is no scenario {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    if not 1 <= given.factor <= 5:
        parser.error("the factor lies between 1 and 5")
    return given


def generated(given: argparse.Namespace) -> Seed:
    """A US provider whose customers and items the ledger knows."""

    def seed(world: World) -> dict[str, Any]:
        return msp.generate(world, invoices=given.invoices, lines=given.lines, known_customers=True)

    return seed


def plain(given: argparse.Namespace) -> Conditions:
    return Conditions(given.limits == "on", given.latency == "model", given.factor, given.in_flight)


def thousand(given: argparse.Namespace) -> dict[str, Any]:
    with stage(generated(given), plain(given), match_by=MatchBy.NAME) as ready:
        figures = measure(ready, plain(given), patience_s=PATIENCE_S)
    return {**figures, "targets": verdicts(figures, "ledger_calls_per_invoice", "source_calls_per_invoice", "peak_mb")}


def month(given: argparse.Namespace) -> dict[str, Any]:
    data = given.data or (SHARED_MONTH if SHARED_MONTH.is_dir() else OWN_DAY)
    with stage(lambda world: retail.load(world, data), plain(given), match_by=MatchBy.NUMBER) as ready:
        figures = measure(ready, plain(given), patience_s=PATIENCE_S)
    return {**figures, "targets": verdicts(figures, "peak_mb")}


def flight(given: argparse.Namespace) -> dict[str, Any]:
    """The same work with one call in flight and with four, and how many times faster four are."""
    sides: dict[int, dict[str, Any]] = {}
    for calls in (1, 4):
        conditions = Conditions(given.limits == "on", True, given.factor, calls)
        with stage(generated(given), conditions, match_by=MatchBy.NAME) as ready:
            sides[calls] = measure(ready, conditions, patience_s=PATIENCE_S)
    times = ("seconds_to_first_batch", "seconds_in_the_books", "seconds_all_marked")
    ratios = {name: round(sides[1][name] / sides[4][name], 2) for name in times}
    same = all(sides[1][name] == sides[4][name] for name in ("documents", "duplicates", "missing", "unmarked"))
    return {"one": sides[1], "four": sides[4], "one_to_four": ratios, "same_books": same}


SCENARIOS = {"thousand": thousand, "month": month, "flight": flight}


def main() -> int:
    # Told to end, leave as after Ctrl-C: through every `finally`, so that no process outlives the measurement.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    given = arguments()
    for name in given.scenarios or SCENARIOS:
        print(json.dumps({"scenario": name, **SCENARIOS[name](given)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
