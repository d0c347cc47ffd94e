"""A second opinion by TA-Lib: one symbol's bars and a column come in, TA-Lib's series goes out.

Charts and other programs often use TA-Lib. Where it disagrees with `ta`, whose definitions the
kernels follow, DISAGREEMENTS says how.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import talib

from scanner.bars.block import FIELDS, FloatArray
from scanner.indicators.indicator import Column

#: Outputs of a kernel by their positions; those that TA-Lib lacks are left out.
Outputs = Mapping[int, FloatArray]
Bars = Mapping[str, FloatArray]

#: TA-Lib's number for exponential means, which its stubs hide.
_EXPONENTIAL: Final[Any] = 1

#: Smallest number that TA-Lib's functions take for a window.
_LEAST: Final = 2

_AROON: Final = "Of equal extremes ta takes the oldest, TA-Lib the newest."

#: Column name without its numbers -> how `ta` and TA-Lib differ for ever, not only at first.
DISAGREEMENTS: Final[dict[str, str]] = {
    "aroon_up": _AROON,
    "aroon_down": _AROON,
    "aroon_diff": _AROON,
    "mfi": "Of two typical prices that are equal in cents, ta lets their rounding decide whether "
    "money flows in or out; in TA-Lib it does neither.",
    "obv": "ta adds the volume of a bar with an unchanged close; TA-Lib leaves it out.",
    "psar": "ta begins with a rise and at a turn jumps to the extreme; TA-Lib begins in the "
    "direction of the first move, and keeps the stop outside of the last two bars at a turn.",
}

#: Column name without its numbers -> how they differ from where a price halts.
WHERE_A_PRICE_HALTS: Final[dict[str, str]] = {
    "kama": "With nothing moved over its window ta takes the slowest weight, TA-Lib the fastest.",
}

#: Column name without its numbers -> what `ta` (and we) and TA-Lib say where no price ever moves.
ON_FLAT_PRICES: Final[dict[str, tuple[float, float]]] = {
    "rsi": (100.0, 0.0),
    "stoch": (math.nan, 0.0),
    "stoch_signal": (math.nan, 0.0),
    "stoch_rsi": (math.nan, 0.0),
    "stoch_rsi_k": (math.nan, 0.0),
    "williams_r": (math.nan, 0.0),
    "cci": (math.nan, 0.0),
    "mfi": (math.nan, 0.0),
    "uo": (math.nan, 0.0),
    "aroon_up": (0.0, 100.0),
    "aroon_down": (0.0, 100.0),
}


def ta_lib(values: FloatArray, column: Column) -> FloatArray | None:
    """Return TA-Lib's series of `column`, (bars,), or None where it has no such column.

    `values`: (5, bars) of one symbol in the order of FIELDS, without NaN.
    """
    formula = _FORMULAS.get(column.indicator.name)
    # An offset of 0 is none.
    whole = [n for n in column.parameters.values() if isinstance(n, int) and n]
    if formula is None or (column.indicator.name not in _OF_ANY and min(whole, default=2) < _LEAST):
        return None
    bars = dict(zip(FIELDS, np.ascontiguousarray(values), strict=True))
    return formula(bars, column.params).get(column.output)


def _all(*outputs: FloatArray) -> Outputs:
    return dict(enumerate(outputs))


def _range(bars: Bars) -> tuple[FloatArray, FloatArray]:
    return bars["high"], bars["low"]


def _prices(bars: Bars) -> tuple[FloatArray, FloatArray, FloatArray]:
    return bars["high"], bars["low"], bars["close"]


def _sma(bars: Bars, params: Any) -> Outputs:
    return _all(talib.SMA(bars["close"], params.window))


def _ema(bars: Bars, params: Any) -> Outputs:
    return _all(talib.EMA(bars["close"], params.window))


def _wma(bars: Bars, params: Any) -> Outputs:
    return _all(talib.WMA(bars["close"], params.window))


def _macd(bars: Bars, params: Any) -> Outputs:
    if params.fast > params.slow:
        return {}
    return _all(*talib.MACD(bars["close"], params.fast, params.slow, params.signal))


def _adx(bars: Bars, params: Any) -> Outputs:
    lines = (talib.ADX, talib.PLUS_DI, talib.MINUS_DI)
    return _all(*(line(*_prices(bars), params.window) for line in lines))


def _trix(bars: Bars, params: Any) -> Outputs:
    return _all(talib.TRIX(bars["close"], params.window))


def _cci(bars: Bars, params: Any) -> Outputs:
    return _all(talib.CCI(*_prices(bars), params.window)) if params.constant == 0.015 else {}


def _ichimoku(bars: Bars, params: Any) -> Outputs:
    conversion, base, span_b = (
        talib.MIDPRICE(*_range(bars), window)
        for window in (params.short, params.middle, params.long)
    )
    return {0: conversion, 1: base, 3: span_b}


def _psar(bars: Bars, params: Any) -> Outputs:
    return _all(talib.SAR(*_range(bars), params.step, params.largest))


def _aroon(bars: Bars, params: Any) -> Outputs:
    down, up = talib.AROON(*_range(bars), params.window)
    return _all(up, down, talib.AROONOSC(*_range(bars), params.window))


def _rsi(bars: Bars, params: Any) -> Outputs:
    return _all(talib.RSI(bars["close"], params.window))


def _stoch_rsi(bars: Bars, params: Any) -> Outputs:
    place, mean = talib.STOCHRSI(bars["close"], params.window, params.window, params.smooth_k)
    return _all(place / 100.0, mean / 100.0)


def _uo(bars: Bars, params: Any) -> Outputs:
    weights = (params.short_weight, params.middle_weight, params.long_weight)
    if weights != (4.0, 2.0, 1.0):
        return {}
    return _all(talib.ULTOSC(*_prices(bars), params.short, params.middle, params.long))


def _stoch(bars: Bars, params: Any) -> Outputs:
    return _all(*talib.STOCHF(*_prices(bars), params.window, params.smooth))


def _williams_r(bars: Bars, params: Any) -> Outputs:
    return _all(talib.WILLR(*_prices(bars), params.window))


def _kama(bars: Bars, params: Any) -> Outputs:
    usual = (params.fast, params.slow) == (2, 30)
    return _all(talib.KAMA(bars["close"], params.window)) if usual else {}


def _roc(bars: Bars, params: Any) -> Outputs:
    return _all(talib.ROC(bars["close"], params.window))


def _return(bars: Bars, params: Any) -> Outputs:
    return _all(talib.ROCP(bars["close"], params.window))


def _daily_return(bars: Bars, _params: Any) -> Outputs:
    return _all(talib.ROC(bars["close"], 1))


def _ppo(bars: Bars, params: Any) -> Outputs:
    if params.fast > params.slow:
        return {}
    return _all(talib.PPO(bars["close"], params.fast, params.slow, _EXPONENTIAL))


def _bbands(bars: Bars, params: Any) -> Outputs:
    width = float(params.deviations)
    return _all(*talib.BBANDS(bars["close"], params.window, width, width))


def _donchian(bars: Bars, params: Any) -> Outputs:
    if params.offset:
        return {}
    high, low = _range(bars)
    upper, lower = talib.MAX(high, params.window), talib.MIN(low, params.window)
    return _all(upper, talib.MIDPRICE(high, low, params.window), lower)


def _atr(bars: Bars, params: Any) -> Outputs:
    return _all(talib.ATR(*_prices(bars), params.window))


def _obv(bars: Bars, _params: Any) -> Outputs:
    return _all(talib.OBV(bars["close"], bars["volume"]))


def _adi(bars: Bars, _params: Any) -> Outputs:
    return _all(talib.AD(*_prices(bars), bars["volume"]))


def _mfi(bars: Bars, params: Any) -> Outputs:
    return _all(talib.MFI(*_prices(bars), bars["volume"], params.window))


#: Indicators whose window may be 1.
_OF_ANY: Final = frozenset({"roc", "return"})

_FORMULAS: Final[dict[str, Callable[[Bars, Any], Outputs]]] = {
    "sma": _sma,
    "ema": _ema,
    "wma": _wma,
    "macd": _macd,
    "adx": _adx,
    "trix": _trix,
    "cci": _cci,
    "ichimoku": _ichimoku,
    "psar": _psar,
    "aroon": _aroon,
    "rsi": _rsi,
    "stoch_rsi": _stoch_rsi,
    "uo": _uo,
    "stoch": _stoch,
    "williams_r": _williams_r,
    "kama": _kama,
    "roc": _roc,
    "return": _return,
    "daily_return": _daily_return,
    "ppo": _ppo,
    "bbands": _bbands,
    "donchian": _donchian,
    "atr": _atr,
    "obv": _obv,
    "adi": _adi,
    "mfi": _mfi,
}
