"""The connection to a provider: what it takes from its environment, what it refuses, and shows."""

from __future__ import annotations

import orjson
import pytest
from certificates import authority, issued_by
from tls_fixtures import running_tls

from scanner.bars import polygon_http
from scanner.bars.budget import Unlimited
from scanner.bars.polygon_http import FetchClock, PolygonHttp, retry_after
from scanner.errors import ConfigError, KeyRefused, ProviderUnavailable, RateLimited

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "NETRC")


@pytest.fixture(autouse=True)
def _bare(monkeypatch):
    """Leave out what this machine says of proxies and certificates; do not wait between tries."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setattr(polygon_http, "BACKOFF", 0.001)


class Counting(Unlimited):
    """Notes each pause, and waits for none."""

    def __init__(self):
        self.pauses = []
        self.taken = 0

    def acquire(self, timeout, kind="bars"):
        """Count the request."""
        self.taken += 1
        return super().acquire(timeout, kind)

    def cool(self, asked):
        """Note it."""
        self.pauses.append(asked)
        return 0.0 if asked is None else asked


def http_at(base_url, key="SECRET", budget=None):
    """Return a connection."""
    return PolygonHttp(base_url=base_url, key=key, threads=1, budget=budget or Unlimited())


def test_a_netrc_does_not_replace_the_key(fake, tmp_path, monkeypatch):
    """Its password would go to the provider, and the key would not."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password another\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    fake.answer(b"{}")
    http_at(fake.base_url).get("/x", "AAA", 5.0)
    assert fake.requests[0][1]["Authorization"] == "Bearer SECRET"


def test_a_proxy_is_used_but_for_this_machine(fake, monkeypatch):
    """The simulator is not behind it."""
    fake.answer(b"{}")
    monkeypatch.setenv("HTTP_PROXY", fake.base_url)
    http_at("http://api.test").get("/x", "AAA", 5.0)
    assert [path for path, _ in fake.requests] == ["http://api.test/x"]
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    http_at(fake.base_url).get("/y", "AAA", 5.0)
    assert fake.requests[1][0] == "/y"


def test_a_ca_of_the_environment_is_believed_and_no_other(fake, tmp_path, monkeypatch):
    """As where a firm's proxy speaks TLS itself."""
    ca = authority("a test's CA")
    (tmp_path / "ca.pem").write_text(ca.pem())
    issued_by(ca, "127.0.0.1").write(tmp_path / "server.pem")
    fake.answer(b'{"status": "OK"}')
    port = int(fake.base_url.rpartition(":")[2])
    with running_tls(port, tmp_path / "server.pem") as tls:
        url = f"https://127.0.0.1:{tls}"
        with pytest.raises(ProviderUnavailable):
            http_at(url).get("/x", "AAA", 5.0)
        assert fake.requests == []
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
        assert http_at(url).get("/x", "AAA", 5.0) == {"status": "OK"}


@pytest.mark.parametrize(
    "url", ["", "api.massive.com", "ftp://api.test", "http://", "http://a:b@api.test", "http://[/"]
)
def test_what_is_no_address_of_a_provider_is_refused(url):
    """Before anything is sent, without the password that may stand in it."""
    with pytest.raises(ConfigError, match="expected a base URL as https://") as caught:
        http_at(url)
    assert "a:b" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "a b", "a\nb", "a\x00b", "clé", "\u202e"])
def test_a_key_that_no_header_can_carry_is_refused(key):
    """It is not shown."""
    with pytest.raises(KeyRefused, match="POLYGON_API_KEY") as caught:
        http_at("https://api.test", key=key)
    assert not key or key not in str(caught.value)


def test_the_key_is_not_shown(fake):
    """Where a connection is printed, as in a traceback."""
    assert repr(http_at(fake.base_url)) == f"{fake.base_url!r}, key=***"
    assert repr(http_at(fake.base_url, key=None)) == f"{fake.base_url!r}, key=None"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        ("99999999", 3_600.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("", None),
    ],
)
def test_a_wait_is_believed_up_to_an_hour(text, seconds):
    """What makes no sense is none."""
    assert retry_after(text) == seconds


def test_each_429_lets_all_wait(fake):
    """The last one of a fetch too, which is not tried again."""
    budget = Counting()
    fake.answer(b'{"error": "slow down"}', 429, Retry_After="0")
    with pytest.raises(RateLimited, match="slow down"):
        http_at(fake.base_url, budget=budget).get("/x", "AAA", 5.0)
    assert budget.pauses == [0.0] * len(fake.requests) == [0.0] * 4


def test_a_body_is_not_asked_for_again_when_the_time_is_over(fake, monkeypatch):
    """Its fetch has none left for the answer."""
    budget = Counting()
    fake.answer(b"no JSON")
    monkeypatch.setattr(FetchClock, "left", lambda _: 0.0 if budget.taken else 1.0)
    with pytest.raises(ProviderUnavailable, match="cut, unreadable or too slow"):
        http_at(fake.base_url, budget=budget).get("/x", "AAA", 5.0)
    assert budget.taken == 1


@pytest.mark.parametrize("host", ["x" * 999, "a\u202eb.test", "a\x7fb.test"])
def test_a_page_elsewhere_is_told_escaped_and_cut(fake, host):
    """Whatever its address holds."""
    fake.answer(orjson.dumps({"next_url": f"http://{host}/next"}))
    with pytest.raises(ProviderUnavailable, match="not followed") as caught:
        list(http_at(fake.base_url).pages("/x", "AAA", 5.0))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200
