"""The indicators of `trend` by `ta`, or in pandas where `ta` has none: a frame in, series out.

The outputs are in the order of the kernel's, with the warm-up that `ta` gives them.
"""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
from ta import trend

from scanner.indicators.reference.frames import Formula, Outputs, outputs, prices, ranges, undefined


def _sma(frame: pd.DataFrame, params: Any) -> Outputs:
    return outputs(trend.SMAIndicator(frame["close"], params.window), "sma_indicator")


def _distance_sma(frame: pd.DataFrame, params: Any) -> Outputs:
    (mean,) = _sma(frame, params)
    return (frame["close"] / mean - 1.0,)


def _ema(frame: pd.DataFrame, params: Any) -> Outputs:
    return outputs(trend.EMAIndicator(frame["close"], params.window), "ema_indicator")


def _wma(frame: pd.DataFrame, params: Any) -> Outputs:
    return outputs(trend.WMAIndicator(frame["close"], params.window), "wma")


def _macd(frame: pd.DataFrame, params: Any) -> Outputs:
    made = trend.MACD(frame["close"], params.slow, params.fast, params.signal)
    return outputs(made, "macd", "macd_signal", "macd_diff")


def _adx(frame: pd.DataFrame, params: Any) -> Outputs:
    missing = undefined(frame)
    if len(frame) < params.window:
        return missing, missing, missing
    made = trend.ADXIndicator(**prices(frame), window=params.window)
    index = made.adx() if len(frame) >= 2 * params.window else missing
    return index, made.adx_pos(), made.adx_neg()


def _vortex(frame: pd.DataFrame, params: Any) -> Outputs:
    made = trend.VortexIndicator(**prices(frame), window=params.window)
    return outputs(made, *(f"vortex_indicator_{part}" for part in ("pos", "neg", "diff")))


def _trix(frame: pd.DataFrame, params: Any) -> Outputs:
    return outputs(trend.TRIXIndicator(frame["close"], params.window), "trix")


def _mass_index(frame: pd.DataFrame, params: Any) -> Outputs:
    made = trend.MassIndex(**ranges(frame), window_fast=params.fast, window_slow=params.slow)
    return outputs(made, "mass_index")


def _cci(frame: pd.DataFrame, params: Any) -> Outputs:
    made = trend.CCIIndicator(**prices(frame), window=params.window, constant=params.constant)
    return outputs(made, "cci")


def _dpo(frame: pd.DataFrame, params: Any) -> Outputs:
    return outputs(trend.DPOIndicator(frame["close"], params.window), "dpo")


def _kst(frame: pd.DataFrame, params: Any) -> Outputs:
    changes = (params.roc_a, params.roc_b, params.roc_c, params.roc_d)
    means = (params.mean_a, params.mean_b, params.mean_c, params.mean_d)
    made = trend.KSTIndicator(frame["close"], *changes, *means, params.signal)
    return outputs(made, "kst", "kst_sig", "kst_diff")


def _ichimoku(frame: pd.DataFrame, params: Any) -> Outputs:
    windows = (params.short, params.middle, params.long)
    plain, drawn = (
        trend.IchimokuIndicator(frame["high"], frame["low"], *windows, visual=visual)
        for visual in (False, True)
    )
    lines = outputs(plain, "ichimoku_conversion_line", "ichimoku_base_line")
    spans = (outputs(made, "ichimoku_a", "ichimoku_b") for made in (plain, drawn))
    return sum(spans, lines)


def _psar(frame: pd.DataFrame, params: Any) -> Outputs:
    made = trend.PSARIndicator(**prices(frame), step=params.step, max_step=params.largest)
    names = ("psar", "psar_up", "psar_down", "psar_up_indicator", "psar_down_indicator")
    return outputs(made, *names)


def _stc(frame: pd.DataFrame, params: Any) -> Outputs:
    made = trend.STCIndicator(
        frame["close"],
        window_slow=params.slow,
        window_fast=params.fast,
        cycle=params.cycle,
        smooth1=params.smooth_k,
        smooth2=params.smooth_d,
    )
    return outputs(made, "stc")


def _aroon(frame: pd.DataFrame, params: Any) -> Outputs:
    made = trend.AroonIndicator(**ranges(frame), window=params.window)
    return outputs(made, "aroon_up", "aroon_down", "aroon_indicator")


#: Indicator -> what makes its outputs.
FORMULAS: Final[dict[str, Formula]] = {
    "sma": _sma,
    "distance_sma": _distance_sma,
    "ema": _ema,
    "wma": _wma,
    "macd": _macd,
    "adx": _adx,
    "vortex": _vortex,
    "trix": _trix,
    "mass_index": _mass_index,
    "cci": _cci,
    "dpo": _dpo,
    "kst": _kst,
    "ichimoku": _ichimoku,
    "psar": _psar,
    "stc": _stc,
    "aroon": _aroon,
}
