"""Where the platforms live: the real hosts by default, and one address that moves all of them to the sandbox.

Also the allow-lists: credentials travel only to these hosts, whatever a remote answer says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from connectors.http import origin

# Zones are webservices<digits>.autotask.net; the first discovery call may go to the host without digits.
# Source: Autotask developer help, "REST API: zone information".
_AUTOTASK_API = re.compile(r"^webservices\d{0,4}\.autotask\.net$")
_AUTOTASK_WEB = re.compile(r"^[a-z0-9-]+\.autotask\.net$")
_XERO = re.compile(r"^(login|identity|api|go)\.xero\.com$")
_INTUIT = re.compile(r"^([a-z0-9-]+\.)+intuit\.com$")


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses without a trailing slash. `sandbox` is the sandbox's origin, None against the real platforms."""

    discovery: str
    quickbooks_api: str
    quickbooks_web: str
    autotask_zones: str
    xero_identity: str = "https://identity.xero.com"
    xero_login: str = "https://login.xero.com"
    xero_connections: str = "https://api.xero.com"
    xero_api: str = "https://api.xero.com/api.xro/2.0"
    xero_web: str = "https://go.xero.com"
    sandbox: str | None = None

    def is_intuit(self, url: str) -> bool:
        return self._allowed(url, _INTUIT)

    def is_xero(self, url: str) -> bool:
        return self._allowed(url, _XERO)

    def is_autotask(self, url: str) -> bool:
        return self._allowed(url, _AUTOTASK_API)

    def is_autotask_web(self, url: str) -> bool:
        """Only for links that people open; nothing is sent there."""
        return self._allowed(url, _AUTOTASK_WEB)

    def _allowed(self, url: str, hosts: re.Pattern[str]) -> bool:
        if self.sandbox is not None:
            return origin(url) == self.sandbox
        parts = urlsplit(url)
        return parts.scheme == "https" and parts.port in (None, 443) and bool(hosts.match(parts.hostname or ""))


def endpoints(sandbox_url: str | None = None, *, development: bool = False) -> Endpoints:
    """The addresses in use. `development` means Intuit's own test companies (development keys)."""
    if sandbox_url:
        base = sandbox_url.rstrip("/")
        return Endpoints(
            discovery=f"{base}/intuit/.well-known/openid_configuration",
            quickbooks_api=f"{base}/qbo/v3",
            quickbooks_web=f"{base}/books",
            autotask_zones=f"{base}/autotask/atservicesrest/v1.0/zoneInformation",
            xero_identity=f"{base}/xero/identity",
            xero_login=f"{base}/xero/login",
            xero_connections=f"{base}/xero/api",
            xero_api=f"{base}/xero/api/api.xro/2.0",
            xero_web=f"{base}/xero-go",
            sandbox=origin(base),
        )
    host = "sandbox-quickbooks" if development else "quickbooks"
    document = "openid_sandbox_configuration" if development else "openid_configuration"
    return Endpoints(
        discovery=f"https://developer.api.intuit.com/.well-known/{document}",
        quickbooks_api=f"https://{host}.api.intuit.com/v3",
        quickbooks_web="https://app.qbo.intuit.com/app",
        autotask_zones="https://webservices.autotask.net/atservicesrest/v1.0/zoneInformation",
    )
