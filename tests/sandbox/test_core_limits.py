"""Limits count exact sliding windows; waiting times follow the published model."""

from __future__ import annotations

import statistics
import time
from typing import Any

import pytest

from sandbox.latency import Latency, mean_seconds
from sandbox.limits import Limits
from sandbox.store import Store


@pytest.fixture
def limits() -> Limits:
    return Limits(Store(":memory:"))


def test_a_window_slides_with_each_call(limits: Limits, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    allowed = []
    for second in range(0, 70, 10):
        now[0] = 1000.0 + second
        allowed.append(limits.take("a", 3, 60) == 0)
    assert allowed == [True, True, True, False, False, False, True]
    assert limits.take("a", 3, 60) == pytest.approx(10)
    assert limits.take("b", 3, 60) == 0


def test_scale_shortens_windows_and_off_allows_everything(limits: Limits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
    limits.switch(scale=60)
    limits.take("a", 1, 60)
    assert limits.take("a", 1, 60) == pytest.approx(1)
    limits.switch(on=False)
    assert limits.take("a", 1, 60) == 0
    with pytest.raises(ValueError, match="scale"):
        limits.switch(scale=0)


def test_places_in_flight(limits: Limits) -> None:
    assert [limits.enter("x", 2) for _ in range(3)] == [True, True, False]
    limits.leave("x")
    assert limits.enter("x", 2)


def test_waiting_times_follow_mean_and_99th_percentile() -> None:
    latency = Latency(Store(":memory:"))
    assert latency.draw("qbo", "batch", 30) == 0
    latency.switch(mode="model", seed=3)
    drawn = sorted(latency.draw("qbo", "batch", 30) for _ in range(20000))
    mean = mean_seconds("qbo", "batch", 30)
    assert mean == pytest.approx(2.8)
    assert statistics.fmean(drawn) == pytest.approx(mean, rel=0.05)
    assert drawn[19800] == pytest.approx(4 * mean, rel=0.15)
    latency.switch(seed=3, scale=5)
    assert latency.draw("qbo", "query") < 1


class Watched(Store):
    """A store that tells whether the limits' own lock was held while it was asked."""

    def __init__(self) -> None:
        super().__init__(":memory:")
        self.limits: Limits | None = None
        self.asked_inside = 0

    def kv_get(self, *about: Any, **more: Any) -> Any:
        self.asked_inside += self.limits is not None and self.limits._lock.locked()
        return super().kv_get(*about, **more)


def test_the_store_is_never_asked_while_the_limits_are_locked() -> None:
    """Handlers count calls inside the store's transaction: the other way round both wait for each other for ever."""
    store = Watched()
    store.limits = limits = Limits(store)
    assert limits.take("a", 3, 60) == 0
    assert limits.used("a", 60) == 1
    assert limits.enter("a", 1) and not limits.enter("a", 1)
    limits.leave("a")
    limits.clear()
    assert store.asked_inside == 0
