"""A rule over a whole market: blocks of bars come in, an outcome for each symbol goes out.

1. each block's symbols get what their own bars decide            (evaluate.py)
2. all rows together decide what only they can, and the outcomes  (verdicts.py)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scanner.bars.block import BarSeries, FloatArray, stack
from scanner.indicators.compute import compute
from scanner.rules.check import Rule
from scanner.rules.evaluate import evaluate
from scanner.rules.outcome import Rows
from scanner.rules.scope import Scope, number
from scanner.rules.screens import Screen
from scanner.rules.settle import joined
from scanner.rules.tree import Expression, Number, OnTimeframe, Series, parts
from scanner.rules.verdicts import inputs_of, verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a rule made of a market; one of each for each symbol, in their order."""

    outcomes: list[str]
    #: Columns of the rule -> the symbol's last value, None where it is unknown.
    values: list[dict[str, float | None]]
    #: Ranked number -> how many rows it is known of.
    ranked_among: dict[str, int]


def judge(
    rule: Rule,
    blocks: Sequence[Sequence[BarSeries]],
    texts: Mapping[str, Mapping[str, str]],
    benchmarks: Mapping[str, BarSeries],
    calendar: Sequence[int] = (),
) -> Judged:
    """Return the outcome of `rule` for every symbol of `blocks`, at its last bar.

    `texts`: `sector` and others -> symbol -> text; `benchmarks`: symbol -> its bars;
    `calendar`: as in Scope.
    """
    screen = Screen(name="tried", description="", where=rule)
    wanted = inputs_of((screen,))
    columns = columns_of(rule.condition)
    known = joined(
        [
            evaluate(
                Scope(
                    block=stack(series),
                    compute=compute,
                    benchmarks=benchmarks,
                    calendar=np.array(calendar, dtype=np.int32),
                ),
                dict.fromkeys((*wanted, *columns.values())),
            )
            for series in blocks
        ]
    )
    every = [one for series in blocks for one in series]
    symbols = [one.symbol for one in every]
    rows = Rows(
        symbols=symbols,
        bars=[len(one) for one in every],
        known=known,
        texts={name: [of.get(symbol) for symbol in symbols] for name, of in texts.items()},
        benchmarks=tuple(benchmarks),
    )
    found = verdict(screen, rows)
    return Judged(
        outcomes=found.outcomes,
        values=_rows({name: number(known[x]) for name, x in columns.items()}, len(every)),
        ranked_among=found.ranked_among,
    )


def columns_of(x: Expression) -> dict[str, Number]:
    """Return the columns in `x`, those of another timeframe as in `1w:rsi_14`."""
    if isinstance(x, Series):
        return {x.name: x}
    if isinstance(x, OnTimeframe):
        return {
            f"{x.timeframe}:{name}": dataclasses.replace(x, x=column)
            for name, column in columns_of(x.x).items()
        }
    return {name: column for part in parts(x) for name, column in columns_of(part).items()}


def _rows(columns: Mapping[str, FloatArray], rows: int) -> list[dict[str, float | None]]:
    """Return for each row column -> its last value."""
    lists = {
        name: [None if np.isnan(one) else one for one in values[:, -1].tolist()]
        for name, values in columns.items()
    }
    return [{name: values[row] for name, values in lists.items()} for row in range(rows)]
