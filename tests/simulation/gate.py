"""The ablation gate: with one safeguard off the campaign must fail, with it the same seeds must be clean.

A table names each safeguard with the set-up in which nothing else covers it, and what was seen without it.
"""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.simulation.ablations import ABLATIONS
from tests.simulation.campaign import run_seed


def one(index: int, seed: int) -> tuple[int, Counter[str], int]:
    """A seed without the safeguard: its documents, what broke by kind, and what broke with the safeguard in place."""
    ablation = ABLATIONS[index]
    with ablation.off():
        broken = run_seed(seed, ablation.profile)
    kept = run_seed(seed, ablation.profile)
    failures = sum(violation.kind != "residual" for violation in kept.violations)
    return broken.documents, Counter(violation.kind for violation in broken.violations), failures


def run(pool: ProcessPoolExecutor, seeds: range) -> int:
    """Print the table; 0 when every safeguard was missed and no seed failed with all of them."""
    caught, clean = [], True
    print(f"{'without':<28} {'ledger':<22} {'documents':>9}  {'broken with it':>14}  seen without it")
    for index, ablation in enumerate(ABLATIONS):
        rows = list(pool.map(partial(one, index), seeds))
        seen = sum((row[1] for row in rows), Counter())
        kept = sum(row[2] for row in rows)
        expected = sum(seen[kind] for kind in ablation.expected)
        told = ", ".join(f"{kind} {count}" for kind, count in seen.most_common())
        setting = "no number is checked" if ablation.profile.hard else "as companies have it"
        print(f"{ablation.name:<28} {setting:<22} {sum(row[0] for row in rows):>9}  {kept:>14}  {told or 'nothing'}")
        caught.append(bool(expected))
        clean = clean and kept == 0
    print(json.dumps({
        "seeds": len(seeds), "start": seeds.start, "safeguards": len(ABLATIONS), "missed_when_off": sum(caught),
        "broken_with_all": not clean,
    }))  # fmt: skip
    return 0 if all(caught) and clean else 1
