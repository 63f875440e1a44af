"""Rate limits as the platforms count them: exact sliding windows and calls in flight.

Times are the machine's monotonic clock, so moving the sandbox's clock opens no window.
"""

import threading
import time
from collections import deque

from sandbox.store import Store


class Limits:
    """Windows and slots by key. Switched off, everything is allowed and nothing is counted."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._taken: dict[str, deque[float]] = {}
        self._inside: dict[str, int] = {}

    @property
    def on(self) -> bool:
        """Whether limits are in force (default yes); survives a restart."""
        return bool(self._store.kv_get("sandbox", "limits_on", True))

    @property
    def scale(self) -> float:
        """Windows are this many times shorter than the real ones (default 1)."""
        return float(self._store.kv_get("sandbox", "limits_scale", 1))

    def switch(self, on: bool | None = None, scale: float | None = None) -> None:
        """Turn limits on or off, or change the time divisor."""
        if on is not None:
            self._store.kv_set("sandbox", "limits_on", bool(on))
        if scale is not None:
            if not 0.1 <= scale <= 1000:
                raise ValueError("scale must lie between 0.1 and 1000")
            self._store.kv_set("sandbox", "limits_scale", scale)

    def take(self, key: str, limit: int, window_seconds: float) -> float:
        """Count one call against `limit` per window. 0 when it is allowed, else seconds until it would be.

        A refused call is not counted.
        """
        if not self.on:
            return 0.0
        window = window_seconds / self.scale
        with self._lock:
            taken = self._trimmed(key, window)
            if len(taken) >= limit:
                return max(taken[0] + window - time.monotonic(), 0.001)
            taken.append(time.monotonic())
            return 0.0

    def used(self, key: str, window_seconds: float) -> int:
        """How many calls the window holds now."""
        window = window_seconds / self.scale
        with self._lock:
            return len(self._trimmed(key, window))

    def _trimmed(self, key: str, window: float) -> deque[float]:
        taken = self._taken.setdefault(key, deque())
        oldest = time.monotonic() - window
        while taken and taken[0] <= oldest:
            taken.popleft()
        return taken

    def enter(self, key: str, slots: int) -> bool:
        """Take one of `slots` places in flight; the caller must `leave` exactly when this said True."""
        on = self.on  # asked before the lock: who holds the store may be waiting for it
        with self._lock:
            if on and self._inside.get(key, 0) >= slots:
                return False
            self._inside[key] = self._inside.get(key, 0) + 1
            return True

    def leave(self, key: str) -> None:
        """Give back a place in flight."""
        with self._lock:
            self._inside[key] -= 1

    def clear(self) -> None:
        """Forget every call counted so far (calls in flight stay)."""
        with self._lock:
            self._taken.clear()
