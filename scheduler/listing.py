"""What a provider lists, kept for a week: a runtime comes in, symbols with their texts go out."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import sys
import time
from dataclasses import dataclass
from typing import Final, cast

import orjson

from scanner import keys
from scanner.bars.provider import MarketProvider
from scanner.bars.universe import Listed
from scanner.bootstrap import Runtime
from scanner.errors import DataError, TransientError
from scanner.redis_errors import redis_errors

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: Seconds after which the provider is asked again: symbols come and go by the week.
_FRESH_SECONDS: Final = 7 * 86_400.0
#: The same after an answer that was not believed.
_DOUBT_SECONDS: Final = 3_600.0
#: Seconds that a listing is kept, so that the next one can be compared with it.
_KEPT_SECONDS: Final = 14 * 86_400
#: Symbols of a page of the provider's.
_PAGE: Final = 1_000

#: Symbols, and their share, that a listing may have lost since the last one.
_FEW: Final = 10
_SHARE: Final = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A listing, when it was made, and when to ask for the next; seconds since 1970-01-01."""

    made_at: float
    ask_at: float
    #: Why the next one was not believed, if it was not.
    doubt: str
    listing: list[Listed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a provider lists."""

    symbols: list[Listed]
    #: Sentences on what is doubtful about it.
    notes: tuple[str, ...] = ()
    #: Requests that were made for it just now.
    calls: int = 0


def listing_of(runtime: Runtime, provider: MarketProvider) -> Listing:
    """Return what the provider lists.

    A listing that lacks more than a few symbols of the last one was cut short: the last one is
    used, and the provider asked again in an hour; so it is when there is no answer.
    """
    kept, now = _read(runtime), time.time()
    if kept is not None and now < kept.ask_at:
        return Listing(symbols=kept.listing, notes=(kept.doubt,) if kept.doubt else ())
    try:
        listing, problem = provider.listing(), ""
    except (DataError, TransientError) as error:
        if kept is None:
            raise
        listing, problem = [], str(error)
    lost = len(kept.listing) - len(listing) if kept is not None else 0
    if kept is not None and (problem or lost > max(_FEW, _SHARE * len(kept.listing))):
        made = dt.datetime.fromtimestamp(kept.made_at, dt.UTC).date()
        what = problem or (
            f"the provider lists {len(listing):,} symbols, {len(kept.listing):,} on {made}"
        )
        doubt = f"{what}: the listing of {made} is used"
        _keep(runtime, dataclasses.replace(kept, ask_at=now + _DOUBT_SECONDS, doubt=doubt))
        return Listing(symbols=kept.listing, notes=(doubt,), calls=_pages(listing))
    if listing:
        _keep(runtime, _Kept(made_at=now, ask_at=now + _FRESH_SECONDS, doubt="", listing=listing))
    return Listing(symbols=listing, calls=_pages(listing))


def _pages(listing: list[Listed]) -> int:
    return max(1, math.ceil(len(listing) / _PAGE))


def _read(runtime: Runtime) -> _Kept | None:
    with redis_errors("read the listing"):
        packed = cast("bytes | None", runtime.redis.get(keys.listing(runtime.source)))
    if packed is None:
        return None
    plain = orjson.loads(zstd.decompress(packed))
    if not isinstance(plain, dict):  # of an older version
        return None
    listing = [Listed(symbol=symbol, texts=texts) for symbol, texts in plain.pop("listing")]
    return _Kept(**plain, listing=listing)


def _keep(runtime: Runtime, kept: _Kept) -> None:
    rows = [(one.symbol, one.texts) for one in kept.listing]
    facts = {"made_at": kept.made_at, "ask_at": kept.ask_at, "doubt": kept.doubt}
    packed = zstd.compress(orjson.dumps(facts | {"listing": rows}), 3)
    left = max(1, int(kept.made_at + _KEPT_SECONDS - time.time()))
    with redis_errors("keep the listing"):
        runtime.redis.set(keys.listing(runtime.source), packed, ex=left)
