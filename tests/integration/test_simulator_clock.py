"""A simulator whose clock is moved: snapshots, partial bars, and what does not exist yet."""

from __future__ import annotations

import pytest
import requests
from process_fixtures import running_simulator
from simulator_fixtures import (
    GROUPED,
    RANGE,
    SNAPSHOT,
    SPLITS,
    STATUS,
    TICKERS,
    UPCOMING,
    all_pages,
    ask,
    move_clock,
)

OPTIONS = ("--symbols", "400", "--sessions", "60")
ZEROS = dict.fromkeys(("o", "h", "l", "c", "v", "vw"), 0)
EVENING = "2025-07-09T20:00:00-04:00"
NOON = "2025-07-09T12:00:00-04:00"
MORNING = "2025-07-09T08:00:00-04:00"


@pytest.fixture(scope="module")
def base_url(tmp_path_factory):
    """Start a market of several hundred symbols."""
    with running_simulator(tmp_path_factory.mktemp("simulator"), *OPTIONS) as url:
        yield url


def snapshot(base_url: str, now: str, **query: object) -> dict:
    """Return the rows of a snapshot by symbol, at a time."""
    move_clock(base_url, now)
    body = ask(base_url + SNAPSHOT, **query)
    assert body["status"] == "OK"
    assert body["count"] == len(body["tickers"])
    return {row["ticker"]: row for row in body["tickers"]}


def grouped(base_url: str, date: str, **query: object) -> dict:
    """Return the bars of a day by symbol."""
    return {row["T"]: row for row in ask(base_url + GROUPED + date, **query).get("results", [])}


def bars_of(base_url: str, symbol: str, last: str = "2026-12-31") -> list:
    """Return the bars of a symbol."""
    return ask(base_url + RANGE.format(symbol, "2025-07-01", last)).get("results", [])


def same_bar(row: dict, other: dict) -> bool:
    """Return whether two rows have the same numbers."""
    return all(row[name] == other[name] for name in ZEROS)


def test_a_snapshot_after_the_close_is_the_last_two_sessions(base_url):
    """As the whole market of these days has them."""
    rows = snapshot(base_url, EVENING)
    today, before = grouped(base_url, "2025-07-09"), grouped(base_url, "2025-07-08")
    assert set(rows) == set(today) | set(before)
    assert list(rows) == sorted(rows)
    for symbol in set(today) & set(before):
        row, past = rows[symbol], before[symbol]
        assert same_bar(row["day"], today[symbol])
        assert same_bar(row["prevDay"], past)
        assert row["todaysChange"] == row["day"]["c"] - past["c"]
        assert row["todaysChangePerc"] == 100 * row["todaysChange"] / past["c"]
        assert row["updated"] == 1752091200 * 10**9
        assert (row["min"]["c"], row["min"]["av"]) == (row["day"]["c"], row["day"]["v"])


def test_during_a_session_its_bar_is_partial_everywhere(base_url):
    """Snapshot, whole day and range agree on it; the minute is its last part."""
    final = grouped(base_url, "2025-07-09")
    rows = snapshot(base_url, NOON)
    partial = grouped(base_url, "2025-07-09")
    assert set(partial) == set(final)
    assert sum(same_bar(partial[symbol], final[symbol]) for symbol in final) < len(final) / 20
    for symbol in list(partial)[::20]:
        row, bar = rows[symbol], partial[symbol]
        assert same_bar(row["day"], bar)
        last = bars_of(base_url, symbol)[-1]
        assert [last[name] for name in "ohlcv"] == [bar[name] for name in "ohlcv"]
        assert bar["o"] == final[symbol]["o"]
        assert final[symbol]["l"] <= bar["l"] <= bar["c"] <= bar["h"] <= final[symbol]["h"]
        assert 0 <= row["min"]["v"] <= bar["v"] <= final[symbol]["v"]
        assert row["min"]["t"] == 1752076740000
        assert row["updated"] == 1752076800 * 10**9


def test_before_the_open_the_day_is_all_zeros(base_url):
    """And the session before it is the previous one."""
    rows = snapshot(base_url, MORNING)
    before = grouped(base_url, "2025-07-08")
    assert set(rows) == set(before)
    assert grouped(base_url, "2025-07-09") == {}
    for symbol, row in rows.items():
        assert row["day"] == ZEROS
        assert same_bar(row["prevDay"], before[symbol])
        assert row["todaysChange"] == row["todaysChangePerc"] == row["min"]["t"] == 0


def test_at_a_weekend_the_day_is_that_of_friday(base_url):
    """Until the next session's morning."""
    rows = snapshot(base_url, "2025-07-06T12:00:00-04:00")
    friday = grouped(base_url, "2025-07-03")
    assert same_bar(rows["SPY"]["day"], friday["SPY"])
    assert same_bar(rows["SPY"]["prevDay"], grouped(base_url, "2025-07-02")["SPY"])


def test_a_snapshot_of_some_symbols_and_of_one(base_url):
    """Unknown names are left out of the first, and are not found in the second."""
    whole = snapshot(base_url, NOON)
    names = [*list(whole)[:3], "SPY"]
    some = ask(base_url + SNAPSHOT, tickers=",".join([*names, "ZZZZZZ"]), include_otc="true")
    assert [row["ticker"] for row in some["tickers"]] == names
    assert some["tickers"] == [whole[name] for name in names]
    one = ask(f"{base_url}{SNAPSHOT}/SPY")
    assert (one["ticker"], one["status"]) == (whole["SPY"], "OK")
    for name in ("ZZZZZZ", "spy"):
        answer = requests.get(f"{base_url}{SNAPSHOT}/{name}", timeout=10)
        assert (answer.status_code, answer.json()["status"]) == (404, "NOT_FOUND")
    listed = {row["ticker"] for row in ask(base_url + TICKERS, limit=1000)["results"]}
    quiet = ask(f"{base_url}{SNAPSHOT}/{min(listed - set(whole))}")["ticker"]
    assert quiet["day"] == quiet["prevDay"] == ZEROS


def test_the_clock_goes_on_to_the_next_day_and_back(base_url):
    """What is not yet is nowhere; what was asked before is not answered from memory."""
    move_clock(base_url, EVENING)
    before = bars_of(base_url, "SPY")
    assert grouped(base_url, "2025-07-10") == {}
    answer = move_clock(base_url, "2025-07-10T16:20:00-04:00")
    assert answer == {"now": "2025-07-10T16:20:00-04:00", "session": "2025-07-10"}
    assert bars_of(base_url, "SPY")[:-1] == before
    assert bars_of(base_url, "SPY")[-1]["c"] == grouped(base_url, "2025-07-10")["SPY"]["c"]
    assert ask(base_url + STATUS)["serverTime"] == "2025-07-10T16:20:00-04:00"
    assert ask(base_url + UPCOMING)[0]["date"] == "2025-09-01"
    move_clock(base_url, "2025-07-02T23:59:00-04:00")
    half = ask(base_url + UPCOMING)[0]
    assert (half["date"], half["status"]) == ("2025-07-03", "early-close")
    move_clock(base_url, "2025-07-09T23:59:00-04:00")
    assert bars_of(base_url, "SPY") == before
    assert grouped(base_url, "2025-07-10") == {}


def test_a_split_of_tomorrow_does_not_exist_today(base_url):
    """Tomorrow it is listed, and the whole adjusted past has changed, the traded one not."""
    move_clock(base_url, "2025-12-31T20:00:00-05:00")
    query = {"limit": 1000, "execution_date.gt": "2025-07-09", "sort": "execution_date"}
    split = all_pages(base_url + SPLITS, **query)[0][0]
    date, symbol = split["execution_date"], split["ticker"]
    found = {}
    for place, now in enumerate((EVENING, f"{date}T20:00:00-04:00")):
        move_clock(base_url, now)
        found[place] = [
            *({row["t"]: row["c"] for row in asked} for asked in histories(base_url, symbol)),
            len(all_pages(base_url + SPLITS, **query)[0]),
        ]
    factor = split["split_from"] / split["split_to"]
    (raw, adjusted, none), (raw_later, later, one) = found[0], found[1]
    assert none < one
    assert {time: raw_later[time] for time in raw} == raw
    assert {time: later[time] for time in adjusted} == {
        time: pytest.approx(close * factor, rel=1e-12) for time, close in adjusted.items()
    }


def histories(base_url: str, symbol: str) -> list:
    """Return the bars of a symbol as traded and as adjusted."""
    url = base_url + RANGE.format(symbol, "2025-05-01", "2026-12-31")
    return [ask(url, adjusted=flag)["results"] for flag in ("false", "true")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"now": 5}',
        b'{"now": "noon"}',
        b'{"now": "2025-07-09T12:00:00"}',
        b'{"now": "2023-07-09T12:00:00-04:00"}',
        b'{"now": "2027-01-01T00:00:00-05:00"}',
    ],
)
def test_a_time_that_cannot_be_is_refused(base_url, body):
    """With the reason, and the clock stays."""
    move_clock(base_url, NOON)
    answer = requests.post(f"{base_url}/simulator/clock", data=body, timeout=10)
    assert (answer.status_code, answer.json()["status"]) == (400, "ERROR")
    assert ask(base_url + STATUS)["serverTime"] == NOON


def test_the_clock_may_start_within_a_session(base_url, tmp_path):
    """The option and the request come to the same answers."""
    move_clock(base_url, NOON)
    with running_simulator(tmp_path, *OPTIONS, "--clock", "2025-07-09T12:00:00") as url:
        assert ask(url + SNAPSHOT) == ask(base_url + SNAPSHOT)
        assert grouped(url, "2025-07-09") == grouped(base_url, "2025-07-09")
