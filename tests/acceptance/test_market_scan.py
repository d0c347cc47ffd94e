"""A whole simulated market through real processes, started by beat."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import redis
import requests
from beat_entries import set_back
from stack_fixtures import (
    alive,
    environment,
    exported,
    redis_url,
    scan,
    scan_json,
    stack_up,
    wait_for,
)

SYMBOLS = 5_277


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    """A stack on which beat has started a scan of a market that nothing was cached of."""
    env = environment(
        tmp_path_factory.mktemp("market"), schedule="every 24h", fetch="symbols", sample=0
    )
    with stack_up(env) as stack:
        with redis.Redis.from_url(redis_url(env)) as client:
            wait_for(lambda: client.hexists("redbeat:tick", "meta"), 30, "beat")
            set_back(client, "tick")  # else it is due when the minute is over

        def first_scan():
            scans = scan_json("status", "--json", env=env)["scans"]
            return scans[-1] if scans and scans[-1]["state"] in {"done", "degraded"} else None

        cold = wait_for(first_scan, 240, "the scan by beat")
        warm = scan_json("enqueue", "--wait", "--json", env=env)
        yield env, stack, cold, warm


def simulator_of(env):
    """Return the address of the stack's simulator."""
    facts = json.loads((Path(env["SCANNER_HOME"]) / "stack.json").read_text())
    return facts["variables"]["SCANNER_SIMULATOR_URL"]


@pytest.mark.timeout(600)
class TestMarketScan:
    """One stack, one scan by beat, one scan on what it cached."""

    def test_beat_starts_a_scan_that_reaches_its_report(self, market):
        """The scan that beat started ends as done, with all symbols in its ledger."""
        env, _, cold, _ = market
        report = scan_json("show", cold["id"], "--json", "--top", "1", env=env)
        assert report["state"] == "done"
        assert report["simulated"] is True
        assert report["as_of"] == "2025-07-09"
        assert report["symbols"] == sum(report["ledger"].values()) == SYMBOLS
        assert report["ledger"]["scored"] > 5_000

    def test_a_cold_scan_takes_a_task_for_each_symbol(self, market):
        """Where bars have to be fetched by symbol, auto makes batches of one."""
        assert market[2]["batches"] == SYMBOLS
        assert market[2]["tasks"] == SYMBOLS

    def test_twenty_threads_in_four_processes_serve_a_scan(self, market):
        """Every thread of every worker has scanned a part of the market."""
        served_by = [name.split(":") for name in market[2]["served_by"]]
        assert len({(process, thread) for _, process, thread in served_by}) == 20
        assert len({process for _, process, _ in served_by}) == 4

    def test_a_warm_scan_takes_blocks_and_finds_the_same(self, market):
        """With all bars cached auto makes a few blocks, and the rows are equal."""
        env, _, cold, warm = market
        scans = {s["id"]: s for s in scan_json("status", "--json", env=env)["scans"]}
        assert scans[warm["id"]]["batches"] == 20
        assert warm["bars"] == {"hit": SYMBOLS}
        assert exported(env, warm["id"]) == exported(env, cold["id"])
        assert warm["ledger"] == scan_json("show", cold["id"], "--json", env=env)["ledger"]

    def test_by_session_it_finds_what_it_found_by_symbol(self, market):
        """From one request a session, with splits applied to what was traded."""
        env, _, cold, _ = market
        grouped = scan_json("enqueue", "--fetch", "grouped", "--wait", "--json", env=env)
        assert grouped["bars"]["assembled"] == SYMBOLS
        assert grouped["ledger"] == scan_json("show", cold["id"], "--json", env=env)["ledger"]
        by_symbol, by_session = (exported(env, scan["id"]) for scan in (cold, grouped))
        assert set(by_session) == set(by_symbol)
        assert [symbol for symbol, row in by_session.items() if row != by_symbol[symbol]] == []
        url = simulator_of(env)
        counts = requests.get(f"{url}/simulator/counts", timeout=10).json()
        assert counts["requests"]["splits"] == 1
        assert set(counts["days"].values()) == {1}
        assert len(counts["days"]) == 274
        again = scan_json("enqueue", "--fetch", "grouped", "--wait", "--json", env=env)
        later = requests.get(f"{url}/simulator/counts", timeout=10).json()
        asked = {kind: n - counts["requests"][kind] for kind, n in later["requests"].items()}
        assert sum(asked.values()) <= 3
        assert again["bars"] == {"hit": SYMBOLS}

    def test_stages_fit_into_the_total(self, market):
        """Each stage has its seconds, and none is longer than the whole scan."""
        stages = market[3]["stages"]
        assert list(stages) == [
            "plan", "enqueue", "bars", "indicators", "decide", "rows", "aggregate", "total",
        ]  # fmt: skip
        assert all(0 < stages[name] <= stages["total"] for name in stages if name != "decide")

    def test_every_bar_key_expires_within_four_hours(self, market):
        """Each symbol has one key of bars, and its time to live is in (0, 14,400]."""
        client = redis.Redis.from_url(redis_url(market[0]))
        keys = list(client.scan_iter("ms1:bars:*", count=5_000))
        lives = [client.ttl(key) for key in keys]
        client.close()
        assert len(keys) == SYMBOLS
        assert 0 < min(lives) <= max(lives) <= 14_400

    def test_every_key_of_ours_expires(self, market):
        """Nothing that the scanner writes stays for ever."""
        client = redis.Redis.from_url(redis_url(market[0]))
        eternal = [key for key in client.scan_iter("ms1:*", count=5_000) if client.ttl(key) < 0]
        client.close()
        assert eternal == []

    def test_flower_shows_workers_and_tasks(self, market):
        """Flower's API names all workers and the tasks of the cold scan, to those who log in."""
        env, stack, cold, _ = market
        url = stack["flower"]
        text = (Path(env["SCANNER_HOME"]) / "flower-password").read_text().strip()
        login = tuple(text.split(":"))
        assert requests.get(f"{url}/api/workers", timeout=10).status_code == 401
        workers = requests.get(f"{url}/api/workers", auth=login, timeout=10).json()
        names = {name.partition("@")[0] for name in workers}
        assert names >= {"scan1", "scan2", "scan3", "scan4", "control"}
        answer = requests.get(
            f"{url}/api/tasks",
            params={"taskname": "scan_symbols", "limit": 20_000},
            auth=login,
            timeout=60,
        )
        tasks = answer.json().values()
        of_scan = [task for task in tasks if cold["id"] in task["args"]]
        assert len(of_scan) == SYMBOLS
        assert {task["state"] for task in of_scan} == {"SUCCESS"}
        refused = requests.post(f"{url}/api/worker/shutdown/x", auth=login, timeout=10)
        assert refused.status_code == 403

    def test_the_control_worker_logs_the_perf_line(self, market):
        """The log has the line with the time a symbol, and the stages as fields of their own."""
        log = (Path(market[0]["SCANNER_HOME"]) / "logs/control.log").read_text()
        lines = [line for line in log.splitlines() if "[SCAN PERF]" in line]
        assert f"symbol engine: {SYMBOLS} symbols via celery(4x5) in " in lines[0]
        assert '"aggregate": ' in lines[0]

    def test_why_explains_a_rank_and_an_absence(self, market):
        """`scan why` tells a row's contributions, and an absent symbol's reason."""
        env, _, _, warm = market
        best = scan_json("show", warm["id"], "--json", "--top", "1", env=env)["rows"][0]["symbol"]
        story = scan_json("why", best, "--json", env=env)
        points = [value for value in story["contributions"].values() if value is not None]
        assert sum(points) == pytest.approx(story["score"], abs=1e-4)
        rows = exported(env, warm["id"])
        listed = set(scan_json("show", warm["id"], "--json", "--top", "0", env=env)["hits"]["all"])
        assert listed == set(rows)

    def test_a_second_scan_of_a_running_universe_is_refused(self, market):
        """While a scan of a universe runs, another one gets exit code 4 and the id."""
        env = market[0] | {"SCANNER_BATCH_SIZE": "1"}
        first = scan("enqueue", env=env)
        second = scan("enqueue", env=env)
        assert first.returncode == 0
        assert second.returncode == 4
        assert first.stdout.strip() in second.stderr
        assert scan("cancel", first.stdout.strip(), env=env).returncode == 0


@pytest.mark.timeout(120)
def test_a_stack_leaves_nothing_behind(tmp_path):
    """`scan down` ends every process of the stack, and its files are its owner's alone."""
    env = environment(tmp_path / "home", simulator_symbols=20, schedule="off", profile="free")
    with stack_up(env) as stack:
        pids = [stack["pid"], *stack["processes"].values()]
        workers = [name for name in stack["processes"] if name.startswith("scan")]
        assert workers == ["scan1", "scan2"]
        assert all(alive(pid) for pid in pids)
        warm = scan_json("enqueue", "--wait", "--json", env=env)
        assert (warm["workers"], warm["threads_a_worker"]) == (2, 5)
        assert warm["threads"] <= 10
        for path in (tmp_path / "home").rglob("*"):
            if "valkey/" not in str(path):
                allowed = 0o700 if path.is_dir() else 0o600
                assert path.stat().st_mode & 0o777 == allowed, path
    assert [pid for pid in pids if alive(pid)] == []
