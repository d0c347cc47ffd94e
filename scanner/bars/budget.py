"""The provider's request budget: providers take a token here before every request.

Here are kinds of calls, rates and what every budget does; `redis_budget` is the one that all
processes on all machines share.
"""

from __future__ import annotations

import math
import random
import re
import time
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from scanner.errors import ConfigError, RateLimited

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

#: Kinds of calls, those that go first before the others: the market as it is now, a day of the
#: market or what the market is made of, one symbol's bars, and checks that may be left out.
Kind = Literal["live", "market", "bars", "sample"]
KINDS: Final[tuple[Kind, ...]] = ("live", "market", "bars", "sample")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Permission to send one request."""

    #: Fetches that had failed in a row when it was given, over all processes.
    failures: int = 0
    #: Whether it is the one request that tries a provider which has been left alone.
    probe: bool = False


class Budget(Protocol):
    """Permission to send requests, shared by all that send them."""

    def acquire(self, timeout: float, kind: Kind = "bars") -> Token:
        """Take one token, waiting up to `timeout` seconds.

        RateLimited if it comes later; ProviderPaused while the provider is left alone.
        """
        ...

    def cool(self, asked: float | None) -> float:
        """Let nobody send for the seconds that the provider asked for with a 429.

        None if it named no time. Returns the seconds from now to the end of the pause, which
        another process may have set to a later moment.
        """
        ...

    def report(self, token: Token, *, answered: bool) -> None:
        """Tell whether the provider answered, with whatever, or the fetch failed."""
        ...

    def seconds_for(self, calls: int) -> float:
        """Return the seconds that `calls` requests take at the sustained rate."""
        ...


def cooldown_after(asked: float | None, rate: Rate | None) -> float:
    """Return the seconds to pause after a 429: those asked for, else a guess.

    The guess is the time between two requests of the plan, and at least 1 to 1.5 seconds.
    """
    if asked is not None:
        return asked
    least = random.uniform(1.0, 1.5)  # noqa: S311 - spreads processes, hides nothing
    return least if rate is None else max(rate.seconds_for(2), least)


class Unlimited:
    """A budget without a limit, of one process: a cooldown binds its threads only."""

    #: Monotonic seconds.
    _cool_until = 0.0

    def acquire(self, timeout: float, kind: Kind = "bars") -> Token:  # noqa: ARG002 - the protocol
        """Return at once, or after a cooldown."""
        wait = max(0.0, self._cool_until - time.monotonic())
        if wait > timeout:
            raise RateLimited(f"the provider asked to wait {wait:.1f} s more", wait=wait)
        time.sleep(wait)
        return Token()

    def cool(self, asked: float | None) -> float:
        """Let the threads of this process wait."""
        now = time.monotonic()
        seconds = max(cooldown_after(asked, None), self._cool_until - now)
        self._cool_until = now + seconds
        return seconds

    def report(self, token: Token, *, answered: bool) -> None:
        """Count nothing."""

    def seconds_for(self, calls: int) -> float:  # noqa: ARG002 - the protocol's argument
        """Return 0: the provider sets the pace."""
        return 0.0
