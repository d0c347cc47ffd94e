"""Names of the scan language: a name that is none comes in, those that come near go out."""

from __future__ import annotations

import difflib
from typing import Final

from scanner.bars.block import FIELDS
from scanner.indicators.registry import DEFAULT_COLUMNS, stems
from scanner.rules.usage import USAGE

#: What a universe may tell of its symbols.
TEXTS: Final = ("symbol", "name", "sector", "type", "exchange")


def nearest(name: str) -> str:
    """Return the end of a message that offers names near to `name`, if there are any."""
    known = dict.fromkeys((*FIELDS, *TEXTS, *USAGE, *stems(), *DEFAULT_COLUMNS))
    near = difflib.get_close_matches(name[:40], known, n=3, cutoff=0.5)
    if near:
        return f": did you mean {' or '.join(near)}?"
    return ": `scan indicators` lists what there is"
