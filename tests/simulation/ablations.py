"""Safeguards switched off, one at a time: a campaign without one of them must be seen to fail.

Each is a context manager over the product's own code. The profiles concentrate the faults that the safeguard is
there for, so that a few seeds are enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from domain.statuses import PostingState
from models import Grant, Posting
from sync import mirror, reissues
from sync.apply import Serving
from sync.freeze import Freezing
from sync.lease import FenceLost, Lease
from sync.prepare import Preparation
from sync.settle import MAX_SENDS, Settling
from sync.tokens import TokenService
from tests.simulation.campaign import Profile
from tests.simulation.faults import Bounds
from tests.simulation.profiles import HARD
from workers import jobs


@contextmanager
def without_committed_intent() -> Iterator[None]:
    """What was in flight when a process died is taken for never sent, as if the intent had not been committed."""

    def adopt(self: Serving) -> None:
        with self.lease.transaction() as db:
            rows = db.scalars(select(Posting).where(
                Posting.company_id == self.company_id, Posting.state == PostingState.SENDING
            )).all()  # fmt: skip
            for posting in rows:
                posting.state, posting.sends, posting.next_action_at = PostingState.NEW, 0, self.rt.clock.now()
                posting.payload = posting.payload_sha256 = posting.batch_key = posting.short_id = None

    with patch.object(Serving, "_adopt_abandoned", adopt):
        yield


@contextmanager
def without_key_reuse() -> Iterator[None]:
    """Every send of a document goes under a new key."""
    original = Freezing.batch

    def batch(self: Freezing, ids: Any, new_key: str) -> Any:
        for posting in self.db.scalars(select(Posting).where(Posting.id.in_(ids), Posting.batch_key.is_not(None))):
            posting.batch_key = new_key
        return original(self, ids, new_key)

    with patch.object(Freezing, "batch", batch):
        yield


@contextmanager
def without_look_up() -> Iterator[None]:
    """A document whose answer was lost is sent again at once, whatever the ledger checks, as often as anything is."""
    original = Settling.unknown

    def unknown(self: Settling, posting: Posting, evidence: str, *, wait: float = 1) -> None:
        original(self, posting, evidence, wait=wait)
        if posting.document_id is not None and posting.sends < MAX_SENDS:
            posting.state = PostingState.READY

    with patch.object(Settling, "unknown", unknown):
        yield


@contextmanager
def without_quarantine() -> Iterator[None]:
    """What a look-up does not show is sent again at once."""
    original = Settling.looked_up

    def looked_up(self: Settling, *arguments: Any) -> None:
        self.quarantine = 0.0
        original(self, *arguments)

    with patch.object(Settling, "looked_up", looked_up):
        yield


@contextmanager
def without_fence() -> Iterator[None]:
    """A process that lost the lease goes on as if it had it."""
    original = Lease._renew

    def renew(self: Lease, db: Session, step: str | None) -> None:
        try:
            original(self, db, step)
        except FenceLost:
            return

    with patch.object(Lease, "_renew", renew):
        yield


@contextmanager
def without_one_clock() -> Iterator[None]:
    """What one process writes down by its own clock another one reckons with by its own."""
    with patch.object(Lease, "now", lambda self: self.rt.clock.now()):
        yield


@contextmanager
def without_one_company() -> Iterator[None]:
    """Lists are read from, and work is served to, whatever books the connection leads to."""

    def anybody(db: Session, company_id: int, tenant: str) -> None:
        """Whatever it is."""

    with patch.object(mirror, "same_company", anybody), patch.object(jobs, "same_company", anybody):
        yield


@contextmanager
def without_claims() -> Iterator[None]:
    """Nobody asks whether an item is billed already, and voided documents are forgotten."""
    with (
        patch.object(Preparation, "_claimed_elsewhere", lambda self, row, planned, claims: None),
        patch.object(Preparation, "_take_claims", lambda self, row, planned, posting: None),
        patch.object(reissues, "voided", lambda db, company_id, parties: {}),
    ):
        yield


@contextmanager
def without_one_renewal() -> Iterator[None]:
    """Every process renews the token that it found expired. Of the token races, not of the gate."""
    original = TokenService._claim

    def claim(self: TokenService, grant_id: int, version: int) -> Any:
        with self._sessions() as db, db.begin():
            db.execute(update(Grant).where(Grant.id == grant_id).values(refreshing_until=None))
        return original(self, grant_id, version)

    with patch.object(TokenService, "_claim", claim):
        yield


@dataclass(frozen=True)
class Ablation:
    """`expected`: the kinds of violations of which at least one must be seen. `companies` and `trouble` say in words
    what `profile` plays."""

    name: str
    off: Callable[[], AbstractContextManager[None]]
    companies: str
    trouble: str
    profile: Profile
    expected: frozenset[str]
    seeds: int = 1
    """It takes so many to show."""
    quick: bool = False
    """It shows within a seed or two, so it is part of `make test` as well as of the gate."""


DUPLICATES = frozenset({"duplicates"})
NO_NUMBERS = "QuickBooks checks no number"
FORGETFUL = (("keys_forgotten", 0.9), ("freeze", 0.0), ("answer_lost", 0.5), ("stale_read", 0.9))
LATE = replace(
    HARD, bounds=Bounds(late=280.0, freeze=5.0, stale=5.0),
    rates=(("keys_forgotten", 1.0), ("delivered_late", 0.8), ("crash", 0.0), ("freeze", 0.0), ("stale_read", 0.0),
           ("not_sent", 0.0), ("retry_later", 0.0), ("request_lost", 0.0)),
)  # fmt: skip
"""Bytes arrive within the quarantine and the key is forgotten by then: nothing but waiting helps."""
CLOCKS = replace(
    LATE, known=True, without=LATE.without - {"clock_wrong"},
    rates=(*LATE.rates, ("clock_wrong", 1.0), ("delivered_late", 1.0), ("crash", 0.003), ("error_before_commit", 0.0),
           ("error_after_commit", 0.0), ("cut_off", 0.0), ("member_refused_for_now", 0.0)),
)  # fmt: skip
"""The same, and whoever decides how long to wait is another process than the one that sent, by another clock."""

ABLATIONS = (
    Ablation("committed intent", without_committed_intent, NO_NUMBERS, "deaths, late bytes",
             replace(HARD, rates=(("crash", 0.006), ("delivered_late", 0.5))), DUPLICATES, quick=True),
    Ablation("the same key again", without_key_reuse, NO_NUMBERS, "bytes up to 25 minutes late",
             replace(HARD, rates=(("delivered_late", 0.7), ("keys_forgotten", 0.0), ("crash", 0.0)),
                     bounds=Bounds(late=1500.0)), frozenset({"duplicates", "I05"}), quick=True),
    Ablation("look-up before a re-send", without_look_up, NO_NUMBERS, "keys forgotten, lost answers, late bytes",
             replace(HARD, rates=(*FORGETFUL, ("crash", 0.0), ("delivered_late", 0.4))), DUPLICATES, quick=True),
    Ablation("quarantine", without_quarantine, NO_NUMBERS, "keys forgotten, bytes up to 280 s late",
             LATE, DUPLICATES, seeds=2, quick=True),
    Ablation("the database's time", without_one_clock, NO_NUMBERS,
             "keys forgotten, bytes up to 280 s late, clocks up to ten minutes wrong, deaths",
             CLOCKS, DUPLICATES, quick=True),
    Ablation("fence", without_fence, NO_NUMBERS, "processes frozen up to 15 minutes",
             replace(HARD, rates=(("freeze", 0.006), ("crash", 0.0)), bounds=Bounds(freeze=900.0)),
             frozenset({"I09", "I06", "duplicates"}), seeds=2, quick=True),
    Ablation("one ledger company for good", without_one_company, "two on QuickBooks", "connections swapped",
             Profile(rates=(("relinked", 0.6),), ledgers=("quickbooks", "quickbooks"), purchases=False,
                     database=False, mails=False, most=20),
             frozenset({"wrong_company", "I03", "I11"}), seeds=3),
    Ablation("billed once", without_claims, "QuickBooks", "voids, re-issues",
             Profile(without=frozenset({"crash", "freeze", "outage", "slot_wait"}), ledgers=("quickbooks",),
                     purchases=False, database=False, mails=False, most=60), frozenset({"I21"}), seeds=3),
)  # fmt: skip
