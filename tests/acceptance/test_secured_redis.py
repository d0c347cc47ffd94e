"""A whole stack on a Redis that allows least: the user of deploy/redis.acl, over TLS."""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import redis
from certificates import authority, issued_by
from process_fixtures import free_port, running_valkey_with
from stack_fixtures import REPOSITORY, environment, scan, scan_json, stack_up, wait_for
from tls_fixtures import running_tls

SYMBOLS = 80
PASSWORD = secrets.token_hex(8)
#: What the user may do and this test may not need: other databases, messages that come back to
#: their queue or are fetched one by one, results that somebody waits for, what a dead process left.
RARE = {"auth", "select", "client|setname", "rpush", "rpop", "setex", "exists", "scan", "hkeys"}
#: Commands of an intruder.
REFUSED = [
    "FLUSHALL",
    "FLUSHDB",
    "CONFIG SET maxmemory 1",
    "CONFIG GET requirepass",
    "KEYS *",
    "DEBUG SLEEP 0",
    "EVAL return(1) 0",
    "FUNCTION LIST",
    "SCRIPT FLUSH",
    "ACL LIST",
    "MONITOR",
    "CLIENT LIST",
    "SHUTDOWN NOSAVE",
    "REPLICAOF localhost 1",
    "SAVE",
    "RENAME scan control",
    "GET other",
    "SET ms2:other 1",
    "PUBLISH other 1",
]


@contextmanager
def server(folder):
    """Yield the port of a Valkey with users, as docs/security.md says, and its administrator."""
    page = (REPOSITORY / "docs/security.md").read_text()
    command = re.search(r"^```sh\n(sed .*)\n```$", page, re.MULTILINE)[1]
    env = os.environ | {"REDIS_PASSWORD": PASSWORD}
    command = command.replace(" deploy/", f" {REPOSITORY}/deploy/")
    subprocess.run(["sh", "-c", command], env=env, cwd=folder, check=True)
    with (folder / "users.acl").open("a") as file:
        file.write(f"user admin on >{PASSWORD} ~* &* +@all\n")
    port = free_port()
    lines = [f"aclfile {folder / 'users.acl'}", "enable-debug-command yes"]
    with (
        running_valkey_with(folder, port, lines),
        redis.Redis(port=port, username="admin", password=PASSWORD) as admin,
    ):
        yield port, admin


@contextmanager
def secured(folder):
    """Yield that server's administrator, a client of the scanner's user, a stack's environment."""
    ca = authority("a test's CA")
    (folder / "ca.pem").write_text(ca.pem())
    certificate = issued_by(ca, "127.0.0.1").write(folder / "server.pem")
    with server(folder) as (port, admin), running_tls(port, certificate) as tls:
        env = environment(
            folder / "home",
            redis_url=f"rediss://scanner:{PASSWORD}@127.0.0.1:{tls}/0",
            redis_ca=folder / "ca.pem",
            simulator_symbols=SYMBOLS,
            simulator_latency=0.2,
            lookback_days=60,
            workers=2,
            threads=2,
            schedule="off",
        )
        with redis.Redis(port=port, username="scanner", password=PASSWORD) as user:
            yield admin, user, env


def begun(env):
    """Ask for a scan by symbol, and return its id when it has begun."""
    scan_id = scan("enqueue", "--fetch", "symbols", env=env).stdout.strip()

    def recorded():
        return scan_json("status", scan_id, "--json", env=env)["scans"][0]["recorded"]

    wait_for(recorded, 60, "some symbols")
    return scan_id


def scan_in_many_ways(env, processes):
    """Scan by symbol, cancel and resume while workers die, scan by session and from the cache."""
    scan_id = begun(env)
    os.kill(processes["scan1"], signal.SIGKILL)
    assert scan("cancel", scan_id, env=env).returncode == 0
    assert scan("resume", scan_id, env=env).returncode == 0
    os.kill(processes["control"], signal.SIGKILL)

    def is_done():
        return scan_json("status", scan_id, "--json", env=env)["scans"][0]["state"] == "done"

    wait_for(is_done, 90, "the end of the scan")
    found = [
        scan_json("show", scan_id, "--json", "--top", "0", env=env),
        scan_json("enqueue", "--wait", "--json", "--fetch", "grouped", env=env),
        scan_json("enqueue", "--wait", "--json", env=env),
    ]
    ends = [(one["state"], sum(one["ledger"].values())) for one in found]
    assert ends == [("done", SYMBOLS)] * 3
    assert not any("error" in state or "deferred" in state for state in found[0]["ledger"])


@pytest.mark.timeout(240)
def test_a_stack_lives_with_the_least_rights(tmp_path):
    """Nothing that it does is refused, and what an intruder would do is."""
    with secured(tmp_path) as (admin, user, env):
        with stack_up(env) as stack:
            scan_in_many_ways(env, stack["processes"])
            commands = ("show", "status", "settings", "doctor")
            with ThreadPoolExecutor(4) as pool:
                *others, done = pool.map(lambda command: scan(command, env=env), commands)
            assert [one.returncode for one in (*others, done)] == [0, 0, 0, 0], done.stdout
            assert "redis: answers, noeviction" in done.stdout
            assert "celerybeat@" in done.stdout
            admin.execute_command("ACL", "SETUSER", "scanner", "-info")
            done = scan("doctor", env=env)
            assert (done.returncode, "answers, but not to INFO" in done.stdout) == (0, True)
        refused = admin.acl_log()
        assert [one["object"] for one in refused] == ["info"]
        used = {name.removeprefix("cmdstat_") for name in admin.info("commandstats")}
        allowed = set(re.findall(r"\+(\S+)", (REPOSITORY / "deploy/redis.acl").read_text()))
        assert allowed - used <= RARE
        for command in REFUSED:
            with pytest.raises(redis.exceptions.NoPermissionError):
                user.execute_command(*command.split())
        for call in ("'FLUSHALL'", "'GET', 'other'"):
            script = user.script_load(f"return redis.call({call})")
            with pytest.raises(redis.ResponseError, match="ACL failure"):
                user.evalsha(script, 0)
