"""Weekly and monthly bars: a block of daily bars from `stack` comes in, one of longer goes out.

The bars of all symbols are laid end to end and merged between the places where the symbol or
the period changes, so that no step is taken symbol by symbol.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scanner.bars.block import FIELDS, BarBlock, BoolArray, FloatArray, IntArray
from scanner.timeframe import day_date, next_weekday, period_numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Resampled:
    """Bars of a longer timeframe, and which of them are not final."""

    #: A bar's session is the last daily session in it; a period without any is no bar.
    bars: BarBlock
    #: (symbols,) whether the period of the last bar may still get sessions.
    unfinished: BoolArray

    def finished(self) -> BarBlock:
        """Return the bars without those that are not final."""
        bars, late = self.bars, self.unfinished
        values, sessions = bars.values.copy(order="K"), bars.sessions.copy(order="K")
        values[:, late, 1:], values[:, late, :1] = bars.values[:, late, :-1], np.nan
        sessions[late, 1:], sessions[late, :1] = bars.sessions[late, :-1], -1
        counts = (bars.counts - late).astype(np.int32)
        return BarBlock(symbols=bars.symbols, counts=counts, sessions=sessions, values=values)


def without_last(block: BarBlock, bars: int) -> BarBlock:
    """Return the block as it was `bars` of each symbol's own bars ago."""
    width = max(block.sessions.shape[1] - bars, 0)
    return BarBlock(
        symbols=block.symbols,
        counts=np.maximum(block.counts - bars, 0).astype(np.int32),
        sessions=block.sessions[:, :width],
        values=block.values[:, :, :width],
    )


def resample(
    block: BarBlock, timeframe: str, next_session: int | IntArray | None = None
) -> Resampled:
    """Return one bar for each period of `timeframe` in which a symbol of `block` has bars.

    First open, highest high, lowest low, last close, sum of volumes; symbols, their order,
    alignment and layout are as in `stack`. `next_session`: the first session after the
    block's as_of, days since 1970-01-01, by the exchange's calendar, or (symbols,) those after
    each symbol's last bar. Without it the weekday after the newest session of the block is taken,
    so that a week that ends before a holiday stays unfinished until the next session shows.
    ValueError: no such timeframe, or a next_session that the block has reached already.
    """
    present = _present(block.counts, block.sessions.shape[1])
    sessions = block.sessions[present]
    rows = np.repeat(np.arange(len(block.symbols)), block.counts)
    starts = _starts(rows, period_numbers(sessions, timeframe))
    ends = np.append(starts, rows.size)[1:] - 1
    bars = _block(
        block.symbols, rows[starts], sessions[ends], _merged(block.values, present, starts, ends)
    )
    upcoming = np.reshape(np.int32(_upcoming(block, next_session)), (-1, 1))
    current = period_numbers(upcoming, timeframe)
    last = period_numbers(block.sessions[:, -1:], timeframe)
    unfinished = (block.counts > 0) & (last >= current).any(axis=1)
    return Resampled(bars=bars, unfinished=unfinished)


def _present(counts: IntArray, width: int) -> BoolArray:
    """Return where a block has bars: at the end of each row."""
    present: BoolArray = np.arange(width) >= width - counts[:, np.newaxis]
    return present


def _starts(rows: npt.NDArray[np.intp], periods: IntArray) -> npt.NDArray[np.intp]:
    new = np.ones(rows.shape, dtype=np.bool_)
    new[1:] = (rows[1:] != rows[:-1]) | (periods[1:] != periods[:-1])
    return np.flatnonzero(new)


def _merged(
    values: FloatArray,
    present: BoolArray,
    starts: npt.NDArray[np.intp],
    ends: npt.NDArray[np.intp],
) -> FloatArray:
    """Return (5, bars) of all symbols, end to end; each bar is that of its days."""
    opens, highs, lows, closes, volumes = (field[present] for field in values)
    return np.stack(
        [
            opens[starts],
            np.maximum.reduceat(highs, starts),
            np.minimum.reduceat(lows, starts),
            closes[ends],
            np.add.reduceat(volumes, starts),
        ]
    )


def _block(
    symbols: tuple[str, ...], rows: npt.NDArray[np.intp], sessions: IntArray, merged: FloatArray
) -> BarBlock:
    """Return the block of bars that lie end to end; `rows`: each bar's symbol, ascending."""
    counts = np.bincount(rows, minlength=len(symbols)).astype(np.int32)
    width = int(counts.max(initial=0))
    present = _present(counts, width)
    days = np.full((width, len(symbols)), -1, dtype=np.int32).T
    days[present] = sessions
    values = np.full((len(FIELDS), width, len(symbols)), np.nan).transpose(0, 2, 1)
    for field, bars in zip(values, merged, strict=True):
        field[present] = bars
    return BarBlock(symbols=symbols, counts=counts, sessions=days, values=values)


def _upcoming(block: BarBlock, next_session: int | IntArray | None) -> int | IntArray:
    """Return the session from which on periods are not finished."""
    if isinstance(next_session, np.ndarray):
        return next_session
    last = block.sessions[block.counts > 0, -1:]
    newest = int(last.max()) if last.size else -1
    if next_session is None:
        return next_weekday(newest)
    if last.size and next_session <= newest:
        raise ValueError(
            f"expected a next_session after {day_date(newest)}, got {day_date(next_session)}"
        )
    return next_session
