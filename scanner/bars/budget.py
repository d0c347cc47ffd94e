"""The provider's request budget: providers take a token here before every request.

One Redis key holds the schedule of all processes on all machines; tokens come back in the
order in which they were asked for, evenly spaced after a first burst.
"""

from __future__ import annotations

import math
import random
import re
import time
from dataclasses import dataclass
from typing import Final, Protocol, cast

import redis

from scanner.errors import ConfigError, RateLimited, StoreUnavailable

#: Seconds between two tries while Redis is away, before jitter.
_PAUSE: Final = 0.25

_UNITS: Final = {
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "m": 60.0,
    "min": 60.0,
    "minute": 60.0,
    "h": 3600.0,
    "hour": 3600.0,
    "d": 86_400.0,
    "day": 86_400.0,
}

_RATE: Final = re.compile(r"(\d{1,9})\s*/\s*([A-Za-z]+|\d+(?:\.\d+)?)", re.ASCII)

# The generic cell rate algorithm: the key holds when the schedule is free again, in
# microseconds. ARGV: microseconds between tokens, microseconds that the schedule may run
# ahead (the burst), longest wait. Returns granted, microseconds to wait, server's time.
_RESERVE: Final = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local interval, ahead, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local free = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local wait = math.max(free - ahead - now, 0)
if wait > longest then
  return {0, wait, string.format('%.0f', now)}
end
free = free + interval
local expiry = math.ceil((free - now) / 1000) + 1000
redis.call('SET', KEYS[1], string.format('%.0f', free), 'PX', string.format('%.0f', expiry))
return {1, wait, string.format('%.0f', now)}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most `limit` requests in any `window`."""

    limit: int
    #: Seconds.
    window: float
    #: Requests that may go out at once after a pause; less than `limit`, or both 1.
    burst: int

    def __post_init__(self) -> None:
        if self.limit < 1 or not 0.0 < self.window < math.inf:
            raise ConfigError(
                f"expected a rate of 1 or more requests in a time above 0 seconds, "
                f"got {self.limit} in {self.window:g} s"
            )
        if not 1 <= self.burst <= max(1, self.limit - 1):
            raise ConfigError(
                f"expected a burst of 1 to {max(1, self.limit - 1)} requests "
                f"for a limit of {self.limit}, got {self.burst}"
            )

    @property
    def interval(self) -> float:
        """Seconds between requests once the burst is used up.

        What the burst may add is taken off the sustained rate, so that no window exceeds
        the limit: (limit - burst) requests a window.
        """
        return self.window / max(1, self.limit - self.burst)

    def seconds_for(self, calls: int) -> float:
        """Return the seconds from the first of `calls` requests to the last."""
        return max(0, calls - self.burst) * self.interval


#: Polygon's free plan: 5 requests a minute.
FREE: Final = Rate(limit=5, window=60.0, burst=1)
#: Polygon's paid plans: "unlimited", throttled above 100 requests a second.
PAID: Final = Rate(limit=100, window=1.0, burst=10)


def parse_rate(text: str) -> Rate | None:
    """Return the rate written as 5/minute, 100/s or 30/10 (seconds); None for "unlimited".

    A tenth of the limit, at least 1, may go out in a burst. ConfigError for other texts.
    """
    if text.strip().lower() == "unlimited":
        return None
    match = _RATE.fullmatch(text.strip())
    window = _seconds(match[2]) if match else None
    if match is None or window is None:
        raise ConfigError(
            f"expected a rate as 5/minute, 100/second, 30/10 (requests/seconds) or unlimited, "
            f"got {text!r}"
        )
    limit = int(match[1])
    return Rate(limit=limit, window=window, burst=max(1, limit // 10))


def _seconds(text: str) -> float | None:
    if text[0].isdigit():
        return float(text)
    unit = text.lower()
    return _UNITS.get(unit, _UNITS.get(unit.removesuffix("s")))


class Budget(Protocol):
    """Permission to send requests, shared by all that send them."""

    def acquire(self, timeout: float) -> None:
        """Take one token, waiting up to `timeout` seconds; RateLimited if it comes later."""
        ...

    def seconds_for(self, calls: int) -> float:
        """Return the seconds that `calls` requests take at the sustained rate."""
        ...


class Unlimited:
    """A budget without a limit."""

    def acquire(self, timeout: float) -> None:
        """Return at once."""

    def seconds_for(self, calls: int) -> float:  # noqa: ARG002 - the protocol's argument
        """Return 0: the provider sets the pace."""
        return 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """What the schedule answered."""

    granted: bool
    #: Seconds until the token may be used, or would have been.
    wait: float
    #: Epoch seconds of that moment, by the server's clock.
    at: float


class RedisBudget:
    """A budget that all processes share through one key."""

    def __init__(self, client: redis.Redis, key: str, rate: Rate) -> None:
        self.rate = rate
        self._key = key
        self._script = client.register_script(_RESERVE)
        # A microsecond more keeps a window's two ends from both holding a token.
        self._interval = math.ceil(self.rate.interval * 1e6) + 1

    def seconds_for(self, calls: int) -> float:
        """Return the seconds that `calls` requests take at the sustained rate."""
        return self.rate.seconds_for(calls)

    def acquire(self, timeout: float) -> None:
        """Take one token, sleeping until it may be used.

        A token that would come later than `timeout` seconds is not taken: RateLimited says
        how long the wait would have been. While Redis is away this waits for it; after
        `timeout` seconds StoreUnavailable, for there is no other budget to fall back on.
        """
        deadline = time.monotonic() + timeout
        while True:
            try:
                reservation = self.reserve(max(0.0, deadline - time.monotonic()))
            except StoreUnavailable:
                pause = _PAUSE * random.uniform(0.5, 1.5)  # noqa: S311 - spreads the tries
                if time.monotonic() + pause > deadline:
                    raise
                time.sleep(pause)
            else:
                break
        if not reservation.granted:
            raise RateLimited(
                f"expected a request to be allowed within {timeout:.1f} s, "
                f"the next one is in {reservation.wait:.1f} s",
                wait=reservation.wait,
            )
        time.sleep(reservation.wait)

    def reserve(self, timeout: float) -> Reservation:
        """Take the next place in the schedule if it is at most `timeout` seconds away.

        Does not sleep; StoreUnavailable if Redis cannot be asked.
        """
        longest = min(int(timeout * 1e6), 2**52)
        ahead = (self.rate.burst - 1) * self._interval
        try:
            answer = self._script(keys=[self._key], args=[self._interval, ahead, longest])
        except redis.RedisError as error:
            raise StoreUnavailable(
                f"expected the request budget from Redis, got {type(error).__name__}: {error}"
            ) from error
        granted, wait, now = cast("tuple[int, int, bytes | str]", answer)
        return Reservation(granted=granted == 1, wait=wait / 1e6, at=(int(now) + wait) / 1e6)
