"""Values in extended precision: closes and parameters come in, each window on its own goes out.

Slow, and the judge where the rounding of `ta` is larger than what is compared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from scanner.bars.block import FloatArray
from scanner.indicators.indicator import Column
from scanner.indicators.reference import oracle
from scanner.indicators.registry import column
from scanner.indicators.volatility.realized_volatility import SESSIONS_A_YEAR

LongArray = npt.NDArray[np.longdouble]
Bands = tuple[npt.NDArray[Any], npt.NDArray[Any]]


def exact_moments(x: FloatArray, window: int, freedom: int) -> tuple[LongArray, LongArray]:
    """Return mean and deviation of each window on its own, in extended precision."""
    windows = np.lib.stride_tricks.sliding_window_view(x.astype(np.longdouble), window)
    mean = windows.mean(axis=-1)
    squares = ((windows - mean[:, None]) ** 2).sum(axis=-1)
    return mean, np.sqrt(squares / (window - freedom))


def exact_of(column: Column, close: FloatArray) -> FloatArray | None:
    """Return a column in extended precision where its formula has a standard deviation."""
    name = column.indicator.name
    if name == "bbands":
        params = column.params
        return exact_bands(close, params.window, params.deviations).get(column.stem)
    if name == "realized_volatility":
        return exact_volatility(close, column.params.window)
    return None


def exact_volatility(close: FloatArray, window: int) -> FloatArray:
    """Return the realized volatility, each window in extended precision."""
    out = np.full(close.shape, np.nan)
    if len(close) > window:
        _, deviation = exact_moments(np.diff(np.log(close)), window, 1)
        out[window:] = deviation * np.sqrt(float(SESSIONS_A_YEAR))
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


def _keltner_bands(values: FloatArray, params: Any) -> Bands:
    high, low, close = values[1:4].astype(np.longdouble)
    lower, upper = np.full((2, len(close)), np.nan, dtype=np.longdouble)
    if len(close) >= params.window:
        middle, half = (
            exact_moments(x, params.window, 0)[0] for x in ((high + low + close) / 3.0, high - low)
        )
        lower[params.window - 1 :], upper[params.window - 1 :] = middle - half, middle + half
    return lower, upper


def _bollinger_bands(values: FloatArray, params: Any) -> Bands:
    bands = exact_bands(values[3], params.window, params.deviations)
    return bands["bbands_lower"], bands["bbands_upper"]


def _average_true_range_bands(values: FloatArray, params: Any) -> Bands:
    numbers = f"{params.window}_{params.window_atr}_{params.multiplier:g}"
    names = [f"keltner_atr_{part}_{numbers}" for part in ("lower", "upper")]
    bands = oracle(values, [column(name) for name in names])
    return bands[names[0]], bands[names[1]]


#: Indicator -> lower and upper band, (bars,) each; in extended precision where they are windows.
BANDS: Final[dict[str, Callable[[FloatArray, Any], Bands]]] = {
    "keltner": _keltner_bands,
    "keltner_atr": _average_true_range_bands,
    "bbands": _bollinger_bands,
}
