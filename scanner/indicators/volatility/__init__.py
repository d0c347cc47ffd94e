"""Volatility: how widely a price moves."""

from __future__ import annotations

from typing import Any, Final

from scanner.indicators.indicator import Indicator
from scanner.indicators.volatility.atr import ATR
from scanner.indicators.volatility.bbands import BBANDS
from scanner.indicators.volatility.realized_volatility import REALIZED_VOLATILITY

INDICATORS: Final[dict[str, Indicator[Any]]] = {
    "bbands": BBANDS,
    "atr": ATR,
    "realized_volatility": REALIZED_VOLATILITY,
}
