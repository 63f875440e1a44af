"""The simulation inside the test run: some seeds, the same history for the same seed, and safeguards switched off."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.ledgers.base import Ledger
from connectors.sources.base import Source
from tests.simulation import races
from tests.simulation.ablations import ABLATIONS, Ablation, without_one_renewal
from tests.simulation.campaign import Profile, run_seed
from tests.simulation.platforms import SimLedger, SimSource
from tests.simulation.shrinking import timeline

ROOT = Path(__file__).resolve().parents[2]
SMALL = Profile(most=6)
"""`make simulate` runs any number of seeds of every size; these keep `make test` quick."""


@pytest.mark.slow
@pytest.mark.parametrize(("ledger", "seed"), [("quickbooks", 0), ("xero", 1)])
def test_nothing_is_posted_twice_lost_misplaced_or_stuck(ledger: str, seed: int) -> None:
    """Invoices and purchase orders of one company of each ledger."""
    outcome = run_seed(seed, replace(SMALL, ledgers=(ledger,)))
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
@pytest.mark.parametrize("ledger", races.ROTATIONS)
def test_a_token_race_disconnects_nobody(ledger: str) -> None:
    """One race full of trouble; one of calm, where each expiry costs one renewal."""
    stormy, calm = races.race(0, ledger, expiries=5), races.race(1, ledger, expiries=5)
    assert stormy.lost + stormy.crashes > 0
    assert (stormy.disconnected, stormy.errors, calm.disconnected, calm.errors) == (0, (), 0, ())
    assert calm.renewals == calm.expiries == 5


@pytest.mark.slow
@pytest.mark.parametrize("ledger", races.ROTATIONS)
def test_without_the_claim_an_expiry_costs_more_than_one_renewal(ledger: str) -> None:
    """The calm race of the test above, in which only the claim keeps the processes from renewing side by side."""
    with without_one_renewal():
        calm = races.race(1, ledger, expiries=5)
    assert calm.renewals > calm.expiries == 5


@pytest.mark.parametrize(("port", "simulated"), [(Ledger, SimLedger), (Source, SimSource)])
def test_the_simulated_connectors_have_every_call_of_their_port(port: type, simulated: type) -> None:
    """A call that is missing here would fail every job, and each seed would run on to its last step before it tells."""
    asked = {
        name: list(inspect.signature(call).parameters)
        for part in port.__mro__ for name, call in vars(part).items() if callable(call) and not name.startswith("_")
    }  # fmt: skip
    assert asked
    offered = [name for name in asked if hasattr(simulated, name)]
    assert asked == {name: list(inspect.signature(getattr(simulated, name)).parameters) for name in offered}


@pytest.mark.slow
def test_a_seed_has_one_history() -> None:
    """In processes of their own, whose string hashes differ: nothing depends on the order of a set."""
    program = "from tests.simulation.campaign import Profile, run_seed; print(run_seed(1, Profile(most=3)).trace)"
    hashes = {
        subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True, timeout=100,
            env={**os.environ, "PYTHONHASHSEED": salt},
        ).stdout
        for salt in ("1", "2")
    }  # fmt: skip
    assert len(hashes) == 1
