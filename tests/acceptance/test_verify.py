"""`scan verify`: three engines side by side, on files, on the simulator, with a planted mistake."""

from __future__ import annotations

import json

import pytest
from bars_builders import long_table, write_table
from stack_fixtures import REAL_BARS, environment, scan, scan_json

from scanner.indicators.reference import compare
from views.cli.verify import verify


@pytest.fixture
def env(tmp_path):
    """A home of its own, and some bars of files."""
    write_table(long_table(), tmp_path / "bars.csv")
    return environment(tmp_path / "home", data=tmp_path / "bars.csv")


def test_a_symbol_is_shown_by_three_engines_with_its_last_steps(env):
    """Values side by side, how a recursion got there, and a verdict."""
    done = scan("verify", "BRK.B", "--columns", "rsi_14,sma_5,obv,sma_200", "--steps", "2", env=env)
    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[0].startswith("BRK.B of files-")
    assert lines[0].endswith("27 bars of 1d up to 2025-07-09")
    assert lines[2] == "column kernels reference worst TA-Lib off notes"
    rsi, sma, obv, long = lines[3:7]
    assert rsi.startswith("rsi_14 ")
    assert rsi.endswith("warming, 27 of 188 bars")
    assert len(set(sma.split()[1:3])) == 1
    assert obv.endswith("TA-Lib has another convention")
    assert long == "sma_200 — — 0 — missing insufficient_history, 27 of 200 bars"
    assert any(line.startswith("rsi_14: each mean = before") for line in lines)
    assert [line.split()[0] for line in lines if line.startswith("2025-07-")].count(
        "2025-07-09"
    ) == 2
    assert lines[-1] == "3 columns compared: 3 equal; 1 without a value"


def test_a_symbol_as_json_holds_the_same(env):
    """For scripts."""
    shown = scan_json("verify", "AAA", "--json", "--columns", "rsi_14,psar_up_0.02_0.2", env=env)
    assert (shown["symbol"], shown["session"], shown["bars"]) == ("AAA", "2025-07-09", 28)
    rsi = shown["columns"]["rsi_14"]
    assert rsi["kernels"] == pytest.approx(rsi["ta"], rel=1e-12)
    assert rsi["ta_lib"] == pytest.approx(rsi["ta"], abs=20.0)
    assert (rsi["verdict"], rsi["standing"]) == ("equal", "warming")
    assert shown["columns"]["psar_up_0.02_0.2"]["ta_lib"] is None


def test_weeks_and_months_mark_the_bar_that_is_not_finished(env):
    """The ninth of July 2025 is a Wednesday."""
    options = ("--columns", "sma_3", "--json")
    week = scan_json("verify", "AAA", "--timeframe", "1w", *options, env=env)
    month = scan_json("verify", "AAA", "--timeframe", "1mo", *options, env=env)
    options = ("--as-of", "2025-06-27", *options)
    friday = scan_json("verify", "AAA", "--timeframe", "1w", *options, env=env)
    assert [(one["bars"], one["unfinished"]) for one in (week, month, friday)] == [
        (6, True),
        (2, True),
        (4, False),
    ]
    printed = scan("verify", "AAA", "--timeframe", "1w", "--columns", "sma_3", env=env).stdout
    assert "6 bars of 1w up to 2025-07-09, the last one unfinished" in printed


def test_a_sample_shows_the_worst_of_each_column(env):
    """All columns by default, none of them different without a listed reason."""
    shown = scan_json("verify", "--sample", "100", "--json", env=env)
    assert (shown["symbols"], shown["missing"]) == (8, 0)
    assert len(shown["columns"]) > 170
    verdicts = {one["verdict"] for one in shown["columns"].values()}
    assert {"equal", "no value"} <= verdicts <= {"equal", "listed", "no value"}
    printed = scan("verify", "--sample", "3", "--columns", "rsi_14,cci_20", env=env).stdout
    assert "3 symbols of files-" in printed
    assert "2 columns compared: 2 equal" in printed


@pytest.mark.skipif(not REAL_BARS.exists(), reason="no file of real bars; SCANNER_TEST_BARS")
def test_a_sample_of_real_bars_has_no_difference(tmp_path):
    """Short series, gaps and halts among them."""
    env = environment(tmp_path / "home", data=REAL_BARS)
    shown = scan_json("verify", "--sample", "25", "--json", env=env)
    assert shown["symbols"] + shown["missing"] == 25
    assert [n for n, one in shown["columns"].items() if one["verdict"] == "differs"] == []


def test_the_simulator_is_started_for_it_and_stopped(tmp_path):
    """Without a stack, and nothing is left running."""
    env = environment(tmp_path / "home", simulator_symbols=12)
    shown = scan_json("verify", "--sample", "4", "--columns", "rsi_14,atr_14", "--json", env=env)
    assert shown["source"].startswith("simulator-")
    assert shown["symbols"] + shown["missing"] == 4
    status = scan_json("status", "--json", env=env)
    assert status["stack"] == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "expected a symbol, as in `scan verify AAPL`, or --sample 100"),
        (("AAA", "--sample", "3"), "expected a symbol"),
        (("NOPE",), "NOPE: expected bars in"),
        (("a b",), "is not a symbol"),
        (("AAA", "--columns", " ,"), "--columns names no column"),
        (("AAA", "--as-of", "2020-01-01"), "asked for 2018-11-27 to 2020-01-01"),
        (("AAA", "--columns", "rsj_14"), "nearest known: rsi_14"),
        (("AAA", "--timeframe", "2w"), "2w"),
        (("AAA", "--as-of", "yesterday"), "expected a date"),
    ],
)
def test_a_mistake_ends_in_one_message(env, arguments, message):
    """Exit code 2 and no traceback."""
    done = scan("verify", *arguments, env=env)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["sma_5", "adx_6", "psar_0.02_0.2", "bbands_upper_5_2", "cci_5"])
def test_a_difference_that_is_not_listed_ends_in_1(env, monkeypatch, capsys, name):
    """Off by three billionths is a difference, also where a column is listed for other ones."""

    def off(block, names):
        made = honest(block, names)
        return {one: array * (1.0 + 3e-9 * (one == name)) for one, array in made.items()}

    honest = compare.compute
    for variable, value in env.items():
        monkeypatch.setenv(variable, value)
    arguments = ["AAA", "--columns", f"{name},sma_6", "--json"]
    assert verify.main(arguments, standalone_mode=False) == 0
    capsys.readouterr()
    monkeypatch.setattr(compare, "compute", off)
    assert verify.main(arguments, standalone_mode=False) == 1
    shown = json.loads(capsys.readouterr().out)["columns"]
    assert {one: shown[one]["verdict"] for one in shown} == {name: "differs", "sma_6": "equal"}
