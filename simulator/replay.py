"""A replayed market: a long table of real bars comes from a file, bars go to `aggregates`.

Parquet or CSV with the columns symbol, date, open, high, low, close and volume.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from simulator.market import Bars

_FIELDS: Final = ("open", "high", "low", "close", "volume")


class ReplayMarket:
    """The bars of a file, unchanged; bars of one symbol are put in order."""

    def __init__(self, path: Path) -> None:
        table = _read(path).sort_by([("symbol", "ascending"), ("date", "ascending")])
        days = table["date"].cast(pa.int32()).to_numpy().astype(np.int64)
        if not days.size:
            raise ValueError(f"expected bars in {path}, got an empty table")
        values = np.stack([table[name].to_numpy() for name in _FIELDS])
        names = table["symbol"].combine_chunks().to_pylist()
        first_rows = [row for row, name in enumerate(names) if not row or names[row - 1] != name]
        ends = [*first_rows[1:], len(names)]
        self._rows = {
            names[start]: slice(start, end) for start, end in zip(first_rows, ends, strict=True)
        }
        self._days = days
        self._values = values
        self._symbols = tuple(sorted(self._rows))

    @property
    def symbols(self) -> tuple[str, ...]:
        """All symbols, sorted."""
        return self._symbols

    @property
    def last_day(self) -> int:
        """The last session, in days since 1970-01-01."""
        return int(self._days.max())

    def kind(self, symbol: str) -> str:
        """Return CS for plain names, PFD for names with a suffix."""
        return "CS" if symbol.isalnum() else "PFD"

    def bars(self, symbol: str) -> Bars | None:
        """Return all bars of `symbol`; None if there is no such symbol."""
        rows = self._rows.get(symbol)
        if rows is None:
            return None
        return Bars(days=self._days[rows], values=self._values[:, rows])


def _read(path: Path) -> pa.Table:
    columns = ["symbol", "date", *_FIELDS]
    if path.suffix == ".parquet":
        table = pq.ParquetFile(path).read(columns=columns)
    else:
        types = {"symbol": pa.string(), "date": pa.date32(), **dict.fromkeys(_FIELDS, pa.float64())}
        options = pa_csv.ConvertOptions(column_types=types, include_columns=columns)
        table = pa_csv.read_csv(path, convert_options=options)
    date = pc.cast(table["date"], pa.date32())
    return table.set_column(table.column_names.index("date"), "date", date)
