"""What is odd about bars is counted for each symbol, whatever its neighbours are like."""

from __future__ import annotations

import numpy as np
from scan_builders import LAST, series

from scanner.bars.block import BarSeries, stack
from scanner.bars.flags import MEANINGS, age_in_sessions, flags_of

SESSIONS = range(LAST - 29, LAST + 1)


def without(one, *ages):
    """Return a series without the bars of so many sessions ago."""
    kept = [at for at in range(len(one)) if len(one) - 1 - at not in ages]
    return BarSeries(
        symbol=one.symbol, sessions=one.sessions[kept], values=one.values[:, kept].copy()
    )


def steady(symbol="AAA", bars=30):
    """Return bars that rise a little each day."""
    one = series(symbol, bars)
    close = 10.0 + 0.01 * np.arange(bars)
    values = np.stack([close, close + 1, close - 1, close, close * 100])
    return BarSeries(symbol=symbol, sessions=one.sessions, values=values)


def test_ordinary_bars_have_no_flag():
    """A young symbol among them: what was before its first bar is not missing."""
    assert flags_of(stack([steady(), steady("NEW", 3)]), SESSIONS) == [{}, {}]


def test_sessions_without_a_bar_are_counted_between_first_and_last():
    """By the exchange's calendar; without one they are not known."""
    block = stack([without(steady(), 3, 4, 10), steady("BBB"), without(steady("CCC"), 29)])
    assert flags_of(block, SESSIONS) == [{"missing_sessions": 3}, {}, {}]
    assert flags_of(block, ()) == [{}, {}, {}]
    holiday = [session for session in SESSIONS if session != LAST - 3]
    assert flags_of(block, holiday)[0] == {"missing_sessions": 2}


def test_flat_bars_and_jumps_are_counted():
    """A jump is more than half of the close before, in either direction."""
    flat, jump, half = steady("FLAT"), steady("JUMP"), steady("HALF")
    flat.values[1, 5:8] = flat.values[2, 5:8] = flat.values[3, 5:8]
    jump.values[3, 10] *= 1.6
    half.values[3, 10:] *= 0.501
    found = flags_of(stack([flat, jump, half]), SESSIONS)
    assert found == [{"flat_bars": 3}, {"jumps": 1}, {}]
    jump.values[3, 20:] *= 0.4
    assert flags_of(stack([jump]), SESSIONS) == [{"jumps": 2}]


def test_each_flag_has_a_meaning():
    """For whoever asks why."""
    block = stack([without(steady(), 2)])
    assert set(flags_of(block, SESSIONS)[0]) <= set(MEANINGS)


def test_an_age_is_counted_in_sessions():
    """Not in days."""
    assert age_in_sessions(LAST, SESSIONS) == 0
    assert age_in_sessions(LAST - 3, [LAST - 3, LAST - 1, LAST]) == 2
    assert age_in_sessions(LAST - 2, [LAST - 3, LAST - 1, LAST]) == 2
