"""What is asked for: a ScanSpec comes from the CLI or beat, Batches go to the workers.

Symbols are checked here, once, before they reach a key, a URL or a file name.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from scanner.errors import InvalidSymbol

#: Longest symbol, in characters: `AAC.WS.A` has 8, option-like names stay out.
MAX_SYMBOL_LENGTH: Final = 20

_SYMBOL: Final = re.compile(r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*", re.ASCII)


def check_symbol(text: str) -> str:
    """Return `text` if it can be a symbol, as it is; InvalidSymbol says what is wrong.

    Symbols are case-sensitive (`KIMpL` is not `KIMPL`): letters and digits, parts joined by
    a single dot, dash or underscore, at most 20 characters.
    """
    if len(text) > MAX_SYMBOL_LENGTH:
        raise InvalidSymbol(
            f"{text[:MAX_SYMBOL_LENGTH]!r}... is not a symbol: "
            f"{len(text)} characters, at most {MAX_SYMBOL_LENGTH} expected"
        )
    if not _SYMBOL.fullmatch(text):
        raise InvalidSymbol(
            f"{text!r} is not a symbol: expected letters and digits, "
            "joined by single dots, dashes or underscores (AAPL, BRK.B, AACT-WS)"
        )
    return text


def split_symbols(texts: Iterable[str]) -> tuple[list[str], dict[str, InvalidSymbol]]:
    """Return the valid symbols in order without repeats, and the error of each other text."""
    valid: dict[str, None] = {}
    invalid: dict[str, InvalidSymbol] = {}
    for text in texts:
        try:
            valid[check_symbol(text)] = None
        except InvalidSymbol as error:
            invalid[text] = error
    return list(valid), invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSpec:
    """One request to scan a universe as of a session."""

    #: Where bars come from: provider and a short hash of its address and options.
    source: str
    #: Name of the universe, or the path of a file of symbols.
    universe: str
    #: The session that rows must end on; None lets the provider's clock decide.
    as_of: dt.date | None = None
    #: Calendar days of history before as_of; None: as many as columns and screens need.
    lookback_days: int | None = None
    #: Whether the session that is open now is scanned, by its forming bars.
    live: bool = False
    #: How bars come, as in SCANNER_FETCH; "" leaves it to the settings.
    fetch: str = ""
    #: Symbols a task: a number, or "auto".
    batch_size: int | str = "auto"
    #: The screens as TOML, beside the one that keeps every row; "" stands for the settings'.
    screens: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The symbols that one task scans."""

    scan_id: str
    #: Position in the plan, from 0; what is given out again has numbers behind it.
    number: int
    symbols: tuple[str, ...]
    #: How many processes have ended while they worked on its one symbol.
    deaths: int = 0
    #: Whether it was given out again, outside of the scan's chord.
    again: bool = False


#: Tasks that fetch.
FETCHES: Final = ("fetch_session", "fetch_splits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """What a worker does for a planned scan before it has any batch: a session, or the splits."""

    scan_id: str
    #: The date of the session, or `splits`.
    what: str
    #: The task that does it, and what it is given beside the scan's id.
    task: str
    arguments: tuple[Any, ...]
