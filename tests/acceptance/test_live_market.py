"""A market whose clock moves: what a scan costs, what it asks for, and the session that is open."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import requests
from stack_fixtures import environment, scan, scan_json, stack_up

SYMBOLS = 200


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    """Yield the variables of a stack with a small market, and its simulator's address."""
    home = tmp_path_factory.mktemp("live")
    env = environment(home, simulator_symbols=SYMBOLS, schedule="off", fetch="grouped", sample=0)
    with stack_up(env):
        facts = json.loads((Path(env["SCANNER_HOME"]) / "stack.json").read_text())
        yield env, facts["variables"]["SCANNER_SIMULATOR_URL"]


def asked(url):
    """Return how many requests of each kind the simulator has had."""
    return requests.get(f"{url}/simulator/counts", timeout=10).json()["requests"]


def since(url, before):
    """Return what has been asked for since `before`, apart from the time."""
    found = {kind: count - before.get(kind, 0) for kind, count in asked(url).items()}
    return {kind: count for kind, count in found.items() if count and kind != "status"}


def move(url, now):
    """Move the clock of the market."""
    requests.post(f"{url}/simulator/clock", json={"now": now}, timeout=30).raise_for_status()


@pytest.mark.timeout(300)
def test_days_in_the_life_of_a_market(market):
    """A first scan, a second one, the open session twice, its close, and the next morning."""
    env, url = market
    plan = scan_json("plan", "--json", env=env)
    assert plan["calls"] == {"listing": 1, "sessions": 274, "splits": 1}
    assert plan["total_calls"] == 276
    assert scan_json("plan", "--json", env=env)["calls"] == {"sessions": 274, "splits": 1}
    assert scan_json("plan", "--fetch", "symbols", "--json", env=env)["calls"] == {"bars": SYMBOLS}
    before = asked(url)
    first = scan_json("enqueue", "--wait", "--json", env=env)
    assert since(url, before) == {"grouped": 274, "splits": 1}
    assert sum(first["ledger"].values()) == SYMBOLS
    assert scan("plan", env=env).stdout.endswith("no calls: all bars are at hand\n")

    before = asked(url)
    assert scan_json("enqueue", "--wait", "--json", env=env)["bars"] == {"hit": SYMBOLS}
    assert since(url, before) == {}

    move(url, "2025-07-10T11:30:00-04:00")
    for snapshots in (1, 2):
        live = scan_json("enqueue", "--live", "--wait", "--json", env=env)
        assert (live["live"], live["as_of"]) == (True, "2025-07-10")
        assert since(url, before)["snapshot"] == snapshots
    row = scan_json("show", live["id"], "--json", "--top", "1", env=env)["rows"][0]
    assert (row["session"], row["flags"]["provisional"]) == ("2025-07-10", 1)
    assert scan("why", row["symbol"], env=env).stdout.startswith("SIMULATED ")
    assert "flag provisional" in scan("why", row["symbol"], env=env).stdout

    move(url, "2025-07-10T16:05:00-04:00")
    before = asked(url)
    closed = scan_json("enqueue", "--wait", "--json", env=env)
    assert (closed["live"], closed["as_of"]) == (False, "2025-07-10")
    assert since(url, before) == {"grouped": 1, "splits": 1}
    refused = scan("enqueue", "--live", "--wait", env=env)
    assert refused.returncode == 1
    assert "no session is open" in refused.stderr

    move(url, "2025-07-11T07:00:00-04:00")
    before = asked(url)
    scan_json("enqueue", "--wait", "--json", env=env)
    assert sum(since(url, before).values()) <= 5
    assert since(url, before)["grouped"] == 2
