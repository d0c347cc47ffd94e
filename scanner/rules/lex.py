"""Words of the scan language: the text of an expression comes in, tokens with places go out."""

from __future__ import annotations

import math
import re
from typing import Final, Literal, NamedTuple

from scanner.errors import ExpressionError

#: Most characters of an expression, and of a text and a name in it.
MAX_CHARACTERS: Final = 1_000
MAX_TEXT: Final = 100
MAX_NAME: Final = 50

Kind = Literal["number", "text", "name", "word", "sign", "end"]

#: Words of the language in any case; no name is one of them.
WORDS: Final = frozenset({"and", "or", "not", "in", "between", "is", "null"})

#: What a number's suffix multiplies it by.
SUFFIXES: Final = {"k": 1e3, "m": 1e6, "b": 1e9}

#: Other spellings -> the sign or word.
_SAME: Final = {"&&": "and", "||": "or", "!": "not", "=": "==", "<>": "!="}

_SPACE: Final = " \t\r\n"
_TOKEN: Final = re.compile(
    r"""
      [ \t\r\n]*
      (?: (?P<name>[A-Za-z_][A-Za-z0-9_]*)
        | (?P<sign><=|>=|==|!=|<>|&&|\|\||[-+*/<>=!(),])
        | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?P<suffix>[kKmMbB%]?)
        | (?P<text>"[^"\r\n]*"|'[^'\r\n]*')
      )
    """,
    re.VERBOSE | re.ASCII,
)


class Token(NamedTuple):
    """One word of an expression."""

    kind: Kind
    #: The sign, the word or the name in lower case, or what a text holds.
    text: str
    #: Characters of the expression that it takes.
    start: int
    stop: int
    #: The number with its suffix; 0 for others.
    value: float = 0.0


def tokens(source: str) -> list[Token]:
    """Return the tokens of `source`, the last one its end; ExpressionError says what is none."""
    if len(source) > MAX_CHARACTERS:
        raise ExpressionError(
            f"expected at most {MAX_CHARACTERS:,} characters, got {len(source):,}",
            source[:MAX_CHARACTERS],
            MAX_CHARACTERS - 1,
        )
    found: list[Token] = []
    place, stop = 0, len(source.rstrip(_SPACE))
    while place < stop:
        match = _TOKEN.match(source, place)
        if match is None:
            raise _unreadable(source, len(source) - len(source[place:].lstrip(_SPACE)))
        found.append(_token(source, match))
        place = match.end()
    found.append(Token("end", "the end", len(source), len(source)))
    return found


def _token(source: str, match: re.Match[str]) -> Token:
    group = match.lastgroup
    if group == "suffix":
        return _number(source, match)
    text, (start, stop) = match[group or 0], match.span(group or 0)
    match group:
        case "text":
            if stop - start - 2 > MAX_TEXT:
                raise ExpressionError(
                    f"a text has at most {MAX_TEXT} characters", source, start, stop
                )
            if not text.isprintable():
                raise ExpressionError("a text holds a control character", source, start, stop)
            return Token("text", text[1:-1], start, stop)
        case "name" if stop - start > MAX_NAME:
            raise ExpressionError(f"a name has at most {MAX_NAME} characters", source, start, stop)
    text = text.lower()
    text = _SAME.get(text, text)
    kind: Kind = "word" if text in WORDS else "name" if group == "name" else "sign"
    return Token(kind, text, start, stop)


def _number(source: str, match: re.Match[str]) -> Token:
    start, stop = match.start("number"), match.end()
    following = source[stop : stop + 1]
    if following.isalnum() or following in {"_", "."}:
        raise ExpressionError(
            f"expected a number, perhaps with k, M, B or %, got {source[start : stop + 1]!r}",
            source,
            start,
            stop + 1,
        )
    value, suffix = float(match.group("number")), match.group("suffix").lower()
    value = value / 100.0 if suffix == "%" else value * SUFFIXES.get(suffix, 1.0)
    if math.isinf(value):
        raise ExpressionError("this number is too large", source, start, stop)
    return Token("number", source[start:stop], start, stop, value)


def _unreadable(source: str, place: int) -> ExpressionError:
    character = source[place]
    if character in "\"'":
        return ExpressionError(f"this text has no closing {character}", source, place, len(source))
    hint = {"[": ": bars before are ago(1, close)", "%": ": % belongs right behind a number"}
    return ExpressionError(
        f"unexpected character {character!a}{hint.get(character, '')}", source, place
    )
