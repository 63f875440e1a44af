"""The mixes of faults that campaigns use: everything, storms, the ablations' hard set-up, and the residual risk."""

from __future__ import annotations

from tests.simulation.campaign import Profile
from tests.simulation.faults import Bounds

CAMPAIGN = Profile()
"""What a release must survive."""

MACHINES = Profile(rates=(
    ("crash", 0.024), ("freeze", 0.006), ("clock_wrong", 0.5), ("bell_lost", 0.3), ("connection_cut", 0.003),
    ("commit_lost", 0.03), ("commit_answer_lost", 0.03), ("database_away", 0.06), ("disk_full", 0.06),
))  # fmt: skip
"""A storm in our own house: processes, clocks, queue and database fail several times as often, in every seed."""

PLATFORMS = Profile(rates=(
    ("request_lost", 0.2), ("answer_lost", 0.5), ("delivered_late", 0.4), ("delivered_twice", 0.3),
    ("error_after_commit", 0.3), ("cut_off", 0.3), ("member_refused_for_now", 0.2), ("stale_read", 0.8),
    ("read_unavailable", 0.25), ("read_retry_later", 0.2), ("mark_answer_lost", 0.4), ("outage", 0.1),
))  # fmt: skip
"""A storm on the way to the platforms: every other answer to a write is lost, most creations are shown late."""

CALM = frozenset({
    "outage", "slot_wait", "read_unavailable", "read_retry_later", "bell_late", "mark_lost", "delivered_twice",
    "relinked", "changed_in_ledger", "removed_in_ledger", "clock_wrong", "subscription_lapsed", "party_away",
    "day_limit", "period_closed",
})  # fmt: skip
HARD = Profile(without=CALM, hard=True, ledgers=("quickbooks",), purchases=False, database=False, mails=False)
"""The ledger checks no number, so that nothing covers for key, look-up and quarantine."""

RESIDUAL = Profile(
    without=CALM, hard=True, known=True, most=10, database=False, mails=False,
    bounds=Bounds(late=1500.0, freeze=1200.0),
    rates=(("keys_forgotten", 0.9), ("delivered_late", 0.7), ("answer_lost", 0.3), ("freeze", 0.001), ("crash", 0.001),
           ("stale_read", 0.1), ("request_lost", 0.0)),
)  # fmt: skip
"""What no client can exclude: no unique number, a key that is forgotten, bytes that arrive after the quarantine
or leave a process that was frozen for longer. On either ledger, and of purchases too."""

BY_NAME = {"campaign": CAMPAIGN, "machines": MACHINES, "platforms": PLATFORMS, "residual": RESIDUAL}
