"""What a user can get wrong: each ends in one clear message, and nothing else is lost."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest
import requests
from process_fixtures import free_port, running_simulator
from stack_fixtures import alive, environment, exported, scan, scan_json, stack_up, wait_for

pytestmark = pytest.mark.timeout(180)

HEADER = "symbol,date,open,high,low,close,volume\n"


def bars(symbol, count, *, price="10", first=0):
    """Return CSV lines of `count` sessions of January 2025 to the 31st."""
    days = range(31 - count - first + 1, 31 - first + 1)
    return "".join(f"{symbol},2025-01-{d:02},{price},11,9,10.5,1000\n" for d in days)


@pytest.fixture
def env(tmp_path):
    return environment(tmp_path / "home", profile="free", rate="unlimited", deadline=60)


def fails(done, code, *texts):
    """Check that a command failed with one message that says `texts`, and no traceback."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    for text in texts:
        assert text in done.stderr, done.stderr


class TestBeforeAnythingStarts:
    """Mistakes that are seen before a process is started."""

    def test_an_unknown_provider_is_named_with_those_that_exist(self, env):
        """SCANNER_PROVIDER=yahoo is refused with the three names, and so is the option."""
        fails(scan("run", env=env | {"SCANNER_PROVIDER": "yahoo"}), 2, "yahoo", "simulator")
        fails(scan("run", "--provider", "yahoo", env=env), 2, "yahoo", "simulator")

    def test_all_wrong_settings_are_reported_together(self, env):
        """Two wrong settings give one message that names both."""
        wrong = {"SCANNER_WORKERS": "0", "SCANNER_BATCH_SIZE": "many"}
        fails(scan("run", env=env | wrong), 2, "SCANNER_WORKERS", "SCANNER_BATCH_SIZE")

    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            ("missing.parquet", None, "missing.parquet"),
            ("cut.parquet", b"PAR1 this is not parquet", "cut.parquet"),
            ("empty.csv", b"", "empty.csv"),
            ("rows.csv", HEADER.encode(), "rows.csv"),
            ("columns.csv", b"symbol,date,open,close\nA,2025-01-02,1,2\n", "high"),
        ],
    )
    def test_data_that_cannot_be_read_is_named(self, env, tmp_path, name, content, said):
        """Missing, cut and empty files, and files without a column, are each named."""
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        fails(scan("run", "--data", str(path), env=env), 2, said)

    def test_an_empty_folder_of_data_is_named(self, env, tmp_path):
        """A folder without parquet or CSV files is no data."""
        (tmp_path / "bars").mkdir()
        fails(scan("run", "--data", str(tmp_path / "bars"), env=env), 2, "bars")

    def test_a_universe_that_is_neither_name_nor_file_is_refused(self, env, tmp_path):
        """A mistyped universe says which names exist; an empty file says that it lists none."""
        fails(scan("run", "--universe", "al", env=env), 2, "al", "common")
        (tmp_path / "none.txt").write_text("# nothing\n")
        fails(scan("run", "--universe", str(tmp_path / "none.txt"), env=env), 2, "no symbol")

    def test_the_real_provider_needs_a_key(self, env):
        """The public API is not called without a key; the message names the variable."""
        fails(scan("run", "--provider", "polygon", env=env), 2, "POLYGON_API_KEY")

    def test_redis_that_is_away_is_said_at_once(self, env):
        """Without a server at SCANNER_REDIS_URL commands end with 3 and say what to do."""
        away = env | {"SCANNER_REDIS_URL": f"redis://:secret-word@127.0.0.1:{free_port()}/0"}
        for command in (["run"], ["enqueue"], ["status"], ["show"]):
            done = scan(*command, env=away)
            fails(done, 3, "Redis does not answer", "scan up")
            assert "secret-word" not in done.stderr

    def test_a_report_that_is_not_there_says_how_to_get_one(self, env):
        """`scan show` before the first scan names the command that makes one."""
        fails(scan("show", env=env), 2, "scan run")


def test_a_bad_symbol_costs_only_itself(env, tmp_path):
    """Bad symbols and bad bars become absences with a reason each; the good ones are scored."""
    (tmp_path / "bars.csv").write_text(
        HEADER
        + bars("GOOD", 25)
        + bars("ONE", 1)
        + bars("OLD", 5, first=3)
        + bars("NEG", 5, price="-1")
        + bars("NAN", 5, price="nan")
        + bars("TWICE", 5)
        + bars("TWICE", 1)
        + "".join(reversed(bars("SHUFFLED", 25).splitlines(keepends=True)))
    )
    names = ["GOOD", "ONE", "OLD", "NEG", "NAN", "TWICE", "SHUFFLED", "UNKNOWN"]
    names += ["../etc", "A B", "A*", "[a-z]", "X" * 40]
    (tmp_path / "universe.txt").write_text("\n".join(names) + "\n")
    settings = ("--data", str(tmp_path / "bars.csv"), "--universe", str(tmp_path / "universe.txt"))
    report = scan_json("run", "--json", *settings, env=env)
    assert report["symbols"] == sum(report["ledger"].values()) == len(names)
    assert report["ledger"] == {
        "scored": 2,
        "error:BadBars": 3,
        "error:InvalidSymbol": 5,
        "insufficient_history": 1,
        "no_data:unknown_symbol": 1,
        "stale": 1,
    }
    rows = exported(env, report["id"])
    assert set(rows) == {"GOOD", "SHUFFLED"}
    assert rows["GOOD"]["sma_20"] == rows["SHUFFLED"]["sma_20"] == 10.5
    reasons = {n: scan_json("why", n, "--json", env=env)["reason"] for n in names if n not in rows}
    assert all(name in reasons[name] for name in names[1:6])
    assert "one bar a session" in reasons["TWICE"]
    assert "positive prices" in reasons["NEG"]
    assert "is not a symbol" in reasons["../etc"]


def test_a_refused_key_stops_the_scan_with_one_message(env, tmp_path):
    """With a wrong key the scan fails at once, says so once, and never shows the key."""
    options = ("--symbols", "50", "--key", "the-right-key")
    (tmp_path / "universe.txt").write_text("AAA\nBBB\nCCC\nDDD\nEEE\nFFF\n")
    with running_simulator(tmp_path, *options) as url:
        wrong = env | {
            "SCANNER_PROVIDER": "polygon",
            "SCANNER_POLYGON_URL": url,
            "POLYGON_API_KEY": "the-wrong-key",
        }
        for universe in ("all", str(tmp_path / "universe.txt")):
            done = scan("run", "--json", "--universe", universe, "--as-of", "2025-07-09", env=wrong)
            assert done.returncode in {1, 2}, done.stderr
            assert done.stderr.count("POLYGON_API_KEY") == 1
            if done.stdout:
                report = json.loads(done.stdout)
                assert report["state"] == "failed"
                assert sum(report["ledger"].values()) == report["symbols"] == 6
            assert "the-wrong-key" not in done.stderr + done.stdout
    logs = "".join(path.read_text() for path in (tmp_path / "home/logs").iterdir())
    assert "the-wrong-key" not in logs


def test_a_provider_that_is_down_is_named(env):
    """With nothing at the provider's address the scan fails with one message."""
    down = env | {
        "SCANNER_PROVIDER": "polygon",
        "SCANNER_POLYGON_URL": f"http://127.0.0.1:{free_port()}",
        "POLYGON_API_KEY": "any",
    }
    done = scan("run", "--as-of", "2025-07-09", env=down)
    assert done.returncode in {1, 2}
    assert "127.0.0.1" in done.stderr
    assert "Traceback" not in done.stderr


def test_symbols_that_the_provider_cannot_give_are_errors_of_their_own(env, tmp_path):
    """Each fault of the provider costs one symbol, typed; the others are scored."""
    kinds = ["status500", "cut", "malformed", "not_authorized", "null_results", "negative_bars"]
    with running_simulator(tmp_path, "--symbols", "12") as url:
        listed = symbols_of(url)
    faults = [
        part
        for kind, symbol in zip(kinds, listed, strict=False)
        for part in ("--fault", f"{kind}:{symbol}")
    ]
    with running_simulator(tmp_path, "--symbols", "12", *faults) as url:
        report = scan_json("run", "--json", env=env | {"SCANNER_SIMULATOR_URL": url})
    assert report["symbols"] == sum(report["ledger"].values()) == 12
    assert report["state"] == "degraded"
    assert report["ledger"]["error:ProviderUnavailable"] == 4
    assert report["ledger"]["error:NotEntitled"] == 1
    assert report["ledger"]["error:BadBars"] == 1


def symbols_of(url):
    """Return the symbols that a simulator lists."""
    answer = requests.get(f"{url}/v3/reference/tickers", params={"limit": 1000}, timeout=10)
    return [one["ticker"] for one in answer.json()["results"]]


def test_another_address_on_the_same_redis_sees_no_simulated_price(env, tmp_path):
    """Bars of one address never answer for another's, and the report says where they are from."""
    with running_simulator(tmp_path, "--symbols", "30") as url:
        first = scan_json("run", "--json", env=env | {"SCANNER_SIMULATOR_URL": url})
        simulated = exported(env, first["id"])
    other = {"SCANNER_PROVIDER": "polygon", "SCANNER_RATE": "unlimited", "POLYGON_API_KEY": "any"}
    with running_simulator(tmp_path, "--symbols", "30", "--seed", "8") as url:
        other["SCANNER_POLYGON_URL"] = url
        second = scan_json("run", "--json", "--as-of", "2025-07-09", env=env | other)
        real = exported(env, second["id"])
    assert first["simulated"] is True
    assert second["simulated"] is False
    assert first["source"] != second["source"]
    assert second["bars"].get("hit", 0) == 0
    common = set(simulated) & set(real)
    assert common
    assert all(simulated[symbol]["close"] != real[symbol]["close"] for symbol in common)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing_running(env, tmp_path, ending):
    """Ctrl-C in the middle of a run ends every process, and the next run starts at once."""
    slow = env | {"SCANNER_SIMULATOR_LATENCY": "0.5", "SCANNER_SIMULATOR_SYMBOLS": "400"}
    slow |= {"SCANNER_FETCH": "symbols"}
    with subprocess.Popen(
        [sys.executable, "-m", "views.cli.main", "run"],
        env=slow,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def running():
            stack = scan_json("status", "--json", env=slow)
            return stack if stack["scans"] and stack["scans"][0]["state"] == "running" else None

        written = tmp_path / "home/stack.json"
        wait_for(written.is_file, 60, "the start of the stack")
        status = wait_for(running, 60, "the start of the scan")
        process.send_signal(ending)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in said
    assert "Traceback" not in said
    assert [n for n, pid in status["stack"]["processes"].items() if alive(pid)] == []
    again = scan_json("run", "--json", env=env | {"SCANNER_SIMULATOR_SYMBOLS": "10"})
    assert again["state"] == "done"


def test_a_provider_that_is_down_for_every_symbol_fails_the_scan(env, tmp_path):
    """With a list of symbols and nothing at the address, no success is pretended."""
    (tmp_path / "universe.txt").write_text("AAA\nBBB\nA B\n")
    down = env | {
        "SCANNER_PROVIDER": "polygon",
        "SCANNER_POLYGON_URL": f"http://127.0.0.1:{free_port()}",
        "POLYGON_API_KEY": "any",
        "SCANNER_UNIVERSE": "universe.txt",
    }
    done = scan("run", "--json", "--as-of", "2025-07-09", env=down, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "no symbol has a row" in done.stderr
    report = json.loads(done.stdout)
    assert report["state"] == "failed"
    assert report["ledger"] == {
        "scored": 0,
        "error:InvalidSymbol": 1,
        "error:ProviderUnavailable": 2,
    }


def test_a_symbol_without_bars_in_the_lookback_says_so(env, tmp_path):
    """The provider answers and has nothing: the ledger tells that from an error."""
    (tmp_path / "bars.csv").write_text(
        HEADER + bars("GOOD", 25) + "GONE,2020-01-02,10,11,9,10.5,1000\n"
    )
    report = scan_json("run", "--json", "--data", str(tmp_path / "bars.csv"), env=env)
    assert report["ledger"] == {"scored": 1, "no_data:no_bars": 1}
    assert "no bars between" in scan_json("why", "GONE", "--json", env=env)["reason"]


def test_a_stack_that_is_up_refuses_what_it_cannot_follow(env, tmp_path):
    """Other data, engine or sizes than the stack's are refused; data that grew are read anew."""
    path = tmp_path / "bars.csv"
    path.write_text(HEADER + bars("GOOD", 25))
    with stack_up(env | {"SCANNER_DATA": str(path), "SCANNER_SCHEDULE": "off"}):
        fails(scan("run", env=env | {"SCANNER_ENGINE": "ta"}), 2, "SCANNER_ENGINE", "scan down")
        fails(scan("run", "--provider", "simulator", env=env), 2, "SCANNER_PROVIDER")
        first = scan_json("run", "--json", env=env)
        assert first["ledger"] == {"scored": 1}
        path.write_text(HEADER + bars("GOOD", 25) + bars("NEW", 25))
        (tmp_path / "mine.txt").write_text("NEW\n")
        again = scan_json("enqueue", "--wait", "--json", env=env)
        assert again["ledger"] == {"scored": 2}
        relative = scan("run", "--json", "--universe", "mine.txt", env=env, cwd=tmp_path)
        assert json.loads(relative.stdout)["hits"]["all"] == ["NEW"]


def test_doctor_says_that_redis_is_away(env):
    """The command for this very case ends with a list, not with a traceback."""
    done = scan("doctor", env=env | {"SCANNER_REDIS_URL": "redis://127.0.0.1:1/0"})
    assert done.returncode == 1
    assert "BAD  redis: Redis does not answer" in done.stdout
    assert "BAD  workers: cannot be asked" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
