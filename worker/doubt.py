"""Answers about the whole market that may be cut short: they are held to what is kept already.

A day or a list with a part of its rows is as well-formed as a whole one. It would leave symbols
stale, or their prices unadjusted, so it is asked for again, and not believed if it stays short.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Final

from scanner.bars.adjust import Split, distinct
from scanner.bars.market_day import MarketDay
from scanner.bars.provider import MarketProvider
from scanner.bars.store import MarketStore
from scanner.errors import ProviderUnavailable
from scanner.timeframe import day_date

#: Share of the symbols that a day has at least: of its own copy, which stays if it has fewer, and
#: of the sessions around it, without which there is none.
_LEAST: Final = 0.8
_LEAST_AROUND: Final = 0.5
#: Days around a session whose copies tell how many symbols it should have.
_AROUND: Final = 7
#: Symbols or splits that may be missing from any answer.
_FEW: Final = 10
#: Symbols of a session nearby that are asked whether an empty one was none.
_WITNESSES: Final = 5
#: Share of the splits that are known that a list of them has at least.
_LEAST_SPLITS: Final = 0.9


def believed_day(
    provider: MarketProvider, store: MarketStore, session: int, *, may_be_empty: bool
) -> MarketDay:
    """Return the bars of a session; ProviderUnavailable if the answer seems to lack some.

    A short answer about a session without any copy is believed when it is old (`may_be_empty`) and
    comes twice: then there is no more. An empty one also needs symbols that were traded in a
    session around it, and were not in this one.
    """
    facts = store.facts(range(session - _AROUND, session + _AROUND + 1))
    around = [one.symbols for one in facts.values() if one.symbols]
    copy = facts[session].symbols if session in facts else 0
    expected = copy or (round(statistics.median(around)) if around else 1)
    least = expected * (_LEAST if copy else _LEAST_AROUND)
    day = provider.day(day_date(session))
    if not _is_short(day, expected, least):
        return day
    again = provider.day(day_date(session))
    same = len(again.symbols) == len(day.symbols)
    day = max(day, again, key=lambda one: len(one.symbols))
    if _is_short(day, expected, least) and not (same and may_be_empty and not copy):
        raise ProviderUnavailable(_why_short(session, len(day.symbols), expected))
    if not day.symbols:
        _check_empty(provider, store, session, [s for s, one in facts.items() if one.symbols])
    return day


def _check_empty(
    provider: MarketProvider, store: MarketStore, session: int, around: Sequence[int]
) -> None:
    """Refuse an empty answer about a session in which a symbol has a bar of its own."""
    date = day_date(session)
    if not around:
        raise ProviderUnavailable(f"session {date}: empty, and no session around it is kept yet")
    symbols = store.symbols(min(around, key=lambda other: abs(other - session)))
    for symbol in symbols[:: -(-len(symbols) // _WITNESSES)]:
        if len(provider.fetch(symbol, date, date).between(session, session)):
            raise ProviderUnavailable(
                f"session {date}: the answer about the market is empty, but {symbol} has a bar"
            )


def _is_short(day: MarketDay, expected: int, least: float) -> bool:
    count = len(day.symbols)
    return not count or (expected - count > _FEW and count < least)


def _why_short(session: int, count: int, expected: int) -> str:
    name = day_date(session)
    if not count:
        return (
            f"session {name}: the provider has no bars of it yet; if it was none, name it in "
            "the file of SCANNER_CLOSURES"
        )
    return (
        f"session {name}: the provider has bars of {count:,} symbols, about {expected:,} were "
        "expected: the answer was cut short, or not all of it is published"
    )


def check_splits(new: Sequence[Split], known: Mapping[str, Sequence[Split]], first: int) -> None:
    """Refuse a list of splits from `first` on that lacks a tenth of those that are known."""
    before = sum(one.session >= first for of in known.values() for one in of)
    count = len(distinct(new))
    if before - count > _FEW and count < _LEAST_SPLITS * before:
        raise ProviderUnavailable(
            f"splits: the provider lists {count:,} since {day_date(first)}, {before:,} are known: "
            "the list was cut short"
        )
