"""Bars for the tests of the indicators, made from seeds or read, and how numbers are compared."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from scanner.bars.block import FIELDS, BarBlock, BarSeries, FloatArray, stack
from scanner.indicators.patterns.catalogue import PATTERNS
from scanner.indicators.registry import DEFAULT_COLUMNS, INDICATORS, examples

#: Real bars, which are not part of the project: see `real_series`.
BARS_FILE = Path(
    os.environ.get(
        "SCANNER_TEST_BARS",
        Path(__file__).resolve().parents[4] / "shared" / "data" / "bars.parquet",
    )
)

#: One column for each output of the registry, with numbers small enough for a few bars.
SMALL_COLUMNS = (
    *("sma_3", "distance_sma_3", "ema_3", "wma_4"),
    *("macd_2_4", "macd_signal_2_4_3", "macd_diff_2_4_3"),
    *("adx_3", "plus_di_3", "minus_di_3"),
    *("vortex_plus_3", "vortex_minus_3", "vortex_diff_3"),
    *("trix_3", "mass_index_2_4", "cci_4", "cci_4_0.02", "dpo_5"),
    *("kst_1_2_3_4_2_3_2_3", "kst_signal_1_2_3_4_2_3_2_3_2", "kst_diff_1_2_3_4_2_3_2_3_2"),
    *("ichimoku_conversion_2", "ichimoku_base_3", "ichimoku_a_2_3", "ichimoku_b_5"),
    *("ichimoku_visual_a_2_3", "ichimoku_visual_b_3_5"),
    *("psar_0.05_0.3", "psar_up_0.05_0.3", "psar_down_0.05_0.3"),
    *("psar_up_turn_0.05_0.3", "psar_down_turn_0.05_0.3"),
    *("stc_2_4_3_2_2", "aroon_up_4", "aroon_down_4", "aroon_diff_4"),
    *("rsi_3", "stoch_rsi_3", "stoch_rsi_k_3_2", "stoch_rsi_d_3_2_2", "tsi_4_2"),
    *("uo_2_3_5", "uo_2_3_5_2_1.5_1.2", "stoch_4_2", "stoch_signal_4_2", "williams_r_4"),
    *("ao_2_5", "kama_3_2_6", "roc_2"),
    *("ppo_2_4", "ppo_signal_2_4_3", "ppo_diff_2_4_3"),
    *("pvo_2_4", "pvo_signal_2_4_3", "pvo_diff_2_4_3", "momentum_5_2"),
    *(f"bbands_{part}_4_2" for part in ("upper", "middle", "lower", "width", "percent")),
    *("bbands_above_4_1.5", "bbands_below_4_1.5"),
    *(f"keltner_{part}_3" for part in ("upper", "middle", "lower", "width", "percent")),
    *("keltner_above_3", "keltner_below_3"),
    *(f"keltner_atr_{part}_4_3_1.5" for part in ("upper", "middle", "lower", "width", "percent")),
    *("keltner_atr_above_4_3_1.5", "keltner_atr_below_4_3_1.5"),
    *(f"donchian_{part}_4" for part in ("upper", "middle", "lower", "width", "percent")),
    *("donchian_upper_4_2", "donchian_percent_3_1"),
    *("atr_3", "ulcer_3", "realized_volatility_4"),
    *("obv", "adi", "cmf_4", "force_index_3", "eom", "eom_sma_3", "vpt", "vwap_4", "mfi_3", "nvi"),
    *("relative_volume_3", "dollar_volume_3", "distance_high_4", "distance_low_4", "return_2"),
    *("daily_return", "daily_log_return", "cumulative_return"),
    *(*PATTERNS, "cdl_abandoned_baby_0.1", "cdl_dark_cloud_cover_0.2", "cdl_morning_star_1"),
)

#: Columns that hold the same numbers as one of `ta.add_all_ta_features`.
TA_COLUMNS = tuple(
    "_".join([output.stem, *(f"{number:g}" for number in numbers)])
    for indicator in INDICATORS.values()
    for output in indicator.outputs
    for numbers in output.ta
)

#: Columns of unusual numbers that show a deviation which usual ones seldom do.
ODD_COLUMNS = (
    *("dpo_1", "dpo_2", "trix_1", "pvo_2_1", "pvo_signal_2_1_2", "pvo_diff_2_1_2", "uo_1_1_1"),
    *(f"keltner_atr_{part}_3_10_2" for part in ("upper", "middle", "lower", "width", "percent")),
    *("stoch_2_2", "williams_r_2", "donchian_percent_2", "psar_0.5_0.2", "psar_up_0.5_0.2"),
    *("ichimoku_visual_b_26_9", "rsi_1", "atr_1", "mfi_1", "keltner_atr_upper_1_1_1"),
)

#: Every column that the tests look at with its usual numbers.
USUAL_COLUMNS = tuple(dict.fromkeys((*DEFAULT_COLUMNS, *TA_COLUMNS, *examples())))


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


def untraded_series(bars: int) -> BarSeries:
    """Return a random walk without volume in every third bar."""
    values = random_series(97, bars).values.copy()
    values[4, ::3] = 0.0
    return series_of("UNTRADED", values)


def spiked_series(bars: int) -> BarSeries:
    """Return a random walk of wildly unequal volumes, and of single shares from bar 60 to 100."""
    values = random_series(96, bars, level=1e7).values.copy()
    values[4] = np.random.default_rng(3).choice([0.0, 1.0, 750.0, 1e10], bars)
    values[4, 60:100] = np.arange(40) % 2 == 0
    return series_of("SPIKED", values)


def cents_series(seed: int, bars: int) -> BarSeries:
    """Return bars of a few cents, whose closes are on a band of a channel now and then.

    Where four of twenty closes are the dearer ones, each of these is on the upper Bollinger band:
    two deviations of 0.4 from the mean, which is at 0.2 of their distance from the cheaper ones.
    """
    rng = np.random.default_rng(seed)
    low = 3.0 + rng.integers(0, 4, bars) / 100.0
    high = low + rng.integers(0, 3, bars) / 100.0
    opened, close = (np.clip(low + rng.integers(0, 3, bars) / 100.0, low, high) for _ in range(2))
    prices = np.round(np.stack([opened, high, low, close]), 2)
    dearer = np.arange(bars) % 20 >= 16
    prices[:, 200:300] = np.where(dearer, 3.07, 3.01)[200:300]
    prices[:, 300:] = np.where(dearer, 3.02, 3.09)[300:]
    return series_of(f"CENTS{seed}", np.vstack([prices, 1000.0 + np.arange(bars)]))


def locked_series(bars: int) -> BarSeries:
    """Return bars without a range whose closes are outside of them, as bad data has it."""
    price = 10.0 + np.arange(bars) // 3 / 10.0
    prices = np.stack([price, price, price, price + np.arange(bars) % 2 / 10.0])
    return series_of("LOCKED", np.vstack([prices, np.full(bars, 100.0)]))


def halted_series(seed: int, bars: int) -> BarSeries:
    """Return a random walk that rests, without volume, from bar 40 to its end."""
    values = random_series(seed, bars).values.copy()
    values[:4, 40:] = values[3, 39]
    values[4, 40:] = 0.0
    return series_of(f"HALTED{seed}", values)


def synthetic_series() -> list[BarSeries]:
    """Return made series of many lengths, the odd ones among them."""
    lengths = (1, 2, 5, 13, 14, 15, 16, 19, 20, 21, 27, 28, 33, 34, 60, 199, 200, 253, 300, 420)
    ordinary = [random_series(seed, bars) for seed, bars in enumerate(lengths)]
    tiny, huge = random_series(50, 300, level=1e-4), random_series(51, 300, level=1e7)
    odd = [flat_series(7.3, 80), crashed_series(300), quiet_series(300)]
    odd += [untraded_series(120), spiked_series(120), cents_series(23, 400)]
    odd += [cents_series(24, 400), locked_series(120)]
    odd += [halted_series(80, 500), halted_series(94, 500)]
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


def same_bits(actual: FloatArray, expected: FloatArray) -> bool:
    """Return whether both hold NaN in the same places and the same bits in all others."""
    known = ~np.isnan(expected)
    return np.array_equal(~np.isnan(actual), known) and np.array_equal(
        actual[known].view(np.int64), expected[known].view(np.int64)
    )
