"""A replayed market: a long table of real bars comes from a file, bars go to `tape`.

Parquet or CSV with the columns symbol, date, open, high, low, close and volume; splits from
a CSV file with the columns ticker, execution_date, split_from and split_to.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from simulator.market import Bars, DayArray, Split
from simulator.sessions import day_of

_FIELDS: Final = ("open", "high", "low", "close", "volume")

_SPLIT_TYPES: Final = {
    "ticker": pa.string(),
    "execution_date": pa.date32(),
    "split_from": pa.float64(),
    "split_to": pa.float64(),
}


class ReplayMarket:
    """The bars of a file, unchanged; bars of one symbol are put in order.

    They are taken as adjusted by the splits up to the last bar of the file.
    """

    def __init__(self, path: Path, splits: Path | None = None) -> None:
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
        self._sessions = np.unique(days)
        self._splits = _read_splits(splits) if splits is not None else ()

    @property
    def symbols(self) -> tuple[str, ...]:
        """All symbols, sorted."""
        return self._symbols

    @property
    def sessions(self) -> DayArray:
        """The days on which any symbol has a bar."""
        return self._sessions

    @property
    def last_day(self) -> int:
        """The last session of the file."""
        return int(self._sessions[-1])

    @property
    def base_day(self) -> int:
        """The day up to whose splits the bars are adjusted, the last one."""
        return self.last_day

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits of their file."""
        return self._splits

    def kind(self, symbol: str) -> str:
        """Return CS for plain names, PFD for names with a suffix."""
        return "CS" if symbol.isalnum() else "PFD"

    def bars(self, symbol: str, last: int) -> Bars | None:
        """Return the bars of `symbol` up to the day `last`; None if there is no such symbol."""
        rows = self._rows.get(symbol)
        if rows is None:
            return None
        bars = Bars(days=self._days[rows], values=self._values[:, rows])
        return bars if last >= self.last_day else bars.between(int(self._sessions[0]), last)


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


def _read_splits(path: Path) -> tuple[Split, ...]:
    options = pa_csv.ConvertOptions(column_types=_SPLIT_TYPES, include_columns=[*_SPLIT_TYPES])
    rows = pa_csv.read_csv(path, convert_options=options).to_pylist()
    for row in rows:
        if any(value is None for value in row.values()) or not _is_ratio(row):
            raise ValueError(f"expected splits with positive numbers in {path}, got {row}")
    return tuple(
        Split(
            symbol=row["ticker"],
            day=day_of(row["execution_date"]),
            split_from=row["split_from"],
            split_to=row["split_to"],
        )
        for row in rows
    )


def _is_ratio(row: dict[str, Any]) -> bool:
    return all(0.0 < float(row[name]) < float("inf") for name in ("split_from", "split_to"))
