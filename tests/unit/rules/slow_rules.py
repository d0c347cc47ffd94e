"""The scan language once more, slowly: a tree, one symbol and one bar come in, its value goes out.

Written from docs/language.md alone and apart from scanner/rules/evaluate.py, so that a mistake has
to be made twice to stay unseen. A number is a float and a condition True or False; None is unknown.
"""

from __future__ import annotations

import datetime as dt
import math
import operator
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise

from scanner.rules import tree

EPOCH = dt.date(1970, 1, 1)

UNKNOWN = tree.Constant(value=math.nan)

#: Numbers that come out of sums in another order may differ by this much, relative to their size.
ROUNDING = 1e-9


class RoundingDecides(Exception):
    """Raised where the last bits of a sum would decide: whatever comes out is as good."""


@dataclass(frozen=True, kw_only=True)
class Bars:
    """The bars of one symbol, oldest first."""

    sessions: list[int]
    #: open, high, low, close and volume.
    fields: dict[str, list[float]]

    def first(self, count):
        """Return the first bars."""
        fields = {name: column[:count] for name, column in self.fields.items()}
        return Bars(sessions=self.sessions[:count], fields=fields)


@dataclass(frozen=True, kw_only=True)
class Symbol:
    """All that an expression may ask of one symbol."""

    bars: Bars
    #: Indicators by the names of their columns, of these bars.
    columns: dict[str, list[float]] = field(default_factory=dict)
    texts: dict[str, str | None] = field(default_factory=dict)
    #: Symbol -> session -> close.
    benchmarks: dict[str, dict[int, float]] = field(default_factory=dict)
    #: Sessions of the exchange; None: every weekday is one.
    calendar: list[int] | None = None
    #: Makes the column of that name of weekly or monthly bars.
    compute: Callable[[Bars, str], list[float]] | None = None


def value(symbol, x, i):
    """Return what `x` is at bar `i`; before the first bar everything is unknown."""
    return None if i < 0 else EVALUATE[type(x)](symbol, x, i)


def values(symbol, x, bars):
    """Return what `x` is at each of `bars`, or None if it is unknown at one of them."""
    found = [value(symbol, x, i) for i in bars]
    return None if None in found else found


def known(x):
    """Return a number, or None if there is no such one."""
    return x if x is not None and math.isfinite(x) else None


def rounded(*args):
    """Return whether one of the numbers is a sum that others may add up in another order."""
    return any(
        isinstance(part, tree.Relative)
        or (isinstance(part, tree.Rolling) and part.op == "slope")
        or (isinstance(part, tree.Arithmetic) and part.op == "log")
        for x in args
        for part in tree.walk(x)
    )


def refuse_tie(x, y, *args):
    """Raise RoundingDecides if x and y, made of `args`, are equal but for rounding."""
    if rounded(*args) and abs(x - y) <= ROUNDING * max(1.0, abs(x), abs(y)):
        raise RoundingDecides


def series(symbol, x, i):
    column = symbol.bars.fields.get(x.name) or symbol.columns[x.name]
    return known(column[i])


def divided(x, y):
    return None if y == 0 else x / y


ARITHMETIC = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": divided,
    "negative": operator.neg,
    "abs": abs,
    "min": min,
    "max": max,
    "round": round,
    "sqrt": lambda x: math.sqrt(x) if x >= 0 else None,
    "log": lambda x: math.log(x) if x > 0 else None,
    "sign": lambda x: (x > 0) - (x < 0),
}


def arithmetic(symbol, x, i):
    args = [value(symbol, arg, i) for arg in x.args]
    if x.op == "coalesce":
        return next((arg for arg in args if arg is not None), None)
    if None in args:
        return None
    if x.op in {"/", "sqrt", "log", "sign"}:
        refuse_tie(args[-1], 0.0, x.args[-1])
    if x.op == "round":
        refuse_tie(args[0], math.floor(args[0]) + 0.5, *x.args)
    found = ARITHMETIC[x.op](*args)
    return None if found is None else known(float(found))


def choice(symbol, x, i):
    chosen = {True: x.then, False: x.other, None: UNKNOWN}
    return value(symbol, chosen[value(symbol, x.condition, i)], i)


COMPARISONS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def comparison(symbol, x, i):
    left, right = value(symbol, x.left, i), value(symbol, x.right, i)
    if left is None or right is None:
        return None
    refuse_tie(left, right, x.left, x.right)
    return COMPARISONS[x.op](left, right)


def membership(symbol, x, i):
    text = symbol.texts.get(x.field)
    return None if text is None else text in x.values


def decided(args, strong):
    """Return `strong` if one is, else unknown if one is, else the opposite."""
    return strong if strong in args else None if None in args else not strong


def logic(symbol, x, i):
    args = [value(symbol, arg, i) for arg in x.args]
    if x.op == "not":
        return None if args[0] is None else not args[0]
    return decided(args, strong=x.op == "or")


def held(symbol, x, i):
    args = [value(symbol, x.x, j) for j in range(i - x.bars + 1, i + 1)]
    return decided(args, strong=x.op == "within")


def count(symbol, x, i):
    args = values(symbol, x.x, range(i - x.bars + 1, i + 1))
    return None if args is None else float(sum(args))


def since(symbol, x, i):
    for bars in range(i + 1):
        condition = value(symbol, x.x, i - bars)
        if condition is None:
            return None
        if condition:
            return float(bars)
    return None


def products(xs, ys):
    """Return the sum of products of the distances from both means."""
    x_mean, y_mean = math.fsum(xs) / len(xs), math.fsum(ys) / len(ys)
    return math.fsum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True))


def rolling(symbol, x, i):
    if x.op == "change":
        ends = values(symbol, x.x, [i - x.bars, i])
        return None if ends is None else known(ends[1] - ends[0])
    args = values(symbol, x.x, range(i - x.bars + 1, i + 1))
    if args is None:
        return None
    if x.op == "slope":
        places = range(x.bars)
        return known(products(places, args) / products(places, places))
    return max(args) if x.op == "highest" else min(args)


def date(session):
    return EPOCH + dt.timedelta(days=session)


def period(session, timeframe):
    """Return the week or month of a session: (year, number)."""
    day = date(session)
    return day.isocalendar()[:2] if timeframe == "1w" else (day.year, day.month)


def next_session(session, calendar):
    """Return the exchange's next session; of one that tells none, the next weekday."""
    later = calendar[bisect_right(calendar, session) :] if calendar else []
    if later:
        return later[0]
    following = session + 1
    while date(following).weekday() >= 5:
        following += 1
    return following


def periods(bars, timeframe):
    """Return one bar for each week or month that has sessions."""
    sessions, made, previous = [], {name: [] for name in bars.fields}, None
    for j, session in enumerate(bars.sessions):
        today = {name: column[j] for name, column in bars.fields.items()}
        if period(session, timeframe) == previous:
            sessions[-1] = session
            made["high"][-1] = max(made["high"][-1], today["high"])
            made["low"][-1] = min(made["low"][-1], today["low"])
            made["close"][-1] = today["close"]
            made["volume"][-1] += today["volume"]
        else:
            sessions.append(session)
            for name, price in today.items():
                made[name].append(price)
        previous = period(session, timeframe)
    return Bars(sessions=sessions, fields=made)


def on_timeframe(symbol, x, i):
    made = periods(symbol.bars.first(i + 1), x.timeframe)
    session = symbol.bars.sessions[i]
    following = next_session(session, symbol.calendar)
    if x.finished and period(following, x.timeframe) == period(session, x.timeframe):
        made = made.first(len(made.sessions) - 1)
    if not made.sessions:
        return None
    names = {part.name for part in tree.walk(x.x) if isinstance(part, tree.Series)}
    columns = {name: symbol.compute(made, name) for name in names - set(made.fields)}
    return value(replace(symbol, bars=made, columns=columns), x.x, len(made.sessions) - 1)


def relative(symbol, x, i):
    """Return rs, beta or corr; rs is what the price of the symbol in benchmarks rose by."""
    if i - x.bars < 0:
        return None
    wanted = [i - x.bars, i] if x.op == "rs" else range(i - x.bars, i + 1)
    closes = [symbol.bars.fields["close"][j] for j in wanted]
    benchmark = symbol.benchmarks.get(x.benchmark, {})
    others = [benchmark.get(symbol.bars.sessions[j]) for j in wanted]
    if None in others:
        return None
    if x.op == "rs":
        return known(((closes[1] / closes[0]) / (others[1] / others[0]) - 1) * 100)
    own, its = ([y / x - 1 for x, y in pairwise(prices)] for prices in (closes, others))
    if x.op == "beta":
        return divided(products(own, its), products(its, its))
    return divided(products(own, its), math.sqrt(products(own, own) * products(its, its)))


EVALUATE = {
    tree.Constant: lambda symbol, x, i: known(x.value),
    tree.Series: series,
    tree.Arithmetic: arithmetic,
    tree.Choice: choice,
    tree.Comparison: comparison,
    tree.Membership: membership,
    tree.Logic: logic,
    tree.Known: lambda symbol, x, i: value(symbol, x.x, i) is not None,
    tree.Ago: lambda symbol, x, i: value(symbol, x.x, i - x.bars),
    tree.Held: held,
    tree.Count: count,
    tree.Since: since,
    tree.Rolling: rolling,
    tree.OnTimeframe: on_timeframe,
    tree.Relative: relative,
}
