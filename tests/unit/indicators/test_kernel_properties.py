"""What holds for every column of the registry, whatever it computes."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest
from indicator_samples import (
    ODD_COLUMNS,
    SMALL_COLUMNS,
    USUAL_COLUMNS,
    flat_series,
    part_of,
    random_series,
    rows_of,
    same_bits,
    series_of,
    synthetic_series,
    unequal_block,
)

from scanner.bars.block import stack
from scanner.indicators.compute import KernelEngine, compute
from scanner.indicators.registry import column
from scanner.indicators.volatility.bbands import BBANDS, Bbands

EVERY_COLUMN = tuple(dict.fromkeys((*USUAL_COLUMNS, *SMALL_COLUMNS, *ODD_COLUMNS)))

#: Columns that may be missing by definition: the stop's other side, a place in a range of 0 width.
MAY_BE_UNKNOWN = ("psar_up_0", "psar_down_0", "stc_", "stoch_rsi_")


@pytest.fixture(scope="module")
def block():
    """Symbols of unequal lengths."""
    return unequal_block()


@pytest.fixture(scope="module")
def whole(block):
    """Every column of the block."""
    return compute(block, EVERY_COLUMN)


@pytest.fixture(scope="module")
def earlier(block):
    """Every column as it was after so many bars."""
    rows = range(len(block.symbols))
    return {bars: compute(part_of(block, rows, bars), EVERY_COLUMN) for bars in (0, 1, 150, 299)}


@pytest.fixture(scope="module")
def alone(block):
    """Every column of each symbol in a block of its own."""
    width = block.close.shape[1]
    rows = range(len(block.symbols))
    return [compute(part_of(block, [row], width), EVERY_COLUMN) for row in rows]


@pytest.fixture(scope="module")
def trimmed(block):
    """Short symbols in a block that is no wider than they are: rows, block, every column."""
    rows = [row for row, count in enumerate(block.counts) if count < 100]
    series = part_of(block, rows, block.close.shape[1])
    return rows, series, compute(series, EVERY_COLUMN)


@pytest.mark.parametrize("name", EVERY_COLUMN)
def test_shape_and_layout_are_kept(block, whole, name):
    """A column has a number for each symbol and bar, in the block's order in memory."""
    assert whole[name].shape == block.close.shape
    assert whole[name].dtype == np.float64
    assert whole[name].flags.f_contiguous
    assert not np.shares_memory(whole[name], block.values)


@pytest.mark.parametrize("name", EVERY_COLUMN)
def test_later_bars_change_nothing(whole, earlier, name):
    """The numbers of a bar are the same bits before the bars after it are known."""
    for bars, columns in earlier.items():
        known = columns[name]
        skipped = bars - known.shape[1]
        assert np.isnan(whole[name][:, :skipped]).all()
        assert same_bits(known, whole[name][:, skipped:bars])


@pytest.mark.parametrize("name", EVERY_COLUMN)
def test_other_symbols_change_nothing(block, whole, alone, trimmed, name):
    """A symbol's numbers are the same bits alone, among others and after more padding."""
    rows = rows_of(block, whole[name])
    for row, columns in enumerate(alone):
        assert same_bits(columns[name][0], rows[row])
    chosen, narrow, columns = trimmed
    for row, numbers in zip(chosen, rows_of(narrow, columns[name]), strict=True):
        assert same_bits(numbers, rows[row])


@pytest.mark.parametrize("name", EVERY_COLUMN)
def test_first_value_is_at_the_bar_that_the_registry_names(name):
    """On ordinary bars there is no value before `bars` bars, and one at each bar from there."""
    bars = column(name).bars
    long = compute(stack([random_series(seed, bars + 40) for seed in range(7, 19)]), [name])[name]
    assert np.isnan(long[:, : bars - 1]).all()
    if name.startswith(MAY_BE_UNKNOWN):
        assert np.isfinite(long[:, bars - 1]).any()
        return
    assert np.isfinite(long[:, bars - 1 :]).all()
    exact = stack([random_series(7, bars), random_series(8, bars - 1)])
    short = compute(exact, [name])[name]
    assert np.isfinite(short[0, -1])
    assert np.isnan(short[1]).all()


def test_one_side_of_the_stop_is_missing_at_each_bar(whole, block):
    """A stop is below a rise or above a fall, never both, and a turn begins the other side."""
    up, down, stop = (whole[f"psar{part}_0.02_0.2"] for part in ("_up", "_down", ""))
    known = ~np.isnan(stop)
    np.testing.assert_array_equal(np.isnan(up) != np.isnan(down), known)
    np.testing.assert_array_equal(np.where(np.isnan(up), down, up), stop)
    begins = whole["psar_up_turn_0.02_0.2"] == 1.0
    later = known & (np.arange(stop.shape[1]) >= stop.shape[1] - block.counts[:, None] + 3)
    turned = np.isnan(up[:, :-1]) & ~np.isnan(up[:, 1:])
    np.testing.assert_array_equal(begins[:, 1:][later[:, 1:]], turned[later[:, 1:]])


def test_padding_never_holds_a_value(block, whole):
    """Nothing is computed before a symbol's first bar."""
    missing = np.isnan(block.close)
    assert all(np.isnan(array[missing]).all() for array in whole.values())


def test_nothing_is_infinite(whole):
    """A division by zero ends as a number or as NaN, never as infinity."""
    odd = compute(stack(synthetic_series()), EVERY_COLUMN)
    for columns in (whole, odd):
        assert [name for name, array in columns.items() if np.isinf(array).any()] == []


@pytest.mark.parametrize("name", ["stoch_14_3", "stoch_signal_14_3", "williams_r_14"])
def test_a_close_outside_a_flat_range_has_no_place_in_it(name):
    """Bars whose close is above a high that equals the low give NaN, not infinity."""
    values = flat_series(10.0, 30).values
    values[3] = 11.0
    (array,) = compute(stack([series_of("ODD", values)]), [name]).values()
    assert np.isnan(array).all()


def test_the_block_is_not_changed(block):
    """Kernels only read the bars."""
    before = block.values.copy()
    compute(block, EVERY_COLUMN)
    np.testing.assert_array_equal(block.values, before)


def test_an_empty_block_gives_empty_columns():
    """No symbols, no numbers, no error."""
    assert all(array.shape == (0, 0) for array in compute(stack([]), EVERY_COLUMN).values())


def test_columns_come_in_the_order_of_the_request(block):
    """The result names what was asked for, in that order, once each."""
    names = ["obv", "rsi_14", "obv", "macd_12_26"]
    engine = KernelEngine()
    assert list(engine.compute(block, names)) == ["obv", "rsi_14", "macd_12_26"]
    assert engine.name == "kernels"


def test_columns_of_one_indicator_share_one_run(block, monkeypatch):
    """Columns of the same indicator and parameters come out of one run of its kernel."""
    runs = []

    def counted(bars, params):
        runs.append(params)
        return BBANDS.kernel(bars, params)

    spied = dataclasses.replace(BBANDS, kernel=counted)
    monkeypatch.setattr(
        "scanner.indicators.compute.column",
        lambda name: dataclasses.replace(column(name), indicator=spied),
    )
    compute(block, ["bbands_upper_20_2", "bbands_lower_20_2", "bbands_upper_20_3"])
    assert runs == [Bbands(window=20, deviations=2.0), Bbands(window=20, deviations=3.0)]


def test_kernels_load_neither_pandas_nor_ta():
    """The kernels start without the reference engine and its libraries, and without TA-Lib."""
    code = (
        "import sys, scanner.indicators.compute;"
        "absent = {'pandas', 'polars', 'ta', 'talib', 'scanner.indicators.reference'};"
        "print(sorted(absent & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "[]"
