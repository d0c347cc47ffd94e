"""The process: Options come from the command line, uvicorn serves `app` behind `gate`.

One line on standard output says that requests are accepted; SIGTERM stops at once.
"""

from __future__ import annotations

import datetime as dt
import socket
import sys
from collections.abc import Callable
from types import FrameType
from typing import Final

import numpy as np
import uvicorn

from simulator.app import Endpoints, clock_after_close
from simulator.clocked import ClockedMarket
from simulator.faults import FaultPlan
from simulator.gate import Counts, Gate
from simulator.options import Options, read_options
from simulator.replay import ReplayMarket
from simulator.sessions import all_sessions, date_of, day_of
from simulator.splits import ListedSplits, SyntheticSplits
from simulator.synthetic import SyntheticMarket

#: Connections that wait to be accepted.
_BACKLOG: Final = 2048


class _Server(uvicorn.Server):
    """Says when it is ready, and does not wait for open requests when it is stopped."""

    ready_line = ""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then print the address and what is served."""
        await super().startup(sockets)
        if self.should_exit:
            return
        port = self.servers[0].sockets[0].getsockname()[1]
        sys.stdout.write(self.ready_line.format(port=port) + "\n")
        sys.stdout.flush()

    def handle_exit(self, _sig: int, _frame: FrameType | None) -> None:
        """Stop at once, whatever is being answered."""
        self.force_exit = self.should_exit = True


def make_market(options: Options) -> tuple[Callable[[dt.datetime], ClockedMarket], int]:
    """Return what makes the market at a moment, and its last day unless a clock says otherwise."""
    if options.replay is not None:
        replayed = ReplayMarket(options.replay)
        listed = ListedSplits(options.splits, anchor=replayed.last_day)
        return lambda now: ClockedMarket(replayed, listed, now), replayed.last_day
    last_day = day_of(options.last_session)
    splits = SyntheticSplits(seed=options.seed, anchor=_ANCHOR)

    def at(now: dt.datetime) -> ClockedMarket:
        # A clock that was moved back has less of the calendar before it.
        past = int(np.searchsorted(all_sessions(), day_of(now.date()), side="right"))
        market = SyntheticMarket(
            symbols=options.symbols,
            seed=options.seed,
            sessions=min(past, options.sessions),
            last_day=day_of(now.date()),
        )
        return ClockedMarket(market, splits, now)

    return at, last_day


#: The last day of a market without options, to which its bars are adjusted.
_ANCHOR: Final = day_of(dt.date(2025, 7, 9))


def make_gate(
    options: Options, market: Callable[[dt.datetime], ClockedMarket], last_day: int
) -> Gate:
    """Return the whole application: endpoints behind the gate."""
    counts = Counts()
    endpoints = Endpoints(
        market,
        counts=counts,
        faults=FaultPlan(options.faults, seed=options.seed),
        clock=options.clock or clock_after_close(date_of(last_day)),
        repeat_splits=options.repeat_splits,
    )
    return Gate(
        endpoints.application(),
        counts,
        latency=options.latency,
        rate=options.rate,
        key=options.key,
    )


def main() -> None:
    """Serve until a signal says to stop."""
    options = read_options()
    market, last_day = make_market(options)
    symbols = market(options.clock or clock_after_close(date_of(last_day))).symbols
    config = uvicorn.Config(
        make_gate(options, market, last_day),
        host=options.host,
        port=options.port,
        lifespan="off",
        log_level="critical",
        access_log=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=75,
    )
    server = _Server(config)
    server.ready_line = (
        f"SIMULATED market of {len(symbols)} symbols to {date_of(last_day)} "
        f"on http://{options.host}:{{port}}"
    )
    server.run()
