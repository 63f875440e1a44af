"""A small simulated Autotask database and connectors on it, over real HTTP."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.endpoints import endpoints
from connectors.http import CallRecord, Http
from connectors.limits import Limiter, LocalLimiter
from connectors.registry import Platforms
from connectors.sources.autotask import AutotaskSource
from connectors.sources.autotask_http import Credentials
from sandbox.autotask import actions
from sandbox.autotask.tenants import INTEGRATION_CODE, add_user
from sandbox.seeds.basics import lay_out
from sandbox.server import World

USER, SECRET = "api@bench.sandbox.invalid", "SANDBOX-SECRET-bench"


def utc_now() -> datetime:
    return datetime.now(UTC)


class AutotaskTenant:
    """One database. `pauses` holds the seconds connectors asked to wait; nothing here waits."""

    def __init__(self, world: World, base: str, region: str = "us", **switches: Any) -> None:
        self.world, self.base = world, base
        self.calls: list[CallRecord] = []
        self.pauses: list[float] = []
        with world.store.transaction():
            self.laid = lay_out(world, "bench", "Bench Ltd", region, switches)
            self.tenant = self.laid.tenant
            add_user(self.tenant, USER, SECRET)

    def platforms(self, limiter: Limiter | None = None) -> Platforms:
        return Platforms(
            http=Http(time.monotonic, observe=self.calls.append),
            endpoints=endpoints(self.base),
            limiter=limiter or LocalLimiter(utc_now),
            clock=utc_now,
            pause=self.pauses.append,
        )

    def source(
        self, user: str = USER, secret: str = SECRET, code: str = INTEGRATION_CODE, **options: Any
    ) -> AutotaskSource:
        limiter = options.pop("limiter", None)
        return self.platforms(limiter).autotask(Credentials(user, secret, code), **options)

    def company(self, name: str, email: str | None = None, **fields: Any) -> str:
        with self.world.store.transaction():
            row = {"companyName": name, "companyType": 1, "isActive": True, "phone": "555-0100", **fields}
            id = self.tenant.add("Companies", row)
            if email:
                contact = {"companyID": id, "firstName": "Accounts", "lastName": "Payable", "isActive": 1}
                self.tenant.add("Contacts", {**contact, "emailAddress": email, "primaryContact": True})
        return str(id)

    def invoice(
        self,
        company: str | None,
        lines: Sequence[tuple[str, str]],
        *,
        number: str | None,
        at: datetime,
        line: dict[str, Any] | None = None,
        **header: Any,
    ) -> str:
        labour = self.tenant.pick("billingItemType", "Labor")
        rows = [
            {"quantity": quantity, "rate": rate, "itemName": "Work", "billingItemType": labour, **(line or {})}
            for quantity, rate in lines
        ]
        with self.world.store.transaction():
            party = None if company is None else int(company)
            return str(actions.issue(self.tenant, party, rows, number=number, at=at, **header))
