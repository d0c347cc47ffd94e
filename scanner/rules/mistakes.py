"""Where a mistake is: the text of a file of screens comes in, a line and a column go out."""

from __future__ import annotations

import re


def place_of(text: str, name: str, key: str, expression: str, start: int) -> tuple[int, int]:
    """Return line and column of a mistake, both from 1.

    It is in the screen `name`, behind `key`, at a character of an expression, as far as is known.
    """
    header = re.search(rf"(?m)^[ \t]*\[[ \t]*[\"']?{re.escape(name)}[\"']?[ \t]*\]", text)
    header = header or re.search(rf"(?m)^[ \t]*[\"']?{re.escape(name)}\b", text)
    first = header.start() if header else 0
    following = re.compile(r"(?m)^[ \t]*\[").search(text, header.end() if header else 0)
    text_of_screen = text[: _end_of(text, name, following)]
    line = re.compile(rf"(?m)^[ \t]*{re.escape(key)}[ \t]*=") if key else None
    found = line.search(text_of_screen, first) if line else None
    at = found.start() if found else first
    if expression and (written := text_of_screen.find(expression, at)) >= 0:
        at = written + start
    return text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1


def _end_of(text: str, name: str, following: re.Match[str] | None) -> int:
    """Return where a screen's tables end: at the next header that is not one of its own."""
    own = re.compile(rf"[ \t]*\[[ \t]*[\"']?{re.escape(name)}[\"']?[ \t]*\.")
    while following is not None and own.match(text, following.start()):
        following = re.compile(r"(?m)^[ \t]*\[").search(text, following.end())
    return len(text) if following is None else following.start()
