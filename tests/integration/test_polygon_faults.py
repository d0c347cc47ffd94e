"""What PolygonProvider makes of a provider that fails, by real HTTP."""

from __future__ import annotations

import logging

import orjson
import pytest
import requests
from bars_builders import FIRST, LAST, long_table, write_table
from process_fixtures import free_port, running_simulator

from scanner.bars import polygon_http
from scanner.bars.budget import Token, Unlimited
from scanner.bars.polygon import PolygonProvider
from scanner.errors import (
    BadBars,
    DataError,
    KeyRefused,
    NotEntitled,
    ProviderUnavailable,
    RateLimited,
    UnknownSymbol,
)

BAR = {"v": 5, "o": 1, "c": 2, "h": 3, "l": 1, "t": 1750219200000}
GOOD = {"ticker": "AAA", "resultsCount": 1, "results": [BAR], "status": "OK"}
EMPTY = {"ticker": "AAA", "resultsCount": 0, "status": "OK"}


class CountingBudget(Unlimited):
    """Counts its tokens, and grants `limit` of them."""

    def __init__(self, limit: float = float("inf")) -> None:
        self.taken = 0
        self.limit = limit

    def acquire(self, timeout: float, kind: str = "bars") -> Token:
        """Grant a token while there are any."""
        if self.taken >= self.limit:
            raise RateLimited("none left", wait=9.0)
        self.taken += 1
        return Token()


def provider_at(base_url: str, **changes: object) -> PolygonProvider:
    """Return a provider with a key."""
    options = {"base_url": base_url, "key": "SECRET", "threads": 2, "own_clock": True}
    options |= {"budget": CountingBudget(), "time_budget": 10.0}
    return PolygonProvider(**(options | changes))


@pytest.fixture(autouse=True)
def _fast(monkeypatch):
    monkeypatch.setattr(polygon_http, "BACKOFF", 0.001)
    monkeypatch.setattr(polygon_http, "READ_TIMEOUT", 0.4)


FAULTS = {
    "status500": (ProviderUnavailable, "expected status 200, got 500", 4),
    "status502": (ProviderUnavailable, "expected status 200, got 502", 4),
    "reset": (ProviderUnavailable, "the connection broke", 4),
    "stall": (ProviderUnavailable, "no answer in time", 4),
    "cut": (ProviderUnavailable, "cut, unreadable", 4),
    "malformed": (ProviderUnavailable, "cut, unreadable", 4),
    "drip": (ProviderUnavailable, "or too slow", 4),
    "null_results": (ProviderUnavailable, "results, as resultsCount says, got none", 3),
    "missing_results": (ProviderUnavailable, "results, as resultsCount says, got none", 3),
    "wrong_symbol": (ProviderUnavailable, "its bars, got those of 'OTHER'", 3),
    "status401": (KeyRefused, "the key: 401: Unknown API Key", 1),
    "status403": (KeyRefused, "the key: 403: This API key has been disabled", 1),
    "not_authorized": (NotEntitled, "not entitled", 1),
    "duplicate_bars": (BadBars, "one bar a session", 3),
    "nan_bars": (BadBars, "numbers in 'c'", 3),
    "negative_bars": (BadBars, "positive prices", 3),
}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """Start a simulator in which each fault has a symbol of its name."""
    names = tuple(kind.upper() for kind in [*FAULTS, "unsorted_bars", "good"])
    folder = tmp_path_factory.mktemp("faults")
    path = write_table(long_table(names), folder / "bars.csv")
    faults = [f"--fault={kind}:{kind.upper()}" for kind in [*FAULTS, "unsorted_bars"]]
    with running_simulator(folder, "--replay", str(path), *faults) as url:
        yield url


@pytest.mark.parametrize("kind", FAULTS)
def test_each_fault_becomes_its_error(faulty, kind):
    """The error names the symbol, and every request that was sent had its token."""
    error, words, requests_sent = FAULTS[kind]
    budget = CountingBudget()
    with pytest.raises(error, match=words) as caught:
        provider_at(faulty, budget=budget).fetch(kind.upper(), FIRST, LAST)
    assert str(caught.value).startswith((f"{kind.upper()}: expected", "the provider refused"))
    counts = requests.get(f"{faulty}/simulator/counts", timeout=10).json()
    assert counts["bars"][kind.upper()] == budget.taken == requests_sent


def test_bars_in_disorder_are_put_in_order(faulty):
    """The order of an answer is not an error."""
    assert len(provider_at(faulty).fetch("UNSORTED_BARS", FIRST, LAST)) > 10


def test_a_fault_leaves_the_next_fetch_alone(faulty):
    """The connection pool survives resets, stalls and cut bodies."""
    provider = provider_at(faulty)
    for symbol in ("RESET", "CUT", "DRIP", "MALFORMED"):
        with pytest.raises(ProviderUnavailable):
            provider.fetch(symbol, FIRST, LAST)
        assert len(provider.fetch("GOOD", FIRST, LAST)) >= 10


@pytest.mark.parametrize("status", [429, 499, 500, 502, 503, 504])
def test_a_passing_failure_is_retried(fake, status):
    """One bad answer costs a token and nothing else."""
    fake.answer(b"<html>", status)
    fake.answer(orjson.dumps(GOOD))
    budget = CountingBudget()
    assert len(provider_at(fake.base_url, budget=budget).fetch("AAA", FIRST, LAST)) == 1
    assert budget.taken == len(fake.requests) == 2


@pytest.mark.parametrize("body", [b"", b'{"status": "OK", "results": [', b"[]"])
def test_an_unreadable_body_is_retried_like_a_bad_status(fake, body):
    """The fourth answer counts."""
    for _ in range(3):
        fake.answer(body)
    fake.answer(orjson.dumps(GOOD))
    assert len(provider_at(fake.base_url).fetch("AAA", FIRST, LAST)) == 1


def test_an_answer_that_never_comes_leaves_time_for_another(faulty, monkeypatch):
    """A try has a part of the time of its fetch, however long a read may take."""
    monkeypatch.setattr(polygon_http, "READ_TIMEOUT", 15.0)
    budget = CountingBudget()
    with pytest.raises(ProviderUnavailable, match="no answer in time"):
        provider_at(faulty, budget=budget, time_budget=2.0).fetch("STALL", FIRST, LAST)
    assert budget.taken > 1


def test_retries_stop_where_the_budget_ends(fake):
    """A retry without a token is not sent."""
    fake.answer(b"", 500)
    with pytest.raises(RateLimited):
        provider_at(fake.base_url, budget=CountingBudget(2)).fetch("AAA", FIRST, LAST)
    assert len(fake.requests) == 2


def test_retries_stop_when_the_time_is_over(fake, monkeypatch):
    """No further request is sent after the time budget."""
    monkeypatch.setattr(polygon_http, "BACKOFF", 0.4)
    fake.answer(b"", 500)
    with pytest.raises(ProviderUnavailable, match="got 500"):
        provider_at(fake.base_url, time_budget=0.3).fetch("AAA", FIRST, LAST)
    assert len(fake.requests) <= 3


def test_too_many_requests_becomes_a_limit_with_its_wait(fake):
    """After the retries, the provider's Retry-After goes to the caller."""
    fake.answer(b'{"status":"ERROR","error":"slow down"}', 429, Retry_After="0")
    with pytest.raises(RateLimited, match="slow down"):
        provider_at(fake.base_url).fetch("AAA", FIRST, LAST)
    assert len(fake.requests) == 4


def test_a_wait_beyond_the_time_budget_is_not_slept(fake):
    """The caller learns the wait at once."""
    fake.answer(b"", 429, Retry_After="45")
    with pytest.raises(RateLimited, match=r"AAA: .*wait 45 s") as caught:
        provider_at(fake.base_url).fetch("AAA", FIRST, LAST)
    assert caught.value.wait == 45.0
    assert len(fake.requests) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, DataError), (401, KeyRefused), (403, KeyRefused), (404, UnknownSymbol)],
)
def test_a_refusal_is_not_retried(fake, status, kind):
    """Asking again would give the same answer; an echo of the key is masked."""
    fake.answer(b'{"status":"ERROR","error":"no: SECRET","request_id":"r1"}', status)
    with pytest.raises(kind) as caught:
        provider_at(fake.base_url).fetch("AAA", FIRST, LAST)
    assert len(fake.requests) == 1
    assert "no: ***" in str(caught.value)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"status":"NOT_AUTHORIZED","message":"no"}', NotEntitled),
        (b'{"status":"ERROR","error":"Your plan does not include this"}', NotEntitled),
        (b"<html>blocked</html>", ProviderUnavailable),
    ],
)
def test_a_403_is_about_the_key_only_if_it_is_about_no_plan(fake, body, kind):
    """And a page that is no JSON is not of the provider, but of something before it."""
    fake.answer(body, 403)
    with pytest.raises(kind):
        provider_at(fake.base_url).fetch("AAA", FIRST, LAST)


def test_no_bars_are_believed_when_they_are_answered_three_times(fake):
    """Until then it may be a fault; the first bars that come are taken."""
    for _ in range(2):
        fake.answer(orjson.dumps(EMPTY))
    fake.answer(orjson.dumps(GOOD))
    assert len(provider_at(fake.base_url).fetch("AAA", FIRST, LAST)) == 1
    fake.answers = [(200, {}, orjson.dumps(EMPTY))]
    assert len(provider_at(fake.base_url).fetch("AAA", FIRST, LAST)) == 0
    assert len(fake.requests) == 6


def test_the_key_travels_in_the_header_only(fake, caplog):
    """Neither the address nor any log line has it."""
    caplog.set_level(logging.DEBUG)
    fake.answer(orjson.dumps(GOOD | {"ticker": "A/B?C"}))
    provider_at(fake.base_url).fetch("A/B?C", FIRST, LAST)
    path, headers = fake.requests[0]
    assert headers["Authorization"] == "Bearer SECRET"
    assert path.startswith("/v2/aggs/ticker/A%2FB%3FC/range/1/day/2025-06-02/2025-07-09?")
    assert "SECRET" not in path + caplog.text


def test_the_next_page_is_followed_on_the_same_host(fake):
    """Bars of all pages make one series."""
    second = BAR | {"t": BAR["t"] + 86_400_000}
    fake.answer(orjson.dumps(GOOD | {"next_url": f"{fake.base_url}/next?cursor=x"}))
    fake.answer(orjson.dumps(GOOD | {"results": [second]}))
    assert len(provider_at(fake.base_url).fetch("AAA", FIRST, LAST)) == 2
    assert fake.requests[1][0] == "/next?cursor=x"


@pytest.mark.parametrize(
    "next_url",
    [
        "http://127.0.0.2:{port}/next",
        "http://127.0.0.1:1/next",
        "https://127.0.0.1:{port}/next",
        "http://a:b@127.0.0.1:{port}/next",
        "/next",
    ],
)
def test_the_next_page_is_not_followed_elsewhere(fake, next_url):
    """The key stays with its host."""
    port = fake.base_url.rpartition(":")[2]
    fake.answer(orjson.dumps(GOOD | {"next_url": next_url.format(port=port)}))
    with pytest.raises(ProviderUnavailable, match="not followed"):
        provider_at(fake.base_url).fetch("AAA", FIRST, LAST)
    assert len(fake.requests) == 1


def test_pages_in_a_circle_are_noticed(fake):
    """The same page twice is an error, not an endless fetch."""
    fake.answer(orjson.dumps(EMPTY | {"next_url": f"{fake.base_url}/next"}))
    with pytest.raises(ProviderUnavailable, match="again"):
        provider_at(fake.base_url).fetch("AAA", FIRST, LAST)
    assert len(fake.requests) == 2


def test_redirects_are_not_followed(fake):
    """A redirect could hand the key to another host."""
    fake.answer(b"", 302, Location="http://127.0.0.1:1/")
    with pytest.raises(ProviderUnavailable, match=r"redirect \(302\)"):
        provider_at(fake.base_url).fetch("AAA", FIRST, LAST)
    assert len(fake.requests) == 1


def test_bars_of_another_symbol_are_refused(fake):
    """An answer has to be about what was asked."""
    fake.answer(orjson.dumps(GOOD | {"ticker": "BBB"}))
    with pytest.raises(ProviderUnavailable, match="AAA: expected its bars, got those of 'BBB'"):
        provider_at(fake.base_url).fetch("AAA", FIRST, LAST)


def test_nobody_listening_is_told_with_the_host():
    """Host and port are in the message, the question and the key are not."""
    port = free_port()
    with pytest.raises(
        ProviderUnavailable, match=f"127.0.0.1:{port}, but the connection"
    ) as caught:
        provider_at(f"http://127.0.0.1:{port}").fetch("AAA", FIRST, LAST)
    assert "?" not in str(caught.value)


def test_a_wrong_key_stops_with_what_to_check(tmp_path):
    """The simulator refuses a key as Polygon does, and accepts the right one."""
    options = ("--symbols", "5", "--sessions", "30", "--key", "RIGHT")
    with running_simulator(tmp_path, *options) as url:
        with pytest.raises(KeyRefused, match="check POLYGON_API_KEY / MASSIVE_API_KEY"):
            provider_at(url).symbols("all")
        assert len(provider_at(url, key="RIGHT").symbols("all")) == 5
