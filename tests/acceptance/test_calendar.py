"""Weeks in the life of a schedule: holidays, half-days, changes of the clock."""

from __future__ import annotations

import datetime as dt

import pytest
from fleet_fixtures import fleet
from process_fixtures import running_simulator
from simulator_fixtures import move_clock

from scanner.timeframe import EXCHANGE_ZONE

pytestmark = pytest.mark.faults

#: After the close, so that the scan is due a minute before midnight in UTC in winter.
AFTER = 179
#: First and last day, and the scans between them: the time in New York, and the session.
WEEKS = {
    "the change to summer": (
        "2026-03-06",
        "2026-03-10",
        [
            "2026-03-06 18:59 2026-03-06",
            "2026-03-09 18:59 2026-03-09",
            "2026-03-10 18:59 2026-03-10",
        ],
    ),
    "the change to winter": (
        "2026-10-30",
        "2026-11-02",
        ["2026-10-30 18:59 2026-10-30", "2026-11-02 18:59 2026-11-02"],
    ),
    "Thanksgiving": (
        "2026-11-25",
        "2026-11-30",
        [
            "2026-11-25 18:59 2026-11-25",
            "2026-11-27 15:59 2026-11-27",
            "2026-11-30 18:59 2026-11-30",
        ],
    ),
}


def moments(first, last):
    """Yield each hour from one day to another, in UTC, and more of them as the day in UTC ends."""
    now = dt.datetime.fromisoformat(f"{first}T06:00").replace(tzinfo=EXCHANGE_ZONE)
    now, end = now.astimezone(dt.UTC), dt.datetime.fromisoformat(f"{last}T23:59:59+00:00")
    while now < end + dt.timedelta(hours=6):
        yield now
        if now.hour in {20, 22, 23, 0}:
            yield from (now + dt.timedelta(minutes=step) for step in (2, 7, 30, 57, 59))
        now += dt.timedelta(hours=1)


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """Start a fleet that takes the simulated market for the real one, and moves with its clock."""
    folder = tmp_path_factory.mktemp("calendar")
    options = ["--symbols", "50", "--last-session", "2026-12-30", "--clock", "2026-03-06T06:00"]
    (folder / "fleet").mkdir(mode=0o700)
    (folder / "fleet" / "faults").write_text("2026-03-06T06:00-05:00")
    with (
        running_simulator(folder, *options) as url,
        fleet(
            folder / "fleet",
            module="moved_clock",
            control="moved_clock",
            provider="polygon",
            polygon_url=url,
            polygon_key="KEY",
            rate="unlimited",
            fetch="grouped",
            lookback_days=30,
            schedule=f"at close+{AFTER}m",
        ) as found,
    ):
        yield found, url


@pytest.mark.timeout(200)
@pytest.mark.parametrize("week", WEEKS)
def test_each_session_is_scanned_once_when_it_is_due(one, week):
    """Whatever ticks come, and however often: two at each moment."""
    fleet, url = one
    first, last, expected = WEEKS[week]
    before = set(fleet.runtime.reports.newest(100))
    seen = []
    for now in moments(first, last):
        move_clock(url, now.isoformat())
        fleet.misbehave(now.isoformat())
        fleet.send("tick")
        fleet.send("tick")
        fleet.idle()
        for scan_id in set(fleet.runtime.reports.newest(100)) - before:
            before.add(scan_id)
            assert fleet.ended(scan_id, 60.0).state == "done"
            report = fleet.runtime.reports.load(scan_id)
            seen.append(f"{now.astimezone(EXCHANGE_ZONE):%Y-%m-%d %H:%M} {report.facts.as_of}")
    assert seen == expected
