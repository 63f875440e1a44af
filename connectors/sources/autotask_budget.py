"""How many calls an hour we allow ourselves in an Autotask database that other integrations use too.

Autotask counts 10,000 calls an hour per database, all integrations together, and slows every caller down from
half of it on. Source: Autotask developer help, "REST API: thresholds and limits".
"""

from __future__ import annotations

from collections.abc import Callable

from connectors.errors import PlatformError
from connectors.limits import Limit, Limiter

_HOUR_S = 3600.0
_ALLOWANCE = 10_000
_ASK_EVERY_S = 600.0
_ASK_FROM = _ALLOWANCE // 50

# A person's click may use what is left; background reads stop at half; write-backs stop a little earlier, so that
# they yield first.
_SHARES = {"interactive": 0.95, "read": 0.5, "mark": 0.45}

Threshold = Callable[[], tuple[int, int] | None]


def hour(tenant: str) -> str:
    """The name of the window of one database."""
    return f"autotask:{tenant}:hour"


class Budget:
    """Our share of the allowance, corrected by what Autotask itself has counted."""

    def __init__(self, limiter: Limiter, *, interactive: bool) -> None:
        self._limiter = limiter
        self._interactive = interactive

    def limits(self, tenant: str, operation: str) -> tuple[Limit, ...]:
        """The one limit of a call: `mark` for write-backs, anything else is a read."""
        allowed, others = self._known(tenant)
        share = "interactive" if self._interactive else operation if operation in _SHARES else "read"
        most = min(int(allowed * _SHARES[share]), int(allowed * _SHARES["interactive"]) - others)
        return (Limit(hour(tenant), max(most, 1), _HOUR_S),)

    def correct(self, tenant: str, ask: Threshold) -> None:
        """At most once in ten minutes of real work, read what Autotask has counted; that call counts too.

        An idle poll stays one call: below one in fifty of the allowance there is nothing to correct. A failed
        question leaves what was known.
        """
        name = hour(tenant)
        ours = self._limiter.used([Limit(name, 1, _HOUR_S)])[0].used
        if ours < _ASK_FROM or self._limiter.noted(f"{name}:asked") is not None:
            return
        self._limiter.note(f"{name}:asked", "1", _ASK_EVERY_S)
        try:
            found = ask()
        except PlatformError:
            found = None
        if found is not None:
            allowed, counted = found
            self._limiter.note(f"{name}:allowance", f"{allowed},{max(counted - ours, 0)}", _HOUR_S)

    def _known(self, tenant: str) -> tuple[int, int]:
        """(calls allowed, calls of others in the last hour) as last told."""
        noted = self._limiter.noted(f"{hour(tenant)}:allowance")
        if noted is None:
            return _ALLOWANCE, 0
        allowed, others = noted.split(",")
        return int(allowed), int(others)
