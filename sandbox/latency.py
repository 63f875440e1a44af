"""Waiting times like those of the real services: assumptions stated in public, not measurements.

Mean seconds per kind of call, lognormal, the 99th percentile at four times the mean, drawn from a seed.
"""

import math
import random
import threading

from sandbox.store import Store

# sigma of a lognormal whose 99th percentile is 4 x its mean: s^2/2 - 2.3263 s + ln 4 = 0
_SIGMA = 2.3263 - math.sqrt(2.3263**2 - 2 * math.log(4))


def mean_seconds(platform: str, operation: str, members: int) -> float:
    """The mean of one call; `members` is the number of items in a bulk call."""
    if platform == "qbo":
        return 0.4 + 0.08 * members if operation == "batch" else 0.5
    if platform == "xero":
        writes = operation.endswith((" PUT", " POST", " DELETE"))
        return (0.6 + 0.06 * members) if writes else 0.5
    if platform == "autotask":
        return 0.5 if operation.endswith("query") else 0.4
    return 0.4


class Latency:
    """Draws the time a call takes. Mode `off` (default) or `model`; survives a restart."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._random = random.Random(self.seed)

    @property
    def mode(self) -> str:
        """`off` or `model`."""
        return str(self._store.kv_get("sandbox", "latency_mode", "off"))

    @property
    def scale(self) -> float:
        """Times are divided by this."""
        return float(self._store.kv_get("sandbox", "latency_scale", 1))

    @property
    def seed(self) -> int:
        """Start of the random sequence."""
        return int(self._store.kv_get("sandbox", "latency_seed", 1))

    def switch(self, mode: str | None = None, scale: float | None = None, seed: int | None = None) -> None:
        """Change how answers are delayed. Raises ValueError for an unknown mode."""
        if mode is not None:
            if mode not in ("off", "model"):
                raise ValueError("mode must be off or model")
            self._store.kv_set("sandbox", "latency_mode", mode)
        if scale is not None:
            if scale <= 0:
                raise ValueError("scale must be above 0")
            self._store.kv_set("sandbox", "latency_scale", scale)
        if seed is not None:
            self._store.kv_set("sandbox", "latency_seed", int(seed))
            self._random = random.Random(int(seed))

    def draw(self, platform: str, operation: str, members: int = 1) -> float:
        """Seconds this call shall take."""
        if self.mode == "off":
            return 0.0
        mean = mean_seconds(platform, operation, members) / self.scale
        with self._lock:
            return self._random.lognormvariate(math.log(mean) - _SIGMA**2 / 2, _SIGMA)
