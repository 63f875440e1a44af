"""Switches: behaviours that public sources leave open, by name, with the value taken when nobody chose one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def check(names: Iterable[str], known: Mapping[str, Any]) -> None:
    """Raise KeyError for a name that is no switch."""
    unknown = [name for name in names if name not in known]
    if unknown:
        raise KeyError(f"unknown switch {unknown[0]}; known: {', '.join(sorted(known))}")


class OfSpace:
    """The switches of one space of the store, such as an identity service."""

    def __init__(self, space: str, known: Mapping[str, Any]) -> None:
        self.space = space
        self.known = known

    def value(self, world: Any, name: str) -> Any:
        """The present value of a switch."""
        return (world.store.kv_get(self.space, "switches") or {}).get(name, self.known[name])

    def change(self, world: Any, **values: Any) -> None:
        """Change switches. Raises KeyError for a name that is none."""
        check(values, self.known)
        world.store.kv_set(self.space, "switches", (world.store.kv_get(self.space, "switches") or {}) | values)
