"""The simulation inside the test run: some seeds, the same history for the same seed, and safeguards switched off."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.ablations import ABLATIONS, Ablation
from tests.simulation.campaign import run_seed
from tests.simulation.shrinking import timeline

ROOT = Path(__file__).resolve().parents[2]
SEEDS = range(5)
"""`make simulate` runs any number; these keep `make test` quick."""


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_posted_twice_lost_misplaced_or_stuck(seed: int) -> None:
    outcome = run_seed(seed)
    assert outcome.ok, "\n".join(timeline(outcome))
    assert outcome.documents > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "ablation", [one for one in ABLATIONS if one.quick], ids=lambda ablation: ablation.name.replace(" ", "-")
)
def test_the_checker_notices_a_missing_safeguard(ablation: Ablation) -> None:
    """The same seeds are clean with the safeguard and not without it."""
    for seed in range(1000, 1006):
        with ablation.off():
            broken = run_seed(seed, ablation.profile)
        if any(violation.kind in ablation.expected for violation in broken.violations):
            kept = run_seed(seed, ablation.profile)
            assert kept.ok, "\n".join(timeline(kept))
            return
    pytest.fail(f"six seeds without {ablation.name} showed nothing")


@pytest.mark.slow
def test_a_seed_has_one_history() -> None:
    """In processes of their own, whose string hashes differ: nothing depends on the order of a set."""
    program = "from tests.simulation.campaign import run_seed; print(run_seed(21).trace)"
    hashes = {
        subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True, timeout=100,
            env={**os.environ, "PYTHONHASHSEED": salt},
        ).stdout
        for salt in ("1", "2")
    }  # fmt: skip
    assert len(hashes) == 1
