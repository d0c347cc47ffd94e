"""Every Redis key of the scanner, built from checked parts; all start with `ms1:`.

Universe names are free text and are hashed; every other text is refused unless it is one word, so
that none of them leads to another key. docs/architecture.md lists type, writer, readers
and expiry of each key.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from scanner.errors import ConfigError

PREFIX: Final = "ms1:"

SCANS: Final = PREFIX + "scans"
SCANS_OPEN: Final = PREFIX + "scans:open"

#: What all keys of tasks that are under way match.
ALL_UNDER_WAY: Final = PREFIX + "under_way:*"

#: A symbol, a source, a date, the id of a scan, the name of a process.
_WORD: Final = re.compile(r"[A-Za-z0-9._@/-]{0,300}", re.ASCII)


def short_hash(text: str) -> str:
    """Return the first 10 hex digits of the SHA-256 of `text`."""
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def is_word(text: str) -> bool:
    """Return whether `text` can be a part of a key."""
    return _WORD.fullmatch(text) is not None


def _key(*parts: str) -> str:
    for part in parts:
        if not is_word(part):
            raise ConfigError(
                f"expected the id of a scan, a symbol or another name without spaces, "
                f"got {part[:60]!a}"
            )
    return PREFIX + ":".join(parts)


def bars(source: str, timeframe: str, symbol: str) -> str:
    """Return the key of one symbol's cached bars."""
    return _key("bars", source, timeframe, symbol)


def day(source: str, session: str) -> str:
    """Return the key of a session of the whole market, YYYY-MM-DD."""
    return _key("day", source, session)


def splits(source: str) -> str:
    """Return the key of the splits of all symbols."""
    return _key("splits", source)


def claim(source: str, what: str) -> str:
    """Return the key that is held by who fetches `what`, a session or a symbol's bars."""
    return _key("claim", source, what)


def compared(source: str, day: str) -> str:
    """Return the key of the symbols that have been compared with another way on a day."""
    return _key("compared", source, day)


def live(source: str) -> str:
    """Return the key of the session that a live scan has asked for just now."""
    return _key("live", source)


def suspects(source: str) -> str:
    """Return the key of the symbols whose series another way contradicts."""
    return _key("suspects", source)


def listing(source: str) -> str:
    """Return the key of what a provider lists."""
    return _key("listing", source)


def budget(provider: str) -> str:
    """Return the key of a provider's request budget: places in the schedule by kind of call."""
    return _key("budget", provider)


def cooldown(provider: str) -> str:
    """Return the key of the moment before which a provider allows no more requests."""
    return _key("cooldown", provider)


def breaker(provider: str) -> str:
    """Return the key of a provider's failures in a row and of the pause they led to."""
    return _key("breaker", provider)


def lock(source: str, universe_name: str) -> str:
    """Return the key that holds the id of the scan that runs over a universe."""
    return _key("lock", source, short_hash(universe_name))


def scan(scan_id: str) -> str:
    """Return the key of a scan's state: a hash of state, counts and times."""
    return _key("scan", scan_id)


def records(scan_id: str) -> str:
    """Return the key of a scan's final records: symbol -> row or absence."""
    return _key("scan", scan_id, "records")


def retry(scan_id: str) -> str:
    """Return the key of a scan's records that may still change: symbol -> absence."""
    return _key("scan", scan_id, "retry")


def universe_of(scan_id: str) -> str:
    """Return the key of the symbols that a scan covers."""
    return _key("scan", scan_id, "universe")


def texts_of(scan_id: str) -> str:
    """Return the key of what a scan's universe tells of its symbols."""
    return _key("scan", scan_id, "texts")


def under_way(node: str) -> str:
    """Return the key of the tasks that a worker process has begun and not ended."""
    return _key("under_way", node)


def report(scan_id: str) -> str:
    """Return the key of a scan's report."""
    return _key("scan", scan_id, "report")


def tasks(scan_id: str) -> str:
    """Return the key of the bits that say which batches of a scan have been written."""
    return _key("scan", scan_id, "tasks")


def latest(source: str, universe_name: str, screen: str) -> str:
    """Return the key of the hits of the last complete scan of a universe by a screen."""
    return _key("scan", "latest", source, short_hash(universe_name), *screen.split(":", 1))


def slot(source: str, universe_name: str, name: str) -> str:
    """Return the key that claims a slot of the schedule."""
    return _key("slot", source, short_hash(universe_name), *name.split(":", 1))
