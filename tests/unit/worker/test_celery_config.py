"""Celery's configuration: known names only, JSON only, and the choices that keep messages safe."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from celery import Celery
from celery.app.defaults import SETTING_KEYS
from celery.schedules import crontab, maybe_schedule

from scanner.errors import ConfigError
from scanner.settings import Settings, load_settings
from scheduler.reconcile import PERIOD
from worker.backend import RetryingRedisBackend
from worker.config import CONTROL_QUEUE, SCAN_QUEUE, VISIBILITY_TIMEOUT, celery_config
from worker.patience import PATIENCE
from worker.redbeat import Scheduler
from worker.transport import Channel

#: What the control worker finds, as JSON: name -> [rate limit, errors that are tried again].
LIST_TASKS = """
import json
import scheduler.tasks
from worker.celery import app
app.loader.import_default_modules()
print(json.dumps({name: [task.rate_limit, list(getattr(task, "autoretry_for", ()))]
                  for name, task in app.tasks.items() if not name.startswith("celery.")}))
"""
URL = "redis://:made-up@127.0.0.1:6390/0"


@pytest.fixture
def config():
    """Return the configuration for a Redis that nobody is asked for."""
    return celery_config(load_settings(redis_url=URL))


@pytest.fixture
def app(config):
    """Return an app of that configuration, with Celery's own value where it says nothing."""
    one = Celery(set_as_current=False)
    one.conf.update(config)
    return one


def test_every_name_is_one_that_celery_or_redbeat_reads(config):
    """Celery ignores others without a word."""
    ours = {name for name in config if not name.startswith("redbeat_")}
    assert ours - set(SETTING_KEYS) == set()


def test_nothing_but_json_is_sent_or_accepted(config):
    """A pickle in a message would run code."""
    serializers = {v for n, v in config.items() if n.endswith("_serializer")}
    accepted = {tuple(v) for n, v in config.items() if n.endswith("accept_content")}
    assert (serializers, accepted) == ({"json"}, {("json",)})
    assert {"accept_content", "result_accept_content"} <= set(config)


def test_broker_results_and_schedule_are_on_the_same_redis(config):
    """The one of the settings."""
    app = Celery(set_as_current=False)
    app.conf.update(config)
    assert config["broker_url"] == URL
    options = app.backend.client.connection_pool.connection_kwargs
    assert (options["password"], options["port"]) == ("made-up", 6390)
    Scheduler(app, lazy=True)
    assert app.redbeat_conf.redis_url == URL


def test_celery_shows_its_settings_without_the_password(config):
    """As `celery inspect conf` and Flower show them: the address is only where Celery masks it."""
    app = Celery(set_as_current=False)
    app.conf.update(config)
    shown = str(app.conf.table(with_defaults=True))
    assert "127.0.0.1:6390" in shown
    assert "made-up" not in shown


def test_without_redis_there_is_no_configuration():
    """The message says what to do."""
    with pytest.raises(ConfigError, match="scan up"):
        celery_config(load_settings())


def test_a_message_is_acknowledged_when_its_task_is_done(config):
    """A killed worker's task comes back, after the visibility timeout, once."""
    assert config["task_acks_late"]
    assert config["worker_prefetch_multiplier"] == 1
    assert config["broker_transport_options"]["visibility_timeout"] == VISIBILITY_TIMEOUT


def test_scans_and_control_have_queues_of_their_own(config):
    """So that 5,000 messages do not stand before the one that ends a scan."""
    assert set(config["task_queues"]) == {CONTROL_QUEUE, SCAN_QUEUE}
    assert config["task_routes"] == {
        name: {"queue": SCAN_QUEUE}
        for name in ("scan_symbols", "fetch_session", "fetch_splits", "compare_sample")
    }
    assert config["task_default_queue"] == CONTROL_QUEUE
    assert not config["task_create_missing_queues"]


def test_beat_s_messages_end_before_the_next_one(config):
    """A control worker that was away does not catch up on hours of ticks."""
    entries = config["beat_schedule"]
    seconds = {name: maybe_schedule(entry["schedule"]) for name, entry in entries.items()}
    assert set(entries) == {"tick", "reconcile"}
    assert 0 < entries["tick"]["options"]["expires"] < 60
    assert seconds["tick"] == crontab()
    period = seconds["reconcile"].run_every.total_seconds()
    assert 0 < entries["reconcile"]["options"]["expires"] < period == PERIOD


def test_the_tasks_have_the_names_that_queues_and_schedule_use(config):
    """And Celery neither tries them again nor limits them: the scan's own state decides."""
    found = subprocess.run(
        [sys.executable, "-c", LIST_TASKS],
        env=os.environ | {"SCANNER_REDIS_URL": URL},
        capture_output=True,
        text=True,
        check=True,
    )
    names = {"scan_symbols", "finish_scan", "start_scan", "resume_scan", "tick", "reconcile"}
    names |= {"fetch_session", "fetch_splits", "sessions_fetched", "compare_sample"}
    assert json.loads(found.stdout) == {name: [None, []] for name in names}
    assert {entry["task"] for entry in config["beat_schedule"].values()} < names
    assert set(config["task_routes"]) < names


def test_each_connection_of_the_result_backend_tries_again():
    """Celery leaves redis-py's own retries off."""
    backend = RetryingRedisBackend(url=URL, app=Celery(set_as_current=False))
    options = backend.client.connection_pool.connection_kwargs
    assert options["retry"].get_retries() == 6
    assert options["health_check_interval"] == 25


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("broker_connection_retry_on_startup", True, id="starts before its Redis"),
        pytest.param("broker_connection_max_retries", None, id="waits for Redis without an end"),
        pytest.param(
            "broker_channel_error_retry", True, id="goes on after a full or read-only one"
        ),
        pytest.param("result_backend_always_retry", True, id="stores when Redis is back"),
        pytest.param(
            "worker_deduplicate_successful_tasks", False, id="counts a part that comes again"
        ),
    ],
)
def test_a_worker_outlasts_its_redis(app, name, value):
    """Celery's own values end the worker, or lose what it has done."""
    assert app.conf[name] == value


def test_every_option_of_the_broker_is_one_that_its_channel_reads(config):
    """Kombu ignores others without a word."""
    known = set(Channel.from_transport_options)
    assert set(config["broker_transport_options"]) - known == set()


@pytest.mark.parametrize("name", ["socket_timeout", "socket_connect_timeout"])
def test_each_call_of_a_redis_that_hangs_ends_within_a_task_s_patience(app, name):
    """On the connections of the queue, of the results and of beat, whose lock outlasts it."""
    assert 0 < app.conf.broker_transport_options[name] < PATIENCE
    assert 0 < app.backend.client.connection_pool.connection_kwargs[name] < PATIENCE
    assert 0 < app.conf.redbeat_redis_options["socket_timeout"] < app.conf.redbeat_lock_timeout


def test_a_message_comes_again_only_when_its_task_has_ended(app):
    """A task that runs to its limit is not run twice at once."""
    longest = max(getattr(one, "le", 0) for one in Settings.model_fields["task_limit"].metadata)
    for options in (app.conf.broker_transport_options, app.conf.result_backend_transport_options):
        assert options["visibility_timeout"] > longest > 0


def test_the_count_of_a_chord_outlives_a_part_that_comes_again(app):
    """And what a dead process has claimed is free by then; nothing is kept for ever."""
    conf = app.conf
    assert 0 < conf.result_expires <= conf.result_chord_expires
    assert conf.result_chord_expires > 2 * VISIBILITY_TIMEOUT
    assert 2 * conf.result_chord_join_timeout < VISIBILITY_TIMEOUT


def test_a_message_is_sent_again_while_redis_starts_anew(app):
    """For a second at least, and not longer than its task has patience."""
    policy = app.conf.task_publish_retry_policy
    pauses = [
        min(policy["interval_start"] + policy["interval_step"] * number, policy["interval_max"])
        for number in range(policy["max_retries"])
    ]
    assert app.conf.task_publish_retry
    assert 1.0 <= sum(pauses) < PATIENCE


def test_the_lock_of_beat_lasts_for_five_of_its_loops(app):
    """A shorter one is lost by a beat that is late; a longer one keeps the next beat waiting."""
    assert app.conf.redbeat_lock_timeout >= 5 * app.conf.beat_max_loop_interval
    assert app.conf.redbeat_lock_timeout < PERIOD
