"""Trend: averages, their distances, and the strength of a direction."""

from __future__ import annotations

from typing import Any, Final

from scanner.indicators.indicator import Indicator
from scanner.indicators.trend.adx import ADX
from scanner.indicators.trend.aroon import AROON
from scanner.indicators.trend.cci import CCI
from scanner.indicators.trend.dpo import DPO
from scanner.indicators.trend.ema import EMA
from scanner.indicators.trend.ichimoku import ICHIMOKU
from scanner.indicators.trend.kst import KST
from scanner.indicators.trend.macd import MACD
from scanner.indicators.trend.mass_index import MASS_INDEX
from scanner.indicators.trend.psar import PSAR
from scanner.indicators.trend.sma import DISTANCE_SMA, SMA
from scanner.indicators.trend.stc import STC
from scanner.indicators.trend.trix import TRIX
from scanner.indicators.trend.vortex import VORTEX
from scanner.indicators.trend.wma import WMA

INDICATORS: Final[dict[str, Indicator[Any]]] = {
    "sma": SMA,
    "distance_sma": DISTANCE_SMA,
    "ema": EMA,
    "wma": WMA,
    "macd": MACD,
    "adx": ADX,
    "vortex": VORTEX,
    "trix": TRIX,
    "mass_index": MASS_INDEX,
    "cci": CCI,
    "dpo": DPO,
    "kst": KST,
    "ichimoku": ICHIMOKU,
    "psar": PSAR,
    "stc": STC,
    "aroon": AROON,
}
