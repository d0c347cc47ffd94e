"""The request budget of all processes: providers take tokens here and report what came of them.

One Lua call looks at the schedule, the cooldown and the breaker of a provider in Redis
(`budget_scripts`). The sleeping is done here.
"""

from __future__ import annotations

import contextlib
import math
import random
import time
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, cast

import redis

from scanner import keys
from scanner.bars.budget import KINDS, Kind, Rate, Token, cooldown_after
from scanner.bars.budget_scripts import ANSWERED, COOL, FAILED, RESERVE
from scanner.errors import ProviderPaused, RateLimited, StoreUnavailable

#: Seconds between two tries while Redis is away, before jitter.
_PAUSE: Final = 0.25

#: Seconds ahead for which tokens are given. Longer waits are spent without one, so that calls
#: that go first and cooldowns come in between; what is given already is not taken back.
HORIZON: Final = 0.25

#: Seconds for which a process without a rate takes the provider to be as it was last.
_GLANCE: Final = 0.1

#: Longest guess at a cooldown, and seconds after it in which another 429 shows it was too short.
_GUESS: Final = 30.0
_GUESS_MEMORY: Final = 10.0

#: Seconds after which failures are no longer in a row with the next one.
_MEMORY: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """When a provider is left alone, and for how long."""

    #: Failed fetches in a row, over all processes.
    failures: int = 8
    #: Seconds of the first pause; each probe that fails doubles it.
    pause: float = 5.0
    longest: float = 60.0
    #: Seconds after which a probe that nobody reports on is given up: longer than one try takes.
    lease: float = 30.0


class Outcome(IntEnum):
    """What becomes of a call for a token."""

    REFUSED = 0
    GRANTED = 1
    #: A place is promised, too far ahead for a token: ask again shortly before it.
    QUEUED = 2
    #: The breaker is open.
    PAUSED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """What the schedule answered."""

    outcome: Outcome
    #: Seconds until the token may be used, or could have been.
    wait: float
    #: Epoch seconds of that moment, by the server's clock.
    at: float
    #: Whether a cooldown is on.
    cooling: bool
    token: Token


class RedisBudget:
    """A budget that all processes share through three keys; without a rate it paces nothing."""

    def __init__(
        self,
        client: redis.Redis,
        provider: str,
        rate: Rate | None,
        breaker: Breaker = Breaker(),
    ) -> None:
        self.rate = rate
        self._keys = [keys.budget(provider), keys.cooldown(provider), keys.breaker(provider)]
        self._reserve = client.register_script(RESERVE)
        self._cool = client.register_script(COOL)
        self._failed = client.register_script(FAILED)
        self._answered = client.register_script(ANSWERED)
        self._sizes = _sizes(rate)
        self._lease = _micros(breaker.lease)
        pauses = (breaker.pause, breaker.longest, _MEMORY)
        self._rules = [breaker.failures, *map(_micros, pauses)]
        self._clear_until = 0.0

    def seconds_for(self, calls: int) -> float:
        """Return the seconds that `calls` requests take at the sustained rate."""
        return 0.0 if self.rate is None else self.rate.seconds_for(calls)

    def acquire(self, timeout: float, kind: Kind = "bars") -> Token:
        """Take one token, sleeping until it may be used.

        A place that is more than `timeout` seconds away is not waited for: RateLimited says
        how long the wait would have been, and so it does to a sample that would be in the way.
        ProviderPaused at once while the breaker is open. While Redis is away this waits for
        it; after `timeout` seconds StoreUnavailable, for there is no other budget.
        """
        if time.monotonic() < self._clear_until:
            return Token()
        deadline = time.monotonic() + timeout
        found = self._asked(deadline, kind)
        while found.outcome is Outcome.QUEUED:
            # Half a horizon early, so that a late waking costs no place.
            time.sleep(max(found.wait - HORIZON / 2, HORIZON / 10))
            found = self._asked(deadline, kind, promised=True)
        if found.outcome is not Outcome.GRANTED:
            raise _refusal(found, timeout)
        time.sleep(found.wait)
        if self.rate is None and not (found.token.failures or found.token.probe):
            self._clear_until = time.monotonic() + _GLANCE
        return found.token

    def _asked(self, deadline: float, kind: Kind, *, promised: bool = False) -> Reservation:
        """Return what the schedule answers, waiting for Redis until `deadline`."""
        while True:
            try:
                left = max(0.0, deadline - time.monotonic())
                return self.reserve(left, kind, promised=promised)
            except StoreUnavailable:
                pause = _PAUSE * random.uniform(0.5, 1.5)  # noqa: S311 - spreads the tries
                if time.monotonic() + pause > deadline:
                    raise
                time.sleep(pause)

    def reserve(
        self, timeout: float, kind: Kind = "bars", *, promised: bool = False
    ) -> Reservation:
        """Ask for the next place in the schedule that is at most `timeout` seconds away.

        `promised`: whether a place was promised before and its time has come. Does not sleep;
        StoreUnavailable if Redis cannot be asked.
        """
        longest = min(_micros(timeout), 2**52)
        rank = KINDS.index(kind) + 1
        try:
            answer = self._reserve(
                keys=self._keys, args=[*self._sizes, longest, rank, int(promised), self._lease]
            )
        except redis.RedisError as error:
            raise StoreUnavailable(
                f"expected the request budget from Redis, got {type(error).__name__}: {error}"
            ) from error
        outcome, wait, now, failures, cooling, probe = map(int, cast("list[int]", answer))
        return Reservation(
            outcome=Outcome(outcome),
            wait=wait / 1e6,
            at=(now + wait) / 1e6,
            cooling=bool(cooling),
            token=Token(failures=failures, probe=bool(probe)),
        )

    def cool(self, asked: float | None) -> float:
        """Let no process send until the seconds that a 429 asked for are over.

        None: they are guessed, and twice as many if the last guess was too short.

        StoreUnavailable if Redis cannot be told.
        """
        self._clear_until = 0.0
        seconds = cooldown_after(asked, self.rate)
        try:
            args = [_micros(seconds), int(asked is None), *map(_micros, (_GUESS, _GUESS_MEMORY))]
            left = self._cool(keys=self._keys[1:2], args=args)
        except redis.RedisError as error:
            raise StoreUnavailable(
                f"expected Redis to keep a cooldown, got {type(error).__name__}: {error}"
            ) from error
        return max(seconds, int(cast("int", left)) / 1e6)

    def report(self, token: Token, *, answered: bool) -> None:
        """Count a fetch that failed; forget the failures when one was answered.

        An answer when there were none costs no call. What Redis does not take is lost: the
        breaker opens later then, and a lost probe is followed by another.
        """
        if answered and not (token.probe or token.failures):
            return
        self._clear_until = 0.0
        with contextlib.suppress(redis.RedisError):
            if answered:
                self._answered(keys=self._keys[2:], args=[int(token.probe)])
            else:
                self._failed(keys=self._keys[2:], args=[int(token.probe), *self._rules])


def _micros(seconds: float) -> int:
    return int(seconds * 1e6)


def _sizes(rate: Rate | None) -> list[int]:
    """Return time between tokens, time that the schedule may run ahead, window and horizon."""
    if rate is None:
        return [0, 0, 0, _micros(HORIZON)]
    # A microsecond more keeps a window's two ends from both holding a token.
    interval = math.ceil(rate.interval * 1e6) + 1
    return [interval, (rate.burst - 1) * interval, _micros(rate.window), _micros(HORIZON)]


def _refusal(found: Reservation, timeout: float) -> RateLimited | ProviderPaused:
    if found.outcome is Outcome.PAUSED:
        return ProviderPaused(
            f"expected an answer, but the provider is left alone: the last "
            f"{found.token.failures} fetches failed, the next try is in {found.wait:.1f} s",
            wait=found.wait,
        )
    why = ", for the provider asked to wait" if found.cooling else ""
    return RateLimited(
        f"expected a request to be allowed within {timeout:.1f} s, "
        f"the next one is in {found.wait:.1f} s{why}",
        wait=found.wait,
    )
