"""Momentum: how far and how steadily a price has moved."""

from __future__ import annotations

from typing import Any, Final

from scanner.indicators.indicator import Indicator
from scanner.indicators.momentum.ao import AO
from scanner.indicators.momentum.kama import KAMA
from scanner.indicators.momentum.momentum import MOMENTUM
from scanner.indicators.momentum.ppo import PPO, PVO
from scanner.indicators.momentum.roc import ROC
from scanner.indicators.momentum.rsi import RSI
from scanner.indicators.momentum.stoch import STOCH
from scanner.indicators.momentum.stoch_rsi import STOCH_RSI
from scanner.indicators.momentum.tsi import TSI
from scanner.indicators.momentum.uo import UO
from scanner.indicators.momentum.williams_r import WILLIAMS_R

INDICATORS: Final[dict[str, Indicator[Any]]] = {
    "rsi": RSI,
    "stoch_rsi": STOCH_RSI,
    "tsi": TSI,
    "uo": UO,
    "stoch": STOCH,
    "williams_r": WILLIAMS_R,
    "ao": AO,
    "kama": KAMA,
    "roc": ROC,
    "ppo": PPO,
    "pvo": PVO,
    "momentum": MOMENTUM,
}
