"""Faults of whole days, splits and snapshots, and what the simulator counts, by plain HTTP."""

from __future__ import annotations

import pytest
import requests
from process_fixtures import running_simulator
from simulator_fixtures import GROUPED, RANGE, SNAPSHOT, SPLITS, STATUS, TICKERS, UPCOMING, ask

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
