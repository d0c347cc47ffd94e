"""What a terminal and a pipe get to see of a report."""

from __future__ import annotations

import json

import pytest
from scan_builders import absence, report, row, young_report

from views.cli.printing import print_json, print_report, rich_table
from views.tables import table_of

SHOWN = ("close", "return_1", "sma_5")


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """Let the terminal be 100 columns wide."""
    monkeypatch.setenv("COLUMNS", "100")


def printed(capsys, scan, **options):
    """Return what a report prints."""
    print_report(scan, table_of(scan, columns=SHOWN, **options))
    return capsys.readouterr().out


def test_a_report_shows_its_state_age_rows_hits_and_ledger(capsys):
    """And nothing about a simulation where there is none."""
    text = printed(capsys, report([row("AAA"), row("BBB")], [absence("CCC")]))
    first, *_ = text.splitlines()
    assert first.startswith("scan scan-1: done, as of 2025-07-09 (")
    assert first.endswith("source test-1")
    assert "AAA" in text
    assert "screen all: 2 hits" in text
    assert "2 scored + 1 stale = 3 symbols" in text
    assert "SIMULATED" not in text


def test_a_simulated_report_says_so_first(capsys):
    """In capitals."""
    text = printed(capsys, report([row("AAA")], source="simulator-1"))
    assert text.startswith("SIMULATED scan scan-1")


def test_a_table_that_was_cut_says_how_many_rows_there_are(capsys):
    """And how to see more."""
    scan = report([row("AAA"), row("BBB"), row("CCC")])
    assert "2 of 3 rows" in printed(capsys, scan, top=2)
    assert "of 3 rows" not in printed(capsys, scan, top=3)


def test_a_value_that_more_history_would_change_is_marked(capsys):
    """With a tilde, and what it means below."""
    scan = young_report()
    print_report(scan, table_of(scan, columns=("close", "rsi_14")))
    text = capsys.readouterr().out
    assert "50.00~" in text
    assert text.count("50.00") == 3  # with YOUNG's score
    assert "~ more history would change the value" in text
    assert "~" not in printed(capsys, report([row("AAA")]))


def test_a_report_without_rows_is_printed_too(capsys):
    """Its ledger says why it is empty."""
    text = printed(capsys, report([], [absence("AAA")], state="failed"))
    assert "scan scan-1: failed" in text
    assert "1 stale = 1 symbols" in text


def test_text_that_looks_like_markup_is_shown_as_it_is(capsys):
    """A message or a state may hold brackets."""
    text = printed(capsys, report([], [absence("AAA", "[red]error[/red]")], id="[bold]x[/bold]"))
    assert "[bold]x[/bold]" in text
    assert "[red]error[/red]" in text


@pytest.mark.parametrize(("width", "least", "most"), [(200, 6, 6), (45, 3, 5), (10, 3, 5)])
def test_columns_that_do_not_fit_are_left_out_from_the_right(width, least, most):
    """Rank, symbol and score always stay."""
    table = rich_table(table_of(report([row("AAA")]), columns=SHOWN), width)
    headers = [str(column.header) for column in table.columns]
    assert headers == ["rank", "symbol", "score", *SHOWN][: len(headers)]
    assert least <= len(headers) <= most


def test_json_in_a_pipe_is_one_line(capsys):
    """For programs."""
    print_json({"a": [1, None], "b": "é"})
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out) == {"a": [1, None], "b": "é"}
