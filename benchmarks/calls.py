"""What TA-Lib and polars-talib have of our columns: the same functions with the same numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

_CLOSE: Final = ("close",)
_RANGE: Final = ("high", "low")
_PRICES: Final = ("high", "low", "close")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A function of TA-Lib, what it takes, and our columns for what it returns."""

    function: str
    inputs: tuple[str, ...]
    #: In the order in which TA-Lib takes them.
    numbers: Mapping[str, float] = field(default_factory=dict)
    columns: tuple[str, ...]
    #: What its outputs are in units of ours.
    unit: float = 1.0


def _of(function: str, inputs: tuple[str, ...], column: str, window: int) -> Call:
    return Call(function=function, inputs=inputs, numbers={"timeperiod": window}, columns=(column,))


_MACD: Final = Call(
    function="MACD",
    inputs=_CLOSE,
    numbers={"fastperiod": 12, "slowperiod": 26, "signalperiod": 9},
    columns=("macd_12_26", "macd_signal_12_26_9", "macd_diff_12_26_9"),
)
_BBANDS: Final = Call(
    function="BBANDS",
    inputs=_CLOSE,
    numbers={"timeperiod": 20, "nbdevup": 2.0, "nbdevdn": 2.0, "matype": 0},
    columns=("bbands_upper_20_2", "bbands_middle_20_2", "bbands_lower_20_2"),
)
_STOCHF: Final = Call(
    function="STOCHF",
    inputs=_PRICES,
    numbers={"fastk_period": 14, "fastd_period": 3, "fastd_matype": 0},
    columns=("stoch_14_3", "stoch_signal_14_3"),
)

#: The default columns of a scan that all have.
DEFAULT: Final = (
    _of("RSI", _CLOSE, "rsi_14", 14),
    _MACD,
    _BBANDS,
    _of("ATR", _PRICES, "atr_14", 14),
    _of("ADX", _PRICES, "adx_14", 14),
    _of("PLUS_DI", _PRICES, "plus_di_14", 14),
    _of("MINUS_DI", _PRICES, "minus_di_14", 14),
    *(_of("SMA", _CLOSE, f"sma_{window}", window) for window in (20, 50, 200)),
    *(_of("EMA", _CLOSE, f"ema_{window}", window) for window in (12, 20, 26, 50)),
    _STOCHF,
    Call(function="OBV", inputs=("close", "volume"), columns=("obv",)),
    _of("MFI", (*_PRICES, "volume"), "mfi_14", 14),
    _of("CCI", _PRICES, "cci_20", 20),
    _of("WILLR", _PRICES, "williams_r_14", 14),
    _of("ROC", _CLOSE, "roc_12", 12),
)

_AROON: Final = Call(
    function="AROON",
    inputs=_RANGE,
    numbers={"timeperiod": 25},
    columns=("aroon_down_25", "aroon_up_25"),
)
_SAR: Final = Call(
    function="SAR",
    inputs=_RANGE,
    numbers={"acceleration": 0.02, "maximum": 0.2},
    columns=("psar_0.02_0.2",),
)
_PPO: Final = Call(
    function="PPO",
    inputs=_CLOSE,
    numbers={"fastperiod": 12, "slowperiod": 26, "matype": 1},
    columns=("ppo_12_26",),
)
_ULTOSC: Final = Call(
    function="ULTOSC",
    inputs=_PRICES,
    numbers={"timeperiod1": 7, "timeperiod2": 14, "timeperiod3": 28},
    columns=("uo_7_14_28",),
)
_STOCHRSI: Final = Call(
    function="STOCHRSI",
    inputs=_CLOSE,
    numbers={"timeperiod": 14, "fastk_period": 14, "fastd_period": 3, "fastd_matype": 0},
    columns=("stoch_rsi_14", "stoch_rsi_k_14_3"),
    unit=0.01,
)

#: Every column that all have at its usual numbers. Candlestick patterns are not among them: ours
#: are TA-Lib's own functions.
EVERY: Final = (
    *DEFAULT,
    _of("WMA", _CLOSE, "wma_9", 9),
    _ULTOSC,
    _PPO,
    _of("KAMA", _CLOSE, "kama_10_2_30", 10),
    _of("TRIX", _CLOSE, "trix_15", 15),
    _AROON,
    _of("AROONOSC", _RANGE, "aroon_diff_25", 25),
    _SAR,
    Call(function="AD", inputs=(*_PRICES, "volume"), columns=("adi",)),
    _of("MAX", ("high",), "donchian_upper_20", 20),
    _of("MIDPRICE", _RANGE, "donchian_middle_20", 20),
    _of("MIN", ("low",), "donchian_lower_20", 20),
    _of("MIDPRICE", _RANGE, "ichimoku_conversion_9", 9),
    _of("MIDPRICE", _RANGE, "ichimoku_base_26", 26),
    _of("MIDPRICE", _RANGE, "ichimoku_b_52", 52),
    _STOCHRSI,
    _of("ROCP", _CLOSE, "return_1", 1),
    _of("ROC", _CLOSE, "daily_return", 1),
)


def columns(calls: Sequence[Call]) -> list[str]:
    """Return our columns for the outputs of `calls`, in their order."""
    return [name for call in calls for name in call.columns]
