"""The ablation gate: with one safeguard off the campaign must fail, with it the same seeds must be clean.

Its table names each safeguard with the set-up in which nothing else covers it, and what was seen without it, in which
seeds. Each row is a line of the table in docs/reliability.md.
"""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

from tests.simulation.ablations import ABLATIONS, Ablation
from tests.simulation.campaign import run_seed


@dataclass(frozen=True)
class Shown:
    """One seed: its documents and what broke without the safeguard, by kind, and what broke with it."""

    seed: int
    documents: int
    without: Counter[str]
    kept: Counter[str]


def one(index: int, seed: int) -> Shown:
    ablation = ABLATIONS[index]
    with ablation.off():
        broken = run_seed(seed, ablation.profile)
    kept = run_seed(seed, ablation.profile)
    without, left = (Counter(violation.kind for violation in outcome.violations) for outcome in (broken, kept))
    del left["residual"]
    return Shown(seed, broken.documents, without, left)


def run(pool: ProcessPoolExecutor, seeds: range) -> int:
    """Print the table; 0 when every safeguard was missed and no seed failed with all of them. A safeguard that is
    missed in few seeds gets as many as it takes."""
    missed, broken = 0, 0
    print("| without | companies | faults that matter | seeds | seen in | documents | seen | with it |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for index, ablation in enumerate(ABLATIONS):
        its = range(seeds.start, seeds.start + max(len(seeds), ablation.seeds))
        rows = list(pool.map(partial(one, index), its))
        missed += any(row.without[kind] for row in rows for kind in ablation.expected)
        broken += any(row.kept for row in rows)
        print(line(ablation, rows), flush=True)
    print(json.dumps({
        "seeds": len(seeds), "start": seeds.start, "safeguards": len(ABLATIONS), "missed_when_off": missed,
        "broken_with_all": broken,
    }))  # fmt: skip
    return 0 if missed == len(ABLATIONS) and not broken else 1


def line(ablation: Ablation, rows: list[Shown]) -> str:
    seen_in = [row.seed for row in rows if any(row.without[kind] for kind in ablation.expected)]
    played = [str(row.seed) for row in (rows[0], rows[-1])[: len(rows)]]
    kept = [f"{row.seed}: {told(row.kept)}" for row in rows if row.kept]
    cells = (
        ablation.name, ablation.companies, ablation.trouble, "–".join(played),
        ", ".join(map(str, seen_in)) or "none", str(sum(row.documents for row in rows)),
        told(sum((row.without for row in rows), Counter())), "; ".join(kept) or "clean",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def told(kinds: Counter[str]) -> str:
    return ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in kinds.most_common()) or "nothing"
