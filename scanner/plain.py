"""Texts of others, for a terminal: any text comes in, one that no terminal obeys goes out."""

from __future__ import annotations


def plain(text: object, most: int | None = None, *, lines: bool = False) -> str:
    """Return the first `most` characters of `text`, what is not printable is escaped.

    That are control characters, marks that turn the writing round, and halves of characters.
    `lines`: keep the ends of lines.
    """
    kept = "\n" if lines else ""
    return "".join(
        c if c.isprintable() or c in kept else c.encode("unicode_escape").decode()
        for c in str(text)[:most]
    )
