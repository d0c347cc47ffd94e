"""All columns of the library ta: the kernels beside ta itself, which takes a symbol at a time."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pandas as pd
import ta

from benchmarks import agreement, market, timing
from benchmarks.columns import TA_COLUMNS
from benchmarks.sizes import Sizes
from benchmarks.tables import Comparison, Findings, compared
from scanner.bars.block import FIELDS, BarSeries, stack
from scanner.indicators.compute import compute

#: How many times faster the kernels have to be.
LEAST = 500.0

#: Symbols whose last values are compared before anything is timed.
_CHECKED = 4


def findings(sizes: Sizes) -> Findings:
    """Return the table, after a look at whether both compute the same."""
    warnings.simplefilter("ignore")  # pandas warns at each of ta's calls
    check(max(sizes.sessions))
    rows = [_row(sizes, sessions) for sessions in sizes.sessions]
    note = (
        f"ta computed {sizes.library} symbols a turn; its time is scaled from them to "
        f"{sizes.market:,}. Both got their bars in memory, ta as data frames."
    )
    return compared(f"All {len(TA_COLUMNS)} columns of ta, one process", rows, [note])


def check(sessions: int) -> None:
    """Raise Disagreement unless the last values of all columns are those of ta."""
    values = market.bars(2, _CHECKED, sessions)
    found = compute(stack(market.series(values)), list(TA_COLUMNS))
    theirs = [_everything(frame).iloc[-1] for frame in map(_frame, market.series(values))]
    for ours, name in TA_COLUMNS.items():
        last = [row[name] for row in theirs]
        agreement.check(f"{ours} and ta's {name}", found[ours][:, -1], last)


def _row(sizes: Sizes, sessions: int) -> Comparison:
    frames = [_frame(one) for one in market.series(market.bars(3, sizes.library, sessions))]
    median = timing.interleaved(
        {"kernels": _kernels(sizes.market, sessions), "ta": lambda: _loop(frames)}, sizes
    )
    return Comparison(
        what=f"{sizes.market:,} symbols",
        sessions=sessions,
        ours=median["kernels"],
        beside="ta.add_all_ta_features",
        theirs=median["ta"] * sizes.market / sizes.library,
        least=LEAST,
    )


def _kernels(symbols: int, sessions: int) -> Callable[[], None]:
    blocks = list(market.blocks(symbols, sessions))
    names = list(TA_COLUMNS)

    def run() -> None:
        for block in blocks:
            compute(block, names)

    return run


def _loop(frames: list[pd.DataFrame]) -> None:
    for frame in frames:
        _everything(frame)


def _frame(series: BarSeries) -> pd.DataFrame:
    return pd.DataFrame(dict(zip(FIELDS, series.values, strict=True)))


def _everything(frame: pd.DataFrame) -> pd.DataFrame:
    # It adds its columns to the frame that it is given.
    return ta.add_all_ta_features(frame.copy(), *FIELDS)
