"""What a worker process works with, and files of bars that change under it."""

from __future__ import annotations

import pytest

from scanner import bootstrap
from worker import runtime

HEAD, LINE = "symbol,date,open,high,low,close,volume\n", "A,2025-01-02,1,1,1,1,1\n"


def forget():
    """Forget what this process has made."""
    for cached in (runtime._settings, runtime._source, runtime._made):
        cached.cache_clear()


@pytest.fixture
def path(tmp_path, monkeypatch):
    """Name a file of bars in the settings."""
    file = tmp_path / "bars.csv"
    file.write_text(HEAD + LINE)
    monkeypatch.setenv("SCANNER_DATA", str(file))
    monkeypatch.setenv("SCANNER_REDIS_URL", "redis://127.0.0.1:1/0")
    forget()
    yield file
    forget()


def test_files_that_changed_in_this_second_are_another_source(path, monkeypatch):
    """Who asks for a scan of them may have seen it before."""
    monkeypatch.setattr(runtime.time, "monotonic", lambda: 7.0)
    before = runtime.current()
    path.write_text(HEAD + LINE + LINE.replace("A", "B"))
    assert runtime.current() is before
    asked = bootstrap.source_name(before.settings)
    assert runtime.matching(before, before.source) is before
    assert runtime.matching(before, asked).source == asked != before.source
