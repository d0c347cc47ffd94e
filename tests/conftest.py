"""What holds for every test: no provider key and no setting of the caller is ever seen."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
import recovery

# Folders of tests are named as packages are; a real package anywhere on the path goes first.
sys.path.append(str(Path(__file__).parents[1]))

#: Variables that choose settings behind the prefix's back.
_FOREIGN = ("POLYGON_API_KEY", "MASSIVE_API_KEY", "PRO_PLUS_OPTIMIZED")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch, tmp_path_factory):
    """Take the caller's keys and settings away, and give each test a home folder of its own."""
    for name in list(os.environ):
        ours = name.startswith("SCANNER_") and not name.startswith("SCANNER_TEST_")
        if ours or name in _FOREIGN:
            monkeypatch.delenv(name)
    monkeypatch.setenv("SCANNER_HOME", str(tmp_path_factory.mktemp("home")))


def pytest_collection_modifyitems(items):
    """Give tests whose faults last ten times as long to end."""
    for item in items if recovery.SOAK else ():
        if (limit := item.get_closest_marker("timeout")) is not None:
            item.add_marker(pytest.mark.timeout(10 * limit.args[0]), append=False)


def pytest_sessionfinish(session):
    """Hand what a process of several has seen to the one that shows the table."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["recovered"] = [asdict(one) for one in recovery.SEEN]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Take what a process of several has seen."""
    seen = getattr(node, "workeroutput", {}).get("recovered", [])
    recovery.SEEN.extend(recovery.Recovery(**one) for one in seen)


def pytest_terminal_summary(terminalreporter):
    """Show how long scans needed after each fault."""
    if lines := recovery.table():
        terminalreporter.section("seconds to recover")
        for line in lines:
            terminalreporter.write_line(line)
