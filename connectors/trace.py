"""A tape of exchanges with the platforms: what was asked and answered, for a diagnosis or a traced document.

Only companies that have such a document, and the Troubleshoot tool, connect with a tape; nobody else keeps a byte.
A request's headers, where every credential travels, never reach it. Which part concerns a document, masking and
storing is in `sync/tracing.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

TAPE_BYTES = 16 * 1024 * 1024
"""One job keeps no more in memory; what comes after is counted and left out."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer. `date` is the answer's Date header, `seconds` how long it took."""

    platform: str
    method: str
    url: str
    params: Mapping[str, Any]
    asked: Any
    status: int | None
    answered: bytes
    date: str | None
    seconds: float
    error: str | None = None

    def size(self) -> int:
        asked = self.asked if isinstance(self.asked, bytes | str) else str(self.asked)
        return len(asked) + len(self.answered) + len(self.url)


@dataclass(slots=True)
class Tape:
    """Keeps exchanges with the instant of their end. Threads may call it side by side: it only appends."""

    clock: Callable[[], datetime]
    most: int = TAPE_BYTES
    entries: list[tuple[datetime, Exchange]] = field(default_factory=list)
    left_out: int = 0
    _size: int = 0

    def __call__(self, exchange: Exchange) -> None:
        size = exchange.size()
        if self._size + size > self.most:
            self.left_out += 1
            return
        self._size += size
        self.entries.append((self.clock(), exchange))

    def ahead(self) -> dict[str, float]:
        """Seconds by which our clock is ahead of each platform's, by the Date header that came back fastest.

        The header counts whole seconds and the answer was on its way: within about two seconds it proves nothing.
        """
        found: dict[str, tuple[float, float]] = {}
        for at, exchange in self.entries:
            theirs = _instant(exchange.date)
            if theirs is None:
                continue
            gap = (at - theirs).total_seconds() - exchange.seconds / 2
            if exchange.platform not in found or exchange.seconds < found[exchange.platform][0]:
                found[exchange.platform] = (exchange.seconds, gap)
        return {platform: gap for platform, (_, gap) in sorted(found.items())}


def _instant(header: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(header) if header else None
    except ValueError:
        return None
    if found is None:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
