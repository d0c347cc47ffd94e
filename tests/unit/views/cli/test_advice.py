"""What the command says to do about a scan that is not done."""

from __future__ import annotations

from scan_builders import absence, report, row

from views.cli.advice import next_step

KEY = "the provider refused the key: 401: Unknown API Key"


def test_nothing_is_to_be_done_about_a_scan_that_is_done():
    """Whatever symbols lack a row: there is none to be had."""
    assert next_step(report([row()], [absence()])) == ""


def test_a_scan_that_had_symbols_can_be_resumed():
    """A key has to be another one first."""
    resumed = "`scan resume scan-1` tries what has no row; the rows are kept"
    assert next_step(report([row()], [absence()], state="degraded")) == resumed
    stopped = next_step(report([row()], [absence()], state="degraded", message=KEY))
    assert stopped == f"start the stack again with another key, then {resumed}"


def test_a_scan_that_never_had_symbols_is_asked_for_again():
    """The sessions that came are not asked for once more."""
    again = "scan again: what came is kept"
    assert next_step(report(state="failed")) == again
    assert next_step(report(state="failed", message=KEY)).endswith(f"another key, then {again}")
