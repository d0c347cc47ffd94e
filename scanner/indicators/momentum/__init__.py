"""Momentum: how far and how steadily a price has moved."""

from __future__ import annotations

from typing import Any, Final

from scanner.indicators.indicator import Indicator
from scanner.indicators.momentum.momentum import MOMENTUM
from scanner.indicators.momentum.roc import ROC
from scanner.indicators.momentum.rsi import RSI
from scanner.indicators.momentum.stoch import STOCH
from scanner.indicators.momentum.williams_r import WILLIAMS_R

INDICATORS: Final[dict[str, Indicator[Any]]] = {
    "rsi": RSI,
    "stoch": STOCH,
    "williams_r": WILLIAMS_R,
    "roc": ROC,
    "momentum": MOMENTUM,
}
