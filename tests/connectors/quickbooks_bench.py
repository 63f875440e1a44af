"""A simulated QuickBooks company and a connector on it, over real HTTP."""

from __future__ import annotations

import time
from typing import Any

from connectors.endpoints import endpoints
from connectors.errors import NeedsReconnect
from connectors.http import CallRecord, Http, Timeouts
from connectors.ledgers.quickbooks import QuickBooksLedger
from connectors.limits import Limiter, LocalLimiter
from connectors.registry import Platforms
from sandbox.intuit import tokens
from sandbox.qbo import profiles
from sandbox.server import World
from tests.connectors.autotask_bench import utc_now


class Tokens:
    """The supplier of access tokens; counts renewals. `dead` makes renewing fail as a revoked grant does."""

    def __init__(self, world: World, realm: str) -> None:
        self.world, self.realm = world, realm
        self.current = tokens.access_token(world, realm)
        self.renewals = 0
        self.dead = False

    def token(self) -> str:
        return self.current

    def renew(self, rejected: str) -> str:
        self.renewals += 1
        if self.dead:
            raise NeedsReconnect("QuickBooks no longer accepts this connection.", platform="QuickBooks")
        self.current = tokens.access_token(self.world, self.realm)
        return self.current


class QuickBooksCompany:
    """One company with a ledger on it. `pauses` holds the seconds connectors asked to wait; nothing waits."""

    def __init__(self, world: World, base: str, profile: str = "us-ast", **switches: Any) -> None:
        self.world, self.base = world, base
        self.calls: list[CallRecord] = []
        self.pauses: list[float] = []
        world.limits.switch(on=False)
        self.realm = profiles.create_company(world, "bench", profile, "Bench Inc", unrelated=False, **switches)
        self.tokens = Tokens(world, self.realm)
        self.ledger = self.connect()
        self.profile = self.ledger.check()
        self.ledger = self.connect(profile=self.profile)

    def connect(self, limiter: Limiter | None = None, **options: Any) -> QuickBooksLedger:
        platforms = Platforms(
            http=Http(time.monotonic, timeouts=options.pop("timeouts", Timeouts()), observe=self.calls.append),
            endpoints=endpoints(self.base),
            limiter=limiter or Unlimited(utc_now),
            clock=utc_now,
            pause=self.pauses.append,
        )
        return platforms.quickbooks(self.realm, options.pop("access", self.tokens), **options)


class Unlimited(LocalLimiter):
    """Grants every place: for tests that are not about limits and must not wait."""

    def take(self, limits: Any) -> float:
        super().take(limits)
        return 0.0
