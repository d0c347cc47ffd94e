"""The simulator's whole market: splits, snapshots, the calendar, and a clock that can be moved."""

from __future__ import annotations

import datetime as dt

import pytest
import requests
from process_fixtures import running_simulator

SNAPSHOT = "/v2/snapshot/locale/us/markets/stocks/tickers"


@pytest.fixture
def base_url(tmp_path):
    """Start a market of 300 symbols, each split listed twice."""
    options = ("--symbols", "300", "--sessions", "400", "--repeat-splits")
    with running_simulator(tmp_path, *options) as url:
        yield url


def ask(url, **query):
    """Return the JSON of a good answer."""
    answer = requests.get(url, params=query, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def move(base_url, now):
    """Move the clock."""
    answer = requests.post(f"{base_url}/simulator/clock", json={"now": now}, timeout=10)
    assert answer.status_code == 200, answer.text


def grouped(base_url, day, **query):
    """Return symbol -> bar of a day."""
    body = ask(f"{base_url}/v2/aggs/grouped/locale/us/market/stocks/{day}", **query)
    return {row["T"]: row for row in body.get("results", [])}


def splits_of(base_url, **query):
    """Return all splits, page after page."""
    url, rows = f"{base_url}/v3/reference/splits", []
    while url:
        body = ask(url, **query)
        rows += body["results"]
        url, query = body.get("next_url"), {}
    return rows


def test_splits_are_listed_in_pages_and_twice(base_url):
    """Between two days; the ids differ, the rest does not."""
    asked = {"execution_date.gte": "2024-06-01", "execution_date.lte": "2025-07-09"}
    rows = splits_of(base_url, limit=3, **asked)
    assert rows == splits_of(base_url, limit=1000, **asked)
    assert len(rows) > 6
    assert len({row["id"] for row in rows}) == len(rows)
    pairs = [tuple(row[n] for n in sorted(row) if n != "id") for row in rows]
    assert pairs[::2] == pairs[1::2]
    assert all("2024-06-01" <= row["execution_date"] <= "2025-07-09" for row in rows)
    one = rows[0]["ticker"]
    assert {row["ticker"] for row in splits_of(base_url, ticker=one)} == {one}
    reverse = splits_of(base_url, reverse_split="true", limit=1000)
    assert all(row["split_from"] > row["split_to"] for row in reverse)


def test_unadjusted_days_are_as_they_were_traded(base_url):
    """They differ from the adjusted ones by the splits since."""
    rows = splits_of(base_url, limit=1000, **{"execution_date.gte": "2025-01-03"})
    factors = {}
    for row in rows[::2]:
        ratio = row["split_from"] / row["split_to"]
        factors[row["ticker"]] = factors.get(row["ticker"], 1.0) * ratio
    raw, adjusted = (grouped(base_url, "2025-01-02", adjusted=kind) for kind in ("false", "true"))
    assert set(raw) == set(adjusted)
    assert set(factors) & set(raw)
    for symbol, bar in raw.items():
        expected = bar["c"] * factors.get(symbol, 1.0)
        assert expected == pytest.approx(adjusted[symbol]["c"], rel=1e-12)


def test_what_has_not_happened_by_its_clock_does_not_exist(base_url):
    """Neither bars nor splits; an earlier day is the same market."""
    then = grouped(base_url, "2025-03-03", adjusted="false")
    move(base_url, "2025-03-03T16:20:00-05:00")
    assert grouped(base_url, "2025-03-03", adjusted="false") == then
    assert grouped(base_url, "2025-03-04") == {}
    assert max(row["execution_date"] for row in splits_of(base_url, limit=1000)) <= "2025-03-03"
    move(base_url, "2026-03-03T16:20:00-05:00")
    assert grouped(base_url, "2026-03-03")


@pytest.mark.parametrize("now", ["2025-07-09T10:00:00", "1999-01-01T10:00:00-05:00", "noon", 7])
def test_a_clock_without_an_offset_or_out_of_the_calendar_is_refused(base_url, now):
    """With what was expected."""
    answer = requests.post(f"{base_url}/simulator/clock", json={"now": now}, timeout=10)
    assert (answer.status_code, "expected" in answer.json()["error"]) == (400, True)


def test_a_snapshot_holds_the_forming_bars(base_url):
    """Nothing before the open, and the final bars after the close."""
    final = grouped(base_url, "2025-07-09")
    after = {row["ticker"]: row for row in ask(base_url + SNAPSHOT)["tickers"]}
    move(base_url, "2025-07-09T08:00:00-04:00")
    assert all(not any(row["day"].values()) for row in ask(base_url + SNAPSHOT)["tickers"])
    move(base_url, "2025-07-09T12:00:00-04:00")
    noon = {row["ticker"]: row for row in ask(base_url + SNAPSHOT)["tickers"]}
    assert grouped(base_url, "2025-07-09")["SPY"]["v"] == noon["SPY"]["day"]["v"]
    for symbol, bar in final.items():
        names = ("o", "h", "l", "c", "v")
        assert [after[symbol]["day"][n] for n in names] == [bar[n] for n in names]
        assert noon[symbol]["day"]["v"] < bar["v"] or bar["v"] <= 1
    before = grouped(base_url, "2025-07-08")["SPY"]["c"]
    assert noon["SPY"]["prevDay"]["c"] == before
    some = ask(base_url + SNAPSHOT, tickers="SPY")
    assert (some["count"], some["tickers"][0]["ticker"]) == (1, "SPY")
    assert ask(f"{base_url}{SNAPSHOT}/SPY")["ticker"]["day"] == noon["SPY"]["day"]
    assert requests.get(f"{base_url}{SNAPSHOT}/spy", timeout=10).status_code == 404


@pytest.mark.parametrize(
    ("now", "market"),
    [
        ("2025-07-09T09:29:59-04:00", "extended-hours"),
        ("2025-07-09T09:30:00-04:00", "open"),
        ("2025-07-03T12:59:59-04:00", "open"),
        ("2025-07-03T13:00:00-04:00", "extended-hours"),
        ("2025-07-04T12:00:00-04:00", "closed"),
        ("2025-07-09T21:00:00-04:00", "closed"),
    ],
)
def test_the_status_follows_the_clock(base_url, now, market):
    """Half-days and holidays too."""
    move(base_url, now)
    body = ask(f"{base_url}/v1/marketstatus/now")
    assert (body["market"], dt.datetime.fromisoformat(body["serverTime"])) == (
        market,
        dt.datetime.fromisoformat(now),
    )


def test_holidays_and_half_days_are_told_in_advance(base_url):
    """As a bare array."""
    move(base_url, "2025-11-01T12:00:00-04:00")
    rows = [row for row in ask(f"{base_url}/v1/marketstatus/upcoming") if row["exchange"] == "NYSE"]
    assert [(row["date"], row["status"]) for row in rows[:4]] == [
        ("2025-11-27", "closed"),
        ("2025-11-28", "early-close"),
        ("2025-12-24", "early-close"),
        ("2025-12-25", "closed"),
    ]
    assert rows[1]["close"] == "2025-11-28T18:00:00+00:00"


def test_faults_meet_whole_days_too(tmp_path):
    """Named by the day; other days are answered."""
    options = ("--symbols", "20", "--sessions", "30", "--fault", "status500:2025-07-08")
    with running_simulator(tmp_path, *options) as url:
        path = f"{url}/v2/aggs/grouped/locale/us/market/stocks"
        answers = [requests.get(f"{path}/2025-07-0{day}", timeout=10) for day in (7, 8, 9)]
        counts = ask(f"{url}/simulator/counts")
    assert [answer.status_code for answer in answers] == [200, 500, 200]
    assert counts["days"] == {"2025-07-07": 1, "2025-07-08": 1, "2025-07-09": 1}
