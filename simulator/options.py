"""Options of the simulator: arguments come from the command line, Options go to `serve`."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from simulator.faults import Fault, parse_fault
from simulator.gate import Rate
from simulator.sessions import EXCHANGE_ZONE
from simulator.synthetic import BASE


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the simulator is asked to be."""

    host: str
    port: int
    #: The socket to listen on instead of these, as a descriptor that was inherited.
    descriptor: int | None
    symbols: int
    seed: int
    sessions: int
    last_session: dt.date
    replay: Path | None
    splits: Path | None
    #: Whether each split is listed twice.
    duplicate_splits: bool
    #: Seconds before each answer.
    latency: float
    rate: Rate | None
    key: str | None
    faults: tuple[Fault, ...]
    clock: dt.datetime | None


def read_options(arguments: Sequence[str] | None = None) -> Options:
    """Return the options; leaves with a message if an argument cannot be understood."""
    parser = _parser()
    read = parser.parse_args(arguments)
    if read.splits is not None and read.replay is None:
        parser.error("--splits: a made-up market has its own; expected --replay beside it")
    return Options(
        host=read.host,
        port=read.port,
        descriptor=read.fd,
        symbols=read.symbols,
        seed=read.seed,
        sessions=read.sessions,
        last_session=read.last_session,
        replay=read.replay,
        splits=read.splits,
        duplicate_splits=read.duplicate_splits,
        latency=read.latency,
        rate=read.rate,
        key=read.key,
        faults=tuple(read.fault),
        clock=read.clock,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="Serve a market that is not there, behind Polygon's HTTP contract.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on")
    add("--port", type=int, default=8801, help="port to listen on; 0 takes a free one")
    add("--fd", type=int, help="listen on the socket of this inherited descriptor instead")
    add("--symbols", type=int, default=5277, help="size of the made-up market")
    add("--seed", type=int, default=7, help="seed of the made-up market and of the faults")
    add("--sessions", type=int, default=420, help="sessions of history")
    add(
        "--last-session",
        type=dt.date.fromisoformat,
        default=BASE,
        help="session after whose close the clock stands, YYYY-MM-DD",
    )
    add("--replay", type=Path, help="serve the bars of this parquet or CSV file instead")
    add("--splits", type=Path, help="with --replay: the splits of its bars, a CSV file")
    add("--duplicate-splits", action="store_true", help="list each split twice, with two ids")
    add("--latency", type=float, default=0.0, help="seconds before each answer")
    add("--rate", type=_rate, metavar="N/SECONDS", help="answer 429 beyond this rate")
    add("--key", help="answer 401 to any other key")
    add(
        "--fault",
        type=_fault,
        action="append",
        default=[],
        metavar="KIND=SHARE|KIND:SUBJECT",
        help="make a share of the requests for bars, splits and snapshots fail, or those about "
        "one symbol, date of a whole day, `splits` or `snapshot`; repeatable",
    )
    add("--clock", type=_moment, help="the simulator's time, ISO 8601; without offset New York's")
    return parser


def _rate(text: str) -> Rate:
    limit, _, seconds = text.partition("/")
    try:
        rate = Rate(limit=int(limit), seconds=float(seconds))
    except ValueError:
        rate = Rate(limit=0, seconds=0.0)
    if rate.limit < 1 or rate.seconds <= 0.0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a rate: expected N/SECONDS, as 5/60")
    return rate


def _fault(text: str) -> Fault:
    try:
        return parse_fault(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=EXCHANGE_ZONE)
    return moment.astimezone(EXCHANGE_ZONE)
