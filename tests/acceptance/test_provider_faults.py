"""Scans through a provider that misbehaves, in the ways that `benchmarks faults` measures."""

from __future__ import annotations

import os

import pytest
from stack_fixtures import environment, scan, wait_for

from benchmarks.faults.scenarios import SCENARIOS, UNDISTURBED
from benchmarks.faults.theme import HEADS, cells
from benchmarks.faults.trial import THREADS, WORKERS, trial
from views.cli.stack import as_variables

SYMBOLS = 200


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return where the fleet writes its logs."""
    return tmp_path_factory.mktemp("faults")


@pytest.fixture(scope="module")
def tried(folder):
    """Start a fleet and a simulator for all scenarios."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("SCANNER_")]:
            patch.delenv(name)
        with trial(folder, symbols=SYMBOLS) as one:
            yield one


@pytest.fixture(scope="module")
def undisturbed(tried):
    """Scan once by each way of fetching while nothing goes wrong."""
    found = {scenario.fetch: tried.scan(scenario) for scenario in UNDISTURBED}
    reports = [one.report for one in found.values()]
    assert [report.state for report in reports] == ["done", "done"]
    assert rows_of(reports[0]) == rows_of(reports[1])
    assert len(reports[0].rows) > 0.95 * SYMBOLS
    return found


def rows_of(report):
    """Return all that a row holds but its place among the others."""
    return {
        one.row.symbol: (one.row.session, one.row.bars, one.row.values, one.row.flags)
        for one in report.rows
    }


def check_sums(report, plain):
    """Check that both ledgers sum to the universe, and that rows are those of `plain`."""
    ledgers = [report.ledger, *(screen.ledger for screen in report.screens.values())]
    assert {sum(ledger.values()) for ledger in ledgers} == {report.symbols}
    assert report.symbols in {SYMBOLS, 0}
    rows = rows_of(plain)
    assert {symbol: rows[symbol] for symbol in rows_of(report)} == rows_of(report)


def reports_written(folder, scan_id):
    """Return how many reports the processes say they have made of a scan."""
    lines = [line for log in folder.rglob("*.log") for line in log.read_text().splitlines()]
    return sum("SCAN PERF" in line and scan_id in line for line in lines)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_a_scan_through_a_fault_ends_once_and_says_what_is_missing(
    tried, undisturbed, folder, scenario
):
    """Small faults cost no row; after large ones `scan resume` brings the rest."""
    plain, resumed = undisturbed[scenario.fetch].report, None
    found = tried.scan(scenario)
    report = found.report
    assert (report.state, report.facts.revision) == (scenario.state, 0), report.ledger
    assert scenario.says in report.facts.message
    check_sums(report, plain)
    states = {one.symbol: one.state for one in plain.absences}
    lost = [one for one in report.absences if states.get(one.symbol) != one.state]
    assert bool(lost) == bool(scenario.lost)
    assert {one.state.partition(":")[0] for one in lost} <= scenario.lost
    assert all(one.reason for one in lost)
    if scenario.state == "done":
        assert rows_of(report) == rows_of(plain)
    elif report.symbols:
        resumed = tried.resume(report)
        assert (resumed.report.state, resumed.report.facts.revision) == ("done", 1)
        check_sums(resumed.report, plain)
        assert rows_of(resumed.report) == rows_of(plain)
    expected = 1 if resumed is None else 2
    wait_for(lambda: reports_written(folder, report.facts.id) >= expected, 30, "the log")
    assert reports_written(folder, report.facts.id) == expected
    line = cells(scenario, found, undisturbed[scenario.fetch], resumed)
    assert dict(zip(HEADS, line, strict=True))["ends as"] == scenario.state
    # A cooldown takes a second at least, and each thread sends once between two of them.
    assert found.requests <= WORKERS * THREADS * (found.disturbed + 3.0)


@pytest.mark.timeout(120)
def test_the_command_says_what_to_do_about_a_key_that_was_revoked(tried, tmp_path):
    """With the key refused still, and when it is accepted again."""
    revoked = next(one for one in SCENARIOS if one.faults == ("status401=1",))
    scan_id = tried.scan(revoked).report.facts.id

    env = environment(tmp_path) | as_variables(tried.fleet.settings)
    resume = ("resume", scan_id, "--wait", "--json")
    tried.simulator.fail(revoked.faults)
    refused = scan(*resume, env=env)
    assert refused.returncode == 0, refused.stderr
    assert "the provider refused the key: 401: Unknown API Key" in refused.stderr
    assert f"another key, then `scan resume {scan_id}`" in refused.stderr
    tried.simulator.fail(())
    done = scan(*resume, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert '"state":"done"' in done.stdout
