"""The `ta` engine: a BarBlock and column names come in, what `ta` makes of each symbol goes out.

The oracle of the kernels' tests, and an engine of its own for those who want to see both. Where
`ta` has no such indicator, the formula is written in pandas. One symbol at a time, and slow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from ta.momentum import ROCIndicator, RSIIndicator, StochasticOscillator, WilliamsRIndicator
from ta.trend import MACD, ADXIndicator, CCIIndicator, EMAIndicator, SMAIndicator
from ta.volatility import AverageTrueRange, BollingerBands
from ta.volume import MFIIndicator, OnBalanceVolumeIndicator

from scanner.bars.block import FIELDS, BarBlock, FloatArray
from scanner.indicators.indicator import Column
from scanner.indicators.registry import column
from scanner.indicators.volatility.realized_volatility import SESSIONS_A_YEAR

Outputs = tuple["pd.Series[float]", ...]


class TaEngine:
    """Computes one symbol at a time with `ta` and pandas."""

    name = "ta"

    def compute(self, block: BarBlock, columns: Sequence[str]) -> dict[str, FloatArray]:
        """Return a (symbols, bars) array for each of `columns`, NaN in the registry's warm-up.

        ConfigError: a name is not a column.
        """
        wanted = [column(name) for name in columns]
        out = {one.name: np.full_like(block.close, np.nan) for one in wanted}
        bars = np.stack([getattr(block, field) for field in FIELDS])
        width = block.close.shape[1]
        for row, count in enumerate(block.counts.tolist()):
            if not count:
                continue
            start = width - count
            series = oracle(bars[:, row, start:], wanted)
            for one in wanted:
                first = one.bars - 1
                out[one.name][row, start + first :] = series[one.name][first:]
        return out


def oracle(values: FloatArray, columns: Sequence[Column]) -> dict[str, FloatArray]:
    """Return what `ta` or pandas makes of one symbol's bars, its warm-up as it is.

    `values`: (5, bars) in the order of FIELDS, without NaN. All NaN where a series is too short
    for `ta`, which raises IndexError or ValueError there.
    """
    frame = pd.DataFrame(dict(zip(FIELDS, values, strict=True)))
    runs: dict[tuple[str, Any], Outputs] = {}
    for one in columns:
        key = (one.indicator.name, one.params)
        if key not in runs:
            runs[key] = _ORACLES[one.indicator.name](frame, one.params)
    return {
        one.name: np.asarray(runs[one.indicator.name, one.params][one.output], dtype=np.float64)
        for one in columns
    }


def _undefined(frame: pd.DataFrame) -> pd.Series[float]:
    return pd.Series(np.nan, index=frame.index)


def _prices(frame: pd.DataFrame) -> dict[str, pd.Series[float]]:
    return {name: frame[name] for name in ("high", "low", "close")}


def _sma(frame: pd.DataFrame, params: Any) -> Outputs:
    return (SMAIndicator(frame["close"], params.window).sma_indicator(),)


def _distance_sma(frame: pd.DataFrame, params: Any) -> Outputs:
    (mean,) = _sma(frame, params)
    return (frame["close"] / mean - 1.0,)


def _ema(frame: pd.DataFrame, params: Any) -> Outputs:
    return (EMAIndicator(frame["close"], params.window).ema_indicator(),)


def _macd(frame: pd.DataFrame, params: Any) -> Outputs:
    made = MACD(
        frame["close"],
        window_fast=params.fast,
        window_slow=params.slow,
        window_sign=params.signal,
    )
    return made.macd(), made.macd_signal(), made.macd_diff()


def _adx(frame: pd.DataFrame, params: Any) -> Outputs:
    undefined = _undefined(frame)
    if len(frame) < params.window:
        return undefined, undefined, undefined
    made = ADXIndicator(**_prices(frame), window=params.window)
    index = made.adx() if len(frame) >= 2 * params.window else undefined
    return index, made.adx_pos(), made.adx_neg()


def _cci(frame: pd.DataFrame, params: Any) -> Outputs:
    return (CCIIndicator(**_prices(frame), window=params.window).cci(),)


def _rsi(frame: pd.DataFrame, params: Any) -> Outputs:
    return (RSIIndicator(frame["close"], params.window).rsi(),)


def _stoch(frame: pd.DataFrame, params: Any) -> Outputs:
    made = StochasticOscillator(**_prices(frame), window=params.window, smooth_window=params.smooth)
    return made.stoch(), made.stoch_signal()


def _williams_r(frame: pd.DataFrame, params: Any) -> Outputs:
    return (WilliamsRIndicator(**_prices(frame), lbp=params.window).williams_r(),)


def _roc(frame: pd.DataFrame, params: Any) -> Outputs:
    return (ROCIndicator(frame["close"], params.window).roc(),)


def _momentum(frame: pd.DataFrame, params: Any) -> Outputs:
    close = frame["close"]
    return (close.shift(params.skip) / close.shift(params.window) - 1.0,)


def _bbands(frame: pd.DataFrame, params: Any) -> Outputs:
    made = BollingerBands(frame["close"], params.window, params.deviations)
    return (
        made.bollinger_hband(),
        made.bollinger_mavg(),
        made.bollinger_lband(),
        made.bollinger_wband(),
        made.bollinger_pband(),
    )


def _atr(frame: pd.DataFrame, params: Any) -> Outputs:
    if len(frame) < params.window:
        return (_undefined(frame),)
    return (AverageTrueRange(**_prices(frame), window=params.window).average_true_range(),)


def _realized_volatility(frame: pd.DataFrame, params: Any) -> Outputs:
    returns = np.log(frame["close"]).diff()
    return (returns.rolling(params.window).std() * SESSIONS_A_YEAR**0.5,)


def _obv(frame: pd.DataFrame, _params: Any) -> Outputs:
    return (OnBalanceVolumeIndicator(frame["close"], frame["volume"]).on_balance_volume(),)


def _mfi(frame: pd.DataFrame, params: Any) -> Outputs:
    made = MFIIndicator(**_prices(frame), volume=frame["volume"], window=params.window)
    return (made.money_flow_index(),)


def _relative_volume(frame: pd.DataFrame, params: Any) -> Outputs:
    volume = frame["volume"]
    return (volume / volume.rolling(params.window).mean(),)


def _dollar_volume(frame: pd.DataFrame, params: Any) -> Outputs:
    return ((frame["close"] * frame["volume"]).rolling(params.window).mean(),)


def _distance_high(frame: pd.DataFrame, params: Any) -> Outputs:
    return (frame["close"] / frame["high"].rolling(params.window).max() - 1.0,)


def _distance_low(frame: pd.DataFrame, params: Any) -> Outputs:
    return (frame["close"] / frame["low"].rolling(params.window).min() - 1.0,)


def _return(frame: pd.DataFrame, params: Any) -> Outputs:
    return (frame["close"] / frame["close"].shift(params.window) - 1.0,)


_ORACLES: Final[dict[str, Callable[[pd.DataFrame, Any], Outputs]]] = {
    "sma": _sma,
    "distance_sma": _distance_sma,
    "ema": _ema,
    "macd": _macd,
    "adx": _adx,
    "cci": _cci,
    "rsi": _rsi,
    "stoch": _stoch,
    "williams_r": _williams_r,
    "roc": _roc,
    "momentum": _momentum,
    "bbands": _bbands,
    "atr": _atr,
    "realized_volatility": _realized_volatility,
    "obv": _obv,
    "mfi": _mfi,
    "relative_volume": _relative_volume,
    "dollar_volume": _dollar_volume,
    "distance_high": _distance_high,
    "distance_low": _distance_low,
    "return": _return,
}
