"""Splits in Redis, and the symbols that are in doubt: one hash each, a field a symbol."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, cast

import orjson
import redis

from scanner import keys
from scanner.bars.adjust import Split, distinct
from scanner.errors import MarketIncomplete
from scanner.redis_errors import redis_errors

#: Field beside the symbols of the splits; no symbol has a colon.
_FACTS: Final = ":facts"


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitFacts:
    """What is known of the splits that are kept; moments are by the market's clock."""

    #: When they were asked for last, and when all of them were; seconds since 1970-01-01.
    asked_at: float
    full_at: float
    #: The first execution date that was asked for, days since 1970-01-01.
    first: int


#: Seconds that a day's sample is remembered.
_SAMPLE_SECONDS: Final = 2 * 86_400


class SplitStore:
    """The splits of one source."""

    def __init__(self, client: redis.Redis, source: str) -> None:
        self._client = client
        self._source = source

    def keep_splits(
        self, splits: Iterable[Split], first: int, *, asked_at: float, expiry: int
    ) -> set[str]:
        """Keep the splits that were listed from `first` on, beside those that are known.

        A listing from the first known day on replaces all; a later one replaces those of the
        symbols that it names, from its first day on: a split may be moved or corrected. Returns
        the symbols whose splits are others now.
        """
        facts, before, splits = self.split_facts(), self.splits(None), list(splits)
        full = facts is None or first <= facts.first
        named = {one.symbol for one in splits}
        known = [
            one
            for symbol, of in before.items()
            for one in of
            if not full and (one.session < first or symbol not in named)
        ]
        now: dict[str, list[Split]] = {}
        for one in distinct([*known, *splits]):
            now.setdefault(one.symbol, []).append(one)
        fields: dict[Any, Any] = {
            symbol: orjson.dumps([(s.session, s.before, s.after) for s in of])
            for symbol, of in now.items()
        }
        kept = SplitFacts(
            asked_at=asked_at,
            full_at=asked_at if full or facts is None else facts.full_at,
            first=first if full or facts is None else facts.first,
        )
        fields[_FACTS] = orjson.dumps(asdict(kept))
        key = keys.splits(self._source)
        pipe = self._client.pipeline(transaction=True)
        pipe.delete(key)
        pipe.hset(key, mapping=fields)
        pipe.expire(key, max(1, expiry))
        with redis_errors("write splits"):
            pipe.execute()
        return {s for s in before.keys() | now.keys() if before.get(s, []) != now.get(s, [])}

    def split_facts(self) -> SplitFacts | None:
        """Return what is known of the splits; None: they are not kept."""
        with redis_errors("look for splits"):
            found = cast("bytes | None", self._client.hget(keys.splits(self._source), _FACTS))
        return None if found is None else SplitFacts(**orjson.loads(found))

    def splits(self, symbols: Sequence[str] | None) -> dict[str, list[Split]]:
        """Return the splits of those of `symbols` that have any, of all for None.

        MarketIncomplete if symbols are named and no splits are kept (any more).
        """
        key = keys.splits(self._source)
        with redis_errors("read splits"):
            if symbols is None:
                raw = cast("dict[bytes, bytes]", self._client.hgetall(key))
                pairs: list[tuple[str, Any]] = [(name.decode(), data) for name, data in raw.items()]
            else:
                facts, *found = cast("list[Any]", self._client.hmget(key, [_FACTS, *symbols]))
                if facts is None:
                    raise MarketIncomplete("the splits are not kept: the next scan lists them")
                pairs = list(zip(symbols, found, strict=True))
        return {
            symbol: [
                Split(symbol=symbol, session=session, before=before, after=after)
                for session, before, after in orjson.loads(data)
            ]
            for symbol, data in pairs
            if data is not None and symbol != _FACTS
        }

    def suspects(self, symbols: Sequence[str]) -> dict[str, int]:
        """Return those of `symbols` that another way contradicts, with the first such session."""
        with redis_errors("read suspects"):
            found = cast(
                "list[Any]", self._client.hmget(keys.suspects(self._source), list(symbols))
            )
        pairs = zip(symbols, found, strict=True)
        return {symbol: int(session) for symbol, session in pairs if session is not None}

    def all_suspects(self) -> list[str]:
        """Return the symbols that another way contradicts."""
        with redis_errors("read suspects"):
            found = cast("list[bytes]", self._client.hkeys(keys.suspects(self._source)))
        return sorted(symbol.decode() for symbol in found)

    def compared(self, day: str) -> set[str]:
        """Return the symbols that have been compared with another way on `day`."""
        with redis_errors("read a sample"):
            found = cast("set[bytes]", self._client.smembers(keys.compared(self._source, day)))
        return {symbol.decode() for symbol in found}

    def note_compared(self, day: str, symbol: str) -> None:
        """Keep that a symbol has been compared on `day`."""
        pipe = self._client.pipeline(transaction=True)
        pipe.sadd(keys.compared(self._source, day), symbol)
        pipe.expire(keys.compared(self._source, day), _SAMPLE_SECONDS)
        with redis_errors("note a comparison"):
            pipe.execute()

    def suspect(self, symbol: str, session: int | None, expiry: int) -> None:
        """Keep since when a symbol is contradicted; None: it is not any more."""
        key = keys.suspects(self._source)
        with redis_errors("keep a suspect"):
            if session is None:
                self._client.hdel(key, symbol)
            else:
                self._client.hset(key, symbol, session)
                self._client.expire(key, expiry)
