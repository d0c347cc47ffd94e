"""Weekly and monthly bars: equal to pandas, whole before their end is known, marked until then."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scan_builders import series

from scanner.bars.block import FIELDS, BarSeries, stack
from scanner.bars.files import FilesProvider
from scanner.bars.resample import resample
from scanner.timeframe import DAILY, MONTHLY, TIMEFRAMES, WEEKLY, day_number, period_numbers

#: Real bars, which are not part of the project.
REAL_BARS = Path(
    os.environ.get("SCANNER_TEST_BARS")
    or Path(__file__).parents[3] / ".." / "shared" / "data" / "bars.parquet"
)
LAST = day_number(dt.date(2025, 7, 9))
WEEKDAYS = np.array([d for d in range(LAST - 420, LAST + 1) if (d + 3) % 7 < 5], np.int32)
BOTH = pytest.mark.parametrize("timeframe", [WEEKLY, MONTHLY])

#: Sums of at most 23 positive numbers differ by no more, whatever their order.
ROUNDING = 23 * np.finfo(float).eps

#: How pandas merges each column; the day goes along to name the bar's session.
HOW = ("last", "first", "max", "min", "last", "sum")
RECIPE = dict(zip(("day", *FIELDS), HOW, strict=True))


def on(symbol, *dates, seed=1):
    """Return random bars on `dates`, each written as YYYY-MM-DD."""
    days = np.array([day_number(dt.date.fromisoformat(date)) for date in dates], np.int32)
    return on_days(symbol, days, seed)


def on_days(symbol, days, seed):
    """Return random bars on `days`, with volumes that are fractional as adjusted ones are."""
    values = series(symbol, len(days), seed=seed).values.copy()
    values[4] /= 3.0
    return BarSeries(symbol=symbol, sessions=days, values=values)


def gappy_series(symbol, seed):
    """Return random bars that start late, end early, and miss days, weeks and months."""
    rng = np.random.default_rng(seed)
    kept = rng.random(WEEKDAYS.size) < rng.choice([0.02, 0.3, 0.9, 1.0])
    for timeframe in (WEEKLY, MONTHLY):
        periods = period_numbers(WEEKDAYS, timeframe)
        kept &= ~np.isin(periods, rng.choice(periods, rng.integers(0, 4)))
    start, stop = sorted(rng.integers(0, WEEKDAYS.size + 1, 2))
    return on_days(symbol, WEEKDAYS[start:stop][kept[start:stop]], seed)


def gappy(seed, symbols=12):
    """Return series of unequal lengths; the second has no bar, the third all of them."""
    made = [gappy_series(f"S{n}", 1000 * seed + n) for n in range(symbols)]
    made[1], made[2] = on_days("NONE", WEEKDAYS[:0], seed), on_days("ALL", WEEKDAYS, seed)
    return made


def real():
    """Return the bars of all symbols of REAL_BARS."""
    files = FilesProvider(REAL_BARS)
    return [files.fetch(symbol, dt.date.min, dt.date.max) for symbol in files.symbols("all")]


def bars_of(block, row):
    """Return the sessions and the values of one symbol, without its padding."""
    width = block.sessions.shape[1]
    start = width - int(block.counts[row])
    return block.sessions[row, start:], block.values[:, row, start:]


def same(one, other):
    """Return whether sessions and values of both are the same bits."""
    return all(
        a.shape == b.shape and a.tobytes() == b.tobytes() for a, b in zip(one, other, strict=True)
    )


def by_pandas(made, timeframe):
    """Return each symbol's number of bars, and field -> its bars of all symbols, end to end."""
    days = np.concatenate([one.sessions for one in made])
    columns = {
        "row": np.repeat(np.arange(len(made)), [len(one) for one in made]),
        "date": days.astype("datetime64[D]").astype("datetime64[s]"),
        "day": days,
    }
    fields = zip(FIELDS, np.concatenate([one.values for one in made], axis=1), strict=True)
    table = pa.table(columns | dict(fields)).to_pandas().pivot(index="date", columns="row")
    label = {WEEKLY: "W-FRI", MONTHLY: "ME"}[timeframe]
    bars = {
        field: table[field].reindex(columns=range(len(made))).resample(label).agg(how).to_numpy().T
        for field, how in RECIPE.items()
    }
    known = ~np.isnan(bars["day"])
    return known.sum(axis=1), {field: numbers[known] for field, numbers in bars.items()}


@pytest.fixture(scope="module", params=["made", "real"])
def market(request):
    """Series with gaps, made and real."""
    if request.param == "made":
        return [one for seed in range(20) for one in gappy(seed)]
    if not REAL_BARS.exists():
        pytest.skip("no file of real bars; SCANNER_TEST_BARS names one")
    return real()


def test_a_week_is_merged_from_its_days():
    """First open, highest high, lowest low, last close, all shares, and the last session."""
    week = on("AAA", "2025-06-30", "2025-07-01", "2025-07-02", "2025-07-03")
    week.values[:] = [
        [10.0, 12.0, 11.0, 13.0],
        [15.0, 19.0, 14.0, 14.0],
        [9.0, 11.0, 8.0, 12.0],
        [12.0, 11.0, 13.0, 12.5],
        [100.0, 0.0, 0.5, 7.0],
    ]
    got = resample(stack([week]), WEEKLY).bars
    assert got.sessions.tolist() == [[day_number(dt.date(2025, 7, 3))]]
    assert got.values[:, 0, 0].tolist() == [10.0, 19.0, 8.0, 12.5, 107.5]


@BOTH
def test_bars_equal_those_of_pandas(market, timeframe):
    """Sessions and prices to the bit, volumes within rounding."""
    got = resample(stack(market), timeframe).bars
    counts, expected = by_pandas(market, timeframe)
    assert got.counts.tolist() == counts.tolist()
    rows = [bars_of(got, row) for row in range(len(market))]
    sessions, values = (np.concatenate(parts, axis=-1) for parts in zip(*rows, strict=True))
    assert sessions.tolist() == expected["day"].tolist()
    for place, field in enumerate(FIELDS[:4]):
        np.testing.assert_array_equal(values[place], expected[field])
    np.testing.assert_allclose(values[4], expected["volume"], rtol=ROUNDING)


@BOTH
def test_a_volume_is_the_sum_of_the_days_from_left_to_right(timeframe):
    """Within rounding."""
    one = on_days("AAA", WEEKDAYS, 3)
    sums = {}
    periods = period_numbers(WEEKDAYS, timeframe).tolist()
    for period, shares in zip(periods, one.values[4].tolist(), strict=True):
        sums[period] = sums.get(period, 0.0) + shares
    got = resample(stack([one]), timeframe).bars.volume[0]
    np.testing.assert_allclose(got, list(sums.values()), rtol=ROUNDING)


@BOTH
def test_a_symbol_alone_has_the_same_bars(market, timeframe):
    """To the bit; a hundred symbols of each market."""
    whole = resample(stack(market), timeframe).bars
    for row in range(0, len(market), 1 + len(market) // 100):
        alone = resample(stack([market[row]]), timeframe).bars
        assert same(bars_of(alone, 0), bars_of(whole, row)), market[row].symbol


@BOTH
@given(seed=st.integers(0, 10**6), day=st.integers(int(WEEKDAYS[0]) - 1, LAST))
def test_later_sessions_change_no_finished_bar(timeframe, seed, day):
    """All bars but the unfinished ones are there, to the bit, when all sessions are known."""
    made = gappy(seed, symbols=6)
    early = resample(stack([one.between(0, day) for one in made]), timeframe)
    final = resample(stack(made), timeframe)
    for row, unfinished in enumerate(early.unfinished.tolist()):
        known = int(early.bars.counts[row]) - unfinished
        before, after = bars_of(early.bars, row), bars_of(final.bars, row)
        assert same([part[..., :known] for part in before], [part[..., :known] for part in after])


@BOTH
@given(seed=st.integers(0, 10**6), day=st.integers(int(WEEKDAYS[0]), LAST - 1))
def test_a_bar_is_unfinished_if_and_only_if_a_session_may_join_it(timeframe, seed, day):
    """By the calendar's next session: it is in the period of the bar."""
    upcoming = int(WEEKDAYS[np.searchsorted(WEEKDAYS, day, side="right")])
    made = [one.between(0, day) for one in gappy(seed, symbols=6)]
    got = resample(stack(made), timeframe, upcoming)
    for one, unfinished in zip(made, got.unfinished.tolist(), strict=True):
        ends = np.array([*one.sessions[-1:], upcoming], np.int32)
        periods = period_numbers(ends, timeframe).tolist()
        assert unfinished == (len(one) > 0 and periods[0] == periods[-1])


@pytest.mark.parametrize(
    ("last", "upcoming", "week", "month"),
    [
        ("2025-07-09", None, True, True),  # a Wednesday
        ("2025-07-11", None, False, True),  # a Friday
        ("2024-03-28", None, True, True),  # a Thursday; Good Friday is not known
        ("2024-03-28", "2024-04-01", False, False),  # and here it is
        ("2025-05-30", None, False, False),  # the last weekday of a month
        ("2025-12-31", None, True, False),  # a Wednesday, the last day of the year
        ("2025-12-31", "2026-01-02", True, False),
        ("2025-07-11", "2025-07-14", False, True),
    ],
)
def test_the_period_of_the_next_session_is_unfinished(last, upcoming, week, month):
    """By the calendar where it is given, else by the next weekday."""
    block = stack([on("AAA", last)])
    day = None if upcoming is None else day_number(dt.date.fromisoformat(upcoming))
    assert resample(block, WEEKLY, day).unfinished.tolist() == [week]
    assert resample(block, MONTHLY, day).unfinished.tolist() == [month]


def test_a_symbol_that_stopped_earlier_is_finished():
    """Its last week is over, though that of the others is not."""
    halted, alive = on("HALT", "2025-07-02", "2025-07-03"), on("LIVE", "2025-07-03", "2025-07-08")
    late = on("LATE", "2025-07-07")
    got = resample(stack([halted, alive, late]), WEEKLY)
    assert got.unfinished.tolist() == [False, True, True]
    assert got.bars.counts.tolist() == [1, 2, 1]


@pytest.mark.parametrize("days", [0, -1, -30])
def test_a_next_session_that_the_block_has_reached_is_refused(days):
    """The message shows both dates."""
    block = stack([on("OLD", "2025-06-02"), on("AAA", "2025-07-09")])
    with pytest.raises(ValueError, match="after 2025-07-09, got 2025-0"):
        resample(block, WEEKLY, LAST + days)


@BOTH
def test_a_period_without_a_bar_is_no_bar(timeframe):
    """Its neighbours follow each other, and the same month a year later is another one."""
    block = stack([on("AAA", "2024-07-08", "2024-07-09", "2025-07-09")])
    got = resample(block, timeframe).bars
    assert got.counts.tolist() == [2]
    assert got.sessions[0].tolist() == [day_number(dt.date(2024, 7, 9)), LAST]


def test_neighbouring_symbols_do_not_share_a_bar():
    """The first bar of a symbol is in the week in which the symbol before it ends."""
    one, other = on("AAA", "2025-07-08", seed=1), on("BBB", "2025-07-08", "2025-07-09", seed=2)
    got = resample(stack([one, other]), WEEKLY).bars
    assert got.counts.tolist() == [1, 1]
    assert got.open[:, 0].tolist() == [one.values[0, 0], other.values[0, 0]]


@pytest.mark.parametrize("timeframe", TIMEFRAMES)
def test_the_block_is_laid_out_as_that_of_its_bars(timeframe):
    """Symbols, alignment, padding, types and order in memory are those of `stack`."""
    block = stack(gappy(7))
    got = resample(block, timeframe)
    bars = [bars_of(got.bars, row) for row in range(len(block.symbols))]
    again = stack([BarSeries(symbol="AAA", sessions=days, values=each) for days, each in bars])
    assert got.bars.symbols == block.symbols
    assert (got.unfinished.shape, got.unfinished.dtype) == ((12,), np.bool_)
    for name in ("counts", "sessions", "values"):
        ours, theirs = getattr(got.bars, name), getattr(again, name)
        np.testing.assert_array_equal(ours, theirs)
        assert (ours.dtype, ours.strides) == (theirs.dtype, theirs.strides)
        assert not np.shares_memory(ours, getattr(block, name))


def test_daily_bars_stay_as_they_are():
    """Each is finished, since the next session is another day."""
    block = stack(gappy(8))
    got = resample(block, DAILY)
    assert same(
        (got.bars.sessions, got.bars.values, got.bars.counts),
        (block.sessions, block.values, block.counts),
    )
    assert not got.unfinished.any()


@pytest.mark.parametrize("timeframe", TIMEFRAMES)
@pytest.mark.parametrize("upcoming", [None, 0, -100])
@pytest.mark.parametrize("symbols", [0, 1, 3])
def test_without_bars_there_is_nothing_to_finish(timeframe, upcoming, symbols):
    """No symbols at all, or symbols without bars."""
    block = stack([on_days(f"S{n}", WEEKDAYS[:0], n) for n in range(symbols)])
    got = resample(block, timeframe, upcoming)
    assert got.bars.values.shape == (5, symbols, 0)
    assert got.bars.sessions.shape == (symbols, 0)
    assert got.bars.counts.tolist() == [0] * symbols
    assert got.unfinished.tolist() == [False] * symbols


def test_bars_before_1970_are_bars():
    """A negative session is not the padding, nor newer than it beside a symbol without bars."""
    block = stack([on("OLD", "1962-01-02", "1962-01-05"), on_days("NONE", WEEKDAYS[:0], 1)])
    got = resample(block, WEEKLY)
    assert got.bars.counts.tolist() == [1, 0]
    assert resample(block, MONTHLY).unfinished.tolist() == [True, False]


def test_another_timeframe_is_refused():
    """Also for a block without bars."""
    with pytest.raises(ValueError, match="1d, 1w, 1mo, got '1h'"):
        resample(stack([]), "1h")
