"""What Polygon's answers turn into, without any connection."""

from __future__ import annotations

import datetime as dt

import pytest

from scanner.bars.budget import Unlimited
from scanner.bars.polygon import PolygonProvider
from scanner.bars.polygon_answers import decoded, refusal, results_of, series_of
from scanner.bars.polygon_http import retry_after
from scanner.bars.polygon_pages import origin_of
from scanner.errors import (
    BadBars,
    ConfigError,
    DataError,
    KeyRefused,
    NotEntitled,
    ProviderUnavailable,
    RateLimited,
    UnknownSymbol,
)
from scanner.timeframe import day_date

FIRST, LAST = dt.date(2025, 3, 1), dt.date(2025, 3, 31)
# Midnights in New York on both sides of the change to summer time.
FRIDAY, MONDAY = 1741323600000, 1741579200000


def bar(time: object = FRIDAY, **changes: object) -> dict[str, object]:
    """Return one bar as Polygon writes it."""
    return {
        "v": 1.437085e06,
        "vw": 10.1,
        "o": 10,
        "c": 10.5,
        "h": 11,
        "l": 9.5,
        "t": time,
    } | changes


def test_the_session_is_the_utc_date_of_new_yorks_midnight():
    """Winter and summer time give the date that the exchange traded on."""
    series = series_of("AAA", [bar(), bar(MONDAY)], FIRST, LAST)
    assert [str(day_date(day)) for day in series.sessions] == ["2025-03-07", "2025-03-10"]
    assert series.values[:, 0].tolist() == [10.0, 11.0, 9.5, 10.5, 1437085.0]


def test_bars_out_of_order_are_sorted():
    """The provider's order is not trusted."""
    series = series_of("AAA", [bar(MONDAY), bar()], FIRST, LAST)
    assert series.sessions[0] < series.sessions[1]


@pytest.mark.parametrize(
    "bars",
    [
        [bar(c=None)],
        [bar(c="10.5")],
        [bar(v=True)],
        [bar(h=[1])],
        [bar(t=None)],
        [{"o": 1}],
        [None],
        ["bar"],
        [bar(), bar()],
        [bar(c=-1)],
        [bar(l=12)],
        [bar(v=-1)],
        [bar(1735880400000)],
        [bar(10**300)],
        [bar(-(10**17))],
    ],
    ids=str,
)
def test_a_bar_that_cannot_be_true_is_refused(bars):
    """Missing or odd values, repeats, and sessions outside the range name the symbol."""
    with pytest.raises(BadBars, match=r"^AAA: expected"):
        series_of("AAA", bars, FIRST, LAST)


@pytest.mark.parametrize(
    ("status", "payload", "kind", "words"),
    [
        (401, {"error": "Unknown API Key"}, KeyRefused, "check POLYGON_API_KEY / MASSIVE_API_KEY"),
        (403, {"message": "please upgrade"}, NotEntitled, "AAA.*403: please upgrade"),
        (403, {"message": "today's data before end of day"}, ProviderUnavailable, "before end of"),
        (404, None, UnknownSymbol, "AAA.*404"),
        (429, {"error": "too many"}, RateLimited, "too many"),
        (400, {"error": "bad from", "request_id": "r1"}, DataError, r"bad from \(request r1\)"),
        (302, None, ProviderUnavailable, "redirect"),
        (500, None, ProviderUnavailable, "got 500"),
        (418, None, ProviderUnavailable, "got 418"),
        (200, {"status": "ERROR", "error": "oops"}, ProviderUnavailable, "got ERROR: oops"),
        (200, {"status": "NOT_AUTHORIZED", "message": "plan"}, NotEntitled, "plan"),
        (200, {"status": "NOT_FOUND"}, UnknownSymbol, "NOT_FOUND"),
    ],
)
def test_each_refusal_has_its_error(status, payload, kind, words):
    """Status and body decide which error stands for an answer, and its text passes on."""
    error = refusal(status, payload, "AAA", 12.0)
    assert type(error) is kind
    with pytest.raises(kind, match=words):
        raise error


@pytest.mark.parametrize("status", ["OK", "DELAYED"])
def test_ok_and_delayed_are_answers(status):
    """Both statuses that carry bars are accepted."""
    assert refusal(200, {"status": status}, "AAA", 1.0) is None


def test_too_many_requests_says_how_long_to_wait():
    """The wait travels with the error."""
    error = refusal(429, None, "AAA", 15.0)
    assert isinstance(error, RateLimited)
    assert error.wait == 15.0


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"results": None},
        {"results": []},
        {"resultsCount": 0},
        {"results": [], "resultsCount": 0},
    ],
)
def test_three_ways_to_say_nothing_are_empty(payload):
    """Missing, null and empty results are no bars."""
    assert results_of(payload, "AAA", "resultsCount") == []


@pytest.mark.parametrize(
    "payload",
    [
        {"resultsCount": 3},
        {"results": None, "resultsCount": 3},
        {"results": [], "resultsCount": 3},
        {"results": [1, 2], "resultsCount": 3},
        {"results": {"a": 1}, "resultsCount": 1},
    ],
)
def test_a_count_that_does_not_fit_is_no_answer(payload):
    """A short answer is never taken for a short history."""
    with pytest.raises(ProviderUnavailable, match="AAA: expected"):
        results_of(payload, "AAA", "resultsCount")


@pytest.mark.parametrize("body", [b"", b"[1]", b'{"a": ', b'{"a": NaN}', b"<html>", b"\xff\xfe"])
def test_only_json_objects_are_payloads(body):
    """Everything else is unreadable."""
    assert decoded(body) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [(None, None), ("7", 7.0), ("99999", 3_600.0), ("soon", None), ("-1", None)],
)
def test_retry_after_is_believed_within_reason(text, seconds):
    """The header is capped, and nonsense in it is ignored."""
    assert retry_after(text) == seconds


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://api.massive.com/v2?x=1", ("https", "api.massive.com", 443)),
        ("http://127.0.0.1:8801", ("http", "127.0.0.1", 8801)),
        ("http://user:pw@127.0.0.1:8801", None),
        ("http://127.0.0.1:port", None),
        ("file:///etc/passwd", None),
        ("api.massive.com", None),
    ],
)
def test_an_origin_is_scheme_host_and_port(url, origin):
    """Only plain HTTP addresses without a user have one."""
    assert origin_of(url) == origin


def provider(**changes: object) -> PolygonProvider:
    """Return a provider that is never asked."""
    options = {"base_url": "http://127.0.0.1:1", "key": "SECRET", "threads": 1}
    return PolygonProvider(**(options | {"budget": Unlimited(), "time_budget": 1.0} | changes))


def test_the_key_is_not_in_the_repr():
    """The repr shows where requests go and that there is a key."""
    assert repr(provider()) == "PolygonProvider('http://127.0.0.1:1', key=***)"


@pytest.mark.parametrize("key", ["", "SECRET KEY", "SECRET\n", "SECRÉT"])
def test_a_key_that_no_header_can_carry_is_refused_unseen(key):
    """The message says what is wrong without the key in it."""
    with pytest.raises(KeyRefused) as caught:
        provider(key=key)
    assert "SECR" not in str(caught.value)


def test_a_base_url_without_a_host_is_refused():
    """A wrong address is told before the first request."""
    with pytest.raises(ConfigError, match="base URL"):
        provider(base_url="api.massive.com")


def test_an_unknown_universe_is_refused():
    """Only the provider's own universes have names here."""
    with pytest.raises(ConfigError, match="'sp500'"):
        provider().symbols("sp500")


def test_a_range_that_ends_before_it_begins_asks_nothing():
    """No request is sent for a range that cannot hold a bar."""
    assert len(provider().fetch("AAA", LAST, FIRST)) == 0


def test_a_provider_in_real_time_has_no_clock_and_no_last_session():
    """The exchange's calendar decides by this machine's clock."""
    assert (provider().now(), provider().last_session()) == (None, None)
