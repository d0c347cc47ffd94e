"""Which symbols a scan covers: the name of a universe or of a file comes in, symbols go out."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scanner.bars.provider import MarketProvider
from scanner.bars.universe import check_universe, selected
from scanner.bootstrap import Runtime
from scanner.errors import ConfigError
from scanner.given_file import read_given
from scanner.rules.lex import MAX_TEXT
from scanner.rules.names import TEXTS
from scanner.settings import Settings
from scheduler.listing import listing_of

#: Most symbols that a file may list.
MAX_SYMBOLS: Final = 200_000
#: Most bytes of a file: 160 a symbol.
MAX_FILE: Final = 32_000_000

#: What a provider's listing tells of its symbols.
LISTED_TEXTS: Final = ("name", "type", "exchange")

#: What the column of symbols may be called.
_HEADS: Final = ("symbol", "ticker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Universe:
    """The symbols of a scan, and what is told of them."""

    #: In order without repeats, not checked yet.
    symbols: list[str]
    #: `sector` and others -> symbol -> text.
    texts: Mapping[str, Mapping[str, str]]
    #: Sentences on what is doubtful about it.
    notes: tuple[str, ...] = ()
    #: Requests for the listing that were made to resolve it.
    calls: int = 0


def resolve(runtime: Runtime, name: str) -> Universe:
    """Return what the universe `name` holds.

    A file has one symbol a line, or is a CSV file with a heading; `#` begins a comment. Other
    names are of the provider's listing (`listing.py`).
    """
    if "/" in name or Path(name).is_file():
        path = Path(name).expanduser()
        return Universe(symbols=read_symbols(path), texts=read_texts(path))
    if not isinstance(runtime.provider, MarketProvider):
        return Universe(symbols=runtime.provider.symbols(name), texts={})
    check_universe(name)
    listing = listing_of(runtime, runtime.provider)
    symbols = selected(listing.symbols, name)
    if not symbols:
        raise ConfigError(f"the universe {name!r} is empty: the provider lists no such symbol")
    texts = {
        text: {one.symbol: one.texts[text] for one in listing.symbols if text in one.texts}
        for text in LISTED_TEXTS
    }
    return Universe(symbols=symbols, texts=texts, notes=listing.notes, calls=listing.calls)


def told_of(settings: Settings) -> tuple[str, ...]:
    """Return what the settings' universe tells of its symbols: `sector` and others."""
    path = Path(settings.universe).expanduser()
    if path.is_file():
        return tuple(read_texts(path))
    return () if settings.provider == "files" else LISTED_TEXTS


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
    return read_given(path, "SCANNER_UNIVERSE", MAX_FILE)
