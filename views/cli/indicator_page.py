"""The page docs/indicators.md: the registry, deviations and disagreements come in, Markdown out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from scanner.indicators import momentum, others, patterns, trend, volatility, volume
from scanner.indicators.deviations import DEVIATIONS, KINDS
from scanner.indicators.indicator import Column
from scanner.indicators.reference.ta_lib import DISAGREEMENTS, ON_FLAT_PRICES, WHERE_A_PRICE_HALTS
from scanner.indicators.registry import catalogue

_FAMILIES = {
    "Trend": trend,
    "Momentum": momentum,
    "Volatility": volatility,
    "Volume": volume,
    "Others": others,
    "Candlestick patterns": patterns,
}

_INTRODUCTION = """\
# Indicators

Made by `scan indicators --markdown`. Each column is computed for a block of symbols at once by
the definition of the library `ta` 0.11.0, by TA-Lib itself for its candlestick patterns, or by the
named formula where neither has one. The numbers in a name are its parameters, and any will do:
`sma_35`, `macd_8_17`, `bbands_upper_20_2.5`.
`SCANNER_COLUMNS` adds columns to the rows of a scan, `scan verify SYMBOL` shows a symbol's numbers
beside those of `ta` and TA-Lib.
"""

_MEMORY = """\
## Bars and memory

`bars` is how many a symbol needs for a first value; with fewer the column is missing as
`insufficient_history`. A value that is missing with enough bars is `unknown`: the formula has no
answer, as for the place in a range of width 0, or for the stop on the other side of a trend.

`memory` is what a value rests on. From the first value until there are so many bars, more history
would change it, and its row names it under `warming`.

| memory | what a value rests on |
|---|---|
| `window(n)` | the last n bars and nothing else |
| `decaying(n)` | all bars, but those older than n weigh less than a millionth in each mean |
| `path` | all bars since the start; no number of bars makes another start forgotten |
| `cumulative` | a total from the first bar of the lookback; only its changes can be compared |

`path` and `cumulative` columns are never named under `warming`, because no number of bars settles
them. The bars of `decaying` are those of the slowest way: `kama` is at its slowest only while the
price goes nowhere. The millionth is one of weight: a price that was 1,000 times today's, or a
quotient such as `rsi` while a halted price does not move at all, remembers more.
"""

_DEVIATIONS = """\
## Where these numbers differ from `ta`

On purpose. Equal means within 1e-9 of the value or of its scale (the price, 100 for oscillators, 1
for ratios), over the whole series.

| kind | why | columns |
|---|---|---|
"""

_TA_LIB = """\
## Where `ta` and TA-Lib disagree

Charts and other programs often use TA-Lib. Means that it seeds in another way meet ours after the
bars of `memory`; these columns do not meet:

| column | how they differ |
|---|---|
"""

_HALT = """
Where a price halts after it has moved:

| column | how they differ |
|---|---|
"""

_FLAT = """
Where no price moves in all of a window:

| column | here and in `ta` | TA-Lib |
|---|---|---|
"""


_HEAD = """\
| column | formula | unit | bars | memory | column of `ta` |
|---|---|---|---|---|---|
"""


def page() -> str:
    """Return the whole page."""
    parts = [_INTRODUCTION, *_families(), _MEMORY]
    parts.append(_DEVIATIONS + _lines(_deviation_rows()))
    flat = ((f"`{stem}`", *map(_number, both)) for stem, both in ON_FLAT_PRICES.items())
    differing = ((f"`{stem}`", why) for stem, why in DISAGREEMENTS.items())
    halting = ((f"`{stem}`", why) for stem, why in WHERE_A_PRICE_HALTS.items())
    parts.append(_TA_LIB + _lines(differing) + _HALT + _lines(halting) + _FLAT + _lines(flat))
    return "\n".join(parts)


def _families() -> Iterator[str]:
    columns = catalogue()
    for title, family in _FAMILIES.items():
        own = [one for one in columns if one.indicator.name in family.INDICATORS]
        yield f"## {title}\n\n{_HEAD}{_lines(map(_row, own))}"


def _row(one: Column) -> Sequence[str]:
    ta = f"`{one.ta}`" if one.ta else ""
    return (f"`{one.name}`", one.formula, one.unit, str(one.bars), f"`{one.memory}`", ta)


def _deviation_rows() -> Iterator[Sequence[str]]:
    for kind, why in KINDS.items():
        stems = ", ".join(f"`{stem}`" for stem, kinds in DEVIATIONS.items() if kind in kinds)
        yield kind, why, stems


def _lines(rows: Iterable[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _number(value: float) -> str:
    return "missing" if math.isnan(value) else f"{value:g}"
