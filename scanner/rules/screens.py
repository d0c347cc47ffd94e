"""Screens: a TOML file comes in, checked screens go out, and the mistakes of the others.

A screen with a mistake is left out and reported with its line; the other screens still run.
"""

from __future__ import annotations

import difflib
import functools
import json
import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Final

from scanner.bars.block import FIELDS
from scanner.errors import ConfigError, ExpressionError
from scanner.indicators.registry import column
from scanner.keys import short_hash
from scanner.rules.check import Rule, compile_number, compile_rule
from scanner.rules.mistakes import place_of
from scanner.rules.names import TEXTS
from scanner.rules.needs import bars_needed, bars_settled
from scanner.rules.tree import Expression, Number, Series
from scanner.rules.wording import quoted, worded
from scanner.rules.work import MAX_STEPS_OF_SCREENS, steps

#: Outcome of a row that a screen keeps; others are `miss:<term>` or `unknown:<why>`.
HIT: Final = "hit"

#: Most screens of a file, its characters and those of a line: keys of many parts read slowly.
MAX_SCREENS: Final = 100
MAX_FILE: Final = 200_000
MAX_LINE: Final = 2_500
#: Most columns that a screen is shown with, and most bars that it may ask of a symbol.
MAX_COLUMNS: Final = 30
MAX_HISTORY: Final = 2_520

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Screen:
    """A named rule over rows; equal to itself only, so that what it asks is found out once."""

    name: str
    #: What it looks for, in a sentence.
    description: str
    #: Where the idea comes from.
    source: str = ""
    #: None keeps every row.
    where: Rule | None = None
    #: Hits are listed from the largest of this number down; None: by score.
    rank_by: Number | None = None
    #: How `rank_by` was written.
    ranking: str = ""
    #: Columns to show beside symbol and score: of bars or of indicators.
    columns: tuple[str, ...] = ()
    #: Most hits that are listed.
    limit: int | None = None
    #: Filter -> the rule that a symbol has to pass before the screen looks at it.
    universe: Mapping[str, Rule] = field(default_factory=dict)
    #: Fewest bars that a symbol has to have.
    history: int = 0

    @property
    def key(self) -> str:
        """What its last hits are remembered by: other rules have had other hits."""
        asked = " ".join(map(worded, self.asked))
        return f"{self.name}:{short_hash(f'{asked} {self.history}')}" if asked else self.name

    @property
    def asked(self) -> tuple[Expression, ...]:
        """What is evaluated: the terms of its rules, and what it ranks by."""
        rules = [*self.universe.values(), *([self.where] if self.where else [])]
        terms = [term.condition for rule in rules for term in rule.terms]
        return (*terms, *([self.rank_by] if self.rank_by else []))

    @property
    def bars(self) -> int:
        """Bars without which the screen knows nothing of a symbol."""
        return max([1, self.history, *(bars_needed(x) for x in self.asked)])

    @property
    def settled_bars(self) -> int:
        """Bars after which more history does not change what the screen says."""
        return max([self.bars, *(bars_settled(x) for x in self.asked)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Screens:
    """What a file of screens holds."""

    good: tuple[Screen, ...]
    #: Screen -> what is wrong with it, beginning with file, line and column.
    mistakes: Mapping[str, str]


#: The screen of every row.
ALL: Final = Screen(name="all", description="Every symbol with a row, ranked by score.")
SCREENS: Final = (ALL,)


def shipped() -> str:
    """Return the text of the screens that come with the scanner."""
    return (files("scanner.rules") / "screens.toml").read_text(encoding="utf-8")


def one_screen(name: str, where: str) -> str:
    """Return the TOML of a screen with nothing but a rule."""
    # Texts of JSON are texts of TOML.
    text = json.dumps(where, ensure_ascii=False)
    return f'[{name}]\ndescription = "As asked for."\nwhere = {text}\n'


@functools.lru_cache(maxsize=16)
def read_screens(text: str, file: str = "screens.toml", texts: tuple[str, ...] = TEXTS) -> Screens:
    """Return the screens of a TOML text; ConfigError if it is none or has too many.

    `file`: what messages call it; `texts`: what the universe tells of its symbols.
    """
    tables = _tables(text, file)
    if len(tables) > MAX_SCREENS:
        raise ConfigError(f"{file}: expected at most {MAX_SCREENS} screens, got {len(tables)}")
    good: list[Screen] = []
    mistakes: dict[str, str] = {}
    seen: dict[Expression, int] = {}
    for name, table in tables.items():
        try:
            screen = _Reader(name, table, texts).screen()
            _check_steps(screen, seen)
            good.append(screen)
        except _Mistake as mistake:
            wrong = (mistake.key, mistake.expression, mistake.start)
            line, place = place_of(text, name, *wrong)
            mistakes[name] = f"{file}:{line}:{place}: screen {ascii(name)[1:-1]}: {mistake}"
    return Screens(good=tuple(good), mistakes=mistakes)


def _check_steps(screen: Screen, seen: dict[Expression, int]) -> None:
    """Refuse a screen that asks too much beside those before it, whose parts are in `seen`."""
    shown = (Series(name=name) for name in screen.columns)
    asked = steps([*screen.asked, *shown], seen)
    if asked > MAX_STEPS_OF_SCREENS:
        raise _Mistake(
            f"with those before it {asked:,} steps a symbol, at most {MAX_STEPS_OF_SCREENS:,}"
        )


def _tables(text: str, file: str) -> dict[str, Any]:
    if len(text) > MAX_FILE:
        raise ConfigError(f"{file}: expected at most {MAX_FILE:,} characters, got {len(text):,}")
    if number := next((n for n, x in enumerate(text.split("\n"), 1) if len(x) > MAX_LINE), 0):
        raise ConfigError(f"{file}:{number}: expected at most {MAX_LINE:,} characters in a line")
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{file}: expected TOML: {error}") from error


class _Mistake(Exception):
    """Raised when a screen is wrong; says where in its table."""

    def __init__(self, message: str, key: str = "", expression: str = "", start: int = 0) -> None:
        super().__init__(message)
        self.key = key
        self.expression = expression
        self.start = start


class _Reader:
    """Reads one screen's table."""

    def __init__(self, name: str, table: Any, texts: Collection[str]) -> None:
        self.name = name
        self.table = table
        self.texts = texts

    def screen(self) -> Screen:
        """Return the screen; _Mistake says what is wrong."""
        if not _NAME.fullmatch(self.name) or self.name == ALL.name:
            raise _Mistake("expected a name of small letters, digits and _, and not `all`")
        if not isinstance(self.table, dict):
            raise _Mistake(f"expected a table, [{self.name}] and its keys")
        self.known(self.table, _KEYS)
        universe = self.value("universe", dict, {})
        self.known(universe, _FILTERS)
        return Screen(
            name=self.name,
            description=self.value("description", str),
            source=self.value("source", str, ""),
            where=self.compiled("where", self.value("where", str), compile_rule),
            rank_by=self.compiled("rank_by", self.table["rank_by"], compile_number)
            if self.value("rank_by", str, "")
            else None,
            ranking=self.value("rank_by", str, ""),
            columns=self.columns(),
            limit=self.value("limit", int, 0) or None,
            universe={
                key: self.compiled(key, _filter(key, value), compile_rule)
                for key, value in universe.items()
                if key != "history"
            },
            history=int(universe.get("history", 0)),
        )

    def known(self, table: Mapping[str, Any], keys: Mapping[str, str]) -> None:
        for key, value in table.items():
            if key not in keys:
                near = difflib.get_close_matches(key, keys, n=1)
                hint = f": did you mean {near[0]}?" if near else f": expected {', '.join(keys)}"
                raise _Mistake(f"unknown key {key!r}{hint}", key)
            if not _IS[keys[key]](value):
                raise _Mistake(f"{key}: expected {keys[key]}, got {_shown(value)}", key)

    def value(self, key: str, kind: type, usual: Any = None) -> Any:
        found = self.table.get(key, usual)
        if found is None:
            raise _Mistake(f"{key} is missing")
        return kind(found)

    def compiled(self, key: str, source: str, read: Callable[..., Any]) -> Any:
        try:
            return read(source, self.texts)
        except ExpressionError as error:
            raise _Mistake(f"{key}: {error}", key, source, error.start) from error

    def columns(self) -> tuple[str, ...]:
        names = tuple(self.table.get("columns", ()))
        if len(names) > MAX_COLUMNS:
            raise _Mistake(f"columns: expected at most {MAX_COLUMNS}, got {len(names)}", "columns")
        for name in (name for name in names if name not in FIELDS):
            try:
                column(name)
            except ConfigError as error:
                raise _Mistake(f"columns: {error}", "columns", f'"{name}"', 1) from error
        return names


def _shown(value: Any) -> str:
    """Return a wrong value for a message; of a table or a list only what it is."""
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    return f"{value!r:.60}"


def _filter(key: str, value: Any) -> str:
    """Return the rule that a filter of the universe stands for."""
    if key in {"type", "exchange"}:
        return f"{key} in ({', '.join(quoted(text) for text in value)})"
    return f"{'close' if key == 'price' else 'dollar_volume(20)'} >= {value:.15g}"


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(x, str) for x in value)


def _is_plain(value: str) -> bool:
    """Return whether a text holds nothing that a terminal would obey."""
    return "".join(value.split()).isprintable()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e15


#: What a key expects -> whether a value is that.
_IS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "a text": lambda value: isinstance(value, str) and bool(value.strip()) and _is_plain(value),
    "a list of texts": _is_texts,
    "a number of 0 or more": _is_number,
    "a whole number above 0": lambda value: _is_number(value) and value == int(value) > 0,
    f"a whole number from 1 to {MAX_HISTORY:,}": lambda value: (
        _is_number(value) and value == int(value) and 1 <= value <= MAX_HISTORY
    ),
    "a table": lambda value: isinstance(value, dict),
}

#: Keys of a screen and of its filters -> what they expect.
_KEYS: Final = {
    **dict.fromkeys(("description", "source", "where", "rank_by"), "a text"),
    "columns": "a list of texts",
    "limit": "a whole number above 0",
    "universe": "a table",
}
_FILTERS: Final = {
    **dict.fromkeys(("type", "exchange"), "a list of texts"),
    **dict.fromkeys(("price", "dollar_volume"), "a number of 0 or more"),
    "history": f"a whole number from 1 to {MAX_HISTORY:,}",
}
