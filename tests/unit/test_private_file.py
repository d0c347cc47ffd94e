"""Files for their owner alone: nobody else can read or redirect them, and none is half written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scanner.private_file import write_private


@pytest.fixture
def path(tmp_path):
    """Return the path of a file that holds something."""
    one = tmp_path / "password"
    write_private(one, b"before")
    return one


def part_of(path):
    """Return where this process writes a file before it has its name."""
    return path.with_name(f"{path.name}.{os.getpid()}.part")


def test_a_file_is_its_owner_s_alone_whatever_was_there(path):
    """Also where one that was killed has left a part that all may read."""
    part_of(path).write_bytes(b"left behind")
    part_of(path).chmod(0o644)
    path.chmod(0o644)
    write_private(path, b"after")
    assert path.read_bytes() == b"after"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_what_cannot_be_written_whole_leaves_what_was_there(path, monkeypatch):
    """As on a full disk."""

    def full(_path, _target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_private(path, b"after")
    assert path.read_bytes() == b"before"


def test_a_link_that_somebody_puts_there_is_not_written_through(path, tmp_path, monkeypatch):
    """Between the look and the write."""
    other = tmp_path / "another's"
    other.write_bytes(b"theirs")
    part_of(path).symlink_to(other)
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
    with pytest.raises(FileExistsError):
        write_private(path, b"secret")
    assert other.read_bytes() == b"theirs"
