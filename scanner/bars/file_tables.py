"""Files of bars: paths come from `files`, symbols, days and values of every row go back.

Parquet or CSV by pyarrow, a long table or one file a symbol. Rows are only read here: whether
a bar can be true is for `checked_series` to say.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from scanner.bars.block import FIELDS, FloatArray, IntArray
from scanner.errors import ConfigError
from scanner.timeframe import day_number

_PARQUET: Final = (".parquet",)
_CSV: Final = (".csv", ".csv.gz")

_SYMBOL_NAMES: Final = ("symbol", "ticker")
_DATE_NAMES: Final = ("date", "session", "timestamp", "day")

#: YYYY-MM-DD or YYYYMMDD, and a time of day that is left out.
_DAY_TEXT: Final = re.compile(r"(\d{4})(-?)(\d{2})\2(\d{2})(?:[T ].*)?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows of one file."""

    #: The symbols that occur, in any order.
    symbols: tuple[str, ...]
    #: (rows,) index into `symbols`.
    owners: IntArray
    #: (rows,) days since 1970-01-01.
    days: IntArray
    #: (5, rows) in the order of FIELDS; NaN where the file has no number.
    values: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """How a file calls its columns."""

    symbol: str | None
    date: str
    #: In the order of FIELDS.
    fields: tuple[str, ...]

    def names(self) -> list[str]:
        """Return the columns to read, those of FIELDS last."""
        return [*([] if self.symbol is None else [self.symbol]), self.date, *self.fields]


def bar_files(path: Path) -> list[Path]:
    """Return the files of bars at `path`, a file or a folder; ConfigError if there are none."""
    wanted = ", ".join(_PARQUET + _CSV)
    if path.is_file():
        if not path.name.lower().endswith(_PARQUET + _CSV):
            raise ConfigError(f"{path}: expected a file of bars ({wanted}), got {path.name!r}")
        return [path]
    if not path.is_dir():
        raise ConfigError(f"{path}: expected a file or folder of bars, got nothing there")
    found = [one for one in path.iterdir() if one.name.lower().endswith(_PARQUET + _CSV)]
    files = sorted(one for one in found if one.is_file() and not one.name.startswith("."))
    if not files:
        raise ConfigError(f"{path}: expected files of bars ({wanted}) in the folder, got none")
    return files


def read_rows(path: Path) -> Rows:
    """Return the rows of `path`; ConfigError if it cannot be read or lacks a column."""
    try:
        if path.name.lower().endswith(_PARQUET):
            columns, table = _read_parquet(path)
        else:
            columns, table = _read_csv(path)
        return _rows_of(path, columns, table)
    except (pa.ArrowException, OSError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigError(f"{path}: expected a readable file of bars, got: {said}") from error


def _read_parquet(path: Path) -> tuple[_Columns, pa.Table]:
    with pq.ParquetFile(path) as file:
        columns = _columns_of(path, file.schema_arrow.names)
        return columns, file.read(columns=columns.names())


def _read_csv(path: Path) -> tuple[_Columns, pa.Table]:
    if path.stat().st_size == 0:
        raise ConfigError(f"{path}: expected bars, got an empty file")
    with pa_csv.open_csv(path) as file:
        columns = _columns_of(path, file.schema.names)
    types = {name: pa.string() for name in columns.names()[: -len(FIELDS)]}
    types |= dict.fromkeys(columns.fields, pa.float64())
    options = pa_csv.ConvertOptions(
        column_types=types,
        include_columns=columns.names(),
        # NA, NAN, NULL and TRUE are symbols; in the columns of numbers they are no number.
        strings_can_be_null=False,
    )
    return columns, pa_csv.read_csv(path, convert_options=options)


def _columns_of(path: Path, names: list[str]) -> _Columns:
    by_name = {name.strip().lower(): name for name in reversed(names)}
    date = next((by_name[name] for name in _DATE_NAMES if name in by_name), None)
    missing = [name for name in FIELDS if name not in by_name]
    if date is None or missing:
        wanted = [*([] if date is not None else ["/".join(_DATE_NAMES)]), *missing]
        raise ConfigError(
            f"{path}: expected the columns {', '.join(wanted)}, found {', '.join(names)[:300]}"
        )
    return _Columns(
        symbol=next((by_name[name] for name in _SYMBOL_NAMES if name in by_name), None),
        date=date,
        fields=tuple(by_name[name] for name in FIELDS),
    )


def _rows_of(path: Path, columns: _Columns, table: pa.Table) -> Rows:
    symbols, owners = _symbols_of(path, columns, table)
    values = np.empty((len(FIELDS), table.num_rows))
    for row, name in enumerate(columns.fields):
        numbers = pc.cast(table[name], pa.float64(), safe=False)
        values[row] = numbers.to_numpy(zero_copy_only=False)
    days = _days_of(path, table[columns.date])
    return Rows(symbols=symbols, owners=owners, days=days, values=values)


def _symbols_of(path: Path, columns: _Columns, table: pa.Table) -> tuple[tuple[str, ...], IntArray]:
    if columns.symbol is None:
        stem = re.sub(r"(\.csv)?\.[^.]+$", "", path.name, flags=re.IGNORECASE)
        return (stem,), np.zeros(table.num_rows, dtype=np.int32)
    texts, owners = _coded(table[columns.symbol])
    empty = [at for at, text in enumerate(texts) if not text]
    bad = np.isin(owners, [-1, *empty])
    if bad.any():
        raise ConfigError(
            f"{path}: expected a symbol in every row, got none in row {int(np.argmax(bad)) + 1}"
        )
    return tuple(texts), owners


def _days_of(path: Path, column: pa.ChunkedArray) -> IntArray:
    kind = column.type
    if pa.types.is_timestamp(kind):
        # A session is the date where the time was written down.
        column = pc.local_timestamp(column) if kind.tz is not None else column
        column = pc.cast(column, pa.date32(), safe=False)
    elif pa.types.is_date64(kind):
        column = pc.cast(column, pa.date32(), safe=False)
    if pa.types.is_date32(column.type):
        if column.null_count:
            at = int(np.argmax(pc.is_null(column).to_numpy(zero_copy_only=False)))
            raise ConfigError(f"{path}: expected a date in every row, got none in row {at + 1}")
        days: IntArray = pc.cast(column, pa.int32()).to_numpy()
        return days
    texts, owners = _coded(column)
    numbers = np.array([_day_of(text) for text in texts] + [_NO_DAY], dtype=np.int64)
    days = numbers[owners].astype(np.int32)
    bad = numbers[owners] == _NO_DAY
    if bad.any():
        at = int(np.argmax(bad))
        got = repr(texts[owners[at]]) if owners[at] >= 0 else "none"
        raise ConfigError(
            f"{path}: expected a date as YYYY-MM-DD or YYYYMMDD, got {got} in row {at + 1}"
        )
    return days


#: Stands for a text that is no date; no date has this number.
_NO_DAY: Final = -(2**31)


def _coded(column: pa.ChunkedArray) -> tuple[list[str], IntArray]:
    """Return the different texts of `column` and each row's index into them; -1 is null."""
    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, column.type.value_type)
    coded: Any = pc.dictionary_encode(pc.cast(column, pa.large_string())).combine_chunks()
    if isinstance(coded, pa.ChunkedArray):
        coded = pa.concat_arrays(coded.chunks)
    owners: IntArray = pc.fill_null(coded.indices, -1).to_numpy().astype(np.int32)
    return coded.dictionary.to_pylist(), owners


def _day_of(text: str) -> int:
    match = _DAY_TEXT.fullmatch(text.strip())
    if match is None:
        return _NO_DAY
    try:
        return day_number(dt.date(int(match[1]), int(match[3]), int(match[4])))
    except ValueError:
        return _NO_DAY
