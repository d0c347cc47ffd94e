"""Kernels against `ta` and pandas on bars that nobody would think of."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from indicator_samples import (
    SMALL_COLUMNS,
    differs,
    exact_bands,
    exact_moments,
    series_of,
)

from scanner.bars.block import stack
from scanner.indicators.compute import compute
from scanner.indicators.reference import oracle
from scanner.indicators.registry import column

COLUMNS = tuple(column(name) for name in SMALL_COLUMNS)

#: Move of the close and gap of the open in percent, range above and below in thousandths, volume.
BAR = st.tuples(
    st.integers(-20, 20),
    st.integers(-10, 10),
    st.integers(0, 50),
    st.integers(0, 50),
    st.sampled_from([0.0, 1.0, 750.0, 1e9]),
)
STILL = st.tuples(*[st.just(0)] * 4, st.sampled_from([0.0, 300.0]))
#: Calm and wild stretches, so that windows are flat, mixed and moving.
STRETCH = st.one_of(st.lists(BAR, min_size=1, max_size=15), st.lists(STILL, max_size=15))


@st.composite
def bars(draw):
    """Return (5, bars) of a tiny, ordinary or huge price with flat stretches and gaps."""
    level = draw(st.sampled_from([1e-4, 1.0, 37.5, 1e7]))
    drawn = [bar for part in draw(st.lists(STRETCH, min_size=1, max_size=4)) for bar in part]
    moves, gaps, above, below, volume = np.array(drawn or [(0, 0, 0, 0, 1.0)], dtype=float).T
    close = level * np.cumprod(1.0 + moves / 100.0)
    opened = np.concatenate([close[:1], close[:-1]]) * (1.0 + gaps / 100.0)
    opened = np.where((moves == 0) & (gaps == 0) & (above == 0) & (below == 0), close, opened)
    high = np.maximum(opened, close) * (1.0 + above / 1000.0)
    low = np.minimum(opened, close) * (1.0 - below / 1000.0)
    return np.stack([opened, high, low, close, volume])


def expected_of(values):
    """Return what each column should be: the oracle's, or exact where the oracle is not."""
    close = values[3]
    expected = oracle(values, COLUMNS)
    for one in COLUMNS:
        if one.indicator.name == "bbands":
            stem = one.indicator.outputs[one.output].stem
            expected[one.name] = exact_bands(close, **one.parameters)[stem]
        if one.indicator.name == "realized_volatility":
            expected[one.name] = exact_volatility(close, **one.parameters)
        expected[one.name] = expected[one.name].copy()
        expected[one.name][: one.bars - 1] = np.nan
    return expected


def exact_volatility(close, window):
    """Return the realized volatility, each window in extended precision."""
    out = np.full(close.shape, np.nan)
    if len(close) > window:
        _, deviation = exact_moments(np.diff(np.log(close)), window, 1)
        out[window:] = deviation * np.sqrt(252.0)
    return out


def flat_windows(values, window):
    """Return where the last `window` bars are all at one price."""
    flat = np.zeros(values.shape[1], dtype=bool)
    for bar in range(window - 1, values.shape[1]):
        flat[bar] = np.ptp(values[1:4, bar - window + 1 : bar + 1]) == 0.0
    return flat


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(bars())
def test_made_bars_give_the_same_numbers(values):
    """Flat, gapped, tiny, huge, single and untraded bars give the oracle's numbers."""
    ours = compute(stack([series_of("MADE", values)]), SMALL_COLUMNS)
    expected = expected_of(values)
    for one in COLUMNS:
        actual, wanted = ours[one.name][0], expected[one.name]
        if one.indicator.name == "cci":
            wanted[flat_windows(values, one.params.window)] = np.nan
        different = differs(one, values[3], actual, wanted)
        assert not different.any(), (one.name, actual[different], wanted[different])
