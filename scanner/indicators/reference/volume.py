"""The indicators of `volume` by `ta`, or in pandas where `ta` has none: a frame in, series out.

The outputs are in the order of the kernel's, with the warm-up that `ta` gives them.
"""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
from ta import volume

from scanner.indicators.reference.frames import Formula, Outputs, flow, outputs, ranges, traded


def _obv(frame: pd.DataFrame, _params: Any) -> Outputs:
    return outputs(volume.OnBalanceVolumeIndicator(**flow(frame)), "on_balance_volume")


def _adi(frame: pd.DataFrame, _params: Any) -> Outputs:
    return outputs(volume.AccDistIndexIndicator(**traded(frame)), "acc_dist_index")


def _cmf(frame: pd.DataFrame, params: Any) -> Outputs:
    made = volume.ChaikinMoneyFlowIndicator(**traded(frame), window=params.window)
    return outputs(made, "chaikin_money_flow")


def _force_index(frame: pd.DataFrame, params: Any) -> Outputs:
    made = volume.ForceIndexIndicator(**flow(frame), window=params.window)
    return outputs(made, "force_index")


def _eom(frame: pd.DataFrame, params: Any) -> Outputs:
    made = volume.EaseOfMovementIndicator(
        **ranges(frame), volume=frame["volume"], window=params.window
    )
    return outputs(made, "ease_of_movement", "sma_ease_of_movement")


def _vpt(frame: pd.DataFrame, _params: Any) -> Outputs:
    return outputs(volume.VolumePriceTrendIndicator(**flow(frame)), "volume_price_trend")


def _vwap(frame: pd.DataFrame, params: Any) -> Outputs:
    made = volume.VolumeWeightedAveragePrice(**traded(frame), window=params.window)
    return outputs(made, "volume_weighted_average_price")


def _mfi(frame: pd.DataFrame, params: Any) -> Outputs:
    made = volume.MFIIndicator(**traded(frame), window=params.window)
    return outputs(made, "money_flow_index")


def _nvi(frame: pd.DataFrame, _params: Any) -> Outputs:
    return outputs(volume.NegativeVolumeIndexIndicator(**flow(frame)), "negative_volume_index")


def _relative_volume(frame: pd.DataFrame, params: Any) -> Outputs:
    traded = frame["volume"]
    return (traded / traded.rolling(params.window).mean(),)


def _dollar_volume(frame: pd.DataFrame, params: Any) -> Outputs:
    return ((frame["close"] * frame["volume"]).rolling(params.window).mean(),)


#: Indicator -> what makes its outputs.
FORMULAS: Final[dict[str, Formula]] = {
    "obv": _obv,
    "adi": _adi,
    "cmf": _cmf,
    "force_index": _force_index,
    "eom": _eom,
    "vpt": _vpt,
    "vwap": _vwap,
    "mfi": _mfi,
    "nvi": _nvi,
    "relative_volume": _relative_volume,
    "dollar_volume": _dollar_volume,
}
