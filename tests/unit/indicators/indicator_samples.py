"""Bars for the tests of the indicators, made from seeds or read, and how numbers are compared."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from scanner.bars.block import FIELDS, BarBlock, BarSeries, FloatArray, stack
from scanner.indicators.indicator import Column

#: Real bars, which are not part of the project: see `real_series`.
BARS_FILE = Path(
    os.environ.get(
        "SCANNER_TEST_BARS",
        Path(__file__).resolve().parents[4] / "shared" / "data" / "bars.parquet",
    )
)

#: Allowed difference, relative to the value or to the scale of its column.
TOLERANCE = 1e-9

#: One column for each output of the registry, with numbers small enough for a few bars.
SMALL_COLUMNS = (
    "sma_3",
    "distance_sma_3",
    "ema_3",
    "macd_2_4",
    "macd_signal_2_4_3",
    "macd_diff_2_4_3",
    "adx_3",
    "plus_di_3",
    "minus_di_3",
    "cci_4",
    "rsi_3",
    "stoch_4_2",
    "stoch_signal_4_2",
    "williams_r_4",
    "roc_2",
    "momentum_5_2",
    "bbands_upper_4_2",
    "bbands_middle_4_2",
    "bbands_lower_4_2",
    "bbands_width_4_2",
    "bbands_percent_4_2",
    "atr_3",
    "realized_volatility_4",
    "obv",
    "mfi_3",
    "relative_volume_3",
    "dollar_volume_3",
    "distance_high_4",
    "distance_low_4",
    "return_2",
)


def series_of(symbol: str, values: FloatArray) -> BarSeries:
    """Return the series of `values`, (5, bars), one bar a day."""
    return BarSeries(
        symbol=symbol, sessions=np.arange(values.shape[1], dtype=np.int32), values=values
    )


def random_series(seed: int, bars: int, *, level: float = 100.0) -> BarSeries:
    """Return ordinary bars: a random walk in cents with ranges, gaps and whole volumes."""
    rng = np.random.default_rng(seed)
    close = level * np.exp(np.cumsum(rng.normal(0.0, 0.02, bars)))
    opened = close * np.exp(rng.normal(0.0, 0.01, bars))
    high = np.maximum(opened, close) * (1.0 + rng.uniform(0.001, 0.02, bars))
    low = np.minimum(opened, close) * (1.0 - rng.uniform(0.001, 0.02, bars))
    prices = np.round(np.stack([opened, high, low, close]) / level, 4) * level
    volume = rng.integers(1_000, 1_000_000, bars).astype(np.float64)
    return series_of(f"R{seed}", np.vstack([prices, volume]))


def flat_series(price: float, bars: int) -> BarSeries:
    """Return bars without any move and without volume in every third."""
    volume = np.where(np.arange(bars) % 3 == 0, 0.0, 500.0)
    return series_of("FLAT", np.vstack([np.full((4, bars), price), volume]))


def crashed_series(bars: int) -> BarSeries:
    """Return a random walk that is worth a hundred-thousandth from bar 60 on."""
    one = random_series(99, bars, level=5000.0)
    values = one.values.copy()
    values[:4, 60:] *= 1e-5
    return series_of("CRASH", values)


def quiet_series(bars: int) -> BarSeries:
    """Return a random walk that rests, without volume, from bar 40 to bar 80."""
    values = random_series(98, bars).values.copy()
    values[:4, 40:80] = values[3, 39]
    values[4, 40:80] = 0.0
    return series_of("QUIET", values)


def synthetic_series() -> list[BarSeries]:
    """Return made series of many lengths, the odd ones among them."""
    lengths = (1, 2, 5, 13, 14, 15, 16, 19, 20, 21, 27, 28, 33, 34, 60, 199, 200, 253, 300, 420)
    ordinary = [random_series(seed, bars) for seed, bars in enumerate(lengths)]
    tiny, huge = random_series(50, 300, level=1e-4), random_series(51, 300, level=1e7)
    odd = [flat_series(7.3, 80), crashed_series(300), quiet_series(300)]
    return [*ordinary, tiny, huge, *odd]


def real_series() -> list[BarSeries]:
    """Return the symbols of BARS_FILE: columns symbol, date, open ... volume, sorted by both."""
    table = pq.read_table(BARS_FILE)
    symbols = table["symbol"].to_numpy(zero_copy_only=False)
    days = table["date"].to_numpy(zero_copy_only=False).astype("datetime64[D]").astype(np.int32)
    values = np.stack([table[field].to_numpy() for field in FIELDS])
    edges = [0, *(np.flatnonzero(symbols[1:] != symbols[:-1]) + 1).tolist(), len(symbols)]
    return [
        BarSeries(symbol=str(symbols[a]), sessions=days[a:b], values=values[:, a:b])
        for a, b in itertools.pairwise(edges)
    ]


def rows_of(block: BarBlock, array: FloatArray) -> list[FloatArray]:
    """Return each symbol's own numbers of `array`, (symbols, bars), without its padding."""
    width = array.shape[1]
    return [array[row, width - count :] for row, count in enumerate(block.counts.tolist())]


def unequal_block() -> BarBlock:
    """Return a block of unequal lengths, the longest of 300 bars."""
    lengths = (300, 1, 2, 13, 14, 20, 27, 28, 60, 200, 254, 300)
    ordinary = [random_series(seed, bars) for seed, bars in enumerate(lengths, start=200)]
    return stack([*ordinary, flat_series(7.3, 80), quiet_series(290)])


def part_of(block: BarBlock, rows: Sequence[int], bars: int) -> BarBlock:
    """Return the block of `rows` as it was when only its first `bars` bars were known."""
    width = block.close.shape[1]
    series = []
    for row in rows:
        known = max(int(block.counts[row]) - (width - bars), 0)
        start = bars - known
        series.append(
            BarSeries(
                symbol=block.symbols[row],
                sessions=block.sessions[row, start:bars],
                values=block.values[:, row, start:bars],
            )
        )
    return stack(series)


def scale_of(column: Column, close: FloatArray, expected: FloatArray) -> FloatArray:
    """Return what an error of `column` is measured against, for each bar of one symbol."""
    known = np.abs(expected[~np.isnan(expected)])
    own = known.max(initial=0.0)
    chosen = {"price": close, "oscillator": 100.0, "ratio": 1.0, "own": own}[column.scale]
    return np.broadcast_to(np.asarray(chosen, dtype=np.float64), close.shape)


def differs(
    column: Column, close: FloatArray, actual: FloatArray, expected: FloatArray
) -> np.ndarray:
    """Return where `actual` is not `expected` within TOLERANCE; NaN equals NaN only."""
    allowed = TOLERANCE * np.fmax(np.abs(expected), scale_of(column, close, expected))
    same = np.abs(actual - expected) <= allowed
    return ~(same | (np.isnan(actual) & np.isnan(expected)))


def same_bits(actual: FloatArray, expected: FloatArray) -> bool:
    """Return whether both hold NaN in the same places and the same bits in all others."""
    known = ~np.isnan(expected)
    return np.array_equal(~np.isnan(actual), known) and np.array_equal(
        actual[known].view(np.int64), expected[known].view(np.int64)
    )


def exact_moments(x: FloatArray, window: int, freedom: int) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and deviation of each window on its own, in extended precision."""
    windows = np.lib.stride_tricks.sliding_window_view(x.astype(np.longdouble), window)
    mean = windows.mean(axis=-1)
    squares = ((windows - mean[:, None]) ** 2).sum(axis=-1)
    return mean, np.sqrt(squares / (window - freedom))


def exact_bands(close: FloatArray, window: int, deviations: int) -> dict[str, FloatArray]:
    """Return the outputs of bbands by stem, each window in extended precision."""
    pad = np.full(min(window - 1, close.shape[0]), np.nan)
    if close.shape[0] < window:
        names = ("upper", "middle", "lower", "width", "percent")
        return {f"bbands_{name}": pad for name in names}
    mean, deviation = exact_moments(close, window, 0)
    half = deviations * deviation
    with np.errstate(invalid="ignore"):  # a flat window has no place between its bands
        place = (close[window - 1 :] - (mean - half)) / (2.0 * half)
    outputs = {
        "bbands_upper": mean + half,
        "bbands_middle": mean,
        "bbands_lower": mean - half,
        "bbands_width": 200.0 * half / mean,
        "bbands_percent": place,
    }
    return {
        stem: np.concatenate([pad, values.astype(np.float64)]) for stem, values in outputs.items()
    }
