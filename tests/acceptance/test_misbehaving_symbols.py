"""Symbols whose computing raises, ends its thread or never ends: they cost no other its row."""

from __future__ import annotations

import json
import time

import pytest
from fleet_fixtures import fleet

pytestmark = pytest.mark.faults

#: Seconds that a task may take here, also in the soak: by default its scan is closed sooner.
LIMIT = 3


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """Start a fleet whose symbols misbehave as the tests say."""
    folder = tmp_path_factory.mktemp("misbehaving") / "fleet"
    with fleet(
        folder, module="misbehaving", simulator_symbols=400, fetch="grouped", task_limit=LIMIT
    ) as found:
        yield found


@pytest.fixture(scope="module")
def expected(one):
    """Return the rows of a scan in which all behave."""
    return one.plain_rows()


def without(rows, *symbols):
    """Return `rows` but those of `symbols`."""
    return {symbol: values for symbol, values in rows.items() if symbol not in symbols}


def log_lines(one, event, scan_id):
    """Return the lines of the workers' logs on an event of a scan."""
    logs = (one.faults.parent / "logs").glob("scan*.log")
    lines = [line for log in logs for line in log.read_text().splitlines()]
    told = [json.loads(line) for line in lines if line.startswith("{")]  # behind a banner
    return [one for one in told if one["event"] == event and one.get("scan") == scan_id]


def await_restarts(one, count):
    """Wait until so many processes have been started again: the scan may be over before."""
    ends = time.monotonic() + 30.0
    while len(one.restarted) < count:
        assert time.monotonic() < ends, f"{one.restarted} were started again, not {count}"
        time.sleep(0.1)


@pytest.mark.timeout(200)
def test_what_a_symbol_raises_is_its_own_error(one, expected):
    """Also SystemExit and MemoryError, which would take the thread's place in the pool away."""
    bad = {"error": "ValueError", "memory": "MemoryError", "exit": "SystemExit"}
    chosen = dict(zip(list(expected)[::130], bad, strict=False))
    one.misbehave(*(f"{symbol} {kind}" for symbol, kind in chosen.items()))
    before = len(one.restarted)
    for _ in range(3):  # were a place lost each time, the last scan would find none
        began = time.monotonic()
        scan_id = one.enqueue()
        one.over(scan_id, without(expected, *chosen))
        report = one.runtime.reports.load(scan_id)
        for symbol, kind in chosen.items():
            assert report.find(symbol).state == f"error:{bad[kind]}"
    one.recovered("symbols that raise, SystemExit and MemoryError too", began)
    assert len(one.restarted) == before
    assert one.runtime.redis.hlen("unacked") == 0
    told = {line["symbol"]: line for line in log_lines(one, "symbol failed", scan_id)}
    assert told.keys() == chosen.keys()
    for symbol, kind in chosen.items():
        assert bad[kind] in told[symbol]["cause"]
        assert f"{symbol}: made up" in told[symbol]["exception"]
        assert told[symbol]["stage"] == "begin"
        assert isinstance(told[symbol]["batch"], int)


@pytest.mark.timeout(200)
def test_a_symbol_without_an_end_ends_its_process_and_is_given_up(one, expected):
    """Its block, and then its own task twice, run into the limit of a task."""
    symbol = list(expected)[7]
    one.misbehave(f"{symbol} loop")
    before, began = len(one.restarted), time.monotonic()
    scan_id = one.enqueue()
    rows = without(expected, symbol)
    one.over(scan_id, rows, "a symbol without an end", began, 290.0 / LIMIT)
    assert one.runtime.reports.load(scan_id).find(symbol).state == "error:Poison"
    await_restarts(one, before + 3)
    assert len(one.restarted) == before + 3


@pytest.mark.timeout(200)
def test_an_error_that_escapes_ends_the_process_and_no_scan(one, expected):
    """Celery would lose the thread's place without a word, and then consume nothing."""
    one.misbehave("* 0.3")
    before = len(one.restarted)
    scan_id = one.enqueue()
    one.until(scan_id, 20)
    began = time.monotonic()
    for _ in range(5):
        one.app.send_task("leak", queue="scan", ignore_result=True)
    one.over(scan_id, expected, "an error that escapes its thread", began)
    await_restarts(one, before + 1)
