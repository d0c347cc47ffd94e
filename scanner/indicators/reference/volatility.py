"""The indicators of `volatility` by `ta`, or in pandas where `ta` has none: a frame in, series out.

The outputs are in the order of the kernel's, with the warm-up that `ta` gives them.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from ta import volatility

from scanner.indicators.reference.frames import Formula, Outputs, outputs, prices, undefined
from scanner.indicators.volatility.realized_volatility import SESSIONS_A_YEAR

_BANDS: Final = ("hband", "mband", "lband", "wband", "pband")
_CHANNEL: Final = (*_BANDS, "hband_indicator", "lband_indicator")


def _bbands(frame: pd.DataFrame, params: Any) -> Outputs:
    made = volatility.BollingerBands(frame["close"], params.window, params.deviations)
    names = ("hband", "mavg", *_CHANNEL[2:])
    return outputs(made, *(f"bollinger_{name}" for name in names))


def _keltner(frame: pd.DataFrame, params: Any) -> Outputs:
    made = volatility.KeltnerChannel(**prices(frame), window=params.window)
    return outputs(made, *(f"keltner_channel_{name}" for name in _CHANNEL))


def _keltner_atr(frame: pd.DataFrame, params: Any) -> Outputs:
    if len(frame) < params.window_atr:
        return (undefined(frame),) * len(_CHANNEL)
    made = volatility.KeltnerChannel(
        **prices(frame),
        window=params.window,
        window_atr=params.window_atr,
        original_version=False,
        multiplier=params.multiplier,
    )
    return outputs(made, *(f"keltner_channel_{name}" for name in _CHANNEL))


def _donchian(frame: pd.DataFrame, params: Any) -> Outputs:
    made = volatility.DonchianChannel(**prices(frame), window=params.window, offset=params.offset)
    return outputs(made, *(f"donchian_channel_{name}" for name in _BANDS))


def _atr(frame: pd.DataFrame, params: Any) -> Outputs:
    if len(frame) < params.window:
        return (undefined(frame),)
    made = volatility.AverageTrueRange(**prices(frame), window=params.window)
    return outputs(made, "average_true_range")


def _ulcer(frame: pd.DataFrame, params: Any) -> Outputs:
    return outputs(volatility.UlcerIndex(frame["close"], params.window), "ulcer_index")


def _realized_volatility(frame: pd.DataFrame, params: Any) -> Outputs:
    returns = np.log(frame["close"]).diff()
    return (returns.rolling(params.window).std() * SESSIONS_A_YEAR**0.5,)


#: Indicator -> what makes its outputs.
FORMULAS: Final[dict[str, Formula]] = {
    "bbands": _bbands,
    "keltner": _keltner,
    "keltner_atr": _keltner_atr,
    "donchian": _donchian,
    "atr": _atr,
    "ulcer": _ulcer,
    "realized_volatility": _realized_volatility,
}
