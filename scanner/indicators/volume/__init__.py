"""Volume: how much is traded, and on which side."""

from __future__ import annotations

from typing import Any, Final

from scanner.indicators.indicator import Indicator
from scanner.indicators.volume.adi import ADI
from scanner.indicators.volume.cmf import CMF
from scanner.indicators.volume.dollar_volume import DOLLAR_VOLUME
from scanner.indicators.volume.eom import EOM
from scanner.indicators.volume.force_index import FORCE_INDEX
from scanner.indicators.volume.mfi import MFI
from scanner.indicators.volume.nvi import NVI
from scanner.indicators.volume.obv import OBV
from scanner.indicators.volume.relative_volume import RELATIVE_VOLUME
from scanner.indicators.volume.vpt import VPT
from scanner.indicators.volume.vwap import VWAP

INDICATORS: Final[dict[str, Indicator[Any]]] = {
    "obv": OBV,
    "adi": ADI,
    "cmf": CMF,
    "force_index": FORCE_INDEX,
    "eom": EOM,
    "vpt": VPT,
    "vwap": VWAP,
    "mfi": MFI,
    "nvi": NVI,
    "relative_volume": RELATIVE_VOLUME,
    "dollar_volume": DOLLAR_VOLUME,
}
