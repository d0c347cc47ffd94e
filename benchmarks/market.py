"""Bars for the benchmarks: a seed comes in, a made market of any size goes out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scanner.bars.block import BarBlock, BarSeries, FloatArray, stack

#: Symbols of a block, as in a scan.
BLOCK = 256

#: Listed symbols of a whole market.
MARKET = 5_277


def bars(seed: int, symbols: int, sessions: int, *, cents: bool = True) -> FloatArray:
    """Return (5, symbols, sessions) bars: random walks with ranges, gaps and whole volumes.

    Prices are in cents unless `cents` is false: then no two of them are equal.
    """
    rng = np.random.default_rng(seed)
    shape = (symbols, sessions)
    level = np.exp(rng.normal(3.5, 1.0, (symbols, 1)))
    close = level * np.exp(np.cumsum(rng.normal(0.0, 0.02, shape), axis=1))
    opened = close * np.exp(rng.normal(0.0, 0.01, shape))
    high = np.maximum(opened, close) * (1.0 + rng.uniform(0.001, 0.02, shape))
    low = np.minimum(opened, close) * (1.0 - rng.uniform(0.001, 0.02, shape))
    prices = np.stack([opened, high, low, close])
    if cents:
        prices = np.maximum(np.round(prices, 2), 0.01)
    volume = rng.integers(1_000, 1_000_000, shape).astype(np.float64)
    return np.concatenate([prices, volume[np.newaxis]])


def series(values: FloatArray) -> list[BarSeries]:
    """Return one series for each symbol of `values`, (5, symbols, sessions)."""
    days = np.arange(values.shape[2], dtype=np.int32)
    return [
        BarSeries(symbol=f"S{row:05d}", sessions=days, values=np.ascontiguousarray(values[:, row]))
        for row in range(values.shape[1])
    ]


def blocks(symbols: int, sessions: int) -> Iterator[BarBlock]:
    """Yield a market of `symbols` block by block, so that only one is in memory."""
    for start in range(0, symbols, BLOCK):
        yield stack(series(bars(start, min(BLOCK, symbols - start), sessions)))
