"""TA-Lib as a second opinion: where it agrees, where it does not, and that the list says so."""

from __future__ import annotations

import numpy as np
import pytest
from indicator_samples import SMALL_COLUMNS, USUAL_COLUMNS, random_series, rows_of

from scanner.bars.block import stack
from scanner.indicators.compute import compute
from scanner.indicators.memory import REST
from scanner.indicators.reference.explain import scale_of
from scanner.indicators.reference.ta_lib import (
    DISAGREEMENTS,
    ON_FLAT_PRICES,
    WHERE_A_PRICE_HALTS,
    ta_lib,
)
from scanner.indicators.registry import column

SERIES = [random_series(seed, 4500) for seed in range(900, 904)]
EVERY_COLUMN = tuple(dict.fromkeys((*USUAL_COLUMNS, *SMALL_COLUMNS)))
#: Bars after which even a path should have met the other one.
LATER = 500


@pytest.fixture(scope="module")
def ours():
    """Every column of the series."""
    block = stack(SERIES)
    return {name: rows_of(block, array) for name, array in compute(block, EVERY_COLUMN).items()}


def disagreement(name, ours):
    """Return the largest gap after warm-up and convergence by scale, None without TA-Lib's."""
    asked = column(name)
    # TA-Lib begins all outputs of a function at the bar of the last one.
    later = max(asked.memory.bars or LATER, asked.bars) + 5
    worst = 0.0
    for series, mine in zip(SERIES, ours[name], strict=True):
        theirs = ta_lib(series.values, asked)
        if theirs is None:
            return None
        scale = np.fmax(np.abs(mine), scale_of(asked, series.values[3], mine))
        gap = (np.abs(mine - theirs) / scale)[later:]
        assert not np.isnan(gap).any()
        worst = max(worst, gap.max())
    return worst


@pytest.mark.parametrize("name", USUAL_COLUMNS)
def test_ta_and_ta_lib_disagree_just_where_the_list_says(ours, name):
    """After convergence an unlisted column of TA-Lib is the same, and a listed one is not."""
    worst = disagreement(name, ours)
    if column(name).stem in DISAGREEMENTS:
        assert worst > 1e-3
    elif worst is not None:
        assert worst <= REST


def test_ta_lib_has_its_usual_columns(ours):
    """The second opinion covers what TA-Lib has of ours."""
    stems = {column(name).stem for name in USUAL_COLUMNS if disagreement(name, ours) is not None}
    assert stems >= {
        "rsi",
        "macd_signal",
        "bbands_lower",
        "adx",
        "kama",
        "adi",
        "donchian_middle",
        *DISAGREEMENTS,
    }
    assert len(stems) == 40


@pytest.mark.parametrize("name", SMALL_COLUMNS)
def test_any_parameters_have_an_answer_or_none(ours, name):
    """Numbers that TA-Lib does not take give no series, never an error."""
    asked = column(name)
    theirs = ta_lib(SERIES[0].values, asked)
    assert theirs is None or theirs.shape == (4500,)
    for short in (1, 2, 5):
        part = ta_lib(SERIES[0].values[:, :short], asked)
        assert (part is None) == (theirs is None)


@pytest.mark.parametrize(
    "name",
    [
        "sma_1",
        "macd_26_12",
        "cci_20_0.02",
        "kama_10_3_30",
        "ppo_9_3",
        "donchian_upper_20_1",
        "uo_2_3_5_2_1.5_1.2",
    ],
)
def test_what_ta_lib_cannot_compute_is_left_out(name):
    """Its functions have fewer parameters, and smallest windows of their own."""
    assert ta_lib(SERIES[0].values, column(name)) is None


@pytest.mark.parametrize("stem", ON_FLAT_PRICES)
def test_flat_prices_have_other_conventions(stem):
    """Where no price ever moves ta's number and TA-Lib's are the listed ones."""
    name = next(n for n in USUAL_COLUMNS if column(n).stem == stem)
    values = np.vstack([np.full((4, 100), 8.0), np.full((1, 100), 500.0)])
    series = type(SERIES[0])(symbol="FLAT", sessions=np.arange(100, dtype=np.int32), values=values)
    mine = compute(stack([series]), [name])[name][0, -1]
    theirs = ta_lib(values, column(name))[-1]
    np.testing.assert_array_equal([mine, theirs], ON_FLAT_PRICES[stem])


def test_means_part_where_a_price_halts():
    """KAMA of a price that jumps and then rests: ta creeps, TA-Lib arrives."""
    rng = np.random.default_rng(1)
    close = np.concatenate([10.0 + rng.normal(0.0, 0.1, 60), np.full(200, 14.0)])
    values = np.stack([close, close, close, close, np.full(260, 100.0)])
    series = type(SERIES[0])(symbol="HALT", sessions=np.arange(260, dtype=np.int32), values=values)
    assert set(WHERE_A_PRICE_HALTS) == {"kama"}
    mine = compute(stack([series]), ["kama_10_2_30"])["kama_10_2_30"][0, -1]
    theirs = ta_lib(values, column("kama_10_2_30"))[-1]
    assert mine < 13.99 < 14.0 - 1e-6 < theirs
