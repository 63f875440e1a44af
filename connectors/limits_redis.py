"""The limiter that all workers share, in Redis. The promises are in `limits.py`.

One sorted set per limit, changed by one script each time, so two workers can never both take the last place.
Redis' own clock decides, so that workers whose clocks differ agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import redis

from connectors.errors import Unavailable
from connectors.limits import Gate, Limit, Used

_COUNTER_DAYS = 40
_NO_LIMIT = 1_000_000_000

# KEYS: for each limit its set and its pause; last a sequence. ARGV: for each limit `most` and window in µs.
_TAKE = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local n = (#KEYS - 1) / 2
local wait = 0
for i = 1, n do
  local set, pause = KEYS[2 * i - 1], KEYS[2 * i]
  local most, window = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local left = redis.call('PTTL', pause)
  if left > 0 then wait = math.max(wait, left * 1000) end
  redis.call('ZREMRANGEBYSCORE', set, '-inf', string.format('%.0f', now - window))
  local used = redis.call('ZCARD', set)
  if used >= most then
    if most < 1 then
      wait = math.max(wait, window)
    else
      local oldest = redis.call('ZRANGE', set, used - most, used - most, 'WITHSCORES')
      wait = math.max(wait, tonumber(oldest[2]) + window - now, 1000)
    end
  end
end
if wait > 0 then return string.format('%.0f', wait) end
local member = redis.call('INCR', KEYS[#KEYS])
for i = 1, n do
  local set, window = KEYS[2 * i - 1], tonumber(ARGV[2 * i])
  redis.call('ZADD', set, string.format('%.0f', now), member)
  redis.call('PEXPIRE', set, math.ceil(window / 1000) + 1000)
end
return '0'
"""

# KEYS: the gate's set, a sequence. ARGV: most, lifetime in µs.
_ENTER = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return false end
local member = redis.call('INCR', KEYS[2])
redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[2])), member)
redis.call('PEXPIRE', KEYS[1], math.ceil(tonumber(ARGV[2]) / 1000) + 1000)
return tostring(member)
"""

# KEYS: pause. ARGV: milliseconds.
_PENALISE = """
local wanted = tonumber(ARGV[1])
if redis.call('PTTL', KEYS[1]) < wanted then redis.call('SET', KEYS[1], '1', 'PX', wanted) end
return 1
"""

# KEYS: set, pause. ARGV: window in µs.
_USED = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local after = string.format('(%.0f', now - tonumber(ARGV[1]))
return {redis.call('ZCOUNT', KEYS[1], after, '+inf'), redis.call('PTTL', KEYS[2])}
"""


class RedisLimiter:
    """The limiter of production. `client` may decode answers or not; `prefix` keeps environments apart."""

    def __init__(self, client: redis.Redis, prefix: str = "limit") -> None:
        self._client = client
        self._prefix = prefix
        self._take = client.register_script(_TAKE)
        self._enter = client.register_script(_ENTER)
        self._penalise = client.register_script(_PENALISE)
        self._used = client.register_script(_USED)

    def take(self, limits: Sequence[Limit]) -> float:
        keys = [key for limit in limits for key in (self._key("window", limit.name), self._key("pause", limit.name))]
        keys.append(self._key("sequence", "all"))
        args = [value for limit in limits for value in (limit.most, _micros(limit.seconds))]
        return int(self._ask(lambda: self._take(keys=keys, args=args))) / 1_000_000

    def enter(self, gate: Gate) -> str | None:
        keys = [self._key("gate", gate.name), self._key("sequence", "all")]
        token = self._ask(lambda: self._enter(keys=keys, args=[gate.most, _micros(gate.seconds)]))
        return None if token is None else _str(token)

    def leave(self, gate: Gate, token: str) -> None:
        self._ask(lambda: self._client.zrem(self._key("gate", gate.name), token))

    def penalise(self, name: str, seconds: float) -> None:
        self._ask(lambda: self._penalise(keys=[self._key("pause", name)], args=[max(int(seconds * 1000), 1)]))

    def used(self, limits: Sequence[Limit]) -> list[Used]:
        found = []
        for limit in limits:
            keys = [self._key("window", limit.name), self._key("pause", limit.name)]
            count, left = self._ask(partial(self._used, keys=keys, args=[_micros(limit.seconds)]))
            found.append(Used(limit.name, int(count), max(int(left), 0) / 1000, limit.most))
        return found

    def note(self, name: str, value: str, seconds: float) -> None:
        self._ask(lambda: self._client.set(self._key("note", name), value, px=max(int(seconds * 1000), 1)))

    def noted(self, name: str) -> str | None:
        value = self._ask(lambda: self._client.get(self._key("note", name)))
        return None if value is None else _str(value)

    def tally(self, scope: str, operation: str, day: str) -> None:
        key = self._key("calls", f"{scope}:{day}")

        def count() -> None:
            self._client.hincrby(key, operation, 1)
            self._client.expire(key, _COUNTER_DAYS * 86_400)

        self._ask(count)

    def tallies(self, scope: str, day: str) -> Mapping[str, int]:
        counted = self._ask(lambda: self._client.hgetall(self._key("calls", f"{scope}:{day}")))
        return {_str(name): int(value) for name, value in counted.items()}

    def _key(self, sort: str, name: str) -> str:
        return f"{self._prefix}:{sort}:{name}"

    @staticmethod
    def _ask(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except redis.RedisError as problem:
            raise Unavailable("Redis is away, so nothing is sent until it is back.", platform="Redis") from problem


class UncappedRedisLimiter(RedisLimiter):
    """For a sandbox whose limits are off: nothing waits for a window, and everything is still counted.

    Pauses a platform asks for and the places for calls in flight hold as ever.
    """

    def take(self, limits: Sequence[Limit]) -> float:
        return super().take([replace(limit, most=_NO_LIMIT) for limit in limits])


def _micros(seconds: float) -> int:
    return int(seconds * 1_000_000)


def _str(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
