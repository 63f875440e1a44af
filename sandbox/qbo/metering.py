"""The partner programme's meter: reads ("CorePlus") count, writes ("Core") do not.

Only successful calls count; every item of a batch counts by itself. Source: Intuit App Partner Program FAQ.
"""

from __future__ import annotations

from typing import Any


def count(world: Any, core: int = 0, core_plus: int = 0) -> None:
    """Add successful calls to the workspace's counters."""
    for name, amount in (("core", core), ("core_plus", core_plus)):
        if amount:
            world.store.kv_set("intuit", f"meter_{name}", read(world)[name] + amount)


def read(world: Any) -> dict[str, int]:
    """Calls counted so far: ``{"core": n, "core_plus": n}``."""
    return {name: int(world.store.kv_get("intuit", f"meter_{name}", 0)) for name in ("core", "core_plus")}
