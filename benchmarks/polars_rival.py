"""polars-talib: the same functions as expressions over one long table of all symbols."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
import polars_talib

from benchmarks import calls
from benchmarks.calls import Call
from scanner.bars.block import FIELDS, BarSeries, FloatArray


def contenders(
    many: Sequence[BarSeries], chosen: Sequence[Call]
) -> dict[str, Callable[[], object]]:
    """Return the ways in which polars computes all of `chosen` for all symbols."""
    table = long_table(many)
    plain = [_expression(call).alias(f"c{place}") for place, call in enumerate(chosen)]
    over = [expression.over("symbol") for expression in plain]
    return {
        "over, eager": lambda: table.select(over),
        "over, lazy": lambda: table.lazy().select(over).collect(),
        "group_by, eager": lambda: table.group_by("symbol", maintain_order=True).agg(plain),
        "group_by, lazy": lambda: table.lazy().group_by("symbol").agg(plain).collect(),
    }


def last_values(many: Sequence[BarSeries], chosen: Sequence[Call]) -> dict[str, FloatArray]:
    """Return the last value of each symbol by column."""
    found: dict[str, FloatArray] = {}
    for call in chosen:
        asked = _expression(call).over("symbol").alias("found")
        last = long_table(many).select("symbol", asked).group_by("symbol", maintain_order=True)
        values = last.last()["found"]
        outputs = values.struct.unnest() if values.dtype == pl.Struct else values.to_frame()
        for name, output in zip(call.columns, outputs.iter_columns(), strict=False):
            found[name] = output.to_numpy() * call.unit
    return {name: found[name] for name in calls.columns(chosen)}


def long_table(many: Sequence[BarSeries]) -> pl.DataFrame:
    """Return one row for each symbol and bar, sorted by both."""
    columns = {
        name: np.concatenate([one.values[place] for one in many])
        for place, name in enumerate(FIELDS)
    }
    symbols = [one.symbol for one in many for _ in range(len(one))]
    return pl.DataFrame({"symbol": symbols, **columns})


def _expression(call: Call) -> pl.Expr:
    function: Callable[..., pl.Expr] = getattr(polars_talib, call.function.lower())
    return function(*map(pl.col, call.inputs), **call.numbers)
