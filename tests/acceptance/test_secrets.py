"""Keys and passwords of a whole stack are looked for wherever somebody could see them."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import secrets
import stat
import subprocess
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest
import redis
from process_fixtures import free_port, running_simulator, running_valkey_with
from stack_fixtures import environment, scan, scan_json, stack_up, wait_for

from scanner.bars.codec import zstd

SYMBOLS = 40
#: Where a frame of zstd begins in a value.
FRAME = b"\x28\xb5\x2f\xfd"
#: Files that are there to hold a secret -> the one.
HOLDERS = [("stack.json", "Redis"), ("stack.json", "cache"), ("flower-password", "Flower")]
#: Passwords with characters that a URL has to spell in another way.
PASSWORD, CACHE = (f"{secrets.token_hex(8)}/{secrets.token_hex(8)}@%" for _ in range(2))
KEY, WRONG_KEY = (secrets.token_urlsafe(24) for _ in range(2))


class Places:
    """What was seen, and where."""

    def __init__(self, flower):
        login = base64.b64encode(f"scan:{flower}".encode()).decode()
        servers = {
            name: password.strip("@%").split("/")
            for name, password in (("Redis", PASSWORD), ("cache", CACHE))
        }
        self.secrets = {"provider": [KEY, WRONG_KEY], "Flower": [flower, login], **servers}
        self.leaks = set()
        self.seen = 0

    def look(self, place, text):
        """Note which secrets stand in a text, or in what is packed in it."""
        data = text.encode() if isinstance(text, str) else text
        self.seen += 1
        for part in (data, *unpacked(data)):
            for name, values in self.secrets.items():
                if any(value.encode() in part for value in values):
                    self.leaks.add((place, name))


def unpacked(data):
    """Yield what the frames of zstd in a value hold."""
    for match in re.finditer(re.escape(FRAME), data):
        with contextlib.suppress(zstd.ZstdError):
            yield zstd.ZstdDecompressor().decompress(data[match.start() :])


class Listener(threading.Thread):
    """Every command that anybody sends to a server, events and messages among them."""

    def __init__(self, client):
        super().__init__(daemon=True)
        self.client, self.commands, self.over = client, [], False

    def run(self):
        """Listen until the server hears `ECHO over`."""
        with contextlib.suppress(OSError, ValueError), self.client.monitor() as monitor:
            for one in monitor.listen():
                self.over = one["command"] == "ECHO over"
                if self.over:
                    return
                self.commands.append(one["command"])


def values_of(client):
    """Yield each key of a server with all that it holds."""
    readers = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"set": client.smembers,
        b"zset": lambda key: client.zrange(key, 0, -1),
    }
    for key in client.scan_iter(count=1000):
        found = readers[client.type(key)](key) or b""
        parts = [found] if isinstance(found, bytes) else list(found)
        parts += found.values() if isinstance(found, dict) else []
        yield key, [key, *parts]


def page(url, login):
    """Return what Flower answers to a request with this login, or its status."""
    request = urllib.request.Request(url)  # noqa: S310 - our own address
    if login:
        request.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return answer.read()
    except urllib.error.HTTPError as error:
        return error.code


def look_at_flower(places, url, login):
    """Read every page of Flower, of each worker and of some tasks."""
    workers = json.loads(page(f"{url}/api/workers?refresh=1", login))
    tasks = json.loads(page(f"{url}/api/tasks?limit=20", login))
    assert len(workers) == 3
    assert "broker_url" in str(workers)
    assert len(tasks) > 2
    paths = ["/", "/workers", "/tasks", "/broker", "/metrics", "/api/workers?refresh=1"]
    paths += ["/api/tasks", "/api/task/types", "/api/queues/length"]
    paths += [f"/worker/{name}" for name in workers] + [f"/task/{name}" for name in tasks]
    for path in paths:
        found = page(url + path, login)
        assert isinstance(found, bytes), (path, found)
        places.look(f"Flower {path}", found)
    assert [page(url + path, "") for path in ("/workers", "/api/workers")] == [401, 401]


def look_at_commands(places, env):
    """Run what a user would, also what goes wrong."""
    reachable = env["SCANNER_REDIS_URL"]
    found = scan("enqueue", "--wait", "--json", "--fetch", "symbols", env=env)
    scan_id = json.loads(found.stdout)["id"]
    assert json.loads(found.stdout)["ledger"]["error:NotEntitled"] == 1
    wrong_key = env | {"POLYGON_API_KEY": WRONG_KEY}
    asked = [
        (["show"], env, 0),
        (["show", scan_id, "--json"], env, 0),
        (["why", "SPY"], env, 0),
        (["export", "--format", "csv"], env, 0),
        (["export", "--format", "json"], env, 0),
        (["status"], env, 0),
        (["status", "--json"], env, 0),
        (["settings"], env, 0),
        (["settings", "--json"], env, 0),
        (["doctor"], env, 0),
        (["doctor", "--json"], env, 0),
        (["plan"], env, 0),
        (["verify", "SPY"], wrong_key, 2),
        (["enqueue"], env | {"SCANNER_REDIS_URL": reachable.replace("/0", "/1")}, 2),
        (["status"], env | {"SCANNER_REDIS_URL": reachable + "?db=x"}, 2),
        (["status"], env | {"SCANNER_REDIS_URL": reachable.replace("%2F", "/")}, 2),
        (["plan"], env | {"SCANNER_CACHE_URL": f"redis://:{KEY}@{reachable[-16:]}"}, 2),
        (["status"], env | {"SCANNER_REDIS_URL": f"redis://:{KEY}@{reachable[-16:]}"}, 3),
    ]
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda one: scan(*one[0], env=one[1]), asked))
    codes = [(one.args, one.returncode) for one in done]
    assert codes == [(["scan", *arguments], code) for arguments, _, code in asked]
    for words in (["inspect", "conf"], ["report"]):
        command = ["celery", "--app", "worker", *words]
        run = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        assert "redbeat" in run.stdout
        done.append(run)
    for one in (found, *done):
        places.look(f"output of {one.args[1:]}", one.stdout + one.stderr)


def look_at_files(places, home):
    """Read all files of a home folder; return those that others may read."""
    for path in home.rglob("*"):
        if path.is_file():
            places.look(f"file {path.relative_to(home)}", path.read_bytes())
    paths = [home, *home.rglob("*")]
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in paths}
    return {path: mode for path, mode in modes.items() if mode != (0o700, 0o600)[path.is_file()]}


def look_at_processes(places, stack):
    """Read the arguments of all processes of a stack, and what Flower is told."""
    ids = [stack["pid"], *stack["processes"].values()]
    for pid in ids:
        places.look(f"arguments of {pid}", Path(f"/proc/{pid}/cmdline").read_bytes())
    told = Path(f"/proc/{stack['processes']['flower']}/environ").read_bytes()
    assert KEY.encode() not in told


@contextlib.contextmanager
def secured_servers(folder):
    """Yield addresses and clients of a server for the queue and one for bars, with passwords."""
    urls, clients = [], []
    with contextlib.ExitStack() as stack:
        for password in (PASSWORD, CACHE):
            port = free_port()
            stack.enter_context(running_valkey_with(folder, port, [f'requirepass "{password}"']))
            client = redis.Redis(port=port, password=password, socket_timeout=None)
            clients.append(stack.enter_context(client))
            urls.append(f"redis://:{quote(password, safe='')}@127.0.0.1:{port}/0")
        yield urls, clients


def look_at_servers(places, clients):
    """Read all that lies on servers."""
    for client in clients:
        for key, parts in values_of(client):
            for part in parts:
                places.look(f"Redis {key}", part)


@pytest.mark.timeout(240)
def test_no_secret_is_seen_where_it_does_not_belong(tmp_path):
    """Logs, output, Redis, messages, events, Flower, arguments and files are searched."""
    with (
        secured_servers(tmp_path) as (urls, clients),
        running_simulator(
            tmp_path, "--symbols", str(SYMBOLS), "--key", KEY, "--fault", "not_authorized:SPY"
        ) as simulator,
    ):
        home = tmp_path / "home"
        servers = {"redis_url": urls[0], "cache_url": urls[1]}
        env = environment(home, **servers, provider="polygon", polygon_url=simulator)
        env |= {f"SCANNER_{name}": "2" for name in ("WORKERS", "THREADS")}
        env |= {"POLYGON_API_KEY": KEY, "SCANNER_SCHEDULE": "off", "SCANNER_LOOKBACK_DAYS": "60"}
        listeners = [Listener(client) for client in clients]
        for listener in listeners:
            listener.start()
        with stack_up(env) as stack:
            login = (home / "flower-password").read_text().strip()
            places = Places(login.partition(":")[2])
            look_at_commands(places, env)
            look_at_flower(places, stack["flower"], login)
            look_at_processes(places, stack)
            places.look("status", json.dumps(stack))
            look_at_servers(places, clients)
            open_to_others = look_at_files(places, home)
        for listener in listeners:
            listener.client.echo("over")
            wait_for(lambda listener=listener: listener.over, 10, "the last command")
            for command in listener.commands:
                places.look(f"command {command[:40]}", command)
    assert len(listeners[0].commands) > 1_000
    assert len(listeners[1].commands) > SYMBOLS
    assert places.seen > 1_500
    assert open_to_others == {}
    assert places.leaks == {(f"file {file}", name) for file, name in HOLDERS}
    assert scan_json("settings", "--json", env=env)["POLYGON_API_KEY"]["value"] == "**********"
