"""A rule over a whole market: outcomes, reasons, places among all rows, benchmarks and texts."""

from __future__ import annotations

import numpy as np
import pytest
from rules_market import FIRST

from scanner.bars.block import BarSeries
from scanner.rules.check import compile_rule
from scanner.rules.cross_section import zscores
from scanner.rules.market import judge
from scanner.rules.needs import bars_needed, bars_settled, warming
from scanner.rules.relative import aligned
from scanner.rules.verdicts import benchmarks_of


def series(symbol, closes, volume=1000.0):
    """Return bars of one weekday after the other whose prices are all `closes`."""
    days = [day for day in range(FIRST, FIRST + 800) if (day + 3) % 7 < 5][: len(closes)]
    close = np.array(closes, dtype=float)
    values = np.stack([close, close, close, close, np.full_like(close, volume)])
    return BarSeries(symbol=symbol, sessions=np.array(days, dtype=np.int32), values=values)


RISING = series("UP", [10, 11, 12, 13, 14])
FALLING = series("DOWN", [14, 13, 12, 11, 10])
FLAT = series("FLAT", [10, 10, 10, 10, 10])
YOUNG = series("NEW", [10, 30])
MARKET = [[RISING, FALLING], [FLAT, YOUNG]]
TEXTS = {"sector": {"UP": "Energy", "DOWN": "Energy", "FLAT": "Utilities"}}


def outcomes(source, benchmarks=None):
    """Return symbol -> outcome of a rule in the little market."""
    judged = judge(compile_rule(source), MARKET, TEXTS, benchmarks or {})
    symbols = [one.symbol for block in MARKET for one in block]
    return dict(zip(symbols, judged.outcomes, strict=True))


def test_a_miss_names_its_first_false_term():
    """Terms are looked at in their order, whatever is unknown before them."""
    assert outcomes("close > 9 and change(1, close) > 0 and sma(3) > 12.5") == {
        "UP": "hit",
        "DOWN": "miss:change(1, close) > 0",
        "FLAT": "miss:change(1, close) > 0",
        "NEW": "unknown:insufficient_history",
    }
    assert outcomes("sma(3) > 1 and close > 10")["NEW"] == "unknown:insufficient_history"
    assert outcomes("sma(3) > 1 and close > 30")["NEW"] == "miss:close > 30"


def test_an_unknown_says_why():
    """Too few bars, a formula without an answer, no benchmark, no text: each has its name."""
    assert outcomes("close / change(1, close) > 0")["FLAT"] == "unknown:undefined"
    assert set(outcomes('rs("SPY", 2) > 0').values()) == {"unknown:no_benchmark SPY"}
    assert outcomes('sector == "Energy"') == {
        "UP": "hit",
        "DOWN": "hit",
        "FLAT": 'miss:sector == "Energy"',
        "NEW": "unknown:no_sector",
    }
    assert outcomes('sector != "Energy"')["NEW"] == "unknown:no_sector"


def test_a_text_that_is_told_is_no_reason():
    """Where the other side of the condition is unknown, that is not the sector's fault."""
    rule = 'sector == "None" or since(close < 0) > 3'
    assert outcomes(rule)["UP"] == "unknown:undefined"
    assert outcomes(rule)["NEW"] == "unknown:no_sector"


def test_places_count_only_what_is_known():
    """Ranks run over all blocks; rows without the number are outside, equals share."""
    least = "rank(close) >= 0.75"
    missed = f"miss:{least}"
    assert outcomes(least) == {"UP": "hit", "DOWN": missed, "FLAT": missed, "NEW": "hit"}
    assert outcomes("rank(close) == 0.375")["DOWN"] == "hit"
    assert outcomes("rank(close) == 0.375")["FLAT"] == "hit"
    ranked = judge(compile_rule("rank(sma(3)) > 0.9"), MARKET, {}, {})
    assert ranked.ranked_among == {"rank(sma(3))": 3}
    assert ranked.outcomes == [
        "hit",
        "miss:rank(sma(3)) > 0.9",
        "miss:rank(sma(3)) > 0.9",
        "unknown:insufficient_history",
    ]


def test_places_within_a_group():
    """Each sector has its own best; a symbol without one has no place."""
    assert outcomes("rank_in(sector, close) == 1") == {
        "UP": "hit",
        "DOWN": "miss:rank_in(sector, close) == 1",
        "FLAT": "hit",
        "NEW": "unknown:no_sector",
    }


def test_distances_are_in_deviations_of_all_rows():
    """Closes 14, 10, 10 and 30 have mean 16 and a deviation of sqrt(68)."""
    assert outcomes("abs(zscore(close) * sqrt(68) + 2) < 1e-9")["UP"] == "hit"
    assert set(outcomes("zscore(close - close) > 0").values()) == {"unknown:undefined"}


def test_places_may_stand_in_any_condition():
    """What the symbol decides alone and what all rows decide are joined by any logic."""
    either = "rank(close) > 0.9 or not (close > 10 or sector is null)"
    assert outcomes(either) == {"UP": f"miss:{either}", "DOWN": "hit", "FLAT": "hit", "NEW": "hit"}
    assert outcomes("if(rank(close) > 0.9, change(1, close), -close) > 0") == {
        "UP": "miss:if(rank(close) > 0.9, change(1, close), -close) > 0",
        "DOWN": "miss:if(rank(close) > 0.9, change(1, close), -close) > 0",
        "FLAT": "miss:if(rank(close) > 0.9, change(1, close), -close) > 0",
        "NEW": "hit",
    }


def test_values_that_are_all_equal_have_no_distance_from_their_mean():
    """Of three times 0.1 it is not 0.1, and they would lie far from it."""
    assert np.full(3, 0.1).std() > 0.0
    assert np.isnan(zscores(np.full(3, 0.1))).all()


def test_a_benchmark_without_bars_is_nowhere():
    """Not the last bar of another session."""
    none = BarSeries(symbol="SPY", sessions=np.empty(0, dtype=np.int64), values=np.empty((5, 0)))
    assert np.isnan(aligned(none, np.array([[1, 2, 3]]))).all()


def test_a_benchmark_is_aligned_by_session():
    """A session that the benchmark lacks makes what rests on it unknown, and nothing else."""
    rule = compile_rule('rs("SPY", 2) > 0')
    assert benchmarks_of([rule.condition]) == ("SPY",)
    spy = series("SPY", [10, 10, 10, 10, 10])
    assert outcomes('rs("SPY", 2) > 0', {"SPY": spy}) == {
        "UP": "hit",
        "DOWN": 'miss:rs("SPY", 2) > 0',
        "FLAT": 'miss:rs("SPY", 2) > 0',
        "NEW": "unknown:insufficient_history",
    }
    kept = [0, 1, 3, 4]
    holed = BarSeries(symbol="SPY", sessions=spy.sessions[kept], values=spy.values[:, kept])
    assert outcomes('rs("SPY", 2) > 0', {"SPY": holed})["UP"] == "unknown:undefined"
    assert outcomes('rs("SPY", 1) > 0', {"SPY": holed})["UP"] == "hit"


def test_returns_that_are_equal_but_for_rounding_have_no_slope():
    """A benchmark that grows by a tenth each bar explains nothing."""
    spy = series("SPY", [10 * 1.1**n for n in range(5)])
    assert outcomes('beta("SPY", 3) > 0', {"SPY": spy})["UP"] == "unknown:undefined"
    assert outcomes('corr("SPY", 3) is null', {"SPY": spy})["UP"] == "hit"


def test_the_calendar_decides_what_is_finished():
    """A holiday behind the last bar ends its week; before the calendar every weekday is one."""
    rule = compile_rule('tf("1w!", close) == close')
    # FIRST is a Monday and the last bar a Thursday.
    market, thursday = [[series("UP", [1, 2, 3, 4])]], FIRST + 3
    assert judge(rule, market, {}, {}).outcomes != ["hit"]
    assert judge(rule, market, {}, {}, (thursday, thursday + 4)).outcomes == ["hit"]
    assert judge(rule, market, {}, {}, (thursday, thursday + 1)).outcomes != ["hit"]
    assert judge(rule, market, {}, {}, (thursday + 4, thursday + 5)).outcomes != ["hit"]


@pytest.mark.parametrize(
    ("source", "bars"),
    [
        ("close > 1", 1),
        ("sma(20) > 1", 20),
        ("ago(3, sma(20)) > 1", 23),
        ("within(3, crosses_above(sma(50), sma(200)))", 203),
        ("highest(252, close) > 1", 252),
        ("change(5, close) > 1 or sma(9) > 1", 9),
        ('rs("SPY", 63) > 0', 64),
        ('tf("1w", sma(3) > 1)', 11),
        ('tf("1w!", close > 1)', 6),
        ("rank(roc(63)) > 0.5", 64),
        ('sector == "A"', 0),
    ],
)
def test_the_bars_that_a_rule_needs(source, bars):
    """What looks back adds to what it looks at."""
    assert bars_needed(compile_rule(source).condition) == bars


@pytest.mark.parametrize(
    ("source", "bars"),
    [
        ("close > sma(20)", 20),
        ("rsi(14) < 30", 188),
        ("ago(3, rsi(14)) < 30", 191),
        ("obv > ago(5, obv)", 6),
        ('tf("1w", rsi(14) < 30)', 187 * 5 + 1),
        ('tf("1w!", rsi(14) < 30)', 188 * 5 + 1),
    ],
)
def test_the_bars_that_settle_a_rule(source, bars):
    """After them more history does not change what it says."""
    condition = compile_rule(source).condition
    assert bars_settled(condition) == bars
    assert warming(condition, bars) == ()


def test_columns_that_are_warming_are_named():
    """As the rule looks at them: some bars ago, or in weeks."""
    rule = 'ago(3, rsi(14)) < 30 and sma(20) > 1 and tf("1w", rsi(14) > 1 and close > 1)'
    condition = compile_rule(rule).condition
    assert warming(condition, 190) == ("rsi_14", "1w:rsi_14")
    assert warming(condition, 191) == ("1w:rsi_14",)
    assert warming(condition, 16) == ()
    assert warming(condition, 5_000) == ()


def test_columns_of_weeks_are_shown_as_such():
    """Not as those of days."""
    market = [[series("UP", range(10, 60))]]
    rule = compile_rule('close > sma(5) and tf("1w", close > sma(4))')
    (shown,) = judge(rule, market, {}, {}).values
    assert list(shown) == ["close", "sma_5", "1w:close", "1w:sma_4"]
    assert shown["close"] == shown["1w:close"] == 59
    assert shown["sma_5"] == 57
    assert shown["1w:sma_4"] not in {57, 57.5}
