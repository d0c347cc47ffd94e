"""How far back columns look: what they declare holds for their numbers."""

from __future__ import annotations

import numpy as np
import pytest
from indicator_samples import SMALL_COLUMNS, USUAL_COLUMNS, random_series, same_bits

from scanner.bars.block import stack
from scanner.indicators.compute import compute
from scanner.indicators.memory import REST, decaying, settled, span_decay, window
from scanner.indicators.reference.explain import scale_of
from scanner.indicators.registry import column

EVERY_COLUMN = tuple(dict.fromkeys((*USUAL_COLUMNS, *SMALL_COLUMNS)))
#: Bars of the long history that every memory is held against.
BARS = 5000
LONG = stack([random_series(seed, BARS) for seed in range(400, 406)])


def of_kind(kind):
    """Return the columns whose memory is of this kind."""
    return [name for name in EVERY_COLUMN if column(name).memory.kind == kind]


def last_bars(bars):
    """Return the long history without all but its last bars."""
    return stack(
        [random_series(seed, BARS).between(BARS - bars, BARS - 1) for seed in range(400, 406)]
    )


@pytest.fixture(scope="module")
def whole():
    """Every column of the long history."""
    return compute(LONG, EVERY_COLUMN)


@pytest.mark.parametrize("name", of_kind("window"))
def test_a_window_holds_all_that_counts(whole, name):
    """The last value is the same bits from the window's bars alone, and another from fewer."""
    bars = column(name).memory.bars
    known = last_bars(bars)
    assert same_bits(compute(known, [name])[name][:, -1], whole[name][:, -1])
    fewer = compute(last_bars(bars - 1), [name])[name][:, -1:] if bars > 1 else None
    if fewer is not None and fewer.size:
        assert not same_bits(fewer[:, -1], whole[name][:, -1])


def beyond_rest(name, whole, bars):
    """Return which symbols' last values from `bars` bars are off by more than a millionth."""
    asked = column(name)
    last = compute(last_bars(bars), [name])[name][:, -1]
    pairs = zip(LONG.close, whole[name], strict=True)
    scale = np.array([scale_of(asked, close, series)[-1] for close, series in pairs])
    if asked.scale == "own":
        scale *= 10.0  # a single flow, as it seeds a mean, is some times larger than any mean
    value = whole[name][:, -1]
    return np.abs(last - value) > REST * np.fmax(np.abs(value), scale)


@pytest.mark.parametrize("name", of_kind("decaying"))
def test_a_decaying_memory_forgets_what_is_older(whole, name):
    """From as many bars as declared the last value is the same but for a millionth."""
    assert not beyond_rest(name, whole, column(name).memory.bars).any()


#: Their values are few, so that a difference seldom shows; KAMA's bars are those of its slowest.
SELDOM = ("keltner_atr_above", "keltner_atr_below", "stoch_rsi_3", "kama")


@pytest.mark.parametrize("name", [n for n in of_kind("decaying") if not n.startswith(SELDOM)])
def test_a_decaying_memory_is_not_declared_too_long(whole, name):
    """From a third of the declared bars some symbol's value is off by more than a millionth."""
    asked = column(name)
    assert beyond_rest(name, whole, max(asked.memory.bars // 3, asked.bars)).any()


@pytest.mark.parametrize("name", of_kind("cumulative"))
def test_a_cumulative_column_moves_alike_from_any_start(whole, name):
    """Another first bar shifts or scales the level, and leaves its changes as they are."""
    later = compute(last_bars(400), [name])[name]
    same = whole[name][:, -400:]
    assert (np.abs(later[:, -1] - same[:, -1]) > 1e-9 * np.abs(same[:, -1])).all()
    if column(name).stem in {"nvi", "cumulative_return"}:
        base = 0.0 if name == "nvi" else 100.0
        moves, expected = (np.diff(np.log(x + base)) for x in (later, same))
    else:
        moves, expected = np.diff(later[:, 2:]), np.diff(same[:, 2:])
    close = np.isclose(moves, expected[:, -moves.shape[1] :], rtol=1e-6, atol=1e-9)
    assert close.mean() > 0.99


@pytest.mark.parametrize("name", of_kind("path"))
def test_a_path_may_depend_on_its_start(name):
    """Some start of the history gives another last value."""
    first = column(name).bars
    starts = [compute(last_bars(first + more), [name])[name][:, -1] for more in range(20)]
    assert any(not same_bits(one, starts[0]) for one in starts)


def test_kinds_of_known_columns():
    """Each kind stands where the glossary says."""
    assert {column(name).stem for name in of_kind("path")} == {
        *("psar", "psar_up", "psar_down", "psar_up_turn", "psar_down_turn", "stc")
    }
    assert {column(name).stem for name in of_kind("cumulative")} == {
        *("obv", "adi", "vpt", "nvi", "cumulative_return")
    }


def test_memory_is_written_with_its_bars():
    """The text names kind and bars."""
    assert str(column("sma_20").memory) == "window(20)"
    assert str(column("rsi_14").memory) == "decaying(188)"
    assert str(column("obv").memory) == "cumulative"
    assert str(column("psar_0.02_0.2").memory) == "path"


@pytest.mark.parametrize("decays", [(0.9,), (0.9, 0.9), (0.0,), (0.96, 0.8)])
def test_settled_counts_the_bars_that_carry_the_weight(decays):
    """The weight of all older bars is below REST from there on, and not a bar earlier."""
    bars = settled(decays)
    response = np.ones(1)
    for decay in decays:
        kernel = (1.0 - decay) * decay ** np.arange(3000)
        response = np.convolve(response, kernel)[:3000]
    assert response[bars:].sum() <= REST < response[bars - 1 :].sum() + 1e-15
    assert decaying(*decays, after=5).bars == bars + 5
    assert window(3).bars == 3
    assert span_decay(1) == 0.0


def test_a_symbol_s_standing_follows_its_bars():
    """Too few bars for a value, then a value that is warming, then one that is settled."""
    one = column("rsi_14")
    standings = [one.standing(bars) for bars in (0, 13, 14, 187, 188, 900)]
    assert standings == [
        *["insufficient_history"] * 2,
        *["warming"] * 2,
        *["settled"] * 2,
    ]
    assert column("ulcer_14").standing(20) == "warming"
    assert column("obv").standing(1) == "settled"
    assert column("sma_20").standing(20) == "settled"
