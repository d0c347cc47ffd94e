"""Volume price trend: closes and volumes in, the total of volume times return out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.lags import growth
from scanner.indicators.memory import CUMULATIVE
from scanner.indicators.recursive import running_total


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpt:
    """The volume price trend has no parameters."""


def vpt(block: BarBlock, _params: Vpt) -> tuple[FloatArray, ...]:
    """Return the total so far of volume * (close / close before - 1), in shares.

    Formula: as `ta` VolumePriceTrendIndicator. The level depends on where the history starts;
    only its changes mean something. Warm-up: 2 bars. Flat prices: 0.
    """
    flow = growth(block.close, 1)
    flow *= block.volume
    return (running_total(flow),)


VPT: Final = Indicator(
    name="vpt",
    params=Vpt,
    kernel=vpt,
    formula="total of volume * return, as ta VolumePriceTrendIndicator",
    outputs=(
        Output(
            stem="vpt",
            arguments=(),
            unit="shares",
            scale="own",
            bars=lambda _params: 2,
            memory=lambda _params: CUMULATIVE,
            ta={(): "volume_vpt"},
        ),
    ),
)
