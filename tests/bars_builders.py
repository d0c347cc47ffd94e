"""Bars for tests: long tables with names that readers trip over, written as CSV or parquet."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

#: Names that CSV readers take for missing values, and mixed case, dots and dashes.
SYMBOLS = ("AAA", "BRK.B", "KIMpL", "NA", "NAN", "NULL", "TRUE", "AACT-WS")
FIRST = dt.date(2025, 6, 2)
LAST = dt.date(2025, 7, 9)


def weekdays(first: dt.date = FIRST, last: dt.date = LAST) -> list[dt.date]:
    """Return the weekdays from `first` to `last`."""
    days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    return [day for day in days if day.weekday() < 5]


def long_table(symbols: tuple[str, ...] = SYMBOLS, seed: int = 5) -> pa.Table:
    """Return random bars; each symbol starts one session after the one before it."""
    source = np.random.default_rng(seed)
    names, dates, rows = [], [], []
    for skipped, symbol in enumerate(symbols):
        for day in weekdays()[skipped:]:
            start, close = source.uniform(10, 20, 2)
            high, low = max(start, close) + source.random(), min(start, close) - source.random()
            names.append(symbol)
            dates.append(day)
            rows.append((start, high, low, close, float(source.integers(1, 10**8)) / 4))
    columns = dict(
        zip(("open", "high", "low", "close", "volume"), zip(*rows, strict=True), strict=True)
    )
    return pa.table({"symbol": names, "date": dates} | columns)


def write_table(table: pa.Table, path: Path) -> Path:
    """Write `table` to `path` as its suffix says and return the path."""
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    else:
        pa_csv.write_csv(table, path)
    return path
