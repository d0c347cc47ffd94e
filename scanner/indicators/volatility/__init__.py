"""Volatility: how widely a price moves."""

from __future__ import annotations

from typing import Any, Final

from scanner.indicators.indicator import Indicator
from scanner.indicators.volatility.atr import ATR
from scanner.indicators.volatility.bbands import BBANDS
from scanner.indicators.volatility.donchian import DONCHIAN
from scanner.indicators.volatility.keltner import KELTNER, KELTNER_ATR
from scanner.indicators.volatility.realized_volatility import REALIZED_VOLATILITY
from scanner.indicators.volatility.ulcer import ULCER

INDICATORS: Final[dict[str, Indicator[Any]]] = {
    "bbands": BBANDS,
    "keltner": KELTNER,
    "keltner_atr": KELTNER_ATR,
    "donchian": DONCHIAN,
    "atr": ATR,
    "ulcer": ULCER,
    "realized_volatility": REALIZED_VOLATILITY,
}
