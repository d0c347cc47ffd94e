"""The benchmarks run, compare like with like, and print numbers; how fast anything is they say."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import agreement, calls, market, rivals, timing
from benchmarks.__main__ import THEMES
from benchmarks.columns import TA_COLUMNS
from benchmarks.scan.sizes import QUICK as SCANS
from benchmarks.sizes import QUICK
from benchmarks.tables import Comparison
from scanner.indicators.reference.ta_lib import ta_lib
from scanner.indicators.registry import DEFAULT_COLUMNS, column, examples

ROOT = Path(__file__).parents[2]
#: Heads of columns of numbers.
NUMBERS = ("ratio", "seconds per 1,000 symbols")


def lines_of_tables(text):
    """Return the cells of each line of markdown tables by the heads of their columns."""
    found, heads = [], None
    for line in text.splitlines():
        if not line.startswith("| "):
            heads = None
        elif heads is None:
            heads = line.strip("| ").split(" | ")
        elif not line.startswith("| ---"):
            found.append(dict(zip(heads, line.strip("| ").split(" | "), strict=True)))
    return found


def quick_run(*themes):
    """Return the lines of the tables of a quick run, after a look at their numbers.

    Each ratio and each time for 1,000 symbols is a number, 0 or more: short runs are noisy.
    """
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *themes, "--quick", "--markdown"],
        cwd=ROOT,
        text=True,
        capture_output=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = lines_of_tables(done.stdout)
    numbers = [float(line[head]) for line in lines for head in NUMBERS if head in line]
    assert [number for number in numbers if not 0.0 <= number < math.inf] == []
    return lines


def test_a_quick_run_prints_numbers():
    """Every theme of one process has its table; `test_provider_faults.py` runs the other one."""
    lines = quick_run(*(name for name in THEMES if name not in {"scan", "faults"}))
    assert sum("ratio" in line for line in lines) >= 6
    assert sum(NUMBERS[1] in line for line in lines) == len(QUICK.markets)


def test_a_quick_run_scans_by_real_processes():
    """Each table of whole scans has its lines, and hourly scans ask as often as they should."""
    lines = quick_run("scan")
    beside = [line["beside"] for line in lines if "beside" in line]
    assert beside[:3] == [
        "0.8 floor + 1.3 chord",
        "floor: one process, no Celery",
        "chord of empty tasks",
    ]
    assert {"requests alone", "20 threads, requests and ta", "free, 150 days"} <= set(beside)
    assert "warm + request + 2 x reading" in beside
    assert sum("in all" in line for line in lines) == len(SCANS.markets)
    kept = [line["answered by the process"] for line in lines if "SCANNER_LOCAL_BARS" in line]
    assert kept == ["0%", "100%"]
    hourly = [line for line in lines if "scans" in line]
    assert [(line["fetch"], line["calls a symbol"]) for line in hourly[:2]] == [
        ("by symbol", "8"),
        ("by symbol", "2"),
    ]
    assert 0.0 < float(hourly[2]["calls a symbol"]) < 8.0


def test_the_columns_of_ta_are_all_of_them():
    """The promise of 86 columns is kept by as many names on both sides."""
    assert len(TA_COLUMNS) == len(set(TA_COLUMNS.values())) == 86


def test_no_column_that_ta_lib_has_is_left_out():
    """Both sets hold what TA-Lib computes of theirs, patterns and default returns apart."""
    values = market.bars(1, 1, 300)[:, 0]
    answered = {name for name in examples() if ta_lib(values, column(name)) is not None}
    patterns = {name for name in answered if name.startswith("cdl_")}
    returns = {name for name in DEFAULT_COLUMNS if name.startswith("return_")}
    default = {name for name in DEFAULT_COLUMNS if ta_lib(values, column(name)) is not None}
    assert {*calls.columns(calls.EVERY)} >= answered - patterns
    assert {*calls.columns(calls.DEFAULT)} == default - returns


def test_the_kernels_and_ta_lib_compute_the_same():
    """The benchmark's own look at the last values passes."""
    rivals.check(calls.EVERY)


def test_a_benchmark_of_different_numbers_stops():
    """Where more than a tenth of the symbols differ nothing is timed."""
    ours = np.ones(10)
    agreement.check("one symbol", ours, [*ours[1:], 2.0])
    with pytest.raises(agreement.Disagreement, match="two symbols: expected 90%"):
        agreement.check("two symbols", ours, [*ours[2:], 2.0, 3.0])


def test_contenders_take_turns():
    """Each has one warm-up, and then they follow one another."""
    order = []
    contenders = {"a": lambda: order.append("a"), "b": lambda: order.append("b")}
    median = timing.interleaved(contenders, QUICK)
    assert order == ["a", "b"] * (1 + QUICK.runs)
    assert list(median) == ["a", "b"]


@pytest.mark.parametrize(
    ("asked", "ratio", "met"),
    [
        ({"least": 2.0}, 3.0, "yes"),
        ({"least": 4.0}, 3.0, "NO"),
        ({"most": 2.0}, 1 / 3, "yes"),
        ({"most": 0.2}, 1 / 3, "NO"),
        ({}, 3.0, "-"),
    ],
)
def test_a_target_that_is_missed_is_said_plainly(asked, ratio, met):
    """The ratio is theirs to ours, or ours to theirs where ours may take some times as long."""
    row = Comparison(what="x", sessions=1, ours=1.0, beside="y", theirs=3.0, **asked)
    assert row.ratio == pytest.approx(ratio)
    assert row.met == met


def test_made_bars_are_bars():
    """Highs and lows enclose opens and closes, in cents or not."""
    for cents in (True, False):
        opened, high, low, close, volume = market.bars(1, 20, 50, cents=cents)
        assert (high >= np.maximum(opened, close)).all()
        assert (low <= np.minimum(opened, close)).all()
        assert (low > 0).all()
        assert (volume >= 1000).all()
    assert [len(block.symbols) for block in market.blocks(300, 10)] == [256, 44]
