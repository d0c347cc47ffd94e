"""The last steps of a recursion: the shown parts do lead to the column's values."""

from __future__ import annotations

import numpy as np
import pytest
from indicator_samples import USUAL_COLUMNS, random_series

from scanner.bars.block import stack
from scanner.indicators.compute import compute
from scanner.indicators.registry import column
from scanner.indicators.steps import steps_of

BLOCK = stack([random_series(31, 400), random_series(32, 60)])


def parts_of(name):
    """Return the parts of a column's steps for the first symbol, behind its warm-up."""
    steps = steps_of(BLOCK, column(name))
    return {part: array[0, 200:] for part, array in steps.parts.items()}


def follows(value, feed, weight):
    """Return whether each value is the one before moved by `weight` towards `feed`."""
    expected = value[:-1] + weight * (feed[1:] - value[:-1])
    np.testing.assert_allclose(value[1:], expected, rtol=1e-10, atol=1e-10)
    return True


def test_means_follow_from_the_bar_before():
    """RSI, ATR, ADX, EMA, MACD and KAMA are what their rules say."""
    rsi = parts_of("rsi_14")
    assert follows(rsi["mean gain"], rsi["gain"], 1 / 14)
    assert follows(rsi["mean loss"], rsi["loss"], 1 / 14)
    share = rsi["mean gain"] / (rsi["mean gain"] + rsi["mean loss"])
    np.testing.assert_allclose(rsi["rsi_14"], 100.0 * share)
    atr, adx, ema = (parts_of(name) for name in ("atr_14", "adx_14", "ema_20"))
    assert follows(atr["atr_14"], atr["true range"], 1 / 14)
    assert follows(adx["adx_14"], adx["DX"], 1 / 14)
    assert follows(ema["ema_20"], ema["close"], 2 / 21)
    macd = parts_of("macd_signal_12_26_9")
    assert follows(macd["fast"], macd["close"], 2 / 13)
    assert follows(macd["macd_signal_12_26_9"], macd["line"], 2 / 10)
    kama = parts_of("kama_10_2_30")
    assert follows(kama["kama_10_2_30"], kama["close"], kama["weight"][1:])


@pytest.mark.parametrize(
    ("name", "flow"), [("obv", "signed volume"), ("adi", "flow"), ("vpt", "flow")]
)
def test_totals_grow_by_their_flow(name, flow):
    """A cumulative column is the one before and the bar's flow."""
    parts = parts_of(name)
    np.testing.assert_allclose(np.diff(parts[name]), parts[flow][1:], rtol=1e-6, atol=1e-6)


def test_the_index_of_quiet_volume_compounds_returns():
    """Where volume falls, by the return; elsewhere not at all."""
    parts = parts_of("nvi")
    factor = np.where(np.diff(parts["volume"]) < 0.0, 1.0 + parts["return"][1:], 1.0)
    np.testing.assert_allclose(parts["nvi"][1:], parts["nvi"][:-1] * factor)


WITH_STEPS = [name for name in USUAL_COLUMNS if steps_of(BLOCK, column(name)) is not None]


@pytest.mark.parametrize("name", WITH_STEPS)
def test_steps_end_in_the_column_and_name_its_numbers(name):
    """Its own values come last and the rule holds its parameters."""
    steps = steps_of(BLOCK, column(name))
    assert list(steps.parts)[-1] == name
    np.testing.assert_array_equal(steps.parts[name], compute(BLOCK, [name])[name])
    assert "{" not in steps.rule
    assert all(part.shape == BLOCK.close.shape for part in steps.parts.values())


def test_a_column_that_is_no_recursion_has_no_steps():
    """A window's value follows from its bars alone."""
    assert steps_of(BLOCK, column("sma_20")) is None
    assert {column(name).indicator.name for name in WITH_STEPS} == {
        *("ema", "macd", "rsi", "atr", "adx", "kama", "obv", "adi", "vpt", "nvi")
    }
