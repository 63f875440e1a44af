"""The sandbox's own time: the machine's clock plus an offset that a test may move."""

from datetime import UTC, datetime, timedelta

from sandbox.store import Store


class Clock:
    """What all simulators call now. The offset survives a restart."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def offset(self) -> int:
        """Seconds the sandbox is ahead of the machine (negative: behind)."""
        return int(self._store.kv_get("sandbox", "clock_offset", 0))

    def now(self) -> datetime:
        """The present moment, aware, UTC."""
        return datetime.now(UTC) + timedelta(seconds=self.offset)

    def set_offset(self, seconds: int) -> None:
        """Stand `seconds` ahead of the machine's clock."""
        self._store.kv_set("sandbox", "clock_offset", int(seconds))

    def advance(self, seconds: int) -> None:
        """Jump `seconds` ahead of where the clock stands (negative: back)."""
        self.set_offset(self.offset + int(seconds))
