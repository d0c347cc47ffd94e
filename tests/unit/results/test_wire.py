"""Records and reports as bytes and back, and the one line about speed."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scan_builders import ASKED, absence, facts, report, row

from scanner.results.aggregate import aggregate
from scanner.results.perf import perf_line
from scanner.results.report import Absence, Row
from scanner.results.wire import decode_record, decode_report, encode_record, encode_report
from scanner.rules.screens import SCREENS

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUE = st.none() | st.floats(allow_nan=False, allow_infinity=False)
ROW = st.builds(
    Row,
    symbol=st.just("BRK.B"),
    session=st.integers(0, 30_000),
    bars=st.integers(0, 26_000),
    values=st.lists(VALUE).map(tuple),
    outcomes=st.dictionaries(TEXT, TEXT),
)
ABSENCE = st.builds(Absence, symbol=st.just("BRK.B"), state=TEXT, reason=TEXT, final=st.booleans())


@given(ROW | ABSENCE)
def test_a_record_comes_back_as_it_was(record):
    """Every float to its last bit, every text in any script."""
    data = encode_record(record)
    assert isinstance(orjson.loads(data), dict)
    assert decode_record("BRK.B", data) == record


@given(ROW)
def test_a_record_does_not_repeat_its_symbol(record):
    """It is the field under which it is kept."""
    assert "BRK.B" not in orjson.loads(encode_record(record)).values()


def test_a_report_comes_back_as_it_was():
    """Rows, absences, ledgers, changes, times and facts."""
    values = {"momentum_252_21": None, "close": 0.1 + 0.2}
    records = [row("NA", values), row("TRUE"), absence("KIMpL"), absence("B", final=False)]
    whole = facts(
        stages={"bars": 0.25, "total": 3.0},
        processes=4,
        threads=20,
        bars={"hit": 2},
        message="the provider said “no”",
    )
    one = aggregate(whole, records, SCREENS, {"all": ["NA", "X"]})
    assert decode_report(encode_report(one)) == one


def test_a_report_without_rows_comes_back_too():
    """A failed scan has one."""
    assert decode_report(encode_report(report(state="failed"))) == report(state="failed")


def test_a_report_is_simulated_if_its_source_is():
    """By the name of the source alone."""
    assert facts(source="simulator-1a2b").simulated
    assert not facts(source="polygon-1a2b").simulated
    assert not facts(source="files-1a2b").simulated


def test_the_line_about_speed_gives_seconds_and_seconds_a_symbol():
    """For all symbols, also those without a row."""
    one = report(
        [row("A"), row("B")],
        [absence("C"), absence("D")],
        stages={"total": 1.0},
        workers=4,
        threads_a_worker=5,
    )
    assert perf_line(one) == (
        "[SCAN PERF] symbol engine: 4 symbols via celery(4x5) in 1.00s (0.250s/symbol)"
    )


def test_a_scan_of_nothing_has_a_line_too():
    """Without a division by zero."""
    assert "0 symbols via celery(2x5) in 0.00s (0.000s/symbol)" in perf_line(
        report(workers=2, threads_a_worker=5)
    )


@pytest.mark.parametrize("name", ["asked_at", "closed_at"])
def test_times_without_a_zone_are_no_facts(name):
    """They would be another moment on another machine."""
    with pytest.raises(ValueError, match="expected times with their zones"):
        facts(**{name: ASKED.replace(tzinfo=None)})
