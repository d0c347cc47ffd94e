"""Kernels against `ta` and pandas on bars that nobody would think of."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from indicator_samples import SMALL_COLUMNS, series_of

from scanner.bars.block import stack
from scanner.indicators.compute import compute
from scanner.indicators.reference import oracle
from scanner.indicators.reference.exact import exact_of
from scanner.indicators.reference.explain import unexplained
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


#: Shrinking runs the oracle for minutes; a failing example is short enough as it is.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)


@settings(
    max_examples=200,
    deadline=None,
    phases=PHASES,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(bars())
def test_made_bars_give_the_same_numbers(values):
    """Flat, gapped, tiny, huge, single and untraded bars give the oracle's numbers."""
    series = series_of("MADE", values)
    ours = compute(stack([series]), SMALL_COLUMNS)
    theirs = oracle(values, COLUMNS)
    for one in COLUMNS:
        exact = exact_of(one, values[3])
        expected = theirs[one.name] if exact is None else exact
        left, _ = unexplained(one, values, ours[one.name][0], expected)
        assert not left.any(), (one.name, ours[one.name][0][left], expected[left])
