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

#: Most rows of a file, which are 7,900 symbols of ten years, and bytes that they may take beside
#: 64 a row: what repeats is packed into a file of a few bytes. Most files of a folder.
MAX_ROWS: Final = 20_000_000
_SPARE_BYTES: Final = 64_000_000
MAX_FILES: Final = 50_000

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
    """Return the files of bars at `path`, a file or a folder; ConfigError if there are none.

    Pipes, devices and sockets are none, nor are links of a folder that lead out of it.
    """
    wanted = ", ".join(_PARQUET + _CSV)
    try:
        if path.is_file():
            if not path.name.lower().endswith(_PARQUET + _CSV):
                raise ConfigError(f"{path}: expected a file of bars ({wanted}), got {path.name!r}")
            return [path]
        if not path.is_dir():
            got = "a pipe, a device or a socket" if path.exists() else "nothing there"
            raise ConfigError(f"{path}: expected a file or folder of bars, got {got}")
        files = _files_in(path)
    except OSError as error:
        raise ConfigError(f"{path}: expected files of bars, got: {error}") from error
    if not files:
        raise ConfigError(f"{path}: expected files of bars ({wanted}) in the folder, got none")
    return files


def _files_in(folder: Path) -> list[Path]:
    """Return the files of bars of a folder, sorted; ConfigError if one is a link out of it."""
    found: list[Path] = []
    for one in folder.iterdir():
        known = one.name.lower().endswith(_PARQUET + _CSV)
        if not known or one.name.startswith(".") or not one.is_file():
            continue
        if len(found) >= MAX_FILES:
            raise ConfigError(
                f"{folder}: expected at most {MAX_FILES:,} files of bars in the folder, got more: "
                "put several symbols into a file, with a column `symbol`"
            )
        if one.is_symlink() and not one.resolve().is_relative_to(folder.resolve()):
            raise ConfigError(
                f"{one}: expected a file of bars in the folder, got a link that leads out of it"
            )
        found.append(one)
    return sorted(found)


def read_rows(path: Path) -> Rows:
    """Return the rows of `path`; ConfigError if it cannot be read or lacks a column."""
    try:
        if path.name.lower().endswith(_PARQUET):
            columns, table = _read_parquet(path)
        else:
            columns, table = _read_csv(path)
        return _rows_of(path, columns, table)
    except (pa.ArrowException, OSError, MemoryError, LookupError, ValueError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigError(f"{path}: expected a readable file of bars, got: {said[:300]}") from error


def _read_parquet(path: Path) -> tuple[_Columns, pa.Table]:
    with pq.ParquetFile(path) as file:
        columns = _columns_of(path, file.schema_arrow.names)
        # Texts that repeat stay packed: a file of a few bytes can hold a long one a billion times.
        packed = [name for name in columns.names() if name not in columns.fields]
        check_size(path, file.metadata.num_rows, _unpacked_size(file.metadata, columns.names()))
    with pq.ParquetFile(path, read_dictionary=packed) as file:
        return columns, file.read(columns=columns.names())


def _unpacked_size(metadata: pq.FileMetaData, names: list[str]) -> int:
    """Return the bytes that the columns of `names` take before they are packed."""
    groups = (metadata.row_group(at) for at in range(metadata.num_row_groups))
    chunks = (group.column(at) for group in groups for at in range(group.num_columns))
    return sum(
        chunk.total_uncompressed_size
        for chunk in chunks
        if chunk.path_in_schema.partition(".")[0] in names
    )


def _read_csv(path: Path) -> tuple[_Columns, pa.Table]:
    if path.stat().st_size == 0:
        raise ConfigError(f"{path}: expected bars, got an empty file")
    with pa_csv.open_csv(path) as file:
        columns = _columns_of(path, file.schema.names)
    packed = pa.dictionary(pa.int32(), pa.string())
    types = dict.fromkeys(columns.names(), packed)
    types |= dict.fromkeys(columns.fields, pa.float64())
    options = pa_csv.ConvertOptions(
        column_types=types,
        include_columns=columns.names(),
        # NA, NAN, NULL and TRUE are symbols; in the columns of numbers they are no number.
        strings_can_be_null=False,
    )
    with pa_csv.open_csv(path, convert_options=options) as file:
        batches: list[pa.RecordBatch] = []
        rows = size = 0
        for batch in file:
            batches.append(batch)
            rows, size = rows + batch.num_rows, size + batch.nbytes
            check_size(path, rows, size)
        return columns, pa.Table.from_batches(batches, file.schema)


def check_size(path: Path, rows: int, size: int = 0) -> None:
    """Refuse rows that are too many, and texts that are too long to be symbols and dates."""
    if rows > MAX_ROWS:
        raise ConfigError(
            f"{path}: expected at most {MAX_ROWS:,} rows, got more: leave out symbols or sessions "
            "that no scan asks for"
        )
    if size > 64 * rows + _SPARE_BYTES:
        raise ConfigError(
            f"{path}: expected symbols, dates and numbers, got {size:,} bytes in {rows:,} rows"
        )


def _columns_of(path: Path, names: list[str]) -> _Columns:
    by_name = {name.strip().lower(): name for name in reversed(names)}
    date = next((by_name[name] for name in _DATE_NAMES if name in by_name), None)
    missing = [name for name in FIELDS if name not in by_name]
    if date is None or missing:
        wanted = [*([] if date is not None else ["/".join(_DATE_NAMES)]), *missing]
        raise ConfigError(
            f"{path}: expected the columns {', '.join(wanted)}, found {', '.join(names)[:300]}"
        )
    columns = _Columns(
        symbol=next((by_name[name] for name in _SYMBOL_NAMES if name in by_name), None),
        date=date,
        fields=tuple(by_name[name] for name in FIELDS),
    )
    if twice := [name for name in columns.names() if names.count(name) > 1]:
        raise ConfigError(f"{path}: expected each column once, got {twice[0]} more than once")
    return columns


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
        far = (days < _FIRST_DAY) | (days > _LAST_DAY)
        if far.any():
            at = int(np.argmax(far))
            raise ConfigError(
                f"{path}: expected a date of the years 1 to 9999, got day {days[at]} since "
                f"1970-01-01 in row {at + 1}"
            )
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
_FIRST_DAY: Final = day_number(dt.date.min)
_LAST_DAY: Final = day_number(dt.date.max)


def _coded(column: pa.ChunkedArray) -> tuple[list[str], IntArray]:
    """Return the different texts of `column` and each row's index into them; -1 is null."""
    if not pa.types.is_dictionary(column.type):
        column = pc.dictionary_encode(pc.cast(column, pa.large_string()))
    coded: Any = column.unify_dictionaries().combine_chunks()
    owners: IntArray = pc.fill_null(coded.indices, -1).to_numpy().astype(np.int32)
    # Of what a dictionary holds, some may occur in no row.
    used = np.bincount(owners + 1, minlength=len(coded.dictionary) + 1)[1:] > 0
    places = np.append(np.cumsum(used, dtype=np.int32) - 1, np.int32(-1))
    texts = pc.cast(coded.dictionary.filter(pa.array(used)), pa.large_string())
    return texts.to_pylist(), places[owners]


def _day_of(text: str) -> int:
    match = _DAY_TEXT.fullmatch(text.strip())
    if match is None:
        return _NO_DAY
    try:
        return day_number(dt.date(int(match[1]), int(match[3]), int(match[4])))
    except ValueError:
        return _NO_DAY
