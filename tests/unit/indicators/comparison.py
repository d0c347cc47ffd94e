"""Which deviation explains where two engines differ, and exact values to judge both by."""

from __future__ import annotations

import numpy as np

from scanner.bars.block import BarSeries, FloatArray
from scanner.indicators.deviations import DEVIATIONS
from scanner.indicators.indicator import Column
from scanner.indicators.reference import oracle
from scanner.indicators.reference.compare import TOLERANCE, differs, scale_of

__all__ = ["TOLERANCE", "differs", "exact_of", "scale_of", "unexplained"]


def _warming(column, series, ours, _theirs):
    return np.isnan(ours) & (np.arange(len(series)) < column.bars - 1)


def _still(column, series, ours, _theirs):
    """Return where closes, prices or ranges rest in one of the windows that a value needs."""
    high, low, close = series.values[1:4]
    moving = (close, high + low + close, (high > low).cumsum())
    flat = np.any([_flat(x, column.params.window) for x in moving], axis=0)
    within = np.convolve(flat, np.ones(column.bars))[: len(flat)] > 0
    return np.isnan(ours) & within


def _flat(x, window):
    flat = np.zeros(x.shape, dtype=bool)
    for bar in range(window - 1, len(x)):
        flat[bar] = np.ptp(x[bar - window + 1 : bar + 1]) == 0.0
    return flat


def _exact(column, series, ours, _theirs):
    """Return where ours is the value in extended precision."""
    return ~differs(column, series.values[3], ours, exact_of(column, series.values[3]))


def _windows_alone(column, series, ours, theirs):
    """Return where ours is what the oracle says of the window's bars and no others."""
    close = series.values[3]
    found = np.zeros(len(series), dtype=bool)
    for bar in np.flatnonzero(differs(column, close, ours, theirs)):
        known = slice(max(bar + 1 - column.memory.bars, 0), bar + 1)
        alone = oracle(series.values[:, known], [column])[column.name]
        found[bar] = not differs(column, close[known], ours[known], alone)[-1]
    return found


def _on_the_band(column, series, ours, _theirs):
    """Return where the close is within rounding of a band."""
    close = series.values[3]
    bands = _BANDS[column.indicator.name](series.values, column.params)
    return (ours == 0.0) & np.any([np.abs(close - one) <= 1e-11 * close for one in bands], axis=0)


def _keltner_bands(values, params):
    high, low, close = values[1:4].astype(np.longdouble)
    middle, half = (
        exact_moments(x, params.window, 0)[0] for x in ((high + low + close) / 3.0, high - low)
    )
    pad = np.full(len(close) - len(middle), np.nan)
    return [np.concatenate([pad, band]) for band in (middle - half, middle + half)]


def _bollinger_bands(values, params):
    bands = exact_bands(values[3], params.window, params.deviations)
    return bands["bbands_upper"], bands["bbands_lower"]


_BANDS = {"keltner": _keltner_bands, "bbands": _bollinger_bands}

#: Kind of a deviation -> where it explains a difference.
EXPLAINED = {
    "warm-up zeros": lambda *sides: _warming(*sides) & (sides[3] == 0.0),
    "partial windows": _warming,
    "first closes": lambda *sides: _warming(*sides) & (sides[3] == sides[1].values[3]),
    "look-ahead": _warming,
    "rolling std rounding": _exact,
    "rolling sum rounding": _windows_alone,
    "flat window": _still,
    "on the band": _on_the_band,
    "zero denominator": lambda *sides: np.isnan(sides[2]) & np.isinf(sides[3]),
}


def unexplained(
    column: Column,
    series: BarSeries,
    ours: FloatArray,
    theirs: FloatArray,
    seen: set[tuple[str, str]],
) -> np.ndarray:
    """Return at which bars `ours` differs from `theirs` and no listed deviation says why.

    `seen` takes up (stem, kind) of each deviation that was met.
    """
    stem = column.stem
    left = differs(column, series.values[3], ours, theirs)
    for kind in DEVIATIONS.get(stem, ()):
        if not left.any():
            break
        explained = left & EXPLAINED[kind](column, series, ours, theirs)
        if explained.any():
            seen.add((stem, kind))
        left &= ~explained
    return np.flatnonzero(left)


def exact_moments(x: FloatArray, window: int, freedom: int) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and deviation of each window on its own, in extended precision."""
    windows = np.lib.stride_tricks.sliding_window_view(x.astype(np.longdouble), window)
    mean = windows.mean(axis=-1)
    squares = ((windows - mean[:, None]) ** 2).sum(axis=-1)
    return mean, np.sqrt(squares / (window - freedom))


def exact_of(column: Column, close: FloatArray) -> FloatArray | None:
    """Return a column in extended precision where its formula has a standard deviation."""
    name = column.indicator.name
    if name == "bbands":
        return exact_bands(close, **column.parameters).get(column.stem)
    return exact_volatility(close, **column.parameters) if name == "realized_volatility" else None


def exact_volatility(close: FloatArray, window: int) -> FloatArray:
    """Return the realized volatility, each window in extended precision."""
    out = np.full(close.shape, np.nan)
    if len(close) > window:
        _, deviation = exact_moments(np.diff(np.log(close)), window, 1)
        out[window:] = deviation * np.sqrt(252.0)
    return out


def exact_bands(close: FloatArray, window: int, deviations: float) -> dict[str, FloatArray]:
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
