"""The process: Options come from the command line, uvicorn serves `app` behind `gate`.

One line on standard output says that requests are accepted; SIGTERM stops at once.
"""

from __future__ import annotations

import socket
import sys
from types import FrameType
from typing import Final

import uvicorn

from simulator.app import Endpoints
from simulator.clock import Clock, clock_after_close
from simulator.faults import FaultPlan
from simulator.gate import Counts, Gate
from simulator.market import Market
from simulator.options import Options, read_options
from simulator.replay import ReplayMarket
from simulator.sessions import date_of, day_of
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


def make_market(options: Options) -> Market:
    """Return the market that the options describe."""
    if options.replay is not None:
        return ReplayMarket(options.replay, options.splits)
    return SyntheticMarket(
        symbols=options.symbols,
        seed=options.seed,
        sessions=options.sessions,
        last_day=day_of(options.last_session),
    )


def make_gate(options: Options, market: Market, clock: Clock) -> Gate:
    """Return the whole application: endpoints behind the gate."""
    counts = Counts()
    endpoints = Endpoints(
        market,
        counts=counts,
        faults=FaultPlan(options.faults, seed=options.seed),
        clock=clock,
        seed=options.seed,
        split_twice=options.duplicate_splits,
    )
    return Gate(
        endpoints.application(),
        counts,
        latency=options.latency,
        rate=options.rate,
        key=options.key,
    )


def _inherited(descriptor: int | None) -> list[socket.socket] | None:
    """Return the socket that the caller listens on, so that nobody else can have its port."""
    return None if descriptor is None else [socket.socket(fileno=descriptor)]


def main() -> None:
    """Serve until a signal says to stop."""
    options = read_options()
    try:
        market = make_market(options)
        clock = Clock(market.sessions, options.clock or clock_after_close(market.last_day))
        inherited = _inherited(options.descriptor)
    except (ValueError, OSError) as error:
        sys.exit(f"simulator: {error}")
    config = uvicorn.Config(
        make_gate(options, market, clock),
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
        f"SIMULATED market of {len(market.symbols)} symbols to {date_of(clock.moment.session)} "
        f"on http://{options.host}:{{port}}"
    )
    server.run(inherited)
