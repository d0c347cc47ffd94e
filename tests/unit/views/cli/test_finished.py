"""What a command makes of a scan that it has followed to its end."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from scan_builders import report

from scanner.errors import ConfigError
from views.cli import follow
from views.cli.run import finished


def runtime(found):
    """Return what has reports: the same one of every scan."""
    return SimpleNamespace(state=None, reports=SimpleNamespace(load=lambda _id: found))


@pytest.mark.parametrize("found", [None, report()])
def test_a_scan_that_was_cancelled_has_no_result(monkeypatch, found):
    """Not even the report that it had before it was resumed."""
    last = SimpleNamespace(state="cancelled", fields={"message": "by hand"})
    monkeypatch.setattr(follow, "follow", lambda *_, **__: last)
    with pytest.raises(ConfigError, match="scan s1 was cancelled: by hand"):
        finished(runtime(found), "s1", None)


def test_a_scan_that_is_done_has_its_report(monkeypatch):
    """As it is kept."""
    last = SimpleNamespace(state="done", fields={})
    monkeypatch.setattr(follow, "follow", lambda *_, **__: last)
    assert finished(runtime(report()), "s1", None) == report()
