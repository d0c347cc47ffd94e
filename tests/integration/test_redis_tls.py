"""rediss:// for every client of Redis that a stack has: one certificate gets in, no other does."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from celery import Celery
from certificates import authority, issued_by
from flower.utils.broker import Broker
from kombu.exceptions import OperationalError
from process_fixtures import free_port, running_valkey_with
from redbeat.schedulers import get_redis
from redis import ConnectionError as NoConnection
from stack_fixtures import environment, scan
from tls_fixtures import running_tls

from scanner.errors import ConfigError, StoreUnavailable
from scanner.redis_clients import redis_client
from scanner.redis_tls import tls_options
from scanner.settings import load_settings
from views.cli.session import check_redis
from worker.config import celery_config
from worker.redbeat import Scheduler


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    """Return a folder of certificates: of a CA, of another one, and for another host."""
    folder = tmp_path_factory.mktemp("papers")
    ca, other = authority("a test's CA"), authority("another CA")
    (folder / "ca.pem").write_text(ca.pem())
    issued_by(ca, "127.0.0.1").write(folder / "right.pem")
    issued_by(ca, "scanner").write(folder / "client.pem")
    issued_by(other, "127.0.0.1").write(folder / "other-ca.pem")
    issued_by(ca, "redis.example").write(folder / "other-host.pem")
    return folder


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """Return the port of a server that speaks no TLS itself."""
    port = free_port()
    with running_valkey_with(tmp_path_factory.mktemp("valkey"), port, ["requirepass made-up"]):
        yield port


def settings_for(port, **options):
    """Return settings for a server of TLS on this machine."""
    return load_settings(redis_url=f"rediss://:made-up@127.0.0.1:{port}/0", **options)


def app_of(settings):
    """Return an app as workers, beat and Flower have it."""
    app = Celery("tests", set_as_current=False)
    app.conf.update(celery_config(settings))
    return app


def by_the_stores(settings):
    """Reach Redis as scans and reports do."""
    with redis_client(settings) as client:
        check_redis(client)


def by_the_queue(settings):
    """Reach Redis as a message does."""
    with app_of(settings).connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0)
        connection.default_channel.client.ping()


def by_the_results(settings):
    """Reach Redis as Celery's results do."""
    with app_of(settings).backend.client as client:
        client.ping()


def by_the_schedule(settings):
    """Reach Redis as beat does."""
    app = app_of(settings)
    app.conf.redbeat_redis_options = {}
    Scheduler(app, lazy=True)
    with get_redis(app) as client:
        client.ping()


def by_flower(settings):
    """Reach Redis as Flower does, which reads the lengths of queues by itself."""
    app = app_of(settings)
    broker = Broker(
        app.connection().as_uri(include_password=True),
        broker_options=app.conf.broker_transport_options,
        broker_use_ssl=app.conf.broker_use_ssl,
    )

    async def lengths():
        async with broker.redis:
            return await broker.queues(["scan"])

    return asyncio.run(lengths())


CLIENTS = [by_the_stores, by_the_queue, by_the_results, by_the_schedule, by_flower]


def test_every_client_reaches_the_server_of_the_ca(papers, port):
    """With one address and one file for all of them."""
    with running_tls(port, papers / "right.pem") as tls:
        for reach in CLIENTS:
            reach(settings_for(tls, redis_ca=papers / "ca.pem"))
        assert by_flower(settings_for(tls, redis_ca=papers / "ca.pem")) == [
            {"name": "scan", "messages": 0}
        ]


@pytest.mark.timeout(60)
def test_every_client_refuses_what_is_not_the_server(papers, port):
    """Another CA's certificate, another host's, a server in the clear, which gets no password."""
    ca = papers / "ca.pem"
    with (
        running_tls(port, papers / "other-ca.pem") as other_ca,
        running_tls(port, papers / "other-host.pem") as other_host,
        ThreadPoolExecutor() as pool,
    ):
        plain = pool.submit(by_the_stores, settings_for(port, redis_ca=ca))
        tries = {
            (reach.__name__, wrong): pool.submit(reach, settings_for(wrong, redis_ca=ca))
            for reach in CLIENTS
            for wrong in (other_ca, other_host)
        }
    for which, tried in tries.items():
        error = tried.exception()
        assert isinstance(error, (NoConnection, OperationalError, StoreUnavailable)), which
        assert "CERTIFICATE_VERIFY_FAILED" in str(error), which
    said = str(tries["by_the_stores", other_ca].exception())
    assert "SCANNER_REDIS_CA has to name the CA that signed it" in said
    assert "rediss:// where the server speaks TLS" in str(plain.exception())


def test_a_ca_that_is_not_named_is_not_believed(papers, port):
    """Without SCANNER_REDIS_CA those of the system count; the command says so and exits with 3."""
    with running_tls(port, papers / "right.pem") as tls:
        env = environment(papers / "home", redis_url=f"rediss://:made-up@127.0.0.1:{tls}/0")
        done = scan("status", env=env)
    assert (done.returncode, done.stdout) == (3, "")
    assert "its certificate is refused: SCANNER_REDIS_CA has to name the CA" in done.stderr
    assert "Traceback" not in done.stderr
    assert "made-up" not in done.stderr


def test_a_client_shows_its_certificate_where_it_is_asked_for(papers, port):
    """And does not get in without."""
    named = {"redis_ca": papers / "ca.pem", "redis_cert": papers / "client.pem"}
    with running_tls(port, papers / "right.pem", papers / "ca.pem") as tls:
        by_the_stores(settings_for(tls, **named))
        by_the_queue(settings_for(tls, **named))
        by_the_results(settings_for(tls, **named))
        with pytest.raises(OperationalError):
            by_the_queue(settings_for(tls, redis_ca=papers / "ca.pem"))
        url = f"rediss://:made-up@127.0.0.1:{tls}/0"
        env = environment(papers / "home", redis_url=url, redis_ca=papers / "ca.pem")
        done = scan("status", env=env)
    assert done.returncode == 3
    assert "SCANNER_REDIS_CERT where it asks for a certificate" in done.stderr


@pytest.mark.parametrize(
    ("url", "options", "said"),
    [
        ("rediss://h/0?ssl_cert_reqs=none", {}, "ssl_cert_reqs is not read"),
        ("rediss://h/0?ssl_ca_certs=/a.pem", {}, "name the CA's file by SCANNER_REDIS_CA"),
        ("redis://h/0", {"redis_ca": "ca.pem"}, "SCANNER_REDIS_CA is for TLS"),
        ("redis://h/0", {"redis_cert": "client.pem"}, "SCANNER_REDIS_CERT is for TLS"),
        ("rediss://h/0", {"redis_ca": "nowhere.pem"}, "SCANNER_REDIS_CA: expected a PEM file"),
        ("rediss://h/0", {"redis_ca": "empty.pem"}, "SCANNER_REDIS_CA: expected a PEM file"),
        ("rediss://h/0", {"redis_cert": "ca.pem"}, "SCANNER_REDIS_CERT: expected a PEM file"),
    ],
)
def test_settings_that_do_not_fit_are_refused(papers, url, options, said):
    """Before anything is connected to, with the setting's name."""
    (papers / "empty.pem").write_text("")
    options = {name: papers / file for name, file in options.items()}
    with pytest.raises(ConfigError, match=re.escape(said)):
        tls_options(load_settings(redis_url=url, **options), url)


def test_an_address_that_is_none_is_refused_without_its_password():
    """A password with a slash looks like a port to the one who reads it."""
    with pytest.raises(ConfigError) as caught:
        redis_client(load_settings(redis_url="redis://:made/up@127.0.0.1:6379/0"))
    assert "expected redis[s]://:password@host" in str(caught.value)
    assert "made" not in str(caught.value)


def test_a_ca_may_be_for_the_server_of_bars_alone(papers):
    """The queue is on this machine then, and speaks no TLS."""
    plain, tls = "redis://127.0.0.1:1/0", "rediss://127.0.0.1:2/0"
    settings = load_settings(redis_url=plain, cache_url=tls, redis_ca=papers / "ca.pem")
    assert tls_options(settings, plain) == {}
    assert tls_options(settings, tls)["ssl_ca_certs"] == str(papers / "ca.pem")
