"""What a provider does wrong, when, and what a scan makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Fetch = Literal["symbols", "grouped"]
FETCHES: Final[tuple[Fetch, ...]] = ("symbols", "grouped")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One scan through a provider that misbehaves."""

    what: str
    fetch: Fetch = "symbols"
    #: Faults of the simulator, as KIND=SHARE; none: it is down, its port closed.
    faults: tuple[str, ...] = ()
    #: Requests that it answers well before.
    after: int = 0
    #: Seconds after which it is well again; None: not before the scan is over.
    seconds: float | None = None
    #: Seconds until the scan's deadline from then on; None: as the settings have it.
    deadline: float | None = None
    #: The scan's last state, and what its message says if it was stopped as a whole.
    state: str = "done"
    says: str = ""
    #: Kinds of states in which the symbols are that it could not give.
    lost: frozenset[str] = frozenset()
    #: What the scanner does, for the table.
    does: str

    @property
    def name(self) -> str:
        """What it is called."""
        return f"{self.what}, {self.fetch}"


_RETRIES: Final = "asks up to four times, with pauses that double"
_AGAIN: Final = "asks up to three times for an answer that can be true"
_PATIENCE: Final = "gives a try a third of the time of a task, then asks again"
_HELD: Final = "no process sends until the time is over; what had to wait is given out again"
_STOPS: Final = "stops at the first refusal, keeps its rows, says what to do"
_WAITS: Final = "leaves the provider alone but for probes, and closes at the deadline"

#: Five faults of one in twenty requests each.
_ALL: Final = ("status500=0.05", "status502=0.05", "reset=0.05", "cut=0.05", "malformed=0.05")
_DEFERRED: Final = frozenset({"deferred"})
_TRIED: Final = frozenset({"deferred", "error"})

SCENARIOS: Final = (
    Scenario(what="5% answered 500", faults=_ALL[:1], does=_RETRIES),
    Scenario(what="5% answered 502", faults=_ALL[1:2], does=_RETRIES),
    Scenario(what="5% of connections reset", faults=_ALL[2:3], does=_RETRIES),
    Scenario(what="5% of bodies cut", faults=_ALL[3:4], does=_RETRIES),
    Scenario(what="5% malformed JSON", faults=_ALL[4:], does=_RETRIES),
    Scenario(
        what="all five together",
        faults=_ALL,
        does=f"{_RETRIES}; what is lost all the same has a second round at the end",
    ),
    Scenario(
        what="all five together",
        fetch="grouped",
        faults=_ALL,
        does=f"{_RETRIES}; a few sessions that are lost are asked for again at once",
    ),
    Scenario(what="5% about another symbol", faults=("wrong_symbol=0.05",), does=_AGAIN),
    Scenario(what="5% about another day", faults=("wrong_day=0.05",), does=_AGAIN),
    Scenario(what="5% about another day", fetch="grouped", faults=("wrong_day=0.05",), does=_AGAIN),
    Scenario(what="5% empty", faults=("empty=0.05",), does=_AGAIN),
    Scenario(
        what="5% empty",
        fetch="grouped",
        faults=("empty=0.05",),
        does="asks again, and symbols for a bar of that day before it believes in none",
    ),
    Scenario(
        what="one day always empty",
        fetch="grouped",
        faults=("empty:2025-05-06",),
        state="failed",
        says="has a bar",
        does="finds a symbol with a bar of that day, and computes no rows over a hole",
    ),
    Scenario(what="5% never answered", faults=("stall=0.05",), does=_PATIENCE),
    Scenario(what="5% never answered", fetch="grouped", faults=("stall=0.05",), does=_PATIENCE),
    Scenario(what="5% drop by drop", faults=("drip=0.05",), does=_PATIENCE),
    Scenario(what="5% drop by drop", fetch="grouped", faults=("drip=0.05",), does=_PATIENCE),
    Scenario(
        what="429 for 2 s, Retry-After 1", faults=("rate429=1",), after=50, seconds=2.0, does=_HELD
    ),
    Scenario(
        what="429 for 2 s, Retry-After 1",
        fetch="grouped",
        faults=("rate429=1",),
        after=50,
        seconds=2.0,
        does=_HELD,
    ),
    Scenario(
        what="429 for 2 s, no Retry-After",
        faults=("rate429_silent=1",),
        after=50,
        seconds=2.0,
        does="the same, for a second or more and twice as long each time",
    ),
    Scenario(
        what="key revoked, 401",
        faults=("status401=1",),
        after=50,
        state="degraded",
        says="the provider refused the key: 401",
        lost=_DEFERRED,
        does=_STOPS,
    ),
    Scenario(
        what="key revoked, 403",
        faults=("status403=1",),
        after=50,
        state="degraded",
        says="the provider refused the key: 403",
        lost=_DEFERRED,
        does=_STOPS,
    ),
    Scenario(
        what="key revoked, 401",
        fetch="grouped",
        faults=("status401=1",),
        after=50,
        state="failed",
        says="the provider refused the key: 401",
        does="stops at the first refusal, keeps the sessions, says what to do",
    ),
    Scenario(
        what="down beyond the deadline",
        after=50,
        deadline=3.0,
        state="degraded",
        lost=_TRIED,
        does=_WAITS,
    ),
    Scenario(
        what="down beyond the deadline",
        fetch="grouped",
        after=50,
        deadline=3.0,
        state="failed",
        says="answered before the deadline",
        does="the same; the sessions that came are there for the next scan",
    ),
    Scenario(
        what="slower than any timeout",
        faults=("stall=1",),
        after=50,
        deadline=3.0,
        state="degraded",
        lost=_TRIED,
        does="closes at the deadline, whatever is being waited for",
    ),
)

#: What nothing goes wrong in, by way of fetching.
UNDISTURBED: Final = tuple(
    Scenario(what="undisturbed", fetch=fetch, faults=("status500=0",), does="") for fetch in FETCHES
)
