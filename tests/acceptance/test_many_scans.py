"""Many scans at once, many in a row, and one of ten markets: all end, and nothing grows."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from fleet_fixtures import fleet
from recovery import rounds
from stack_fixtures import environment, scan

from views.cli.stack import as_variables

pytestmark = pytest.mark.faults

SCANS = rounds(200)


def memory_of(pid):
    """Return the MB of memory and the number of threads of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    found = dict(line.split(":\t") for line in lines if ":\t" in line)
    return int(found["VmRSS"].split()[0]) / 1_024, int(found["Threads"])


class Footprint:
    """What a fleet holds at a moment."""

    def __init__(self, one) -> None:
        client = one.runtime.redis
        facts = {name: memory_of(pid) for name, pid in one.supervisor.pids().items()}
        self.memory = {name: used for name, (used, _) in facts.items()}
        self.threads = {name: threads for name, (_, threads) in facts.items()}
        clients = client.client_list()
        self.connections = len(clients)
        self.subscriptions = sum(int(one["sub"]) + int(one["psub"]) for one in clients)
        for key in client.scan_iter("ms1:scan:2*", count=5_000):  # lives as long as is asked for
            client.delete(key)
        self.stored = client.info("memory")["used_memory"] / 2**20
        self.lasting = {key for key in client.scan_iter("*", count=5_000) if client.ttl(key) == -1}


@pytest.mark.timeout(400)
def test_scans_in_a_row_let_nothing_grow(tmp_path):
    """Memory, threads, connections, subscriptions and lasting keys are those of an early scan."""
    with fleet(
        tmp_path / "fleet", simulator_symbols=200, fetch="grouped", report_expiry=300
    ) as one:
        expected = one.plain_rows()

        def some(count):
            for _ in range(count):
                scan_id = one.enqueue()
                assert one.ended(scan_id, 60.0).state == "done"
            assert one.rows(scan_id) == expected

        some(SCANS // 4)
        early = Footprint(one)
        some(SCANS - SCANS // 4)
        late = Footprint(one)
    # A pool may grow up to its size; what grew by one a scan would be far above.
    few = 20
    for name, count in late.threads.items():
        assert count < early.threads[name] + few, name
    assert late.connections < early.connections + few
    assert late.subscriptions < early.subscriptions + few
    assert late.lasting == early.lasting
    for name, used in late.memory.items():
        if name != "valkey":  # its allocator keeps what the reports had
            assert used < early.memory[name] * 1.1 + 8.0, name
    assert late.stored < early.stored + 1.0


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """Start a fleet whose scans can be made to last."""
    folder = tmp_path_factory.mktemp("load") / "fleet"
    with fleet(
        folder, module="misbehaving", simulator_symbols=1_000, fetch="grouped", batch_size=10
    ) as found:
        yield found


@pytest.mark.timeout(300)
def test_twenty_universes_at_once_are_twenty_reports(one, tmp_path):
    """Each has its symbols, all of them, and no other's."""
    rows = one.plain_rows()
    names = sorted(rows)
    universes = {}
    for number in range(20):
        path = tmp_path / f"universe{number}.txt"
        universes[path] = names[number * 40 : number * 40 + 45]
        path.write_text("\n".join(universes[path]))
    began = time.monotonic()
    scans = {one.enqueue(universe=str(path)): path for path in universes}
    for scan_id, path in scans.items():
        assert one.ended(scan_id, 100.0).state == "done"
        assert one.rows(scan_id) == {name: rows[name] for name in universes[path]}
    one.recovered("20 scans of 20 universes at once", began)
    assert one.runtime.state.open_scans() == {}


@pytest.mark.timeout(300)
def test_twenty_requests_for_one_universe_are_one_scan(one):
    """One runs, nineteen are told its id and end with 4."""
    one.misbehave("* 8.0")
    env = environment(one.runtime.settings.home) | as_variables(one.runtime.settings)
    asked = [
        subprocess.Popen(
            ["scan", "enqueue"],
            env=env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(20)
    ]
    said = [(*one.communicate(timeout=120), one.returncode) for one in asked]
    taken = [out.strip() for out, _, code in said if code == 0]
    refused = [err for _, err, code in said if code == 4]
    assert (len(taken), len(refused)) == (1, 19), said
    assert all(taken[0] in err for err in refused)
    assert list(one.runtime.state.open_scans()) == taken
    one.misbehave()
    assert scan("cancel", taken[0], env=env).returncode == 0
    assert one.progress(taken[0]).state == "cancelled"


@pytest.mark.timeout(600)
def test_fifty_thousand_symbols_are_one_scan(tmp_path):
    """Ten markets in one; both ledgers hold them all."""
    with fleet(
        tmp_path / "fleet", simulator_symbols=50_000, fetch="grouped", lookback_days=30
    ) as one:
        began = time.monotonic()
        scan_id = one.enqueue()
        assert one.ended(scan_id, 400.0).state == "done"
        one.recovered("50,000 symbols, 30 days of each, nothing cached", began)
        report = one.runtime.reports.load(scan_id)
        assert len(one.rows(scan_id)) + len(report.absences) == 50_000
