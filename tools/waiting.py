"""Wait for a condition with a deadline, and find a free port: shared by the demo and the tests."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class WaitedTooLong(Exception):
    """The condition did not come true before its deadline."""


def wait_until(condition: Callable[[], T], *, timeout_s: float, what: str, every_s: float = 0.05) -> T:
    """Ask until the answer is truthy and return it.

    Raises: WaitedTooLong, naming what was waited for, after timeout_s seconds of real time. Whatever the
    condition itself raises goes straight through: a dead process should end the wait, not outlast it.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise WaitedTooLong(f"{what}: not so after {timeout_s:g} seconds")
        time.sleep(every_s)


def free_port() -> int:
    """A TCP port nobody listens on at this moment (the kernel picks it)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_free(port: int) -> bool:
    """True when 127.0.0.1:port can be listened on now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
