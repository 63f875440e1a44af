"""A simulated Xero organisation and a connector on it, over real HTTP."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

from connectors.endpoints import endpoints
from connectors.errors import NeedsReconnect
from connectors.http import CallRecord, Http, Timeouts
from connectors.ledgers.xero import XeroLedger
from connectors.limits import Limiter
from connectors.registry import Platforms
from sandbox.server import World
from sandbox.xero import profiles
from sandbox.xero.organisation import Organisation
from sandbox.xero_identity import settings, tokens, users
from tests.connectors.autotask_bench import utc_now
from tests.connectors.quickbooks_bench import Unlimited


class Tokens:
    """The supplier of access tokens; counts renewals. `dead` makes renewing fail as a dead grant does."""

    def __init__(
        self, world: World, tenant: str, scopes: tuple[str, ...] = (), user: users.User = users.USERS[0]
    ) -> None:
        self.world, self.tenant = world, tenant
        self.scopes = scopes or tuple(settings.SCOPES)
        self.user = user
        self.current = tokens.access_token(world, tenant, self.scopes, user)
        self.renewals = 0
        self.dead = False

    def token(self) -> str:
        return self.current

    def renew(self, rejected: str) -> str:
        self.renewals += 1
        if self.dead:
            raise NeedsReconnect("Xero no longer accepts this connection.", platform="Xero")
        self.current = tokens.access_token(self.world, self.tenant, self.scopes, self.user)
        return self.current


class XeroOrganisation:
    """One organisation with a ledger on it. `pauses` holds the seconds connectors asked to wait; nothing waits."""

    def __init__(self, world: World, base: str, profile: str = "xero-us", **switches: Any) -> None:
        self.world, self.base = world, base
        self.calls: list[CallRecord] = []
        self.pauses: list[float] = []
        world.limits.switch(on=False)
        self.tenant = profiles.create_organisation(world, "bench", profile, "Bench Inc", unrelated=False, **switches)
        self.tokens = Tokens(world, self.tenant)
        self.ledger = self.connect()
        self.profile = self.ledger.check()
        self.ledger = self.connect(profile=self.profile)

    @property
    def org(self) -> Organisation:
        return Organisation(self.world, self.tenant)

    def connect(self, limiter: Limiter | None = None, **options: Any) -> XeroLedger:
        platforms = Platforms(
            http=Http(time.monotonic, timeouts=options.pop("timeouts", Timeouts()), observe=self.calls.append),
            endpoints=endpoints(self.base),
            limiter=limiter or Unlimited(utc_now),
            clock=options.pop("clock", utc_now),
            pause=self.pauses.append,
        )
        return platforms.xero(self.tenant, options.pop("access", self.tokens), **options)

    def documents(self) -> list[tuple[str | None, Decimal]]:
        """(number, total) of every live document."""
        rows = [(kind, row["entity"]) for kind in ("Invoice", "CreditNote") for row in self.org.records(kind)]
        return [
            (entity.get(f"{kind}Number"), Decimal(str(entity["Total"])))
            for kind, entity in rows if entity["Status"] not in ("VOIDED", "DELETED")
        ]  # fmt: skip
