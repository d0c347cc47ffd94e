"""Splits in Redis, and the symbols that are in doubt: one hash each, a field a symbol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

import orjson
import redis

from scanner import keys
from scanner.bars.adjust import Split, distinct
from scanner.redis_errors import redis_errors

#: Field beside the symbols of the splits; no symbol has a colon.
_ASKED_AT: Final = ":asked_at"


class SplitStore:
    """The splits of one source."""

    def __init__(self, client: redis.Redis, source: str) -> None:
        self._client = client
        self._source = source

    def keep_splits(self, splits: Iterable[Split], *, asked_at: float, expiry: int) -> set[str]:
        """Keep all of a source's splits; returns the symbols whose splits are others now."""
        before = self.splits(None)
        now: dict[str, list[Split]] = {}
        for one in distinct(splits):
            now.setdefault(one.symbol, []).append(one)
        key = keys.splits(self._source)
        fields: dict[Any, Any] = {
            symbol: orjson.dumps([(s.session, s.before, s.after) for s in of])
            for symbol, of in now.items()
        }
        fields[_ASKED_AT] = repr(asked_at)
        pipe = self._client.pipeline(transaction=True)
        pipe.delete(key)
        pipe.hset(key, mapping=fields)
        pipe.expire(key, max(1, expiry))
        with redis_errors("write splits"):
            pipe.execute()
        return {s for s in before.keys() | now.keys() if before.get(s, []) != now.get(s, [])}

    def splits_asked_at(self) -> float | None:
        """Return when the splits were asked for by the market's clock; None: they are not kept."""
        with redis_errors("look for splits"):
            found = cast("bytes | None", self._client.hget(keys.splits(self._source), _ASKED_AT))
        return None if found is None else float(found)

    def splits(self, symbols: Sequence[str] | None) -> dict[str, list[Split]]:
        """Return the splits of those of `symbols` that have any, of all for None."""
        key = keys.splits(self._source)
        with redis_errors("read splits"):
            if symbols is None:
                raw = cast("dict[bytes, bytes]", self._client.hgetall(key))
                pairs: list[tuple[str, Any]] = [(name.decode(), data) for name, data in raw.items()]
            else:
                found = cast("list[Any]", self._client.hmget(key, list(symbols)))
                pairs = list(zip(symbols, found, strict=True))
        return {
            symbol: [
                Split(symbol=symbol, session=session, before=before, after=after)
                for session, before, after in orjson.loads(data)
            ]
            for symbol, data in pairs
            if data is not None and symbol != _ASKED_AT
        }

    def suspects(self, symbols: Sequence[str]) -> dict[str, int]:
        """Return those of `symbols` that another way contradicts, with the first such session."""
        with redis_errors("read suspects"):
            found = cast(
                "list[Any]", self._client.hmget(keys.suspects(self._source), list(symbols))
            )
        pairs = zip(symbols, found, strict=True)
        return {symbol: int(session) for symbol, session in pairs if session is not None}

    def suspect(self, symbol: str, session: int | None, expiry: int) -> None:
        """Keep since when a symbol is contradicted; None: it is not any more."""
        key = keys.suspects(self._source)
        with redis_errors("keep a suspect"):
            if session is None:
                self._client.hdel(key, symbol)
            else:
                self._client.hset(key, symbol, session)
                self._client.expire(key, expiry)


def merged(known: Mapping[str, Sequence[Split]], new: Iterable[Split], since: int) -> list[Split]:
    """Return all splits: those that were known before `since`, and the newly listed ones."""
    kept = [one for of in known.values() for one in of if one.session < since]
    return distinct([*kept, *new])
