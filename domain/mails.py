"""Mails as rules: what they are about, when a collected one goes, what an address is. Sending is `sync/mail.py`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

HOUR = timedelta(hours=1)
SILENCE = timedelta(hours=24)
"""No successful check for so long, while syncing is on, is a mail and stands on Home."""
LINK_LIFE = timedelta(days=7)
NOTICES_A_DAY = 3
"""Notices that a stranger's address gets from one company in 24 hours; what is more is shown, not sent."""
STRANGERS_A_DAY = 50
"""Notices that one company may send in 24 hours, all strangers together."""
PUBLIC_PROVIDERS = frozenset((
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "icloud.com",
    "me.com", "aol.com", "gmx.com", "gmx.net", "gmx.de", "web.de", "proton.me", "protonmail.com", "mail.com",
    "zoho.com", "yandex.com", "fastmail.com", "yahoo.co.uk", "hotmail.co.uk", "btinternet.com", "comcast.net",
    "verizon.net", "att.net", "bigpond.com", "t-online.de", "orange.fr", "free.fr", "libero.it", "hey.com", "tuta.com",
))
"""Anybody can have an address there, so sharing the domain says nothing."""

# One address, nothing around it: no display name, no line break, no quoting tricks.
_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+"
    r"(?:[A-Za-z]{2,63}|[Xx][Nn]--[A-Za-z0-9-]{1,59})"
)


class Event(StrEnum):
    """What a mail is about; an address can be without each of them."""

    RUNS = "runs"
    TOOLS = "tools"
    PROBLEMS = "problems"
    CONNECTION = "connection"
    SILENCE = "silence"


EVENT_WORDS: dict[str, tuple[str, str]] = {
    Event.RUNS: ("Reports of runs", "What was posted, skipped and refused, with the CSV."),
    Event.TOOLS: ("Results of tools", "What a check, a comparison or another tool found, with the CSV."),
    Event.PROBLEMS: ("Problems", "Documents that wait for somebody: the first at once, further ones once an hour."),
    Event.CONNECTION: ("A connection is lost", "{the_ledger} or Autotask must be connected again, at once."),
    Event.SILENCE: ("Nothing was checked for 24 hours", "Once, when automatic syncing stands still."),
}
EVENT_OF_KIND = {
    "report": Event.RUNS, "notice": Event.RUNS, "digest": Event.RUNS, "tool": Event.TOOLS, "tool_notice": Event.TOOLS,
    "problems": Event.PROBLEMS,
}


class Rhythm(StrEnum):
    """When the reports of scheduled runs are mailed."""

    EACH = "each"
    HOURLY = "hourly"
    DAILY = "daily"
    PROBLEMS = "problems"


def next_digest(rhythm: Rhythm, now: datetime, zone: str, hour: int) -> datetime:
    """When a run that ends now is reported: the next full hour, or the next `hour` o'clock in the company's zone."""
    if rhythm is Rhythm.HOURLY:
        return now.replace(minute=0, second=0, microsecond=0) + HOUR
    local = now.astimezone(ZoneInfo(zone))
    at = local.replace(hour=hour, minute=0, second=0, microsecond=0, fold=0)
    if at.astimezone(now.tzinfo) <= now:
        at = (local + timedelta(days=1)).replace(hour=hour, minute=0, second=0, microsecond=0, fold=0)
    return at.astimezone(now.tzinfo)


def next_problem(last: datetime | None, now: datetime) -> datetime:
    """The first problem goes at once; further ones wait until an hour after the last mail about one."""
    return now if last is None else max(now, last + HOUR)


def is_address(text: str) -> bool:
    """One plain address of ASCII letters (a domain with other letters in its `xn--` form)."""
    return len(text) <= 254 and ".." not in text and not text.startswith(".") and ".@" not in text \
        and bool(_ADDRESS.fullmatch(text))


def own_domain(connected: str, address: str) -> bool:
    """The address is of the mail domain of the person who connected, and that domain is a company's own."""
    domain = connected.rpartition("@")[2].casefold()
    return bool(domain) and domain not in PUBLIC_PROVIDERS and address.rpartition("@")[2].casefold() == domain


def unique(addresses: Iterable[str]) -> list[str]:
    """Addresses in their order, each once whatever its letters' case."""
    found: dict[str, str] = {}
    for address in addresses:
        found.setdefault(address.casefold(), address)
    return list(found.values())
