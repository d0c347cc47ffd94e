"""The fast evaluation of rules, held to the slow one by random expressions on random bars."""

from __future__ import annotations

import math
import random
import re
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st
from slow_rules import ROUNDING, Bars, RoundingDecides, Symbol, value

from scanner.bars.block import FIELDS, BarSeries, stack
from scanner.indicators.compute import compute
from scanner.rules.check import compile_number, compile_rule
from scanner.rules.evaluate import evaluate
from scanner.rules.scope import Scope
from scanner.rules.tree import Series, walk
from scanner.rules.truth import Truth
from scanner.rules.usage import USAGE

#: Bars that are compared of each symbol.
LOOKED_AT = 8

#: 2024-01-01, a Monday; all data begins in the year after it.
MONDAY = 19_723

NAMES = ("AAA", "BBB", "CCC", "DDD")

#: What an expression is drawn from: {x} is a number, {c} a condition, {n} 1 to 4, {m} 2 to 5.
LEAVES = {
    "x": (*FIELDS, "0", "1", "2.5", "5%", "100", "0.2k", "rsi(3)", "sma(4)", "ema(3)",
        "macd(3, 6)", "atr(3)", "return_1", "sma_2", "roc(2)", "donchian_upper(3)",
        "stoch(3, 2)", "change(2, obv)", "slope(3, adi)", "change(1, vpt)"),
    "c": ("({x} < {x})", "({x} <= {x})", "({x} > {x})", "({x} >= {x})", "({x} == {x})",
        "({x} != {x})", '(type == "CS")', '("CS" != type)', '(sector in ("Energy", "Utilities"))',
        "(symbol = 'BBB')", "(sector is null)"),
}  # fmt: skip
BRANCHES = {
    "x": ("({x} + {x})", "({x} - {x})", "({x} * {x})", "({x} / {x})", "-({x})", "abs({x})",
        "sign({x})", "sqrt({x})", "log({x})", "round({x})", "min({x}, {x})", "max({x}, {x}, {x})",
        "coalesce({x}, {x})", "coalesce({x}, {x}, {x})", "if({c}, {x}, {x})", "ago({n}, {x})",
        "highest({n}, {x})", "lowest({n}, {x})", "change({n}, {x})", "slope({m}, {x})",
        "count({n}, {c})", "since({c})", 'tf("1w", {x})', 'tf("1w!", {x})', 'tf("1mo", {x})',
        'tf("1mo!", {x})', 'rs("SPY", {n})', 'beta("SPY", {m})', 'corr("SPY", {m})'),
    "c": ("({x} < {x} <= {x})", "({x} > {x} != {x})", "({x} between {x} and {x})",
        "({x} not between {x} and {x})", "({x} in ({x}, {x}))", "({x} not in ({x}, {x}))",
        "({x} is null)", "({c} is null)", "({x} is not null)", "(not {c})", "({c} and {c})",
        "({c} or {c})", "({c} && {c} || !{c})", "ago({n}, {c})", "within({n}, {c})",
        "all_of({n}, {c})", "crosses_above({x}, {x})", "crosses_below({x}, {x})",
        "(obv > ago({n}, obv))", "(obv == highest({n}, obv))", 'tf("1w", {c})', 'tf("1w!", {c})',
        'tf("1mo", {c})', 'tf("1mo!", {c})'),
}  # fmt: skip

#: Functions that texts of the universe cannot stand inside.
OF_BARS = {"ago", "within", "all_of", "count", "since", "highest", "lowest", "change", "slope"}
OF_BARS |= {"crosses_above", "crosses_below", "tf"}
TEXTS = ("(type", '("CS"', "(sector", "(symbol")


def allowed(template, inside):
    """Return whether the language lets a part stand inside these functions."""
    name = template.partition("(")[0]
    if template.startswith(TEXTS):
        return not inside & OF_BARS
    if name == "tf":
        return not inside & {"tf", "since"}
    return name not in {"rs", "beta", "corr"} or "tf" not in inside


def written(draw, kind, depth, inside=frozenset()):
    """Draw the text of a number ("x") or a condition ("c")."""
    templates = LEAVES[kind] + (BRANCHES[kind] if depth > 0 else ())
    template = draw(st.sampled_from([one for one in templates if allowed(one, inside)]))
    around = inside | {template.partition("(")[0]}
    text = ""
    for part in re.split(r"{(.)}", template):
        match part:
            case "x" | "c":
                text += written(draw, part, depth - 1, around)
            case "n" | "m":
                text += str(draw(st.integers(1, 4)) + (part == "m"))
            case _:
                text += part
    return text


@st.composite
def expressions(draw, depth=3):
    """Draw an expression and return what it means."""
    kind = draw(st.sampled_from("xc"))
    text = written(draw, kind, depth)
    assume(len(text) <= 1_000)
    note(text)
    return compile_number(text) if kind == "x" else compile_rule(text).condition


@dataclass(frozen=True)
class Market:
    """Bars of some symbols, and what is known beside them."""

    #: What it was made from; the rest follows, and is too long to be shown.
    seed: int
    lengths: list[int]
    has_calendar: bool
    series: list[BarSeries] = field(repr=False)
    benchmark: BarSeries = field(repr=False)
    texts: dict[str, list[str | None]] = field(repr=False)
    calendar: np.ndarray | None = field(repr=False)

    def scope(self, rows=slice(None), until=None):
        """Return the scope of some rows, as it was at the session `until`."""
        series = self.series[rows]
        benchmark = self.benchmark
        if until is not None:
            series = [one.between(0, until) for one in series]
            benchmark = benchmark.between(0, until)
        return Scope(
            block=stack(series),
            compute=compute,
            texts={name: texts[rows] for name, texts in self.texts.items()},
            benchmarks={"SPY": benchmark},
            calendar=self.calendar,
        )

    def symbol(self, row, x):
        """Return one symbol with the indicators of `x` for the slow evaluation."""
        bars, spy = plain(self.series[row]), plain(self.benchmark)
        names = {part.name for part in walk(x) if isinstance(part, Series)} - set(FIELDS)
        return Symbol(
            bars=bars,
            columns={name: column(bars, name) for name in names},
            texts={"symbol": NAMES[row]} | {name: texts[row] for name, texts in self.texts.items()},
            benchmarks={"SPY": dict(zip(spy.sessions, spy.fields["close"], strict=True))},
            calendar=None if self.calendar is None else self.calendar.tolist(),
            compute=column,
        )


def plain(series):
    """Return the bars of a series as lists."""
    fields = dict(zip(FIELDS, series.values.tolist(), strict=True))
    return Bars(sessions=series.sessions.tolist(), fields=fields)


def column(bars, name):
    """Return an indicator of one symbol alone."""
    values = np.array([bars.fields[field] for field in FIELDS])
    sessions = np.array(bars.sessions, dtype=np.int32)
    one = BarSeries(symbol="AAA", sessions=sessions, values=values)
    return compute(stack([one]), [name])[name][0].tolist()


def made_series(symbol, sessions, source):
    """Return a walk in cents with flat stretches, ties and bars without volume."""
    close, rows = source.randint(900, 1_100), []
    flat = 0
    for _ in sessions:
        flat = flat - 1 if flat > 0 else source.choice([0, 0, 0, 0, 6])
        first = close
        close += 0 if flat else source.choice([-25, -10, -5, 0, 0, 5, 10, 25])
        high = max(first, close) + (0 if flat else source.choice([0, 0, 5, 10]))
        low = min(first, close) - (0 if flat else source.choice([0, 0, 5, 10]))
        rows.append((first, high, low, close, 100 * source.choice([0, 100, 200, 250, 700])))
    values = np.array(rows, dtype=float).reshape(-1, 5).T / 100
    return BarSeries(symbol=symbol, sessions=np.array(sessions, dtype=np.int32), values=values)


def made_market(seed, lengths, has_calendar):
    """Return symbols of these lengths, with missing sessions and an exchange with holidays."""
    source = random.Random(seed)
    first = MONDAY + source.randint(0, 365)
    weekdays = [day for day in range(first, first + 110) if (day - MONDAY) % 7 < 5]
    holidays = set(source.sample(weekdays, 15))
    days = [day for day in weekdays if day not in holidays]
    series = []
    for symbol, length in zip(NAMES, lengths, strict=True):
        missing = set(source.sample(days[60 - length : 60], min(length - 1, source.randint(0, 2))))
        own = [day for day in days[60 - length : 60] if day not in missing]
        series.append(made_series(symbol, own, source))
    missing = set(source.sample(days[:60], 2))
    return Market(
        seed=seed,
        lengths=lengths,
        has_calendar=has_calendar,
        series=series,
        benchmark=made_series("SPY", [day for day in days[:60] if day not in missing], source),
        texts={
            "type": source.choices(["CS", "ETF", None], k=4),
            "sector": source.choices(["Energy", "Tech", None], k=4),
        },
        calendar=np.array(days, dtype=np.int32) if has_calendar else None,
    )


markets = st.builds(
    made_market, st.integers(0, 2**32), st.permutations([60, 20, 3, 1]), st.booleans()
)


def plain_values(found):
    """Return fast values as rows of floats, True, False and None."""
    if isinstance(found, Truth):
        unknown = np.where(found.known, found.true, None)
        return [[None if one is None else bool(one) for one in row] for row in unknown]
    return [[None if math.isnan(one) else one for one in row] for row in found.tolist()]


def evaluated(scope, x, bars=LOOKED_AT):
    """Return the last values of `x` in each row that has so many bars, or of all its bars."""
    rows = plain_values(evaluate(scope, [x], bars=bars)[x])
    counts = scope.block.counts.tolist()
    return [row[max(bars - count, 0) :] for row, count in zip(rows, counts, strict=True)]


def same(fast, slow):
    """Return whether two values differ by no more than rounding; an infinity is none of ours."""
    if fast is None or slow is None or isinstance(slow, bool):
        return fast is slow
    return abs(fast - slow) <= ROUNDING * max(1.0, abs(slow))


def differences(market, x):
    """Return (symbol, bar, fast value, slow value) wherever they differ."""
    found = []
    for row, values in enumerate(evaluated(market.scope(), x)):
        symbol, count = market.symbol(row, x), len(market.series[row])
        for i, fast in enumerate(values, start=count - len(values)):
            # Where rounding decides, both answers are right: the bar is passed over.
            with suppress(RoundingDecides):
                slow = value(symbol, x, i)
                if not same(fast, slow):
                    found.append((symbol.texts["symbol"], i, fast, slow))
    return found


often = settings(max_examples=800, deadline=None, suppress_health_check=list(HealthCheck))
seldom = settings(often, max_examples=200)


@often
@given(market=markets, x=expressions())
def test_the_fast_evaluation_says_what_the_slow_one_says(market, x):
    """Conditions are the same and numbers equal but for rounding, at the last bars of each row."""
    assert differences(market, x) == []


@seldom
@given(market=markets, x=expressions(), back=st.integers(1, LOOKED_AT))
def test_no_value_depends_on_later_bars(market, x, back):
    """At each bar it is what it was when that bar was the last one, of the benchmark too."""
    longest = max(market.series, key=len)
    until = int(longest.sessions[-back])
    now = evaluated(market.scope(), x)
    before = evaluated(market.scope(until=until), x, bars=1)
    for one, values, then in zip(market.series, now, before, strict=True):
        later = int((one.sessions > until).sum())
        if then and later < len(values):
            assert values[len(values) - 1 - later] == then[0]


@seldom
@given(market=markets, x=expressions())
def test_no_value_depends_on_the_other_symbols(market, x):
    """Each row alone has the values that it has in the block, to the bit."""
    together = evaluated(market.scope(), x)
    alone = [evaluated(market.scope(slice(row, row + 1)), x)[0] for row in range(len(NAMES))]
    assert together == alone


@seldom
@given(market=markets, x=expressions(), bars=st.integers(1, 80))
def test_no_value_depends_on_how_many_are_asked_for(market, x, bars):
    """The last values are the same whether one or more than there are bars is asked for."""
    fewer, more = evaluated(market.scope(), x, bars=1), evaluated(market.scope(), x, bars=bars)
    assert [row[-1:] for row in more] == fewer


def test_every_function_is_drawn():
    """A function that is added to the language has to be added to the random expressions."""
    texts = " ".join(BRANCHES["x"] + BRANCHES["c"])
    assert {name for name in USAGE if f"{name}(" not in texts} == {"rank", "rank_in", "zscore"}
