"""The sessions of the whole market in Redis: a MarketDay comes in, series of symbols go out.

One hash a session, a field a shard, and what is known of the session beside them. Bars are kept as
they were traded; series are adjusted when they are put together, so that a new split touches its
own symbol only.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, cast

import numpy as np
import orjson

from scanner import keys
from scanner.bars.adjust import Split, adjusted, contradictory
from scanner.bars.block import FIELDS, BarSeries, BoolArray, FloatArray, can_be_true, checked_series
from scanner.bars.market_day import (
    BrokenShard,
    MarketDay,
    decode_shard,
    encode_shards,
    shards_of,
)
from scanner.bars.split_store import SplitStore
from scanner.errors import BadBars, MarketIncomplete
from scanner.redis_errors import redis_errors
from scanner.timeframe import day_date

#: Sessions whose shards are read in one round trip.
_SESSIONS_A_TRIP: Final = 64

_ABOUT: Final = "about"

#: KEYS: session. ARGV: when it was asked for, expiry, then fields and values, what is known of it
#: first. A copy that was asked for later stays: a snapshot may come after the final bars.
_WRITE: Final = """
local known = redis.call('HGET', KEYS[1], ARGV[3])
if known and cjson.decode(known).asked_at > tonumber(ARGV[1]) then return 0 end
redis.call('DEL', KEYS[1])
for i = 3, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFacts:
    """What is known of a session that is kept."""

    #: When it was asked for by the market's clock, and when it was written by this machine's;
    #: seconds since 1970-01-01.
    asked_at: float
    written_at: float
    #: Symbols that it holds; 0: the provider had nothing to say of that day.
    symbols: int


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The series of a block of symbols, put together from sessions."""

    #: Symbol -> its bars, adjusted; a symbol without a bar has an empty series.
    series: dict[str, BarSeries]
    #: Symbol -> why its bars cannot be true.
    errors: dict[str, BadBars]


class MarketStore(SplitStore):
    """The sessions of one source."""

    def facts(self, sessions: Sequence[int]) -> dict[int, DayFacts]:
        """Return what is known of those of `sessions` that are kept."""
        pipe = self._client.pipeline(transaction=False)
        for session in sessions:
            pipe.hget(self._key(session), _ABOUT)
        with redis_errors("look for sessions"):
            found = pipe.execute()
        return {
            session: DayFacts(**orjson.loads(about))
            for session, about in zip(sessions, found, strict=True)
            if about is not None
        }

    def write(self, day: MarketDay, *, asked_at: float, expiry: int) -> None:
        """Keep `day` for `expiry` seconds, instead of an older copy of its session."""
        about = DayFacts(asked_at=asked_at, written_at=time.time(), symbols=len(day.symbols))
        args: list[Any] = [asked_at, max(1, expiry), _ABOUT, orjson.dumps(asdict(about))]
        for shard, data in encode_shards(day).items():
            args += [shard, data]
        with redis_errors("write a session"):
            self._client.register_script(_WRITE)(keys=[self._key(day.session)], args=args)

    def symbols(self, session: int) -> list[str]:
        """Return the symbols that have a bar in `session`, sorted."""
        with redis_errors("read the symbols of a session"):
            fields = cast("dict[bytes, bytes]", self._client.hgetall(self._key(session)))
        shards = (data for name, data in fields.items() if name != _ABOUT.encode())
        try:
            names = [decode_shard(data)[0] for data in shards]
        except BrokenShard as error:
            raise self._dropped(session, error) from error
        return sorted(symbol for one in names for symbol in one.decode().split("\n"))

    def history(self, sessions: Sequence[int], symbols: Sequence[str], until: int) -> History:
        """Return the bars of `symbols` in `sessions`, in the shares of the session `until`.

        `sessions`: in order. MarketIncomplete if one of them, or the splits since the first, are
        not kept (any more).
        """
        table = self._table(sessions, symbols)
        splits = self.splits(symbols) if sessions and sessions[0] < until else {}
        days = np.array(sessions, dtype=np.int32)
        found = History(series={}, errors={})
        sound: BoolArray = np.all(can_be_true(table.values) | ~table.traded, axis=0)
        always: BoolArray = np.all(table.traded, axis=0)
        for place, symbol in enumerate(symbols):
            own, bars = days, table.values[:, :, place]
            if not always[place]:
                traded = table.traded[:, place]
                own, bars = days[traded], bars[:, traded]
            try:
                if sound[place]:
                    series = BarSeries(symbol=symbol, sessions=own, values=bars)
                else:
                    series = checked_series(symbol, own, bars)
                found.series[symbol] = adjusted(series, _agreed(splits.get(symbol, [])), until)
            except BadBars as error:
                found.errors[symbol] = error
        return found

    def _table(self, sessions: Sequence[int], symbols: Sequence[str]) -> _Table:
        table = _Table(len(sessions), symbols)
        shards = shards_of(symbols)
        for start in range(0, len(sessions), _SESSIONS_A_TRIP):
            part = sessions[start : start + _SESSIONS_A_TRIP]
            pipe = self._client.pipeline(transaction=False)
            for session in part:
                pipe.hmget(self._key(session), [_ABOUT, *map(str, shards)])
            with redis_errors("read sessions"):
                answers = pipe.execute()
            for at, (session, (about, *data)) in enumerate(
                zip(part, answers, strict=True), start=start
            ):
                if about is None:
                    raise MarketIncomplete(
                        f"the session {day_date(session)} of the market is not kept: "
                        "it is fetched again by the next scan"
                    )
                self._lay(table, at, session, data)
        return table

    def _lay(self, table: _Table, at: int, session: int, shards: Iterable[bytes | None]) -> None:
        for shard in shards:
            if shard is None:  # no symbol of it was traded
                continue
            try:
                table.lay(at, *decode_shard(shard))
            except BrokenShard as error:
                raise self._dropped(session, error) from error

    def _dropped(self, session: int, error: BrokenShard) -> MarketIncomplete:
        """Drop a session that cannot be read, so that the next scan asks for it."""
        with redis_errors("drop a session"):
            self._client.delete(self._key(session))
        return MarketIncomplete(f"the session {day_date(session)} is unreadable: {error}")

    def _key(self, session: int) -> str:
        return keys.day(self._source, day_date(session).isoformat())


def _agreed(splits: Sequence[Split]) -> Sequence[Split]:
    """Return the splits of one symbol; BadBars if two of one day contradict each other."""
    if contradictory(splits):
        told = ", ".join(f"{one.before:g} to {one.after:g}" for one in splits)
        raise BadBars(
            f"{splits[0].symbol}: expected one split a day, the provider lists splits that "
            f"cannot all be true: {told}"
        )
    return splits


class _Table:
    """The bars of a block of symbols, session by session."""

    def __init__(self, sessions: int, symbols: Sequence[str]) -> None:
        self.values: FloatArray = np.full((len(FIELDS), sessions, len(symbols)), np.nan)
        self.traded = np.zeros((sessions, len(symbols)), dtype=bool)
        self._places = {symbol.encode(): place for place, symbol in enumerate(symbols)}
        #: Names of a shard -> which of them are wanted, and where they go: often the same.
        self._known: dict[bytes, tuple[list[int], list[int]]] = {}

    def lay(self, session: int, names: bytes, values: FloatArray) -> None:
        """Take up the bars of one shard of one session."""
        chosen = self._known.get(names)
        if chosen is None:
            pairs = [
                (at, place)
                for at, name in enumerate(names.split(b"\n"))
                if (place := self._places.get(name)) is not None
            ]
            chosen = ([at for at, _ in pairs], [place for _, place in pairs])
            self._known[names] = chosen
        taken, places = chosen
        self.values[:, session, places] = values[:, taken]
        self.traded[session, places] = True
