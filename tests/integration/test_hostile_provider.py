"""A provider that would keep a process busy or full, or have its key: by real HTTP."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import sys
import threading
import zlib
from contextlib import contextmanager

import orjson
import pytest
from bars_builders import FIRST, LAST

from scanner.bars import polygon_body, polygon_http
from scanner.bars.budget import Unlimited
from scanner.bars.polygon import PolygonProvider
from scanner.bars.polygon_pages import next_page
from scanner.errors import BadBars, ProviderUnavailable, ScannerError

pytestmark = pytest.mark.timeout(60)

GOOD = {"ticker": "AAA", "resultsCount": 0, "status": "OK"}
BAR = {"v": 5, "o": 1, "c": 2, "h": 3, "l": 1, "t": 1750219200000}

#: Asks a provider in a process that may not grow, and prints what was said and its memory in MB.
ASK = """
import sys
from datetime import date
from scanner.bars.budget import Unlimited
from scanner.bars.polygon import PolygonProvider
from scanner.errors import ProviderUnavailable
provider = PolygonProvider(
    base_url=sys.argv[1], key="SECRET", threads=1, budget=Unlimited(), time_budget=20.0
)
try:
    provider.fetch("AAA", date(2025, 6, 2), date(2025, 7, 9))
except ProviderUnavailable as error:
    state = dict(line.split(":", 1) for line in open("/proc/self/status"))
    print(int(state["VmHWM"].split()[0]) // 1024, error)
"""


def provider_at(base_url, seconds=10.0):
    """Return a provider with a key."""
    budget = Unlimited()
    return PolygonProvider(
        base_url=base_url, key="SECRET", threads=2, budget=budget, time_budget=seconds
    )


def refused(base_url, **options):
    """Return the message with which a fetch fails."""
    with pytest.raises(ProviderUnavailable) as caught:
        provider_at(base_url, **options).fetch("AAA", FIRST, LAST)
    assert "SECRET" not in str(caught.value)
    return str(caught.value)


@pytest.fixture(autouse=True)
def _fast(monkeypatch):
    monkeypatch.setattr(polygon_http, "BACKOFF", 0.001)
    monkeypatch.setattr(polygon_http, "READ_TIMEOUT", 0.4)


@contextmanager
def endless(head, body, pause=0.0):
    """Yield the address of a server that repeats `body` for as long as anyone reads."""
    stop = threading.Event()

    def answer(connection):
        with connection:
            try:
                connection.recv(65_536)
                connection.sendall(head)
                while not stop.wait(pause):
                    connection.sendall(body)
            except OSError:
                return

    def serve():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        stop.set()
        server.shutdown(socket.SHUT_RDWR)


def head(*lines, status="200 OK"):
    """Return the head of an answer."""
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()


class TestTooMuch:
    """Bodies that no memory holds."""

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
    def test_what_unpacks_to_many_gb_is_refused_in_little_memory(self, fake):
        """Nine MB of gzip that hold nine GB."""
        packing, blank = zlib.compressobj(9, wbits=31), b" " * 10_000_000
        parts = [packing.compress(blank) + packing.flush(zlib.Z_FULL_FLUSH) for _ in range(2)]
        fake.answer(parts[0] + parts[1] * 900, Content_Encoding="gzip")
        done = subprocess.run(
            [sys.executable, "-c", ASK, fake.base_url],
            capture_output=True,
            text=True,
            check=False,
            timeout=50,
        )
        memory, _, said = done.stdout.partition(" ")
        assert "AAA: expected at most 50,000,000 bytes" in said, done.stderr
        assert int(memory) < 500
        assert len(fake.requests) == 1

    @pytest.mark.parametrize(
        "lines",
        [(), ("Content-Length: 10000000000",), ("Transfer-Encoding: chunked",)],
        ids=["no length", "10 GB", "chunked"],
    )
    def test_a_body_that_does_not_end_is_not_read_to_its_end(self, lines, monkeypatch):
        """With any length or none."""
        monkeypatch.setattr(polygon_http, "MOST_BYTES", 1_000_000)
        body = b"a000\r\n" + b" " * 0xA000 + b"\r\n" if "chunked" in str(lines) else b" " * 65_536
        with endless(head(*lines), body) as url:
            assert "expected at most" in refused(url)

    def test_the_pages_of_an_answer_count_together(self, fake, monkeypatch):
        """A bomb may be cut into many pages."""
        monkeypatch.setattr(polygon_http, "MOST_BYTES", 1_000)
        page = GOOD | {"pad": "x" * 400}
        fake.answer(orjson.dumps(page | {"next_url": f"{fake.base_url}/1"}))
        fake.answer(orjson.dumps(page | {"next_url": f"{fake.base_url}/2"}))
        fake.answer(orjson.dumps(page))
        provider = provider_at(fake.base_url)
        with pytest.raises(ProviderUnavailable, match="at most"):
            provider.fetch("AAA", FIRST, LAST)
        assert len(fake.requests) == 3
        assert len(provider.fetch("AAA", FIRST, LAST)) == 0  # the next one has room again

    def test_an_error_that_does_not_end_is_given_up(self, monkeypatch):
        """The body of an answer that is asked for again is not waited for."""
        monkeypatch.setattr(polygon_http, "MOST_BYTES", 1_000_000)
        with endless(head(status="500 Oops"), b" " * 65_536) as url:
            assert "expected at most" in refused(url, seconds=1.0)

    def test_a_body_that_trickles_is_given_up(self):
        """Each byte comes in time, and the last one never."""
        with endless(head(), b" ", pause=0.05) as url:
            assert "too slow" in refused(url, seconds=0.5)

    def test_chains_of_pages_end(self, fake, monkeypatch):
        """Each page has an address of its own."""
        monkeypatch.setattr(polygon_http, "_MOST_PAGES", 5)
        for number in range(9):
            fake.answer(orjson.dumps(GOOD | {"next_url": f"{fake.base_url}/{number}"}))
        assert "expected at most 5 pages" in refused(fake.base_url)
        assert len(fake.requests) == 5


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 500_000,
        b'{"results":' + b"[" * 2_000 + b"]" * 2_000 + b"}",
        b'{"results":[NaN]}',
        b'{"results":[1e999]}',
        b'{"results":[1' + b"0" * 5_000 + b"]}",
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        gzip.compress(b"{}", mtime=0),
        b'{"status":"OK"}\0',
        b"Infinity",
    ],
)
def test_json_that_is_none_is_unreadable(fake, body):
    """Deep, infinite, not a number, half a character, packed without saying so."""
    fake.answer(body)
    assert "cut, unreadable" in refused(fake.base_url)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": []},
        {"status": {"a": 1}},
        {"status": None},
        {"results": {}},
        {"results": "x", "resultsCount": 1},
        {"resultsCount": 10**18},
        {"results": [1, 2]},
        {"results": [[]]},
        {"results": [BAR | {"t": 10**300}]},
        {"results": [BAR | {"t": 1e308}]},
        {"results": [BAR | {"c": "\x1b[2J" * 99}]},
        {"results": [BAR | {"c": True}]},
        {"ticker": ["AAA"]},
        {"next_url": 5},
        {"next_url": ["x"]},
        {"request_id": {"a": "\x1b"}, "status": "\x1b[31mX\u202e" + "x" * 9_000},
    ],
    ids=lambda changes: ascii(changes)[:30],
)
def test_answers_of_another_form_are_errors_of_their_symbol(fake, changes):
    """Short ones, which no terminal obeys."""
    fake.answer(json.dumps(GOOD | changes).encode())
    with pytest.raises(ScannerError) as caught:
        provider_at(fake.base_url).fetch("AAA", FIRST, LAST)
    assert isinstance(caught.value, ProviderUnavailable | BadBars)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_what_a_provider_says_is_shown_as_text(fake):
    """Without what a terminal obeys, and cut."""
    said = "\x1b]8;;http://x\x07\x9b31m\u202e\r\nSECRET" + "x" * 9_000
    fake.answer(orjson.dumps({"error": said, "request_id": "\x1b[2J"}), 418)
    message = refused(fake.base_url)
    assert message.isprintable()
    assert r"\x1b]8" in message
    assert "***" in message
    assert len(message) < 700


@pytest.mark.parametrize(
    "url",
    [
        "http://evil/next",
        "http://api.test:8080/next",
        "https://api.test/next",
        "http://user@api.test/next",
        "http://api.test@evil/next",
        "http://api.test\\@evil/next",
        "http://evil\\@api.test/next",
        "http://evil#@api.test/next",
        "http://api.test.evil/next",
        "http://api.test%2eevil/next",
        "http://\uff41pi.test/next",
        "//evil/next",
        "/next",
        "\\\\evil\\next",
        "http:/evil/next",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://[::1]/next",
        "http://[/next",
        "http://api.test:99999/next",
    ],
)
def test_the_next_page_is_of_the_same_origin(url):
    """Or it is refused, without what a terminal obeys."""
    with pytest.raises(ProviderUnavailable, match="not followed") as caught:
        next_page({"next_url": url}, "http://api.test", "AAA")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "url",
    [
        "http://api.test/../../x?a=b",
        "http://api.test//evil/x",
        "http://api.test/x?u=@evil",
        "http://api.test/x#@evil",
        "HTTP://API.test:80/x",
        "http://ap\ti.test/x",
        "http://api.test/\\evil",
    ],
)
def test_the_address_of_a_page_begins_with_ours(url):
    """Whoever reads it finds the same host in it, and no user."""
    found = next_page({"next_url": url}, "http://api.test/base", "AAA")
    assert found.startswith("http://api.test/")
    assert found.isprintable()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(fake, status):
    """To whatever address; the key stays."""
    with endless(head("Content-Length: 2"), b"{}") as other:
        fake.answer(b"", status, Location=f"{other}/x")
        assert f"redirect ({status})" in refused(fake.base_url)


def test_the_module_unpacks_what_it_asks_for(fake):
    """Answers that are packed in another way are not read."""
    fake.answer(gzip.compress(orjson.dumps(GOOD)), Content_Encoding="gzip")
    assert len(provider_at(fake.base_url).fetch("AAA", FIRST, LAST)) == 0
    assert fake.requests[0][1]["Accept-Encoding"] == polygon_body.PACKED
    fake.answers.clear()
    fake.answer(zlib.compress(orjson.dumps(GOOD)), Content_Encoding="deflate")
    assert "unreadable" in refused(fake.base_url)
