"""Names of universes: what a provider lists comes in, the symbols that a name stands for go out.

`all`; `common`, which is common stock; `type:ETF,ADRC` and `exchange:XNAS` by the provider's codes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from scanner.errors import ConfigError

#: Universes that are plain names -> the text and the codes that they stand for.
NAMES: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    "all": ("", frozenset()),
    "common": ("type", frozenset({"CS"})),
}

_CODED: Final = re.compile(r"(type|exchange):([A-Z]+(?:,[A-Z]+)*)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What a provider tells of one symbol."""

    symbol: str
    #: Text of the universe, such as `type` -> it, as far as it is told.
    texts: Mapping[str, str]


def check_universe(name: str) -> tuple[str, frozenset[str]]:
    """Return the text that a universe asks for and its codes; ConfigError if it is no universe."""
    if name in NAMES:
        return NAMES[name]
    match = _CODED.fullmatch(name)
    if match is None:
        raise ConfigError(
            f"expected the universe {', '.join(NAMES)}, type:ETF, exchange:XNAS or a file, "
            f"got {name!r}"
        )
    return match[1], frozenset(match[2].split(","))


def selected(listing: Iterable[Listed], name: str) -> list[str]:
    """Return the symbols of `listing` that the universe `name` holds, in their order."""
    text, codes = check_universe(name)
    return [one.symbol for one in listing if not text or one.texts.get(text) in codes]
