"""The loops by C and by numpy: the same bits, whatever the bars."""

from __future__ import annotations

import threading
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.indicators import loops
from scanner.indicators.loops import by_numpy

LOOPS = [name for name in loops.__all__ if name != "COMPILED"]

pytestmark = pytest.mark.skipif(
    not loops.COMPILED, reason="no C compiler was found when the project was installed"
)


@st.composite
def blocks(draw):
    """Draw (symbols, bars) of high, low and close: missing before the first bar, moving or not."""
    symbols, bars = draw(st.sampled_from([(1, 1), (1, 40), (3, 2), (65, 33), (130, 7), (64, 64)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    moves = rng.normal(0.0, 1.0, (bars, symbols)) * (rng.random((bars, symbols)) < draw(RESTING))
    close = 10.0 ** draw(st.integers(-6, 9)) * (200.0 + moves.cumsum(axis=0))
    close[np.arange(bars)[:, np.newaxis] < rng.integers(0, bars + 1, symbols)] = np.nan
    reach = close * rng.random((2, bars, symbols)) * 0.02
    return (close + reach[0]).T, (close - reach[1]).T, close.T


#: Share of the bars that move.
RESTING = st.sampled_from([0.0, 0.1, 1.0])


def rising_weights(close, size):
    """Return a weight for each bar, none before the second one that a mean rests on."""
    weights = np.where(np.isnan(close), np.nan, np.linspace(0.1, 0.9, close.shape[1]))
    weights[:, : min(size, 2)] = np.nan
    return weights


#: Loop -> its arguments behind the closes, out of highs, lows, closes and a size.
MORE = {
    "adaptive_mean": lambda high, low, close, size: (rising_weights(close, size), size),
    "flow_mean": lambda high, low, close, size: (2.0 / (size + 1), size),
    "level_mean": lambda high, low, close, size: (2.0 / (size + 1), size),
    "mean_deviation": lambda high, low, close, size: (high, size),
    "running_total": lambda high, low, close, size: (),
}


def called(name, by, prices, size):
    """Return what loop `name` of the module `by` makes of `prices`."""
    if name == "parabolic_stop":
        return by.parabolic_stop(*prices, 0.3 / size, 0.2)
    more = MORE[name](*prices, size) if name in MORE else (size,)
    return getattr(by, name)(prices[2], *more)


@pytest.mark.parametrize("name", LOOPS)
@settings(max_examples=40, deadline=None)
@given(prices=blocks(), size=st.sampled_from([1, 2, 3, 9, 40, 300]))
def test_both_ways_give_the_same_bits(name, prices, size):
    """Widths around a strip of symbols, sizes beyond the history, prices from tiny to huge."""
    ours, expected = (called(name, by, prices, size) for by in (loops, by_numpy))
    for one, other in zip(np.atleast_3d(ours), np.atleast_3d(expected), strict=True):
        np.testing.assert_array_equal(one, other)


@settings(max_examples=40, deadline=None)
@given(prices=blocks(), size=st.sampled_from([1, 2, 3, 9]), seed=st.integers(0, 2**32 - 1))
def test_means_over_gaps_give_the_same_bits(prices, size, seed):
    """Gaps of any length, also at the end."""
    close = prices[2].copy(order="F")
    close[np.random.default_rng(seed).random(close.shape) < 0.3] = np.nan
    np.testing.assert_array_equal(
        loops.mean_over_gaps(close, size), by_numpy.mean_over_gaps(close, size)
    )


@pytest.mark.parametrize("layout", ["C", "F", "strided", "read-only", "float32"])
def test_an_array_may_lie_as_it_likes(layout):
    """Rows, columns or every second number side by side: the result is the same."""
    x = np.random.default_rng(4).normal(100.0, 1.0, (70, 30))
    other = {
        "C": np.ascontiguousarray,
        "F": np.asfortranarray,
        "strided": lambda x: np.repeat(np.repeat(x, 2, axis=0), 2, axis=1)[::2, ::2],
        "read-only": lambda x: np.frombuffer(x.tobytes()).reshape(x.shape),
        "float32": lambda x: x.astype(np.float32),
    }[layout](x)
    expected = by_numpy.level_mean(other.astype(np.float64), 0.1, 3)
    np.testing.assert_array_equal(loops.level_mean(other, 0.1, 3), expected)


def test_arrays_that_do_not_fit_are_refused():
    """The compiled code never reads or writes beside an array."""
    by_c = import_module("scanner.indicators.loops._loops")
    x, short = np.ones((5, 4)), np.ones((5, 3))
    for arrays, shape in [((x, short), (5, 4)), ((short, x), (5, 4)), ((x, x.copy()), (5, 5))]:
        with pytest.raises(ValueError, match="expected 5 bars x"):
            by_c.level_mean(*arrays, *shape, 0.1, 3)
    for shape in [(-1, -20), (2**62, 4), (2**32, 2**32)]:
        with pytest.raises(ValueError, match="array 0: expected"):
            by_c.flow_mean(x, x.copy(), *shape, 0.1, 3)
    with pytest.raises(ValueError, match="array 1: expected"):
        by_c.running_total(x, np.ones((5, 4), dtype=np.float32), 5, 4)
    with pytest.raises((ValueError, BufferError, TypeError)):
        by_c.running_total(x.T, x, 5, 4)
    frozen = x.copy()
    frozen.flags.writeable = False
    with pytest.raises((TypeError, ValueError, BufferError)):
        by_c.running_total(x, frozen, 5, 4)
    np.testing.assert_array_equal(short, 1.0)


def test_threads_may_share_what_they_read():
    """Many loops at a time over one array give what each gives alone."""
    x = np.random.default_rng(5).normal(100.0, 1.0, (64, 500))
    expected = by_numpy.level_mean(x, 0.1, 3)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(loops.level_mean(x, 0.1, 3))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(threads)
    for one in found:
        np.testing.assert_array_equal(one, expected)
