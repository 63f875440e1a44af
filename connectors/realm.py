"""Which company a fresh QuickBooks grant is for: one read that proves it and gives its name.

The callback's `realmId` travels through the browser and proves nothing; a token only ever opens its own company.
Source: Intuit, CompanyInfo; a token of another company is answered with 403 (ApplicationAuthorizationFailed).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.endpoints import Endpoints
from connectors.errors import NotAllowed, Unavailable
from connectors.http import Http, read_again

_REALM = re.compile(r"[0-9]{1,32}")
# Only a first proposal: the company's zone can be changed in Settings.
_ZONES = {
    "US": "America/New_York",
    "CA": "America/Toronto",
    "GB": "Europe/London",
    "IE": "Europe/Dublin",
    "AU": "Australia/Sydney",
    "NZ": "Pacific/Auckland",
    "ZA": "Africa/Johannesburg",
    "IN": "Asia/Kolkata",
}


@dataclass(frozen=True, slots=True)
class LedgerCompany:
    """Name, two-letter country and IANA time zone as QuickBooks has them (zone proposed where it says none)."""

    name: str
    country: str
    time_zone: str


def zone_of(country: str) -> str:
    """The zone proposed for a company of this country."""
    return _ZONES.get(country, "UTC")


def read_company(http: Http, endpoints: Endpoints, access_token: str, realm: str) -> LedgerCompany:
    """Raises NotAllowed when the token is for another company, Unavailable when QuickBooks does not answer."""
    if not _REALM.fullmatch(realm):
        raise NotAllowed("This is not the number of a QuickBooks company.", platform="QuickBooks")
    session = http.session("QuickBooks", endpoints.is_intuit)
    url = f"{endpoints.quickbooks_api}/company/{realm}/companyinfo/{realm}?minorversion=75"
    headers = {"Authorization": f"Bearer {access_token}", "Accept": "application/json"}
    answer = read_again(lambda: session.get(url, headers=headers))
    if answer.status_code in (400, 401, 403):
        message = "QuickBooks says that this sign-in is not for that company."
        raise NotAllowed(message, platform="QuickBooks", request_id=answer.headers.get("intuit_tid"))
    try:
        body = answer.json() if answer.status_code == 200 else None
    except ValueError:
        body = None
    info = body.get("CompanyInfo") if isinstance(body, dict) else None
    if not isinstance(info, dict):
        raise Unavailable("QuickBooks did not say which company this is.", platform="QuickBooks")
    return _company(info, realm)


def _company(info: Mapping[str, Any], realm: str) -> LedgerCompany:
    country = str(info.get("Country") or "")[:2].upper()
    zone = info.get("DefaultTimeZone")
    known = zone if isinstance(zone, str) and "/" in zone else _ZONES.get(country, "UTC")
    return LedgerCompany(str(info.get("CompanyName") or f"Company {realm}")[:200], country, known)
