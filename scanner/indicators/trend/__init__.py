"""Trend: averages, their distances, and the strength of a direction."""

from __future__ import annotations

from typing import Any, Final

from scanner.indicators.indicator import Indicator
from scanner.indicators.trend.adx import ADX
from scanner.indicators.trend.cci import CCI
from scanner.indicators.trend.ema import EMA
from scanner.indicators.trend.macd import MACD
from scanner.indicators.trend.sma import DISTANCE_SMA, SMA

INDICATORS: Final[dict[str, Indicator[Any]]] = {
    "sma": SMA,
    "distance_sma": DISTANCE_SMA,
    "ema": EMA,
    "macd": MACD,
    "adx": ADX,
    "cci": CCI,
}
