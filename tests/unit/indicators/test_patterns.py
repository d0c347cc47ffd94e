"""Candlestick patterns: each is what TA-Lib makes of a symbol's own bars, and missing before."""

from __future__ import annotations

import functools
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import talib
from indicator_samples import BARS_FILE, real_series, rows_of, same_bits, series_of
from talib import abstract

from scanner.bars.block import BarSeries, stack
from scanner.errors import ConfigError
from scanner.indicators.compute import compute
from scanner.indicators.patterns import INDICATORS, recognition
from scanner.indicators.patterns.catalogue import PATTERNS, Fixed
from scanner.indicators.reference import TaEngine
from scanner.indicators.registry import column, examples

#: Symbols and bars of the made market, in which every pattern occurs.
SYMBOLS, BARS = 96, 4000
#: Columns with a penetration of their own.
PENETRATED = (
    *("cdl_abandoned_baby_0.05", "cdl_dark_cloud_cover_0.2", "cdl_evening_doji_star_0.6"),
    *("cdl_evening_star_0.1", "cdl_mat_hold_0.9", "cdl_morning_doji_star_0.15"),
    *("cdl_morning_star_0.75", "cdl_morning_star_1"),
)


@functools.cache
def steps():
    """Return (4, symbols, bars) whole steps: runs of bodies from none to long, gaps and shadows.

    A tenth of the bodies is nothing, so that dojis and equal prices occur as well. A mat hold is
    so seldom that some are put in.
    """
    rng = np.random.default_rng(4)
    shape = (SYMBOLS, BARS)
    begins = np.where(rng.random(shape) < 0.6, 0, np.arange(BARS))
    runs = np.maximum.accumulate(begins, axis=1)
    falling = np.take_along_axis(rng.random(shape) < 0.5, runs, axis=1)
    body = rng.choice([0, 1, 2, 3, 6, 12, 24], shape, p=[0.1, 0.1, 0.15, 0.15, 0.2, 0.2, 0.1])
    body *= np.where(falling, -1, 1)
    gap = rng.integers(-8, 9, shape) * (rng.random(shape) < 0.7)
    above, below = rng.choice([0, 1, 2, 6, 16], (2, *shape), p=[0.5, 0.15, 0.15, 0.1, 0.1])
    held = (slice(None, None, 5), slice(1000, 1005))
    body[held], gap[held], above[held], below[held] = (24, -3, -3, -3, 24), (0, 6, -1, -1, 1), 0, 0
    close = 20_000 + np.cumsum(gap + body, axis=1)
    opened = close - body
    high, low = np.maximum(opened, close) + above, np.minimum(opened, close) - below
    return np.stack([opened, high, low, close])


def market(steps_in_a_unit):
    """Return the made market as series of unequal lengths, some too short for any pattern."""
    prices = steps() / steps_in_a_unit
    values = np.concatenate([prices, np.full((1, SYMBOLS, BARS), 1000.0)])
    starts = np.zeros(SYMBOLS, dtype=int)
    starts[:16] = BARS - np.array([0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 14, 15, 16, 100, 1000])
    return [
        series_of(f"M{row}", values[:, row, start:]) for row, start in enumerate(starts.tolist())
    ]


@functools.cache
def cents():
    """Return the made market in cents."""
    return stack(market(100))


@functools.cache
def found():
    """Return every column of patterns for the made market in cents."""
    return compute(cents(), (*PATTERNS, *PENETRATED))


@functools.cache
def lookback(function):
    """Return the bars that TA-Lib itself says a function needs before the first it judges."""
    return abstract.Function(function).lookback


def expected(name, values):
    """Return what TA-Lib itself says of one symbol's bars, (5, bars), NaN for its warm-up."""
    asked = column(name)
    function = PATTERNS[asked.indicator.name].function
    signal = getattr(talib, function)(*values[:4], **asked.parameters).astype(float)
    signal[: lookback(function)] = np.nan
    return signal


def assert_as_talib(block, columns):
    """Fail where a column is not what TA-Lib says of a symbol."""
    for name, array in columns.items():
        for row, numbers in enumerate(rows_of(block, array)):
            start = array.shape[1] - numbers.size
            own = np.ascontiguousarray(block.values[:, row, start:])
            assert same_bits(numbers, expected(name, own)), (name, block.symbols[row])


def words(text):
    """Return the words of a name of TA-Lib, digits spelt out."""
    return set(re.findall("[a-z]+", text.lower().replace("3", "three").replace("2", "two")))


def test_the_patterns_are_those_of_talib():
    """TA-Lib's own list has 61 functions, and each has one column."""
    functions = talib.get_function_groups()["Pattern Recognition"]
    assert [pattern.function for pattern in PATTERNS.values()] == functions
    assert len(set(functions)) == 61
    assert set(INDICATORS) == set(PATTERNS) <= set(examples())


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_is_described_as_in_talib(name):
    """Name, lookback and penetration are those of TA-Lib's function."""
    pattern, one = PATTERNS[name], column(name)
    theirs = abstract.Function(pattern.function)
    shown = words(theirs.info["display_name"])
    assert set(name.split("_")[1:]) <= shown or name == "cdl_kicking_by_length"
    assert (pattern.lookback, one.parameters) == (theirs.lookback, dict(theirs.parameters))
    assert (pattern.params is Fixed) == (not theirs.parameters)
    assert (one.bars, str(one.memory)) == (theirs.lookback + 1, f"window({theirs.lookback + 1})")
    assert pattern.function in one.formula


def test_a_penetration_may_follow_the_name():
    """Without a number it is TA-Lib's own, which the name leaves out; other patterns have none."""
    assert column("cdl_morning_star").parameters == {"penetration": 0.3}
    assert column("cdl_dark_cloud_cover").parameters == {"penetration": 0.5}
    assert column("cdl_morning_star_0.5").parameters == {"penetration": 0.5}
    with pytest.raises(ConfigError, match="say cdl_morning_star"):
        column("cdl_morning_star_0.3")
    with pytest.raises(ConfigError, match="expected no numbers and perhaps penetration, got 2"):
        column("cdl_morning_star_0.3_1")
    with pytest.raises(ConfigError, match="expected no numbers, got 1"):
        column("cdl_doji_0.1")
    with pytest.raises(ConfigError, match="nearest known: cdl_three_black_crows"):
        column("cdl_3_black_crows")


@pytest.mark.parametrize("name", [*PATTERNS, *PENETRATED])
def test_made_bars_hold_each_pattern_and_are_judged_as_by_talib(name):
    """Every pattern occurs, its signals are numbers of its unit, and the same as TA-Lib's."""
    array = found()[name]
    seen = set(np.unique(array[~np.isnan(array)]).astype(int).tolist())
    unit = {int(number) for number in re.findall(r"-?\d+", column(name).unit)}
    assert 0 in seen
    assert len(seen) >= 2
    assert seen <= unit
    assert len(unit) == 3 or seen == unit
    assert_as_talib(cents(), {name: array})


@pytest.mark.parametrize("name", PENETRATED)
def test_a_penetration_changes_what_is_a_pattern(name):
    """The number in the name reaches TA-Lib."""
    assert not same_bits(found()[name], found()[column(name).indicator.name])


def test_real_bars_are_judged_as_by_talib():
    """On every real symbol the columns are those of TA-Lib."""
    if not BARS_FILE.exists():
        pytest.skip("no file of real bars; SCANNER_TEST_BARS names one")
    block = stack(real_series())
    assert_as_talib(block, compute(block, tuple(PATTERNS)))


def test_the_reference_engine_agrees():
    """TA-Lib's abstract functions give the same, and warm-up is NaN in both."""
    names = (*PATTERNS, *PENETRATED)
    block = stack([one.between(0, 300) for one in market(100)[::7]])
    ours, theirs = compute(block, names), TaEngine().compute(block, names)
    assert all(same_bits(ours[name], theirs[name]) for name in names)


@functools.cache
def exact():
    """Return the made market with prices, totals and averages that need no rounding."""
    return stack(market(64)[16:])


def windows(name):
    """Return signals and, for each, a block's row of just the bars that the column remembers.

    Up to 100 bars with a signal, and 3,000 that come by chance.
    """
    bars = column(name).memory.bars
    signal = compute(exact(), [name])[name]
    rng = np.random.default_rng(8)
    judged = ~np.isnan(signal)
    some = rng.permutation(np.argwhere(judged & (signal != 0.0)))[:100]
    chance = rng.choice(np.argwhere(judged), 3000)
    chosen = np.concatenate([some, chance])
    alone = [_last_bars(row, end, bars) for row, end in chosen.tolist()]
    return signal[tuple(chosen.T)], stack(alone)


def _last_bars(row, end, bars):
    kept = slice(end - bars + 1, end + 1)
    block = exact()
    return BarSeries(
        symbol="ALONE", sessions=block.sessions[row, kept], values=block.values[:, row, kept]
    )


@pytest.mark.parametrize("name", [*PATTERNS, *PENETRATED])
def test_a_signal_is_that_of_the_remembered_bars(name):
    """The bars of a column's memory alone give the same signal, where there is one and where not.

    Hikkakes too, which TA-Lib remembers until they are confirmed.
    """
    signal, alone = windows(name)
    assert (signal != 0.0).any()
    assert same_bits(compute(alone, [name])[name][:, -1], signal)


def test_flat_bars_are_dojis_and_nothing_else():
    """Where no price moves a body is as small as can be."""
    values = np.full((5, 40), 7.3)
    columns = compute(stack([series_of("FLAT", values)]), tuple(PATTERNS))
    assert {name for name, array in columns.items() if array[0, -1]} == {"cdl_doji"}
    assert columns["cdl_doji"][0, -1] == 100.0


def test_blocks_without_bars_are_no_error():
    """No symbols, symbols without bars, and symbols that are all too short."""
    for lengths in ((), (0,), (0, 0), (0, 1), (2, 1, 0), (3, 0, 15)):
        block = stack([series_of("S", np.full((5, bars), 2.0)) for bars in lengths])
        for name, array in compute(block, tuple(PATTERNS)).items():
            assert array.shape == block.close.shape
            known = [max(bars - PATTERNS[name].lookback, 0) for bars in lengths]
            assert (~np.isnan(array)).sum(axis=1).tolist() == known


def test_threads_get_what_one_alone_gets():
    """TA-Lib is called without Python's lock, and threads do not disturb each other."""
    names = (*PATTERNS, *PENETRATED)
    blocks = [stack(market(units)[rows::8]) for units in (64, 100) for rows in range(4)]
    serial = [compute(block, names) for block in blocks]
    with ThreadPoolExecutor(8) as pool:
        threaded = list(pool.map(lambda block: compute(block, names), blocks * 3))
    for got, wanted in zip(threaded, serial * 3, strict=True):
        assert all(same_bits(got[name], wanted[name]) for name in names)


def test_without_talib_only_the_patterns_are_refused(monkeypatch):
    """The error says what is missing and what to do; other columns need no TA-Lib."""

    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}")

    block = stack(market(100)[:3])
    recognition.library.cache_clear()
    monkeypatch.setattr(recognition, "import_module", missing)
    with pytest.raises(ConfigError, match=r"No module named 'talib'.*pip install TA-Lib"):
        compute(block, ["cdl_doji"])
    assert set(compute(block, ["sma_20"])) == {"sma_20"}
