"""All rows of a report as one file: a ScanReport comes in, bytes of CSV, JSON or parquet go out.

Missing values are empty in CSV, null in JSON and parquet. A simulated scan says so in each row;
`warming` names the columns that more history would change, and `flags` what is odd about the bars,
both separated by spaces.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from scanner.errors import ConfigError
from scanner.results.report import ScanReport
from scanner.timeframe import day_date

#: Text cells that begin like this would be a formula to a spreadsheet.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def export_report(report: ScanReport, kind: str) -> bytes:
    """Return all rows of `report`, best first; ConfigError if `kind` is not known."""
    if kind not in _WRITERS:
        raise ConfigError(f"expected csv, json or parquet, got {kind!r}")
    return _WRITERS[kind](report)


def _columns(report: ScanReport) -> dict[str, list[Any]]:
    rows = report.rows
    columns: dict[str, list[Any]] = {
        "rank": [one.rank for one in rows],
        "symbol": [one.row.symbol for one in rows],
        "score": [one.score for one in rows],
        "session": [day_date(one.row.session) for one in rows],
        "bars": [one.row.bars for one in rows],
        "simulated": [report.facts.simulated] * len(rows),
        "warming": [" ".join(report.warming(one)) for one in rows],
        "flags": [" ".join(f"{n}={c}" for n, c in one.row.flags.items()) for one in rows],
    }
    for name in report.facts.weights:
        columns[f"points_{name}"] = [one.contributions.get(name) for one in rows]
    for index, name in enumerate(report.facts.columns):
        columns[name] = [one.row.values[index] for one in rows]
    return columns


def _table(columns: dict[str, list[Any]]) -> pa.Table:
    fixed = {
        "rank": pa.int32(),
        "symbol": pa.string(),
        "session": pa.date32(),
        "bars": pa.int32(),
        "simulated": pa.bool_(),
        "warming": pa.string(),
        "flags": pa.string(),
    }
    return pa.table({n: pa.array(v, fixed.get(n, pa.float64())) for n, v in columns.items()})


def _csv(report: ScanReport) -> bytes:
    columns = _columns(report)
    table = _table(columns)
    for at, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            cells = [f"'{x}" if x.startswith(_FORMULA) else x for x in columns[field.name]]
            table = table.set_column(at, field, pa.array(cells, field.type))
    sink = io.BytesIO()
    pa_csv.write_csv(table, sink, pa_csv.WriteOptions(quoting_style="needed", include_header=True))
    return sink.getvalue()


def _json(report: ScanReport) -> bytes:
    columns = _columns(report)
    rows = [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]
    return orjson.dumps(rows, option=orjson.OPT_APPEND_NEWLINE)


def _parquet(report: ScanReport) -> bytes:
    sink = io.BytesIO()
    pa_parquet.write_table(_table(_columns(report)), sink, compression="zstd")
    return sink.getvalue()


_WRITERS: Final[dict[str, Callable[[ScanReport], bytes]]] = {
    "csv": _csv,
    "json": _json,
    "parquet": _parquet,
}
