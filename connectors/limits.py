"""What a limiter promises: exact sliding windows, places for calls in flight, pauses, counters.

Which limits a platform has stands in that platform's connector. `RedisLimiter` (limits_redis.py) is shared by
all workers; `LocalLimiter` keeps the same promises inside one process, for fakes and unit tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from connectors.errors import RetryLater

PATIENCE_S = 5.0
"""A read inside a connector waits this long itself; for longer it says until when."""
_GATE_RETRY_S = 0.1
_TRIES_MAX = 60


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` calls in any `seconds`. Limits of one `name` share one count."""

    name: str
    most: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Gate:
    """At most `most` calls in flight; a place that is never given back returns by itself after `seconds`."""

    name: str
    most: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Used:
    """How much of one limit is taken now; `paused_s` is what is left of a pause the platform asked for."""

    name: str
    used: int
    paused_s: float
    most: int = 0
    """How many calls the limit allows us; 0 where it was not asked."""


class Limiter(Protocol):
    """Every method raises Unavailable when the shared store is away: nothing is ever sent uncounted."""

    def take(self, limits: Sequence[Limit]) -> float:
        """Take one place in all limits or in none. 0 when taken, else seconds after which to ask again."""
        ...

    def enter(self, gate: Gate) -> str | None:
        """A token for one call in flight, None when all places are taken."""
        ...

    def leave(self, gate: Gate, token: str) -> None:
        """Give the place back. Repeating is safe."""
        ...

    def penalise(self, name: str, seconds: float) -> None:
        """Nobody takes a place in this limit for so long (a 429). Never shortens a longer pause."""
        ...

    def used(self, limits: Sequence[Limit]) -> list[Used]:
        """What the windows hold now, for the page that shows calls against limits."""
        ...

    def note(self, name: str, value: str, seconds: float) -> None:
        """A fact all workers share for a while (what others have used of an allowance)."""
        ...

    def noted(self, name: str) -> str | None: ...

    def tally(self, scope: str, operation: str, day: str) -> None:
        """Count one call of a company. `day` is an ISO date (UTC); counters are kept for 40 days."""
        ...

    def tallies(self, scope: str, day: str) -> Mapping[str, int]: ...


class LocalLimiter:
    """The same promises inside one process and one thread, on a clock that is handed in."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._windows: dict[str, list[datetime]] = {}
        self._gates: dict[str, dict[str, datetime]] = {}
        self._pauses: dict[str, datetime] = {}
        self._notes: dict[str, tuple[str, datetime]] = {}
        self._calls: dict[tuple[str, str], dict[str, int]] = {}
        self._sequence = 0

    def take(self, limits: Sequence[Limit]) -> float:
        now = self._clock()
        wait = 0.0
        for limit in limits:
            wait = max(wait, self._paused(limit.name, now))
            window = self._live(limit, now)
            if len(window) >= limit.most:
                free = window[len(window) - limit.most] if limit.most else now
                wait = max(wait, (free + timedelta(seconds=limit.seconds) - now).total_seconds(), 0.001)
        if not wait:
            for limit in limits:
                self._windows[limit.name].append(now)
        return wait

    def enter(self, gate: Gate) -> str | None:
        now = self._clock()
        places = {token: until for token, until in self._gates.get(gate.name, {}).items() if until > now}
        self._gates[gate.name] = places
        if len(places) >= gate.most:
            return None
        self._sequence += 1
        places[str(self._sequence)] = now + timedelta(seconds=gate.seconds)
        return str(self._sequence)

    def leave(self, gate: Gate, token: str) -> None:
        self._gates.get(gate.name, {}).pop(token, None)

    def penalise(self, name: str, seconds: float) -> None:
        until = self._clock() + timedelta(seconds=seconds)
        self._pauses[name] = max(until, self._pauses.get(name, until))

    def used(self, limits: Sequence[Limit]) -> list[Used]:
        now = self._clock()
        return [Used(one.name, len(self._live(one, now)), self._paused(one.name, now), one.most) for one in limits]

    def note(self, name: str, value: str, seconds: float) -> None:
        self._notes[name] = (value, self._clock() + timedelta(seconds=seconds))

    def noted(self, name: str) -> str | None:
        value, until = self._notes.get(name, ("", self._clock()))
        return value if until > self._clock() else None

    def tally(self, scope: str, operation: str, day: str) -> None:
        counted = self._calls.setdefault((scope, day), {})
        counted[operation] = counted.get(operation, 0) + 1

    def tallies(self, scope: str, day: str) -> Mapping[str, int]:
        return dict(self._calls.get((scope, day), {}))

    def _live(self, limit: Limit, now: datetime) -> list[datetime]:
        start = now - timedelta(seconds=limit.seconds)
        self._windows[limit.name] = [at for at in self._windows.get(limit.name, []) if at > start]
        return self._windows[limit.name]

    def _paused(self, name: str, now: datetime) -> float:
        return max((self._pauses.get(name, now) - now).total_seconds(), 0.0)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How a connector waits. `pause(seconds)` and the clock are handed in."""

    limiter: Limiter
    clock: Callable[[], datetime]
    pause: Callable[[float], None]

    def place(self, limits: Sequence[Limit], message: str, platform: str) -> None:
        """Take a place for a read, waiting up to five seconds in all, else raise RetryLater."""
        waited = 0.0
        for _ in range(_TRIES_MAX):
            wait = self.limiter.take(limits)
            if not wait:
                return
            if waited + wait > PATIENCE_S:
                raise RetryLater(message, self.later(wait), platform=platform)
            self.pause(wait)
            waited += wait
        raise RetryLater(message, self.later(PATIENCE_S), platform=platform)

    def gate(self, gate: Gate, message: str, platform: str) -> str:
        """A place for one call in flight. Raises RetryLater when none came free in five seconds."""
        for _ in range(int(PATIENCE_S / _GATE_RETRY_S)):
            token = self.limiter.enter(gate)
            if token is not None:
                return token
            self.pause(_GATE_RETRY_S)
        raise RetryLater(message, self.later(_GATE_RETRY_S * 10), platform=platform)

    def later(self, seconds: float) -> datetime:
        return self.clock() + timedelta(seconds=seconds)
