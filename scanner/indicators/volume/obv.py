"""On-balance volume: closes and volumes in, the running total of signed volume out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.lags import shift
from scanner.indicators.memory import CUMULATIVE
from scanner.indicators.recursive import running_total


@dataclass(frozen=True, slots=True, kw_only=True)
class Obv:
    """On-balance volume has no parameters."""


def obv(block: BarBlock, _params: Obv) -> tuple[FloatArray, ...]:
    """Return the total of volumes so far, each negative if the close fell, in shares.

    Formula: Granville (1963) in the variant of `ta` OnBalanceVolumeIndicator, where an unchanged
    close and the first bar add. The level depends on where the history starts; only its changes
    mean something. Warm-up: 1 bar. Flat prices: the sum of all volumes.
    """
    signed = block.volume * -2.0
    signed *= block.close < shift(block.close, 1)
    signed += block.volume
    return (running_total(signed),)


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
            memory=lambda _params: CUMULATIVE,
            ta={(): "volume_obv"},
        ),
    ),
)
