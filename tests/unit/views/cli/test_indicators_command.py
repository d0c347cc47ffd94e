"""`scan indicators`: every column with all that is known about it, and the page made of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from scanner.indicators.deviations import DEVIATIONS
from scanner.indicators.registry import DEFAULT_COLUMNS, column, examples
from views.cli.indicator_page import page
from views.cli.indicators import indicators

DOCS = Path(__file__).parents[4] / "docs"


def printed(*options):
    """Return what the command prints."""
    done = CliRunner().invoke(indicators, options, catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


@pytest.fixture(scope="module")
def everything():
    """The JSON of all columns."""
    return json.loads(printed("--json"))


def test_all_columns_are_listed_with_what_is_known(everything):
    """Defaults, one of each kind, and all 86 of ta, each under its own name."""
    assert {*DEFAULT_COLUMNS, *examples()} <= set(everything)
    assert len({one["ta"] for one in everything.values()} - {None}) == 86
    assert all(column(name).name == name for name in everything)
    one = everything["macd_signal_12_26_9"]
    assert one == {
        "default": True,
        "ta": "trend_macd_signal",
        "parameters": {"fast": 12, "slow": 26, "signal": 9},
        "unit": "price",
        "bars": 34,
        "memory": {"kind": "decaying", "bars": column("macd_signal_12_26_9").memory.bars},
        "formula": column("macd_signal_12_26_9").formula,
        "deviations": [],
    }
    assert not everything["kama_10_2_30"]["default"]
    assert everything["obv"]["memory"] == {"kind": "cumulative", "bars": None}
    assert everything["kst_10_15_20_30_10_10_10_15"]["deviations"] == ["look-ahead"]


def test_the_columns_of_every_scan_can_be_listed_alone():
    """In the order of the registry."""
    assert set(json.loads(printed("--default", "--json"))) == set(DEFAULT_COLUMNS)


def test_the_table_names_unit_bars_memory_and_formula(everything):
    """A line a column."""
    lines = printed().splitlines()
    head = "column unit bars needed memory column of ta formula"
    assert " ".join(lines[0].split()) == head
    assert {line.split()[0] for line in lines[1:] if line.split()} >= set(everything)
    assert any("decaying(188)" in line and "momentum_rsi" in line for line in lines)


def test_the_page_of_the_docs_is_what_the_command_prints():
    """After a change of the registry: scan indicators --markdown > docs/indicators.md."""
    assert (DOCS / "indicators.md").read_text() == page() == printed("--markdown")


def test_the_page_lists_every_column_and_deviation(everything):
    """By name."""
    text = page()
    assert all(f"| `{name}` |" in text for name in everything)
    assert all(f"`{stem}`" in text for stem in DEVIATIONS)
