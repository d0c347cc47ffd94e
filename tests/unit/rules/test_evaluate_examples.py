"""What each part of the scan language says of a few bars, written out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from test_evaluate import evaluated

from scanner.bars.block import BarSeries, stack
from scanner.indicators.compute import compute
from scanner.rules.check import compile_number, compile_rule
from scanner.rules.scope import Scope

#: True, false and unknown.
T, F, U = True, False, None

#: Unknown at a close of 2; 0, 1 and 2 at closes of 3, 4 and 7.
ROOT = "sqrt(close - 3)"

#: Its change from a close of 1 to one of 2 is too large for a number.
HUGE = "if(close > 1, 1e308, -1e308)"


def days_of(dates):
    """Return dates, or days since 1970-01-01, as sessions."""
    return np.array(dates, dtype="datetime64[D]").astype(np.int32)


def bars_of(closes, dates=None, symbol="AAA"):
    """Return bars that are flat at each close, in the days from Monday 1970-01-05 or others."""
    sessions = days_of(dates or range(4, 4 + len(closes)))
    values = np.array([closes, closes, closes, closes, [10] * len(closes)], dtype=float)
    return BarSeries(symbol=symbol, sessions=sessions, values=values)


def number(text, series, *others, **beside):
    """Return the number that `text` says at each bar of `series`."""
    scope = Scope(block=stack([series, *others]), compute=compute, **beside)
    found = evaluated(scope, compile_number(text), bars=len(series))[0]
    return [None if one is None else pytest.approx(one) for one in found]


def condition(text, series, *others, **beside):
    """Return the condition that `text` says at each bar of `series`."""
    scope = Scope(block=stack([series, *others]), compute=compute, **beside)
    return evaluated(scope, compile_rule(text).condition, bars=len(series))[0]


@pytest.mark.parametrize(
    ("text", "closes", "expected"),
    [
        ("10 - close - 3", [1, 2], [6, 5]),
        ("12 / close / 2 * 3", [1, 2], [18, 9]),
        ("1 + close * 3", [1, 2], [4, 7]),
        ("-close * 2", [1, 2], [-2, -4]),
        ("open + high + low + volume", [1, 2], [13, 16]),
        ("5% + 2k + 1M + 1B - close", [1], [1_001_001_999.05]),
        ("0 / (close - 1)", [1, 2], [U, 0]),
        ("1e308 * close", [1, 10], [1e308, U]),
        ("abs(close - 2)", [1, 2, 4], [1, 0, 2]),
        ("sign(close - 2)", [1, 2, 4], [-1, 0, 1]),
        (ROOT, [2, 3, 7], [U, 0, 2]),
        ("log(close - 1)", [1, 2], [U, 0]),
        ("log(close)", [8], [2.0794415416798357]),
        ("round(close / 2)", [1, 3, 5, 6.8], [0, 2, 2, 3]),
        ("max(close, 2, 1)", [1, 2, 3], [2, 2, 3]),
        (f"min(1, {ROOT})", [2, 3, 7], [U, 0, 1]),
        (f"if({ROOT} > 1, 10, 20)", [7, 3, 2], [10, 20, U]),
        (f"if(close > 2, {ROOT}, 20)", [7, 3, 2], [2, 0, 20]),
        (f"coalesce({ROOT}, -1)", [7, 2], [2, -1]),
        (f"coalesce({ROOT}, 1 / 0, -2)", [7, 2], [2, -2]),
        ("ago(1, close)", [1, 2, 4], [U, 1, 2]),
        ("count(2, close > 1)", [1, 2, 4, 1], [U, 1, 2, 1]),
        (f"count(2, {ROOT} > 1)", [7, 7, 3, 2, 7, 7], [U, 2, 1, U, U, 2]),
        ("since(close > 1)", [1, 2, 1, 1, 4], [U, 0, 1, 2, 0]),
        (f"since({ROOT} > 1)", [3, 7, 3, 3, 2, 3, 7, 2], [U, 0, 1, 2, U, U, 0, U]),
        ("highest(2, close)", [1, 4, 2, 1], [U, 4, 4, 2]),
        ("lowest(2, close)", [1, 4, 2, 1], [U, 1, 2, 1]),
        (f"highest(2, {ROOT})", [4, 7, 3, 2, 3, 4], [U, 2, 2, U, U, 1]),
        (f"lowest(2, {ROOT})", [4, 7, 3, 2, 3, 4], [U, 1, 0, U, U, 0]),
        ("change(2, close)", [1, 2, 4, 8], [U, U, 3, 6]),
        (f"change(2, {ROOT})", [7, 2, 3, 4], [U, U, -2, U]),
        ("slope(3, close)", [1, 2, 4, 0.5], [U, U, 1.5, -0.75]),
        (f"slope(2, {ROOT})", [7, 3, 2, 4, 3], [U, -2, U, U, -1]),
        (f"change(1, {HUGE})", [1, 2, 3], [U, U, 0]),
        (f"slope(2, {HUGE})", [1, 2, 3], [U, U, 0]),
        ("change(1, obv)", [1, 2, 1], [U, 10, -10]),
    ],
)
def test_a_number_is_what_the_page_says(text, closes, expected):
    """Each function and operator at each of a few bars, unknown ones among them."""
    assert number(text, bars_of(closes)) == expected


@pytest.mark.parametrize(
    ("text", "closes", "expected"),
    [
        ("close < 2", [1, 2, 3], [T, F, F]),
        ("close <= 2", [1, 2, 3], [T, T, F]),
        ("close > 2", [1, 2, 3], [F, F, T]),
        ("close >= 2", [1, 2, 3], [F, T, T]),
        ("close == 2", [1, 2, 3], [F, T, F]),
        ("close != 2", [1, 2, 3], [T, F, T]),
        ("1 < close <= 3", [1, 2, 3, 4], [F, T, T, F]),
        ("4 > close != 2", [1, 2, 3, 4], [T, F, T, F]),
        ("close between 2 and 3", [1, 2, 3, 4], [F, T, T, F]),
        ("close not between 2 and 3", [1, 2, 3, 4], [T, F, F, T]),
        ("close in (1, 3)", [1, 2, 3], [T, F, T]),
        ("close not in (1, 3) and close = 2 and close <> 1", [1, 2, 3], [F, T, F]),
        (f"({ROOT} > 1) is not null", [2, 3, 7], [F, T, T]),
        ("not close > 1 and close > 2", [1, 2, 3], [F, F, F]),
        ("!(close > 1) || close > 2 && close < 4", [1, 2, 3, 4], [T, F, T, F]),
        ("close > 0 or close > 1 and close > 2", [1], [T]),
        ("ago(1, close > 1)", [1, 2, 1], [U, F, T]),
        ("within(2, close > 1)", [2, 1, 1, 1], [T, T, F, F]),
        ("all_of(2, close > 1)", [1, 2, 2, 1], [F, F, T, F]),
        ("crosses_above(close, 2)", [1, 2, 3, 4, 2, 3], [F, F, T, F, F, T]),
        ("crosses_below(close, 2)", [3, 2, 1, 0.5, 2, 1], [F, F, T, F, F, T]),
        ("crosses_above(close, sma(2))", [1, 2, 1, 3], [U, U, F, T]),
        ("obv > ago(1, obv)", [1, 2, 1], [U, T, F]),
        ("CLOSE > Sma_2 AND Not Close Is Null", [1, 2, 1], [U, T, F]),
    ],
)
def test_a_condition_is_what_the_page_says(text, closes, expected):
    """Each operator and function at each of a few bars."""
    assert condition(text, bars_of(closes)) == expected


@pytest.mark.parametrize(
    ("text", "closes", "expected"),
    [
        ("1 / 0 > 1 and close < 0", [1], [F]),
        ("close < 0 and 1 / 0 > 1", [1], [F]),
        ("1 / 0 > 1 and close > 0", [1], [U]),
        ("1 / 0 > 1 or close > 0", [1], [T]),
        ("close > 0 or 1 / 0 > 1", [1], [T]),
        ("1 / 0 > 1 or close < 0", [1], [U]),
        ("not 1 / 0 > 1", [1], [U]),
        ("1 / 0 != 3", [1], [U]),
        ("1 / 0 not in (3, 4)", [1], [U]),
        ("close in (1, 1 / 0)", [1, 2], [T, U]),
        (f"within(2, {ROOT} > 1)", [7, 2, 2, 3, 3], [T, T, U, U, F]),
        (f"all_of(2, {ROOT} > 1)", [3, 2, 7, 7], [F, F, U, T]),
        (f"within(3, {ROOT} > 1)", [3, 3, 3], [U, U, F]),
        (f"all_of(3, {ROOT} > 1)", [7, 7, 7], [U, U, T]),
    ],
)
def test_the_unknown_goes_on_as_the_page_says(text, closes, expected):
    """Each row of the table under Unknown."""
    assert condition(text, bars_of(closes)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("coalesce(ago(1, 5), 9)", [9, 5]),
        ("highest(2, 5)", [U, 5]),
        ("slope(2, 5)", [U, 0]),
        ("count(2, close is null)", [U, 0]),
        ("since(close is null)", [U, U]),
        ("since(coalesce(close, 0) == 0)", [U, U]),
        ('tf("1w!", 5)', [U, U]),
    ],
)
def test_nothing_is_known_before_the_first_bar(text, expected):
    """A number that is written out and `is null` are no more known there than the close."""
    longer = bars_of([3] * 9, symbol="BBB")
    assert number(text, bars_of([1, 2])) == expected
    assert number(text, bars_of([1, 2]), longer) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('type == "CS"', [T, F, U]),
        ("type is not null", [T, T, F]),
        ('type != "CS"', [F, T, U]),
        ('type not in ("ADRC", "ETF")', [T, F, U]),
        ('type == "cs"', [F, F, U]),
        ('symbol in ("AAA", "CCC")', [T, F, T]),
        ('sector == "Energy"', [U, U, U]),
    ],
)
def test_a_text_is_unknown_where_the_universe_has_none(text, expected):
    """Also where it has none of that kind at all."""
    block = stack([bars_of([1], symbol=symbol) for symbol in ("AAA", "BBB", "CCC")])
    scope = Scope(block=block, compute=compute, texts={"type": ["CS", "ETF", None]})
    assert evaluated(scope, compile_rule(text).condition, bars=1) == [[one] for one in expected]


def test_a_text_of_no_symbol_is_no_value():
    """A block may be empty."""
    scope = Scope(block=stack([]), compute=compute)
    assert evaluated(scope, compile_rule('type == "CS"').condition, bars=1) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('rs("SPY", 1)', [U, 25, U, U, 2]),
        ('rs("SPY", 2)', [U, U, U, -16, U]),
        ('rs("QQQ", 1)', [U, U, U, U, U]),
        ('beta("SPY", 2)', [U, U, U, U, U]),
    ],
)
def test_rs_is_the_percent_that_the_price_in_benchmarks_rose_by(text, expected):
    """It asks for the benchmark's closes at both ends only; here the third one is missing."""
    own, spy = bars_of([10, 10, 12, 10.5, 10.71]), bars_of([5, 4, 5, 5], [4, 5, 7, 8])
    assert number(text, own, benchmarks={"SPY": spy}) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('beta("SPY", 3)', [U, U, U, 0.5, -1.5]),
        ('corr("SPY", 3)', [U, U, U, 0.5, -(0.75**0.5)]),
        ('beta("SPY", 2)', [U, U, 0.5, -1, -2]),
        ('corr("SPY", 2)', [U, U, 1, -1, -1]),
        ('beta("FLAT", 2)', [U, U, U, U, U]),
        ('corr("FLAT", 2)', [U, U, U, U, U]),
    ],
)
def test_beta_and_corr_are_of_the_last_returns(text, expected):
    """Returns of 10, 20, 30 and 10% over those of 10, 30, 20 and 30%; a flat one tells nothing."""
    own, spy = bars_of([100, 110, 132, 171.6, 188.76]), bars_of([100, 110, 143, 171.6, 223.08])
    assert number(text, own, benchmarks={"SPY": spy, "FLAT": bars_of([5] * 5)}) == expected


def test_a_session_without_a_trade_is_no_bar():
    """The bar before it is one bar ago, and the benchmark's close in it is not looked at."""
    own, spy = bars_of([1, 3, 4], [4, 6, 7]), bars_of([5, 6, 7, 8])
    assert number("ago(1, close)", own) == [U, 1, 3]
    assert number('rs("SPY", 1)', own, benchmarks={"SPY": spy}) == [U, 800 / 7, 50 / 3]


#: Two days before and four of the week of Good Friday 2024, and the Monday and Tuesday after it.
EASTER = [f"2024-03-{day}" for day in (21, 22, 25, 26, 27, 28)] + ["2024-04-01", "2024-04-02"]
CALENDAR = days_of([*EASTER, "2024-04-03"])


@pytest.mark.parametrize(
    ("text", "with_calendar", "without_calendar"),
    [
        ('tf("1w!", close)', [U, 6, 6, 6, 6, 3, 3, 3], [U, 6, 6, 6, 6, 6, 3, 3]),
        ('tf("1mo!", close)', [U, U, U, U, U, 3, 3, 3], [U, U, U, U, U, U, 3, 3]),
        ('ago(1, tf("1w!", close))', [U, U, 6, 6, 6, 6, 3, 3], [U, U, 6, 6, 6, 6, 6, 3]),
    ],
)
def test_good_friday_ends_the_week_a_day_early(text, with_calendar, without_calendar):
    """Without a calendar the Friday counts as a session, until the Monday's bar shows."""
    own = bars_of([5, 6, 4, 8, 7, 3, 2, 9], EASTER)
    assert number(text, own, calendar=CALENDAR) == with_calendar
    assert number(text, own) == without_calendar


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('tf("1w", open)', [5, 5, 4, 4, 4, 4, 2, 2]),
        ('tf("1w", high)', [5, 6, 4, 8, 8, 8, 2, 9]),
        ('tf("1w", low)', [5, 5, 4, 4, 4, 3, 2, 2]),
        ('tf("1w", close)', [5, 6, 4, 8, 7, 3, 2, 9]),
        ('tf("1w", volume)', [10, 20, 10, 20, 30, 40, 10, 20]),
        ('tf("1w", sma(2))', [U, U, 5, 7, 6.5, 4.5, 2.5, 6]),
        ('tf("1w", ago(1, close))', [U, U, 6, 6, 6, 6, 3, 3]),
        ('tf("1w", count(2, close > 3))', [U, U, 2, 2, 2, 1, 0, 1]),
        ('highest(2, tf("1w", close))', [U, 6, 6, 8, 8, 7, 3, 9]),
        ('since(close > 7) + tf("1w", close)', [U, U, U, 8, 8, 5, 5, 9]),
    ],
)
def test_a_week_is_made_of_the_sessions_so_far(text, expected):
    """At each bar, of those up to it; volumes are 10 a day."""
    assert number(text, bars_of([5, 6, 4, 8, 7, 3, 2, 9], EASTER)) == expected


def test_a_condition_of_weeks_is_one_of_days():
    """It may be unknown, and be looked back at."""
    own = bars_of([5, 6, 4, 8, 7, 3, 2, 9], EASTER)
    assert condition('tf("1w", close > ago(1, close))', own) == [U, U, F, T, T, F, F, T]
    assert condition('within(2, tf("1w!", close > 5))', own) == [U, T, T, T, T, T, T, F]


@pytest.mark.parametrize(
    ("dates", "weeks", "months"),
    [
        # Tuesday the 30th ends April, and its week goes on in May.
        (["2024-04-29", "2024-04-30", "2024-05-01"], [U, U, U], [U, 2, 2]),
        # Friday ends the week and May, and Friday the 28th also June, though it has 30 days.
        (["2024-05-31", "2024-06-28"], [1, 2], [1, 2]),
        # New Year ends December and no week.
        (["2024-12-31", "2025-01-02", "2025-01-03"], [U, U, 3], [1, 1, 1]),
        # A symbol that stopped trading on a Thursday: the exchange's Friday was to come.
        (["2024-06-05", "2024-06-06", "2024-06-11"], [U, U, 2], [U, U, U]),
    ],
)
def test_weeks_and_months_end_apart(dates, weeks, months):
    """What is finished is known at the last bar before the end, by the weekday that follows."""
    own = bars_of([1, 2, 3][: len(dates)], dates)
    assert number('tf("1w!", close)', own) == weeks
    assert number('tf("1mo!", close)', own) == months
