"""The mixes of faults that campaigns use: everything, the hard set-up of the ablations, and the residual risk."""

from __future__ import annotations

from tests.simulation.campaign import Profile
from tests.simulation.faults import Bounds

CAMPAIGN = Profile()
"""What a release must survive."""

CALM = frozenset({
    "outage", "slot_wait", "read_unavailable", "read_retry_later", "bell_late", "mark_lost", "delivered_twice",
    "relinked", "changed_in_ledger", "removed_in_ledger", "clock_wrong", "subscription_lapsed", "party_away",
    "day_limit", "period_closed",
})  # fmt: skip
HARD = Profile(without=CALM, hard=True, ledgers=("quickbooks",), database=False)
"""The ledger checks no number, so that nothing covers for key, look-up and quarantine."""

RESIDUAL = Profile(
    without=CALM, hard=True, ledgers=("quickbooks",), database=False, bounds=Bounds(late=1500.0, freeze=1200.0),
    rates=(("keys_forgotten", 0.9), ("delivered_late", 0.9), ("answer_lost", 0.3), ("freeze", 0.001), ("crash", 0.001),
           ("stale_read", 0.1), ("request_lost", 0.0)),
)  # fmt: skip
"""What no client can exclude: no unique number, a key that is forgotten, bytes that arrive after the quarantine
or leave a process that was frozen for longer."""
