"""Which symbols a scan covers: the name of a universe or of a file comes in, symbols go out."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

import orjson

from scanner import keys
from scanner.bootstrap import Runtime
from scanner.errors import ConfigError
from scanner.redis_errors import redis_errors
from scanner.rules.lex import MAX_TEXT
from scanner.rules.names import TEXTS

#: Most symbols that a file may list.
MAX_SYMBOLS: Final = 200_000

#: What the column of symbols may be called.
_HEADS: Final = ("symbol", "ticker")


def resolve(runtime: Runtime, universe: str) -> list[str]:
    """Return the symbols of `universe` in order without repeats, not checked yet.

    A file has one symbol a line, or a CSV's first column; `#` begins a comment. Names are
    the provider's; what it answers is kept as long as bars are.
    """
    if "/" in universe or Path(universe).is_file():
        return read_symbols(Path(universe).expanduser())
    if runtime.settings.provider == "files":
        return runtime.provider.symbols(universe)
    key = keys.universe(runtime.source, universe)
    with redis_errors("read the universe"):
        kept = runtime.redis.get(key)
    if isinstance(kept, bytes):
        return list(orjson.loads(kept))
    symbols = list(dict.fromkeys(runtime.provider.symbols(universe)))
    if not symbols:
        raise ConfigError(f"the universe {universe!r} is empty: the provider lists no symbol")
    with redis_errors("keep the universe"):
        runtime.redis.set(key, orjson.dumps(symbols), ex=runtime.settings.bars_expiry)
    return symbols


def texts_of(universe: str) -> dict[str, dict[str, str]]:
    """Return what a universe tells of its symbols, see `read_texts`; a name tells nothing."""
    path = Path(universe).expanduser()
    return read_texts(path) if path.is_file() else {}


def read_texts(path: Path) -> dict[str, dict[str, str]]:
    """Return what a CSV file tells of its symbols: `sector` and others -> symbol -> text.

    Its first line names the columns, the first of them `symbol`; others than `name`, `sector`,
    `type` and `exchange` are left alone. What is empty is not told, nor is a line whose quotes do
    not match, nor what is behind the hundredth character. A plain list of symbols tells nothing.
    """
    lines = [line for line in _text_of(path).splitlines() if line.partition("#")[0].strip()]
    cells = [_cells(line) for line in lines[: MAX_SYMBOLS + 1]]
    heads = [head.lower() for head in cells[0]] if cells else []
    if not heads or heads[0] not in _HEADS:
        return {}
    told = {head: heads.index(head) for head in TEXTS if head in heads and head not in _HEADS}
    return {
        head: {row[0]: row[at] for row in cells[1:] if len(row) > at and row[0] and row[at]}
        for head, at in told.items()
    }


def _cells(line: str) -> list[str]:
    """Return the cells of one line of a CSV file; a line that is none has no cells."""
    try:
        return [cell.strip()[:MAX_TEXT] for cell in next(csv.reader([line], strict=True), [])]
    except csv.Error:
        return []


def read_symbols(path: Path) -> list[str]:
    """Return the symbols that a file lists; ConfigError if it cannot be read or lists none."""
    lines = _text_of(path).splitlines()
    cells = (line.partition("#")[0].partition(",")[0].strip().strip('"') for line in lines)
    symbols = list(dict.fromkeys(cell for cell in cells if cell))
    if symbols and symbols[0].lower() in _HEADS:
        del symbols[0]
    if not symbols:
        raise ConfigError(f"SCANNER_UNIVERSE: {path} lists no symbol")
    if len(symbols) > MAX_SYMBOLS:
        raise ConfigError(f"SCANNER_UNIVERSE: {path} lists over {MAX_SYMBOLS} symbols")
    return symbols


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"SCANNER_UNIVERSE: cannot read {path}: {error}") from error
