"""The limiter's promises, on a real Redis and on the local one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis

from connectors.errors import RetryLater, Unavailable
from connectors.limits import Gate, Limit, Limiter, LocalLimiter, Waiting
from connectors.limits_redis import RedisLimiter, UncappedRedisLimiter


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture(params=["redis", "local"])
def limiter(request: pytest.FixtureRequest) -> Limiter:
    if request.param == "redis":
        return RedisLimiter(request.getfixturevalue("redis"))
    return LocalLimiter(Clock())


SECOND, MINUTE = Limit("r:second", 3, 60), Limit("r:minute", 5, 600)


def test_places_are_granted_up_to_the_limit_and_then_the_wait_is_told(limiter: Limiter) -> None:
    assert [limiter.take([SECOND]) for _ in range(3)] == [0, 0, 0]
    assert 0 < limiter.take([SECOND]) <= 60


def test_several_limits_are_taken_together_or_not_at_all(limiter: Limiter) -> None:
    for _ in range(3):
        limiter.take([SECOND])
    assert limiter.take([SECOND, MINUTE]) > 0
    assert [one.used for one in limiter.used([SECOND, MINUTE])] == [3, 0]


def test_limits_of_one_name_share_a_count_and_the_smaller_yields_first(limiter: Limiter) -> None:
    background, interactive = Limit("hour", 2, 3600), Limit("hour", 4, 3600)
    assert [limiter.take([background]) for _ in range(2)] == [0, 0]
    assert limiter.take([background]) > 0
    assert [limiter.take([interactive]) for _ in range(2)] == [0, 0]
    assert limiter.take([interactive]) > 0


def test_a_pause_holds_everybody_and_is_never_shortened(limiter: Limiter) -> None:
    limiter.penalise(SECOND.name, 60)
    limiter.penalise(SECOND.name, 1)
    assert 55 < limiter.take([SECOND]) <= 60
    [used] = limiter.used([SECOND])
    assert used.used == 0 and used.paused_s > 55


def test_a_gate_lets_so_many_in_and_a_place_given_back_is_free(limiter: Limiter) -> None:
    gate = Gate("g", 2, 60)
    first, second = limiter.enter(gate), limiter.enter(gate)
    assert first is not None and second is not None and limiter.enter(gate) is None
    limiter.leave(gate, first)
    limiter.leave(gate, first)
    assert limiter.enter(gate) is not None and limiter.enter(gate) is None


def test_notes_and_counters_are_shared(limiter: Limiter) -> None:
    limiter.note("allowance", "10000,20", 60)
    assert (limiter.noted("allowance"), limiter.noted("other")) == ("10000,20", None)
    for _ in range(2):
        limiter.tally("quickbooks:1", "batch", "2026-11-22")
    assert limiter.tallies("quickbooks:1", "2026-11-22") == {"batch": 2}


def test_a_place_comes_back_when_its_window_has_passed() -> None:
    clock = Clock()
    limiter = LocalLimiter(clock)
    limiter.take([SECOND])
    clock.advance(30)
    for _ in range(2):
        limiter.take([SECOND])
    assert limiter.take([SECOND]) == 30
    clock.advance(30)
    assert limiter.take([SECOND]) == 0
    assert limiter.take([SECOND]) == 30


def test_in_redis_a_place_comes_back_when_its_window_has_passed(redis: Redis) -> None:
    """Time is moved by making the entries older, so that nothing has to wait."""
    limiter = RedisLimiter(redis)
    for _ in range(3):
        limiter.take([SECOND])
    for member, score in redis.zrange("limit:window:r:second", 0, 0, withscores=True):
        redis.zadd("limit:window:r:second", {member: score - 60_000_000})
    assert limiter.take([SECOND]) == 0
    assert limiter.take([SECOND]) > 0


def test_a_gate_forgets_a_place_that_was_never_given_back(redis: Redis) -> None:
    limiter = RedisLimiter(redis)
    gate = Gate("g", 1, 60)
    limiter.enter(gate)
    redis.zadd("limit:gate:g", dict.fromkeys(redis.zrange("limit:gate:g", 0, -1), 0))
    assert limiter.enter(gate) is not None


def test_many_workers_at_once_never_take_more_than_there_is(redis_url: str) -> None:
    granted: list[float] = []
    start = threading.Barrier(8)

    def work() -> None:
        limiter = RedisLimiter(Redis.from_url(redis_url))
        start.wait()
        granted.extend(limiter.take([Limit("r", 40, 60)]) for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) == 160
    assert granted.count(0) == 40


def test_no_minute_ever_holds_more_than_the_limit() -> None:
    """An exact window: a bucket refilled at the same rate would let twice the limit through in its first minute."""
    clock = Clock()
    limiter = LocalLimiter(clock)
    limit = Limit("r", 40, 60)
    sent: list[datetime] = []
    for _ in range(600):
        if not limiter.take([limit]):
            sent.append(clock.now)
        clock.advance(0.5)
    for start in sent:
        assert sum(1 for at in sent if start <= at < start + timedelta(seconds=60)) <= 40


def test_redis_being_away_stops_sending_instead_of_letting_it_run_free() -> None:
    limiter = RedisLimiter(Redis(host="127.0.0.1", port=1, socket_connect_timeout=1))
    calls: list[Callable[[], object]] = [
        lambda: limiter.take([SECOND]),
        lambda: limiter.enter(Gate("g", 1, 1)),
        lambda: limiter.noted("x"),
    ]
    for call in calls:
        with pytest.raises(Unavailable, match="Redis is away"):
            call()


def test_a_short_wait_is_waited_and_a_long_one_is_told() -> None:
    clock = Clock()
    limiter = LocalLimiter(clock)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        clock.advance(seconds)

    waiting = Waiting(limiter, clock, pause)
    short, long = Limit("short", 1, 2), Limit("long", 1, 30)
    for _ in range(2):
        waiting.place([short], "busy", "Books")
    assert pauses == [2]
    waiting.place([long], "busy", "Books")
    with pytest.raises(RetryLater) as told:
        waiting.place([long], "busy", "Books")
    assert told.value.until == clock.now + timedelta(seconds=30)
    assert pauses == [2]


def test_without_limits_nothing_waits_but_everything_is_counted_and_pauses_hold(redis: Redis) -> None:
    limiter = UncappedRedisLimiter(redis)
    assert [limiter.take([SECOND]) for _ in range(10)] == [0] * 10
    assert [used.used for used in limiter.used([SECOND])] == [10]
    limiter.penalise(SECOND.name, 5)
    assert 0 < limiter.take([SECOND]) <= 5
