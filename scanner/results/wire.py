"""Records and reports as JSON bytes for Redis; a report is compressed by zstd."""

from __future__ import annotations

import dataclasses
import datetime as dt
import sys
from typing import Any, Final

import orjson

from scanner.results.report import (
    Absence,
    RankedRow,
    Record,
    Row,
    ScanFacts,
    ScanReport,
    ScreenResult,
)

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: Level of zstd: for numbers as text a higher one takes three times as long and saves nothing.
_LEVEL: Final = 1


def encode_record(record: Record) -> bytes:
    """Return the JSON of a row or an absence, without its symbol, which is its hash field."""
    if isinstance(record, Row):
        return orjson.dumps(_plain_row(record))
    return orjson.dumps({"a": record.state, "why": record.reason, "f": record.final})


def _plain_row(row: Row) -> dict[str, Any]:
    """Return a row without its symbol; what is empty is left out."""
    plain = {"s": row.session, "n": row.bars, "v": row.values}
    more = {"i": row.inputs, "o": row.outcomes, "t": row.terms, "p": row.places, "f": row.flags}
    return plain | {name: value for name, value in more.items() if value}


def decode_record(symbol: str, data: bytes) -> Record:
    """Return the record of `symbol` that `data` holds."""
    fields = orjson.loads(data)
    if "a" in fields:
        return Absence(
            symbol=symbol, state=fields["a"], reason=fields["why"], final=bool(fields["f"])
        )
    return Row(
        symbol=symbol,
        session=fields["s"],
        bars=fields["n"],
        values=tuple(fields["v"]),
        inputs=tuple(fields.get("i", ())),
        outcomes=fields.get("o", {}),
        terms=fields.get("t", {}),
        places=fields.get("p", {}),
        flags=fields.get("f", {}),
    )


def encode_report(report: ScanReport) -> bytes:
    """Return `report` as compressed JSON."""
    rows = [
        {
            "symbol": one.row.symbol,
            **_plain_row(one.row),
            "rank": one.rank,
            "score": one.score,
            "points": one.contributions,
        }
        for one in report.rows
    ]
    plain = {
        "facts": dataclasses.asdict(report.facts),
        "state": report.state,
        "rows": rows,
        "absences": [dataclasses.asdict(absence) for absence in report.absences],
        "ledger": report.ledger,
        "screens": {name: dataclasses.asdict(one) for name, one in report.screens.items()},
    }
    return zstd.compress(orjson.dumps(plain), _LEVEL)


def decode_report(data: bytes) -> ScanReport:
    """Return the report that `encode_report` wrote."""
    plain = orjson.loads(zstd.decompress(data))
    return ScanReport(
        facts=_facts(plain["facts"]),
        state=plain["state"],
        rows=tuple(_ranked(one) for one in plain["rows"]),
        absences=tuple(Absence(**one) for one in plain["absences"]),
        ledger=plain["ledger"],
        screens={name: _screen(one) for name, one in plain["screens"].items()},
    )


def _facts(plain: dict[str, Any]) -> ScanFacts:
    return ScanFacts(
        **plain
        | {
            "as_of": plain["as_of"] and dt.date.fromisoformat(plain["as_of"]),
            "asked_at": dt.datetime.fromisoformat(plain["asked_at"]),
            "closed_at": dt.datetime.fromisoformat(plain["closed_at"]),
            "columns": tuple(plain["columns"]),
            "benchmarks": tuple(plain.get("benchmarks", ())),
            "notes": tuple(plain.get("notes", ())),
        }
    )


def _ranked(plain: dict[str, Any]) -> RankedRow:
    row = Row(
        symbol=plain["symbol"],
        session=plain["s"],
        bars=plain["n"],
        values=tuple(plain["v"]),
        outcomes=plain.get("o", {}),
        terms=plain.get("t", {}),
        places=plain.get("p", {}),
        flags=plain.get("f", {}),
    )
    return RankedRow(
        row=row, rank=plain["rank"], score=plain["score"], contributions=plain["points"]
    )


def _screen(plain: dict[str, Any]) -> ScreenResult:
    return ScreenResult(
        hits=tuple(plain["hits"]),
        ledger=plain["ledger"],
        entered=tuple(plain["entered"]),
        left=tuple(plain["left"]),
        ranked_among=plain.get("ranked_among", {}),
        terms=tuple(plain.get("terms", ())),
        columns=tuple(plain.get("columns", ())),
        limit=plain.get("limit"),
        key=plain.get("key", ""),
    )
