"""What the outside world gives to `sync`: clock, waiting, keys, the pool of calls, the bell. All replaceable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session, sessionmaker


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that only grow; for remaining lease time."""
        ...


@dataclass(frozen=True, slots=True)
class Finished:
    """One finished call of the pool: exactly one of `value` and `error` counts."""

    tag: Any
    value: Any = None
    error: Exception | None = None


class Pool(Protocol):
    """Runs HTTP calls side by side. Calls touch no database and no shared state."""

    def submit(self, tag: Any, call: Callable[[], Any]) -> None: ...

    def wait(self, seconds: float) -> list[Finished]:
        """Calls finished so far; waits up to `seconds` for the first. Empty when none finished in time."""
        ...

    @property
    def running(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds. Defaults: DESIGN section 6; tests with real processes divide them by one factor."""

    lease: float = 90
    heartbeat: float = 20
    margin: float = 15
    sweep: float = 30
    quarantine: float = 300
    write_timeout: float = 60
    serve: float = 60
    patience: float = 2
    """A serving job ends when nothing can move within this time."""
    stale_run: float = 180
    young: float = 120
    reread: float = 5
    give_up: float = 600


def no_failpoint(name: str) -> None:
    """Outside crash tests nothing fails."""


@dataclass(frozen=True, slots=True)
class Runtime:
    sessions: sessionmaker[Session]
    clock: Clock
    pause: Callable[[float], None]
    new_key: Callable[[], str]
    """A random UUID as text: batch keys are never counted (DESIGN section 6)."""
    pool: Callable[[], Pool]
    ring: Callable[[int], None]
    """The doorbell: "serve this company". Losing or repeating it is harmless."""
    worker: str
    lease_now: Callable[[Session], datetime]
    """The database's own clock, so that a worker's wrong clock steals no lease."""
    times: Times = field(default_factory=Times)
    failpoint: Callable[[str], None] = no_failpoint
    public_url: str = ""
    calls_in_flight: int = 1
