"""Text files that the user names: a path comes in, its text goes out, or why it cannot be read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from scanner.errors import ConfigError


def read_given(path: Path, setting: str, limit: int) -> str:
    """Return the text of the file that `setting` names, of at most `limit` bytes; ConfigError.

    Only a plain file is read: a pipe may never be written to, and a device may have no end.
    """
    try:
        with open(path.expanduser(), "rb", opener=_without_waiting) as file:
            state = os.fstat(file.fileno())
            plain, data = stat.S_ISREG(state.st_mode), b""
            if plain:
                data = file.read(limit + 1)
        # Editors of Windows put a mark at the beginning.
        text = data[:limit].decode("utf-8-sig")
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: of an unknown ~user
        raise ConfigError(f"{setting}: cannot read {path}: {error}") from error
    if not plain:
        raise ConfigError(f"{setting}: cannot read {path}: it is a pipe, a device or a folder")
    if len(data) > limit:
        raise ConfigError(
            f"{setting}: cannot read {path}: expected at most {limit:,} bytes, "
            f"got {state.st_size:,}"
        )
    return text


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; a pipe without its writer."""
    return os.open(path, flags | os.O_NONBLOCK)
