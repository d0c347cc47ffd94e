"""Bars from files: a path comes in, series go to `load`; the data is read once a process.

`file_tables` reads the rows; here they are put in order, so that a fetch is a slice.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scanner.bars.block import BarSeries, FloatArray, IntArray, checked_series
from scanner.bars.file_tables import Rows, bar_files, check_size, read_rows
from scanner.errors import ConfigError, UnknownSymbol
from scanner.timeframe import day_date, day_number


def files_fingerprint(path: Path | str) -> str:
    """Return a short hash of the path, size and time of change of each file at `path`."""
    digest = hashlib.blake2b(digest_size=6)
    for file in bar_files(Path(path)):
        state = file.stat()
        digest.update(f"{file.resolve()}|{state.st_size}|{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Data:
    """All rows, by symbol and then by day."""

    #: Symbol -> its rows.
    rows: dict[str, slice]
    days: IntArray
    #: (5, rows) in the order of FIELDS.
    values: FloatArray


class FilesProvider:
    """Daily bars of a parquet or CSV file, or of a folder of them."""

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self._lock = threading.Lock()
        self._data: _Data | None = None

    def __repr__(self) -> str:
        return f"FilesProvider({str(self._path)!r})"

    def fetch(self, symbol: str, first: dt.date, last: dt.date) -> BarSeries:
        """Return the bars of `symbol` with first <= session <= last, oldest first.

        UnknownSymbol if the files have no row of it; BadBars if one of these bars is bad;
        ConfigError if the files cannot be read.
        """
        data = self._loaded()
        rows = data.rows.get(symbol)
        if rows is None:
            raise UnknownSymbol(f"{symbol}: expected bars in {self._path}, found none")
        days = data.days[rows]
        start, stop = np.searchsorted(days, (day_number(first), day_number(last) + 1))
        inside = slice(start, max(start, stop))
        return checked_series(symbol, days[inside], data.values[:, rows][:, inside])

    def symbols(self, universe: str) -> list[str]:
        """Return all symbols of the files, sorted, as they are written there."""
        if universe != "all":
            raise ConfigError(f"expected the universe all or a file of symbols, got {universe!r}")
        return sorted(self._loaded().rows)

    def last_session(self) -> dt.date | None:
        """Return the newest session of the files."""
        return day_date(self._loaded().days.max())

    def _loaded(self) -> _Data:
        if self._data is None:
            with self._lock:
                if self._data is None:
                    self._data = _read(self._path)
        return self._data


def _read(path: Path) -> _Data:
    parts: list[Rows] = []
    rows = 0
    for file in bar_files(path):
        parts.append(read_rows(file))
        rows += parts[-1].days.size
        check_size(path, rows)
    if not rows:
        raise ConfigError(f"{path}: expected bars, got no row")
    return _ordered(parts)


def _ordered(parts: list[Rows]) -> _Data:
    symbols = sorted({symbol for part in parts for symbol in part.symbols})
    places = {symbol: place for place, symbol in enumerate(symbols)}
    owners = np.concatenate(
        [np.array([places[s] for s in part.symbols], np.int32)[part.owners] for part in parts]
    )
    days = np.concatenate([part.days for part in parts])
    order = np.lexsort((days, owners))
    ends = np.cumsum(np.bincount(owners, minlength=len(symbols))).tolist()
    starts = [0, *ends[:-1]]
    return _Data(
        rows={s: slice(*span) for s, *span in zip(symbols, starts, ends, strict=True)},
        days=days[order],
        values=np.concatenate([part.values for part in parts], axis=1)[:, order],
    )
