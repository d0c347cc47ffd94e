"""The simulator as a process: Polygon's contract as seen by a plain HTTP client."""

from __future__ import annotations

import datetime as dt
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from process_fixtures import running_simulator

OPTIONS = ("--symbols", "60", "--sessions", "50")
RANGE = "/v2/aggs/ticker/{}/range/1/day/{}/{}"


@pytest.fixture(scope="module")
def base_url(tmp_path_factory):
    """Start a small market."""
    with running_simulator(tmp_path_factory.mktemp("simulator"), *OPTIONS) as url:
        yield url


def ask(url: str, **query: object) -> dict:
    """Return the JSON of a good answer."""
    answer = requests.get(url, params=query, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def symbols_of(base_url: str) -> list[str]:
    """Return all symbols."""
    rows = ask(f"{base_url}/v3/reference/tickers", limit=1000)["results"]
    return [row["ticker"] for row in rows]


def full_symbol(base_url: str) -> str:
    """Return a symbol with a bar in each of the fifty sessions."""
    url = base_url + RANGE.format("{}", "2025-01-01", "2025-07-09")
    return next(s for s in symbols_of(base_url) if ask(url.format(s))["resultsCount"] == 50)


def test_an_answer_has_polygons_names_in_their_order(base_url):
    """Live bodies begin with the symbol and hold eight numbers a bar."""
    symbol = full_symbol(base_url)
    body = ask(base_url + RANGE.format(symbol, "2025-07-08", "2025-07-09"))
    assert list(body)[:5] == ["ticker", "queryCount", "resultsCount", "adjusted", "results"]
    assert list(body["results"][0]) == ["v", "vw", "o", "c", "h", "l", "t", "n"]
    assert [bar["t"] for bar in body["results"]] == [1751947200000, 1752033600000]
    assert (body["status"], body["count"], body["adjusted"]) == ("OK", 2, True)


@pytest.mark.parametrize("sort", ["asc", "desc"])
def test_pages_of_bars_join_without_a_gap(base_url, sort):
    """A limit cuts the range into pages; the cursor keeps limit and order."""
    symbol = full_symbol(base_url)
    url = base_url + RANGE.format(symbol, "2025-01-01", "2025-07-09")
    whole = ask(url, sort=sort)["results"]
    page = ask(url, sort=sort, limit=15)
    found, pages = page["results"], 1
    while "next_url" in page:
        assert page["next_url"].startswith(f"{base_url}/v2/aggs/ticker/")
        page = ask(page["next_url"])
        found, pages = found + page["results"], pages + 1
    assert (found, pages) == (whole, 4)
    assert [bar["t"] for bar in found] == sorted((b["t"] for b in found), reverse=sort == "desc")


def test_unknown_symbols_and_empty_ranges_have_no_results(base_url):
    """The key is missing, as in live answers."""
    for path in (
        ("ZZZZZZ", "2025-01-01", "2025-07-09"),
        (full_symbol(base_url), *["2025-07-05"] * 2),
    ):
        body = ask(base_url + RANGE.format(*path))
        assert body["resultsCount"] == 0
        assert "results" not in body


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (RANGE.format("A", "yesterday", "2025-07-09"), "'from'"),
        (RANGE.format("A", "2025-07-09", "2025-07-08"), "'to' cannot be"),
        (RANGE.format("A", "2025-07-09", "9" * 30), "'to'"),
        (RANGE.format("A", "2025-07-08", "2025-07-09") + "?limit=0", "limit"),
        ("/v2/aggs/ticker/A/range/5/minute/2025-07-08/2025-07-09", "daily bars only"),
        ("/v2/aggs/grouped/locale/us/market/stocks/someday", "someday"),
        ("/v3/reference/tickers?limit=1001", "limit"),
        ("/v3/reference/tickers?sort=name", "sort"),
        ("/v3/reference/tickers?order=up", "order"),
    ],
)
def test_a_bad_question_is_answered_with_400(base_url, path, words):
    """The error says what is wrong with it."""
    answer = requests.get(base_url + path, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["status"] == "ERROR"
    assert words in answer.json()["error"]


def test_other_paths_are_not_found(base_url):
    """As plain text."""
    answer = requests.get(f"{base_url}/v9/nothing", timeout=10)
    assert (answer.status_code, answer.text) == (404, "404 page not found")


def test_the_whole_market_of_a_day_has_the_bars_of_its_symbols(base_url):
    """One row a symbol, at 16:00; a day without trading has none."""
    path = f"{base_url}/v2/aggs/grouped/locale/us/market/stocks/"
    rows = ask(path + "2025-07-09")["results"]
    assert len(rows) > 50
    for row in rows[::10]:
        bars = ask(base_url + RANGE.format(row["T"], "2025-07-09", "2025-07-09"))["results"]
        assert [bars[0][name] for name in "ohlcv"] == [row[name] for name in "ohlcv"]
        assert row["t"] == bars[0]["t"] + 16 * 3_600_000
    assert "results" not in ask(path + "2025-07-04")


def test_the_listing_pages_and_filters(base_url):
    """Pages join, and ranges, types and exchanges select."""
    url = f"{base_url}/v3/reference/tickers"
    every = symbols_of(base_url)
    page = ask(url, limit=25, market="stocks", active="true")
    found = page["results"]
    while "next_url" in page:
        page = ask(page["next_url"])
        found += page["results"]
    assert [row["ticker"] for row in found] == every == sorted(every)
    common = ask(url, limit=1000, type="CS")["results"]
    assert [row["ticker"] for row in common] == [r["ticker"] for r in found if r["type"] == "CS"]
    middle = ask(url, limit=1000, **{"ticker.gt": every[9], "ticker.lte": every[19]})["results"]
    assert [row["ticker"] for row in middle] == every[10:20]
    listed = ask(url, limit=1000, exchange="XNYS", date="2024-01-02", sort="ticker", order="desc")
    assert listed["results"] == [r for r in found[::-1] if r["primary_exchange"] == "XNYS"]
    assert "list_date" not in listed["results"][0]
    assert [row["ticker"] for row in ask(url, search="spy")["results"]] == ["SPY"]
    one = ask(url, search="SPY Simulated F")["results"]
    assert [(row["ticker"], row["type"], row["name"]) for row in one] == [
        ("SPY", "ETF", "SPY Simulated Fund")
    ]
    assert ask(url, active="false")["count"] == ask(url, market="crypto")["count"] == 0


def test_its_clock_stands_after_the_last_close(base_url, tmp_path):
    """By default after the last session's close; an option sets it to any moment."""
    status = ask(f"{base_url}/v1/marketstatus/now")
    late = ("2025-07-09T16:20:00-04:00", "extended-hours")
    assert (status["serverTime"], status["market"]) == late
    with running_simulator(tmp_path, *OPTIONS, "--clock", "2025-07-09T12:00:00") as url:
        status = ask(f"{url}/v1/marketstatus/now")
    assert (status["serverTime"], status["market"]) == ("2025-07-09T12:00:00-04:00", "open")


def test_requests_beyond_the_rate_are_refused(tmp_path):
    """Three of five get through, the others get Polygon's 429."""
    with running_simulator(tmp_path, *OPTIONS, "--rate", "3/60") as url:
        answers = [requests.get(f"{url}/v1/marketstatus/now", timeout=10) for _ in range(5)]
        counts = ask(f"{url}/simulator/counts")
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert "exceeded the maximum requests per minute" in answers[-1].json()["error"]
    assert counts["statuses"] == {"200": 3, "429": 2}
    assert len(counts["arrivals"]) == counts["requests"]["status"] == 5


def test_a_key_is_taken_from_the_header_or_the_query(tmp_path):
    """Any other key, or none, is unknown."""
    with running_simulator(tmp_path, *OPTIONS, "--key", "K1") as url:
        path = f"{url}/v1/marketstatus/now"
        statuses = [
            requests.get(path, headers=headers, params=params, timeout=10).status_code
            for headers, params in (
                ({"Authorization": "Bearer K1"}, {}),
                ({}, {"apiKey": "K1"}),
                ({"Authorization": "Bearer K2"}, {}),
                ({}, {}),
            )
        ]
    assert statuses == [200, 200, 401, 401]


def test_latency_is_waited_for_together(tmp_path):
    """Twenty requests at once wait once, and the counts show that they did."""
    with running_simulator(tmp_path, *OPTIONS, "--latency", "0.3") as url:
        path = f"{url}/v1/marketstatus/now"
        before = time.monotonic()
        with ThreadPoolExecutor(20) as pool:
            list(pool.map(lambda _: ask(path), range(20)))
        passed = time.monotonic() - before
        counts = ask(f"{url}/simulator/counts")
    assert 0.3 <= passed < 20 * 0.3 / 2
    assert 2 <= counts["most_at_once"] <= 20


def test_sigterm_ends_it_at_once_whatever_is_open(tmp_path):
    """A stalled request does not hold it back."""
    command = [sys.executable, "-m", "simulator", "--port", "0", *OPTIONS, "--fault", "stall=1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().strip().rpartition(" ")[2]
        with pytest.raises(requests.Timeout):
            requests.get(url + RANGE.format("A", "2025-07-08", "2025-07-09"), timeout=(3, 0.2))
        with ThreadPoolExecutor(1) as pool:
            path = url + RANGE.format("B", "2025-07-08", "2025-07-09")
            open_request = pool.submit(requests.get, path, timeout=30)
            while ask(f"{url}/simulator/counts")["bars"].get("B") is None:
                pass
            process.send_signal(signal.SIGTERM)
            assert process.wait(5) == 0
            assert open_request.exception(5) or open_request.result().status_code == 500


@pytest.mark.parametrize(
    "options",
    [("--rate", "fast"), ("--fault", "fire=1"), ("--last-session", "soon"), ("--clock", "noon")],
)
def test_an_option_that_cannot_be_read_is_named(options):
    """The message says which, and the process ends with 2."""
    ended = subprocess.run(
        [sys.executable, "-m", "simulator", *options], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert options[0] in ended.stderr


def test_another_last_session_is_the_same_market_later(base_url, tmp_path):
    """One more session adds a bar and changes none."""
    symbol = full_symbol(base_url)
    path = RANGE.format(symbol, "2025-06-01", "2025-07-10")
    with running_simulator(tmp_path, *OPTIONS, "--last-session", "2025-07-10") as url:
        later = ask(url + path)["results"]
    assert later[:-1] == ask(base_url + path)["results"]
    assert dt.datetime.fromtimestamp(later[-1]["t"] / 1000, dt.UTC).date() == dt.date(2025, 7, 10)
