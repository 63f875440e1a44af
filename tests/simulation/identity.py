"""The identity services of the ledgers: how long their tokens live, and what a renewal replaces."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta

from connectors.errors import Unavailable
from connectors.oauth import GrantRejected, TokenSet
from models import KeyRing
from tests.simulation.kernel import Kernel

RING = KeyRing([("k1", b"1" * 32)])


@dataclass(frozen=True)
class Rotation:
    """How one identity service lets its tokens live. Sources: Intuit, "OAuth 2.0 FAQ"; Xero, "Token types"."""

    provider: str
    platform: str
    life: timedelta
    """Of an access token."""
    grace: timedelta
    """So long a refresh token that was replaced works on."""
    unused: timedelta
    """So long a refresh token works that nobody uses."""


ROTATIONS = {
    "quickbooks": Rotation("intuit", "Intuit", timedelta(hours=1), timedelta(hours=24), timedelta(days=100)),
    "xero": Rotation("xero", "Xero", timedelta(minutes=30), timedelta(minutes=30), timedelta(days=60)),
}
"""By ledger."""


@dataclass
class SimIdentity:
    """The identity service: every renewal replaces the refresh token; the one before works for its grace."""

    rotation: Rotation
    kernel: Kernel
    rng: random.Random
    trouble: float
    """The share of renewals whose answer is lost, or that are refused with a server's error."""
    renewals: int = 0
    lost: int = 0
    issued: dict[str, float] = field(default_factory=dict)
    """Refresh token → until when it works."""
    good_until: dict[str, float] = field(default_factory=dict)
    """The same of access tokens."""

    @property
    def platform(self) -> str:
        return self.rotation.platform

    @property
    def grace(self) -> timedelta:
        return self.rotation.grace

    def first(self) -> TokenSet:
        return self._issue()

    def refresh(self, token: str) -> TokenSet:
        self.kernel.sleep(self.rng.choice((0.05, 0.2, 1.0)), "renewal")
        if self.rng.random() < self.trouble / 2:
            self.lost += 1
            raise Unavailable(f"{self.platform} did not answer.", platform=self.platform)
        if self.issued.get(token, 0.0) < self.kernel.now_s:
            raise GrantRejected("invalid_grant")
        made = self._issue()
        self.issued[token] = min(self.issued[token], self.kernel.now_s + self.grace.total_seconds())
        self.kernel.sleep(self.rng.choice((0.05, 0.2)), "renewal answered")
        if self.rng.random() < self.trouble:
            self.lost += 1
            raise Unavailable(f"{self.platform} did not answer.", platform=self.platform)
        return made

    def refuses(self, access: str) -> bool:
        """The ledger answers 401."""
        return self.good_until[access] < self.kernel.now_s

    def _issue(self) -> TokenSet:
        """Its life begins by the clock of the process that asks, which counts the seconds that it was promised."""
        self.renewals += 1
        token = f"refresh-{self.renewals}"
        lives = self.rotation
        self.issued[token] = self.kernel.now_s + lives.unused.total_seconds()
        running = self.kernel.running
        now = self.kernel.now() + timedelta(seconds=running.process.skew_s if running is not None else 0.0)
        self.good_until[f"access-{self.renewals}"] = self.kernel.now_s + lives.life.total_seconds()
        return TokenSet(f"access-{self.renewals}", token, now + lives.life, now + lives.unused, None)
