"""The indicators of `momentum` by `ta`, or in pandas where `ta` has none: a frame in, series out.

The outputs are in the order of the kernel's, with the warm-up that `ta` gives them.
"""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
from ta import momentum

from scanner.indicators.reference.frames import Formula, Outputs, outputs, prices, ranges


def _rsi(frame: pd.DataFrame, params: Any) -> Outputs:
    return outputs(momentum.RSIIndicator(frame["close"], params.window), "rsi")


def _stoch_rsi(frame: pd.DataFrame, params: Any) -> Outputs:
    numbers = (params.window, params.smooth_k, params.smooth_d)
    made = momentum.StochRSIIndicator(frame["close"], *numbers)
    return outputs(made, "stochrsi", "stochrsi_k", "stochrsi_d")


def _tsi(frame: pd.DataFrame, params: Any) -> Outputs:
    return outputs(momentum.TSIIndicator(frame["close"], params.slow, params.fast), "tsi")


def _uo(frame: pd.DataFrame, params: Any) -> Outputs:
    windows = (params.short, params.middle, params.long)
    weights = (params.short_weight, params.middle_weight, params.long_weight)
    made = momentum.UltimateOscillator(*prices(frame).values(), *windows, *weights)
    return outputs(made, "ultimate_oscillator")


def _stoch(frame: pd.DataFrame, params: Any) -> Outputs:
    made = momentum.StochasticOscillator(
        **prices(frame), window=params.window, smooth_window=params.smooth
    )
    return outputs(made, "stoch", "stoch_signal")


def _williams_r(frame: pd.DataFrame, params: Any) -> Outputs:
    made = momentum.WilliamsRIndicator(**prices(frame), lbp=params.window)
    return outputs(made, "williams_r")


def _ao(frame: pd.DataFrame, params: Any) -> Outputs:
    made = momentum.AwesomeOscillatorIndicator(*ranges(frame).values(), params.fast, params.slow)
    return outputs(made, "awesome_oscillator")


def _kama(frame: pd.DataFrame, params: Any) -> Outputs:
    made = momentum.KAMAIndicator(frame["close"], params.window, params.fast, params.slow)
    return outputs(made, "kama")


def _roc(frame: pd.DataFrame, params: Any) -> Outputs:
    return outputs(momentum.ROCIndicator(frame["close"], params.window), "roc")


def _ppo(frame: pd.DataFrame, params: Any) -> Outputs:
    numbers = (params.slow, params.fast, params.signal)
    made = momentum.PercentagePriceOscillator(frame["close"], *numbers)
    return outputs(made, "ppo", "ppo_signal", "ppo_hist")


def _pvo(frame: pd.DataFrame, params: Any) -> Outputs:
    numbers = (params.slow, params.fast, params.signal)
    made = momentum.PercentageVolumeOscillator(frame["volume"], *numbers)
    return outputs(made, "pvo", "pvo_signal", "pvo_hist")


def _momentum(frame: pd.DataFrame, params: Any) -> Outputs:
    close = frame["close"]
    return (close.shift(params.skip) / close.shift(params.window) - 1.0,)


#: Indicator -> what makes its outputs.
FORMULAS: Final[dict[str, Formula]] = {
    "rsi": _rsi,
    "stoch_rsi": _stoch_rsi,
    "tsi": _tsi,
    "uo": _uo,
    "stoch": _stoch,
    "williams_r": _williams_r,
    "ao": _ao,
    "kama": _kama,
    "roc": _roc,
    "ppo": _ppo,
    "pvo": _pvo,
    "momentum": _momentum,
}
