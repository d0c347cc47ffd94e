"""What tests of the simulator share: markets, moments, and bars as they are shown."""

from __future__ import annotations

import datetime as dt

import numpy as np

from simulator.clock import Clock, Moment, clock_after_close
from simulator.market import Market
from simulator.sessions import day_of
from simulator.synthetic import BASE, SyntheticMarket
from simulator.tape import Tape


def market(symbols=300, seed=7, sessions=420, last=BASE) -> SyntheticMarket:
    """Return a market with some options changed."""
    return SyntheticMarket(symbols=symbols, seed=seed, sessions=sessions, last_day=day_of(last))


def moment(one: Market, text: str | None = None) -> Moment:
    """Return a moment of a market, by default after its last close."""
    now = clock_after_close(one.last_day) if text is None else dt.datetime.fromisoformat(text)
    return Clock(one.sessions, now).moment


def shown(tape: Tape, symbol: str, at: Moment, *, adjusted: bool):
    """Return days and (5, bars) values of a symbol as a range answer shows them."""
    bars = tape.bars(symbol, at)
    columns = tape.view(symbol, bars, at, adjusted=adjusted).columns()
    return bars.days, np.stack([columns[name] for name in "ohlcv"])
