"""Volume: how much is traded, and on which side."""

from __future__ import annotations

from typing import Any, Final

from scanner.indicators.indicator import Indicator
from scanner.indicators.volume.dollar_volume import DOLLAR_VOLUME
from scanner.indicators.volume.mfi import MFI
from scanner.indicators.volume.obv import OBV
from scanner.indicators.volume.relative_volume import RELATIVE_VOLUME

INDICATORS: Final[dict[str, Indicator[Any]]] = {
    "obv": OBV,
    "mfi": MFI,
    "relative_volume": RELATIVE_VOLUME,
    "dollar_volume": DOLLAR_VOLUME,
}
