"""On-balance volume: closes and volumes in, the running total of signed volume out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.window import decayed_sum, shift


@dataclass(frozen=True, slots=True, kw_only=True)
class Obv:
    """On-balance volume has no parameters."""


def obv(block: BarBlock, _params: Obv) -> tuple[FloatArray, ...]:
    """Return the total of volumes so far, each negative if the close fell, in shares.

    Formula: Granville (1963) in the variant of `ta` OnBalanceVolumeIndicator, where an unchanged
    close and the first bar add. The level depends on where the history starts; only its changes
    mean something. Warm-up: 1 bar. Flat prices: the sum of all volumes.
    """
    missing = np.isnan(block.volume)
    signed = block.volume.copy(order="K")
    np.negative(signed, out=signed, where=block.close < shift(block.close, 1))
    np.copyto(signed, 0.0, where=missing)
    total = decayed_sum(signed, 1.0)
    np.copyto(total, np.nan, where=missing)
    return (total,)


OBV: Final = Indicator(
    name="obv",
    params=Obv,
    kernel=obv,
    formula="Granville's on-balance volume, as ta OnBalanceVolumeIndicator",
    outputs=(
        Output(
            stem="obv",
            arguments=(),
            unit="shares",
            scale="own",
            bars=lambda _params: 1,
            ta={(): "volume_obv"},
        ),
    ),
)
