"""What Celery and RedBeat do in these releases: the project relies on it, or guards against it."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path

import celery
import pytest
from celery import Celery, chord
from celery.app.trace import build_tracer
from celery.concurrency.thread import TaskPool
from celery.schedules import BaseSchedule, crontab
from redbeat import RedBeatSchedulerEntry
from redbeat.schedulers import ensure_conf, get_redis

from scanner.settings import load_settings
from worker.config import CONTROL_QUEUE, celery_config

REQUIREMENTS = Path(__file__).parents[2] / "requirements" / "run.txt"


def test_the_celery_that_was_read_and_tried_is_the_one_that_runs():
    """A package that wants an older one replaces it without a word."""
    assert celery.__version__ == "5.7.0"
    assert "celery==5.7.0 \\" in REQUIREMENTS.read_text().splitlines()


@pytest.fixture
def app(queue):
    """Return an app with the project's configuration; it has no tasks yet."""
    one = Celery("upstream", set_as_current=False)
    one.conf.update(celery_config(load_settings()))
    one.conf.redbeat_redis_url = one.conf.broker_url
    ensure_conf(one)
    yield one
    one.backend.result_consumer.stop()
    one.backend.result_consumer.subscribed_to.clear()  # else a result that goes connects again
    one.backend.client.connection_pool.disconnect()
    get_redis(one).connection_pool.disconnect()
    one.close()


@pytest.fixture
def totals():
    """Return the lists that bodies of chords were called with."""
    return []


@pytest.fixture
def part(app, totals):
    """Return a task for the headers of chords; "total" is one for their bodies."""

    def total(values):
        totals.append(values)

    def letter(number):
        return "abc"[number]

    app.task(total, name="total", shared=False)
    return app.task(letter, name="part", shared=False)


def work_off(app, queue, redelivered=False):
    """Do all that is on the queue, as a worker does, in this process."""
    while raw := queue.rpop(CONTROL_QUEUE):
        message = json.loads(raw)
        args, kwargs, extras = json.loads(base64.b64decode(message["body"]))
        delivery = message["properties"]["delivery_info"] | {"redelivered": redelivered}
        request = message["headers"] | extras | {"delivery_info": delivery}
        task = app.tasks[request["task"]]
        build_tracer(task.name, task, app=app)(request["id"], args, kwargs, request)


@pytest.mark.parametrize(("kind", "left"), [(list, 20), (iter, 0)], ids=["list", "generator"])
def test_a_chord_leaves_a_subscription_for_each_part_of_a_list(app, part, kind, left):
    """And none if its header is a generator, which is why the headers of scans are."""
    header = kind(part.s(number) for number in range(20))
    chord(header, app=app)(app.signature("total"))
    assert len(app.backend.result_consumer.subscribed_to) == left


def test_parts_whose_results_are_ignored_are_counted_by_their_chord(app, queue, part, totals):
    """Celery's manual forbids them; nothing is stored of a part, and the body gets its value."""
    chord((part.s(number) for number in range(3)), app=app)(app.signature("total"))
    work_off(app, queue)
    assert totals == [["a", "b", "c"]]
    assert queue.keys("celery-task-meta-*") == []


@pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning")
def test_a_chord_one_of_whose_parts_fails_ends_with_its_errback(app, queue, part, totals):
    """Once, when all parts are done."""
    body = app.signature("total", args=("over",), immutable=True)
    chord((part.s(number) for number in (0, 3, 1)), app=app)(body.on_error(body.clone()))
    work_off(app, queue)
    assert totals == ["over"]


@pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning")
@pytest.mark.parametrize(("skipped", "ended"), [(False, [["a", "b"]]), (True, [])])
def test_a_chord_hangs_where_tasks_with_a_result_are_not_done_again(
    app, queue, part, totals, skipped, ended
):
    """A process that died between a part's result and its count: only the default mends it."""
    app.conf.worker_deduplicate_successful_tasks = skipped
    part.ignore_result = False
    chord((part.s(number) for number in range(2)), app=app)(app.signature("total"))
    first = json.loads(queue.lindex(CONTROL_QUEUE, -1))["headers"]["id"]
    app.backend.store_result(first, "a", "SUCCESS")
    work_off(app, queue, redelivered=True)
    assert totals == ended


class Sessions(BaseSchedule):
    """A schedule of its own kind."""


class Seldom(crontab):
    """A crontab that is never due."""

    def is_due(self, last_run_at):
        """Say no."""
        return False, 60.0


def test_redbeat_cannot_store_a_schedule_of_another_kind(app, queue):
    """So beat ticks, and the task decides what is due."""
    entry = RedBeatSchedulerEntry("mine", "tick", Sessions(), app=app)
    with pytest.raises(TypeError, match="Sessions is not JSON serializable"):
        entry.save()
    assert queue.keys("redbeat*") == []


def test_redbeat_stores_a_schedule_s_subclass_as_its_parent(app, queue):
    """Without a word: it would be due each minute."""
    entry = RedBeatSchedulerEntry("mine", "tick", Seldom(), app=app)
    entry.save()
    assert type(RedBeatSchedulerEntry.from_key(entry.key, app=app).schedule) is crontab


def test_threads_have_no_limits_of_time():
    """Which is why the project's pool has one of its own, and each call its timeout."""
    pool = TaskPool(1)
    pool.start()
    ended = []
    result = pool.apply_async(
        time.sleep, (0.1,), callback=ended.append, soft_timeout=0.01, timeout=0.02
    )
    result.f.result(10)
    assert ended == [None]
    pool.stop()
