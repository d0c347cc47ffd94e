"""The fetch of sessions before a scan: what is missing comes in, a chord of its own goes out.

1. `fetch_first` puts a task a session on the queue, and one for the splits
2. each keeps what it fetched in the store and counts it in the scan's state   (worker/market.py)
3. the chord's body plans the scan anew: what is still missing is asked for again by the reconciler

The stage has its own total, deadline and rounds; a scan that cannot get its sessions fails.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

import structlog
from celery import chord

from scanner.bars.budget import parse_rate
from scanner.bootstrap import Runtime
from scanner.errors import ProviderUnavailable
from scanner.results.redis_fetch import Prepared
from scanner.timeframe import day_number
from scheduler.freshness import good_from, may_be_empty
from scheduler.market import BarsNeed, Window, expiry_of
from worker.celery import app
from worker.market import Wanted
from worker.tasks import fetch_session, fetch_splits

log = structlog.get_logger(__name__)

#: Seconds of requests that are put on the queue at once if the rate is limited: what has to wait
#: longer is given back anyway.
ROUND_SECONDS: Final = 15.0
#: Rounds that bring nothing, after which the scan fails.
IDLE_ROUNDS: Final = 3


def fetch_first(
    runtime: Runtime, scan_id: str, need: BarsNeed, window: Window, before: Prepared
) -> None:
    """Ask for what a scan has to wait for; ProviderUnavailable if rounds have brought nothing."""
    fields: dict[str, Any] = {"round_over": 0}
    if before.now is None:
        fields |= {
            "market_now": window.now.isoformat(),
            "how": "grouped",
            "sessions": need.requests,
            "calls": need.requests,
        }
    else:
        fields |= _next_round(need, before)
    if runtime.state.prepare(scan_id, before.deadline, fields):
        _publish(runtime, scan_id, need, window)


def has_to_wait(need: BarsNeed, before: Prepared) -> bool:
    """Return whether something is missing; final copies are asked for again only once.

    ProviderUnavailable if it will go on to be missing.
    """
    if why := refusal(need, before):
        raise ProviderUnavailable(f"{why}; `--fetch symbols` does without")
    lacks = bool(need.missing) or need.splits_missing
    return lacks or (need.requests > 0 and before.now is None)


def refusal(need: BarsNeed, before: Prepared) -> str:
    """Return what is missing that the provider refuses, with its answer, or nothing."""
    wanted = ["splits"] * need.splits_missing + [str(day) for day in need.missing]
    refused = [what for what in wanted if what in before.refused]
    return f"the market lacks {refused[0]}: {before.refused[refused[0]]}" if refused else ""


def is_unserved(need: BarsNeed, window: Window, before: Prepared) -> bool:
    """Return whether the provider refuses all splits, or sessions without having given any."""
    if need.splits_missing and "splits" in before.refused:
        return True
    return len(need.missing) == len(window.days) and bool(refusal(need, before))


def most_came(runtime: Runtime, scan_id: str) -> bool:
    """Return whether a round has brought more than is missing still, and nothing has to wait."""
    before = runtime.state.prepared(scan_id)
    brought = before.done - before.done_before
    # A session that was fetched twice counts twice.
    return brought > max(0, before.asked - before.done) and not before.waits


def _next_round(need: BarsNeed, before: Prepared) -> dict[str, Any]:
    # Who has to wait for the budget is not idle: the deadline bounds that.
    idle = before.idle_rounds + 1 if before.done == before.done_before and not before.waits else 0
    if idle >= IDLE_ROUNDS:
        raise ProviderUnavailable(_why_not(need, before))
    return {"idle_rounds": idle, "done_before": before.done, "fetch_waits": 0, "moved": ""}


def _why_not(need: BarsNeed, before: Prepared) -> str:
    lacking = [f"the session {day}" for day in need.missing[::-1]]
    lacking += ["the splits"] if need.splits_missing else []
    more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
    return (
        f"the market lacks {', '.join(lacking[:3])}{more}: {before.error or 'no worker answered'}"
    )


def _publish(runtime: Runtime, scan_id: str, need: BarsNeed, window: Window) -> None:
    rate = parse_rate(runtime.settings.rate)
    threads = runtime.settings.workers * runtime.settings.threads
    room = need.requests
    if rate is not None:
        room = math.ceil(ROUND_SECONDS * rate.limit / rate.window) + threads
    asked_at = window.now.timestamp()

    def header() -> Iterator[Any]:
        if need.splits_from is not None:
            yield fetch_splits.si(scan_id, str(need.splits_from), str(window.today), asked_at)
        for day in need.sessions[:room]:
            wanted = Wanted(
                session=day_number(day),
                asked_at=asked_at,
                good_from=good_from(day, window.calendar, window.now),
                expiry=expiry_of(day, window, runtime.settings.bars_expiry),
                may_be_empty=may_be_empty(day, asked_at),
            )
            yield fetch_session.si(scan_id, asdict(wanted))

    chord(header())(app.signature("sessions_fetched", args=(scan_id,), immutable=True))
    log.info("sessions are fetched first", scan=scan_id, sessions=len(need.sessions))
