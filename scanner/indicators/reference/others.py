"""The indicators of `others` by `ta`, or in pandas where `ta` has none: a frame in, series out.

The outputs are in the order of the kernel's, with the warm-up that `ta` gives them.
"""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
from ta import others

from scanner.indicators.reference.frames import Formula, Outputs, outputs


def _distance_high(frame: pd.DataFrame, params: Any) -> Outputs:
    return (frame["close"] / frame["high"].rolling(params.window).max() - 1.0,)


def _distance_low(frame: pd.DataFrame, params: Any) -> Outputs:
    return (frame["close"] / frame["low"].rolling(params.window).min() - 1.0,)


def _return(frame: pd.DataFrame, params: Any) -> Outputs:
    return (frame["close"] / frame["close"].shift(params.window) - 1.0,)


def _daily_return(frame: pd.DataFrame, _params: Any) -> Outputs:
    return outputs(others.DailyReturnIndicator(frame["close"]), "daily_return")


def _daily_log_return(frame: pd.DataFrame, _params: Any) -> Outputs:
    return outputs(others.DailyLogReturnIndicator(frame["close"]), "daily_log_return")


def _cumulative_return(frame: pd.DataFrame, _params: Any) -> Outputs:
    return outputs(others.CumulativeReturnIndicator(frame["close"]), "cumulative_return")


#: Indicator -> what makes its outputs.
FORMULAS: Final[dict[str, Formula]] = {
    "distance_high": _distance_high,
    "distance_low": _distance_low,
    "return": _return,
    "daily_return": _daily_return,
    "daily_log_return": _daily_log_return,
    "cumulative_return": _cumulative_return,
}
