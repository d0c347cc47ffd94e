"""Requests to Polygon: paths come from `polygon`, checked payloads go back.

One connection pool for all threads of a process. Every request, retries included, first takes
a token from the budget, which learns how each fetch ended; the key travels in a header and in
nothing else.
"""

from __future__ import annotations

import random
import threading
import time
import zlib
from collections.abc import Iterator
from typing import Any, Final, Self
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import exceptions as transport
from urllib3.response import BaseHTTPResponse
from urllib3.util import Retry

from scanner.bars.budget import Budget, Kind, Token
from scanner.bars.polygon_answers import (
    RETRIED_STATUSES,
    TOO_MANY,
    Payload,
    decoded,
    is_failure,
    refusal,
)
from scanner.bars.polygon_body import MOST_BYTES, PACKED, BodyRefused, read_body
from scanner.bars.polygon_pages import next_page, origin_of
from scanner.bars.polygon_wire import cause_of
from scanner.errors import ConfigError, KeyRefused, ProviderUnavailable, RateLimited
from scanner.turns import TURNS

#: Seconds to connect, and seconds without a byte before a request is given up.
CONNECT_TIMEOUT: Final = 3.05
READ_TIMEOUT: Final = 15.0

#: Seconds before the first retry; doubles with each, and jitter takes up to half away.
BACKOFF: Final = 0.25

#: Retries after a bad status, a broken connection or an unreadable body.
_RETRIES: Final = 3

#: Answers that have to find room in the time of a fetch: one that stalls leaves time for others.
_STALLS: Final = 3

#: Bytes of an answer that is not wanted and is read nevertheless, to keep its connection.
_SHORT: Final = 65_536

#: Longest wait that a provider's Retry-After is believed, in seconds.
_MOST_WAIT: Final = 3_600.0

#: Pages of one listing or one range: 100 pages hold 100,000 symbols.
_MOST_PAGES: Final = 100


class FetchClock(threading.local):
    """What this thread fetches, by which token, and when it has to end."""

    subject = ""
    deadline = 0.0
    kind: Kind = "bars"
    token = Token()
    #: Seconds that one try waits for the next byte, and for the whole body.
    patience = READ_TIMEOUT
    #: Bytes that its answers may still have.
    room = MOST_BYTES

    def left(self) -> float:
        """Return the seconds that are left, 0 or more."""
        return max(0.0, self.deadline - time.monotonic())

    def pause(self, failures: int) -> None:
        """Wait before the next try, each time about twice as long, within the time that is left."""
        doubled = BACKOFF * 2.0 ** (failures - 1)
        seconds = doubled * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        time.sleep(min(seconds, self.left()))


class BudgetedRetry(Retry):
    """Retries that pay for each further request and end with the fetch's time."""

    def __init__(self, *, budget: Budget, clock: FetchClock, **options: Any) -> None:
        super().__init__(**options)
        self._budget = budget
        self._clock = clock

    def new(self, **changes: Any) -> Self:
        """Return a copy with `changes`."""
        return super().new(budget=self._budget, clock=self._clock, **changes)

    def is_exhausted(self) -> bool:
        """Return whether tries or time have run out; a probe is one try."""
        used_up = super().is_exhausted() or self._clock.left() <= 0.0
        return used_up or self._clock.token.probe

    def increment(self, *args: Any, **options: Any) -> Self:
        """Return the retries that are left; an answer that is not wanted is not read to its end."""
        left = super().increment(*args, **options)
        response = options.get("response")
        if response is not None and not _is_short(response):
            response.close()
        return left

    def sleep(self, response: BaseHTTPResponse | None = None) -> None:
        """Wait before the next try, then take a token; RateLimited if either takes too long.

        After a 429, or any answer that says when to come again, everybody waits: the budget holds
        this try back with all others.
        """
        clock = self._clock
        asked = retry_after(response.headers.get("Retry-After")) if response is not None else None
        limited = response is not None and response.status == TOO_MANY
        told = limited or asked is not None
        if told:
            asked = self._budget.cool(asked)
        if asked is not None and asked > clock.left():
            raise RateLimited(
                f"{clock.subject}: the provider asks to wait {asked:.0f} s", wait=asked
            )
        if not told:
            clock.pause(len(self.history))
        try:
            clock.token = self._budget.acquire(clock.left(), clock.kind)
        except RateLimited:
            self._budget.report(clock.token, answered=limited)
            raise


def _is_short(response: BaseHTTPResponse) -> bool:
    """Return whether reading an answer to its end costs less than a new connection."""
    return response.length_remaining is not None and response.length_remaining <= _SHORT


def retry_after(text: str | None) -> float | None:
    """Return the seconds of a Retry-After header, capped; None if there is no sense in it."""
    if text is None:
        return None
    try:
        return min(float(Retry().parse_retry_after(text)), _MOST_WAIT)
    except transport.InvalidHeader:
        return None


class PolygonHttp:
    """A connection pool to one provider."""

    def __init__(self, *, base_url: str, key: str | None, threads: int, budget: Budget) -> None:
        if origin_of(base_url) is None:
            raise ConfigError("expected a base URL as https://api.massive.com for the provider")
        self.base_url = base_url.rstrip("/")
        self.host = urlsplit(base_url).netloc
        self._key = _checked_key(key)
        self._budget = budget
        self._clock = FetchClock()
        self._session = self._new_session(threads)

    def __repr__(self) -> str:
        return f"{self.base_url!r}, key={None if self._key is None else '***'}"

    def _new_session(self, threads: int) -> requests.Session:
        session = requests.Session()
        retries = BudgetedRetry(
            budget=self._budget,
            clock=self._clock,
            total=_RETRIES,
            status_forcelist=RETRIED_STATUSES,
            raise_on_status=False,
        )
        adapter = HTTPAdapter(threads, threads, retries, pool_block=True)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        # Proxies and certificates are read once: at each request that takes longer than the
        # rest of it, and a ~/.netrc would replace the key.
        found = session.merge_environment_settings(self.base_url, {}, None, None, None)
        session.trust_env = False
        session.verify = found["verify"]
        if urlsplit(self.base_url).hostname not in {"127.0.0.1", "localhost", "::1"}:
            session.proxies.update(found["proxies"])
        session.headers["User-Agent"] = "market-scanner"
        session.headers["Accept-Encoding"] = PACKED
        if self._key is not None:
            session.headers["Authorization"] = f"Bearer {self._key}"
        return session

    def pages(
        self, path: str, subject: str, seconds: float, kind: Kind = "bars"
    ) -> Iterator[Payload]:
        """Return the payloads of `path` and of the pages after it, `seconds` for all of them.

        `kind` says which other calls these go before in the budget.
        ProviderUnavailable if a next page is on another host, comes round again or never ends.
        """
        deadline = time.monotonic() + seconds
        self._clock.room = MOST_BYTES
        url: str | None = self.base_url + path
        seen: set[str] = set()
        while url is not None:
            if url in seen or len(seen) >= _MOST_PAGES:
                raise ProviderUnavailable(
                    f"{subject}: expected the last page, got page {len(seen)} of {self.host} again"
                    if url in seen
                    else f"{subject}: expected at most {_MOST_PAGES} pages from {self.host}"
                )
            seen.add(url)
            payload = self._get(url, subject, deadline, kind)
            yield payload
            url = next_page(payload, self.base_url, subject)

    def get(self, path: str, subject: str, seconds: float, kind: Kind = "bars") -> Payload:
        """Return the payload of `path`; the errors of Provider.fetch if there is none."""
        self._clock.room = MOST_BYTES
        return self._get(self.base_url + path, subject, time.monotonic() + seconds, kind)

    def _get(self, url: str, subject: str, deadline: float, kind: Kind) -> Payload:
        clock = self._clock
        clock.subject, clock.deadline, clock.kind = subject, deadline, kind
        clock.patience = min(READ_TIMEOUT, max(1.0, clock.left() / _STALLS))
        for failures in range(_RETRIES + 1):
            TURNS.end()
            if failures:
                clock.pause(failures)
            clock.token = self._budget.acquire(clock.left(), kind)
            payload = self._try(url, subject)
            if payload is not None:
                return payload
            if clock.token.probe or not clock.left():
                break
        self._budget.report(clock.token, answered=False)
        raise ProviderUnavailable(
            f"{subject}: expected JSON from {self.host}, got a body that is cut, unreadable "
            "or too slow"
        )

    def _try(self, url: str, subject: str) -> Payload | None:
        clock = self._clock
        patience = min(clock.patience, max(1.0, clock.left()))
        timeout = (CONNECT_TIMEOUT, patience)
        try:
            response = self._session.get(url, timeout=timeout, stream=True, allow_redirects=False)
        except requests.RequestException as error:
            self._budget.report(clock.token, answered=False)
            raise ProviderUnavailable(
                f"{subject}: expected an answer from {self.host}, but {cause_of(error)}"
            ) from error
        with response:
            try:
                body = read_body(response, clock.room, patience)
                clock.room -= len(body)
                TURNS.begin()
                payload = decoded(body)
            except (transport.HTTPError, zlib.error):
                payload = None
            except BodyRefused as error:
                self._budget.report(clock.token, answered=False)
                raise ProviderUnavailable(f"{subject}: {error} from {self.host}") from error
        status, wait = response.status_code, 0.0
        if status == TOO_MANY:
            wait = self._budget.cool(retry_after(response.headers.get("Retry-After")))
        if payload is not None or status != requests.codes.ok:
            self._budget.report(clock.token, answered=not is_failure(status))
        refused = refusal(status, self._masked(payload), subject, wait)
        if refused is not None:
            raise refused
        return payload

    def _masked(self, payload: Payload | None) -> Payload | None:
        if payload is None or self._key is None:
            return payload
        texts = {"error", "message"} & payload.keys()
        return payload | {name: str(payload[name]).replace(self._key, "***") for name in texts}


def _checked_key(key: str | None) -> str | None:
    if key is None:
        return None
    if not key.isascii() or not key.isprintable() or not key or " " in key:
        raise KeyRefused(
            "expected a key of letters and digits in POLYGON_API_KEY / MASSIVE_API_KEY, "
            "got one that is empty or holds characters that no header can carry"
        )
    return key
