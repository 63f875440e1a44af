"""The one place that names platforms: builds a source, a ledger or a sign-in from what a company has stored.

`Platforms` is made once per process with the process's clock, waiting and limiter. Adding a ledger or a source is
one more entry here and its own files; nothing else in the program asks for a platform's name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.endpoints import Endpoints
from connectors.http import Http, PlatformSession
from connectors.ledgers import quickbooks, xero, xero_calls
from connectors.ledgers.base import Capabilities, Ledger, LedgerProfile
from connectors.ledgers.quickbooks_http import Access
from connectors.limits import Limiter
from connectors.oauth_intuit import IntuitIdentity
from connectors.oauth_xero import XeroIdentity
from connectors.sources import autotask, autotask_http


def side_of(platform: str) -> str:
    """Which connection of a company an error's platform belongs to: `source` or `ledger`."""
    return "source" if platform == autotask_http.PLATFORM else "ledger"


def capabilities_of(ledger: str) -> Capabilities:
    """What a ledger can do, whatever company it is; for pages, which talk to no platform. Raises KeyError."""
    return {"quickbooks": quickbooks.capabilities(None), "xero": xero_calls.CAPABILITIES}[ledger]


@dataclass(frozen=True, slots=True)
class Platforms:
    """Everything connectors need from the process. `pause(seconds)` waits; `clock` gives aware UTC instants."""

    http: Http
    endpoints: Endpoints
    limiter: Limiter
    clock: Callable[[], datetime]
    pause: Callable[[float], None]

    def ledger(
        self, ledger: str, tenant: str, access: Access, *, back: str = "", profile: LedgerProfile | None = None
    ) -> Ledger:
        """The ledger of a company by what `Company.ledger` holds. Raises KeyError for an unknown one."""
        made: dict[str, Callable[[], Ledger]] = {
            "quickbooks": lambda: self.quickbooks(tenant, access, profile=profile),
            "xero": lambda: self.xero(tenant, access, back=back, profile=profile),
        }
        return made[ledger]()

    def quickbooks(
        self, realm: str, access: Access, *, profile: LedgerProfile | None = None,
        session: PlatformSession | None = None,
    ) -> quickbooks.QuickBooksLedger:
        return quickbooks.QuickBooksLedger(
            realm=realm, access=access, profile=profile, session=session, **self._shared(),
        )  # fmt: skip

    def xero(
        self,
        tenant: str,
        access: Access,
        *,
        back: str = "",
        profile: LedgerProfile | None = None,
        session: PlatformSession | None = None,
    ) -> xero.XeroLedger:
        return xero.XeroLedger(
            tenant=tenant, access=access, back=back, profile=profile, session=session, **self._shared(),
        )  # fmt: skip

    def _shared(self) -> dict[str, Any]:
        """What every connector of this process works with."""
        return {
            "http": self.http, "endpoints": self.endpoints, "limiter": self.limiter, "clock": self.clock,
            "pause": self.pause,
        }  # fmt: skip

    def autotask(
        self,
        credentials: autotask_http.Credentials,
        *,
        zone: autotask_http.Zone | None = None,
        zone_found: Callable[[autotask_http.Zone], None] | None = None,
        time_zone: str = "UTC",
        interactive: bool = False,
        session: PlatformSession | None = None,
    ) -> autotask.AutotaskSource:
        client = autotask_http.AutotaskClient(
            credentials,
            **self._shared(),
            zone=zone,
            zone_found=zone_found or (lambda found: None),
            interactive=interactive,
            session=session,
        )
        return autotask.AutotaskSource(client, time_zone=time_zone)

    def intuit(
        self, *, client_id: str, client_secret: str, redirect_uri: str, require_nonce: bool = False
    ) -> IntuitIdentity:
        return IntuitIdentity(
            http=self.http, endpoints=self.endpoints, clock=self.clock, client_id=client_id,
            client_secret=client_secret, redirect_uri=redirect_uri, require_nonce=require_nonce,
        )  # fmt: skip

    def xero_identity(self, *, client_id: str, client_secret: str, redirect_uri: str) -> XeroIdentity:
        return XeroIdentity(
            http=self.http, endpoints=self.endpoints, clock=self.clock, client_id=client_id,
            client_secret=client_secret, redirect_uri=redirect_uri,
        )  # fmt: skip
