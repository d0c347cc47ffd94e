"""The wiring: columns that settings ask for, and memory that a process keeps."""

from __future__ import annotations

import subprocess
import sys

import pytest

from scanner.bootstrap import lookback_days, named_columns, row_columns, screens_text
from scanner.errors import ConfigError
from scanner.indicators.registry import DEFAULT_COLUMNS, catalogue, column, examples
from scanner.rules.screens import one_screen
from scanner.settings import load_settings

#: Counts the pages that a second run of the same work has to get from the kernel.
FAULTS = """
import resource, sys
import numpy as np
from scanner.bars.block import BarSeries, stack
from scanner.freed_memory import keep_freed_memory
from scanner.indicators.compute import compute
from scanner.indicators.registry import examples

if sys.argv[1] == "keep":
    keep_freed_memory()
values = np.random.default_rng(1).uniform(10.0, 11.0, (5, 275))
one = BarSeries(symbol="A", sessions=np.arange(275, dtype=np.int32), values=values)
block = stack([one] * 256)
columns = [name for name in examples() if not name.startswith("cdl_")]
compute(block, columns)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
compute(block, columns)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_columns_are_the_default_ones_and_those_asked_for():
    """Once each, defaults first; `all` asks for one of every kind."""
    assert row_columns(load_settings()) == DEFAULT_COLUMNS
    asked = load_settings(columns=" sma_35, rsi_14 ,obv,")
    assert row_columns(asked) == (*DEFAULT_COLUMNS, "sma_35")
    every = row_columns(load_settings(columns="sma_35,all"))
    assert every[: len(DEFAULT_COLUMNS)] == DEFAULT_COLUMNS
    assert {"sma_35", *examples(), *(one.name for one in catalogue())} == {"sma_35", *every}
    assert len({column(name).ta for name in every} - {None}) == 86
    assert len(set(every)) == len(every)
    assert named_columns("rsi_14,rsi_14") == ("rsi_14",)


def test_a_column_that_is_none_is_refused():
    """With the nearest that exist, and all of them together."""
    with pytest.raises(ConfigError, match=r"SCANNER_COLUMNS: .*nearest known: rsi_14.*'foo'"):
        row_columns(load_settings(columns="sma_20,rsj_14,foo"))


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc")
def test_a_process_keeps_the_memory_of_freed_arrays():
    """Computing a block again asks the kernel for hardly any page."""
    faults = {
        how: int(
            subprocess.run(
                [sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True
            ).stdout
        )
        for how in ("keep", "leave")
    }
    assert faults["keep"] * 10 < faults["leave"]


def test_the_lookback_may_be_what_screens_and_columns_need():
    """With some days to spare for holidays in a row; a number stays what it is."""
    columns = lookback_days(load_settings(lookback_days="auto"), one_screen("where", "close > 1"))
    assert 346 * 365 / 252 < columns < 540  # ema(50) is settled after 346 bars
    rule = one_screen("where", "close > ago(400, close)")
    asked = lookback_days(load_settings(lookback_days="auto"), rule)
    assert 401 * 365 / 252 < asked < 620
    slow = one_screen("where", "ema(200) > 1")
    assert lookback_days(load_settings(lookback_days="auto"), slow) > 1_300 * 365 / 252
    assert lookback_days(load_settings(lookback_days=30), rule) == 30
    weeks = one_screen("where", 'tf("1mo", sma(1000) > 1)')
    assert lookback_days(load_settings(lookback_days="auto"), weeks) == 3_660


def test_screens_come_from_the_file_that_is_set(tmp_path):
    """And a file that cannot be read is named."""
    path = tmp_path / "mine.toml"
    path.write_text("\ufeff" + one_screen("mine", "close > 1"), encoding="utf-8")
    assert screens_text(load_settings(screens=path)) == one_screen("mine", "close > 1")
    with pytest.raises(ConfigError, match=r"SCANNER_SCREENS: cannot read .*gone.toml"):
        screens_text(load_settings(screens=tmp_path / "gone.toml"))
