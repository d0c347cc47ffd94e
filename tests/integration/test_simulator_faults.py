"""Faults of whole days, splits and snapshots, and what the simulator counts, by plain HTTP."""

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
    ask,
    change_faults,
)

OPTIONS = ("--symbols", "30", "--sessions", "300")
FAULTS = ("rate429:2025-01-06", "status500:splits", "null_results:snapshot", "nan_bars:2025-01-07")


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """Start a market with a fault for each kind of subject."""
    faults = [f"--fault={fault}" for fault in FAULTS]
    with running_simulator(tmp_path_factory.mktemp("simulator"), *OPTIONS, *faults) as url:
        yield url


def test_a_fault_may_be_about_one_day(faulty):
    """Other days get true answers."""
    answer = requests.get(faulty + GROUPED + "2025-01-06", timeout=30)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert "exceeded the maximum requests" in answer.json()["error"]
    rows = ask(faulty + GROUPED + "2025-01-07")["results"]
    assert [row["c"] for row in rows].count(None) == 1
    assert None not in [row["c"] for row in ask(faulty + GROUPED + "2025-01-08")["results"]]


def test_a_fault_may_be_about_the_splits_or_the_snapshot(faulty):
    """By the name of the endpoint."""
    assert requests.get(faulty + SPLITS, timeout=10).status_code == 500
    assert ask(faulty + SNAPSHOT)["tickers"] is None
    assert "results" in ask(faulty + TICKERS)


def test_a_share_of_faults_hits_all_that_has_bars_or_splits(tmp_path):
    """Ranges, whole days, splits and snapshots; listing and clock stay true."""
    with running_simulator(tmp_path, *OPTIONS, "--fault", "status502=1") as url:
        paths = (RANGE.format("SPY", "2025-07-01", "2025-07-09"), GROUPED + "2025-07-09")
        for path in (*paths, SPLITS, SNAPSHOT, f"{SNAPSHOT}/SPY"):
            assert requests.get(url + path, timeout=10).status_code == 502
        for path in (TICKERS, STATUS):
            assert requests.get(url + path, timeout=10).status_code == 200


def test_faults_are_changed_while_the_simulator_runs(tmp_path):
    """All of them at once; what is no fault is refused and changes nothing."""
    with running_simulator(tmp_path, *OPTIONS, "--fault", "status502=1") as url:
        day = url + GROUPED + "2025-07-09"
        change_faults(url, "status401=1")
        answer = requests.get(day, timeout=10)
        assert (answer.status_code, answer.json()["error"]) == (401, "Unknown API Key")
        for body in ({"faults": ["fire=1"]}, {"faults": "cut=1"}, {"faults": [], "after": -1}, []):
            assert (
                requests.post(f"{url}/simulator/faults", json=body, timeout=10).status_code == 400
            )
        assert requests.get(day, timeout=10).status_code == 401
        change_faults(url)
        assert ask(day)["resultsCount"] > 0
        change_faults(url, "status401=1", after=2)
        statuses = [requests.get(day, timeout=10).status_code for _ in range(4)]
        assert statuses == [200, 200, 401, 401]


def test_answers_may_be_about_nothing_or_about_something_else(tmp_path):
    """They are well-formed; an answer that drips never ends, and 429 need not say how long."""
    symbol, day = RANGE.format("SPY", "2025-07-01", "2025-07-09"), "2025-07-09"
    with running_simulator(tmp_path, *OPTIONS) as url:
        times = {row["t"] for row in ask(url + GROUPED + day)["results"]}
        change_faults(url, "empty=1")
        assert ask(url + GROUPED + day)["results"] == []
        change_faults(url, "wrong_symbol=1")
        assert ask(url + symbol)["ticker"] == "OTHER"
        change_faults(url, "wrong_day=1")
        earlier = {row["t"] + 7 * 86_400_000 for row in ask(url + GROUPED + day)["results"]}
        assert earlier == times
        change_faults(url, "rate429_silent=1")
        answer = requests.get(url + symbol, timeout=10)
        assert (answer.status_code, "Retry-After" in answer.headers) == (429, False)
        change_faults(url, "drip=1")
        with requests.get(url + symbol, timeout=10, stream=True) as answer:
            assert next(answer.iter_content(1)) == b"{"
            assert int(answer.headers["Content-Length"]) > 100


def test_what_was_asked_is_counted(tmp_path):
    """By endpoint, by symbol and by day, with the time of each arrival."""
    with running_simulator(tmp_path, *OPTIONS) as url:
        for day in ("2025-07-09", "2025-07-08", "2025-07-09"):
            ask(url + GROUPED + day)
        ask(url + RANGE.format("SPY", "2025-07-01", "2025-07-09"))
        for path in (SPLITS, SNAPSHOT, f"{SNAPSHOT}/SPY", TICKERS, STATUS):
            ask(url + path)
        requests.get(url + UPCOMING, timeout=10)
        counts = ask(f"{url}/simulator/counts")
    assert counts["requests"] == {
        "grouped": 3,
        "range": 1,
        "splits": 1,
        "snapshot": 2,
        "tickers": 1,
        "status": 2,
    }
    assert counts["days"] == {"2025-07-09": 2, "2025-07-08": 1}
    assert counts["bars"] == {"SPY": 1}
    assert len(counts["arrivals"]) == 10
