"""Celery's configuration: Settings come in, a dict of Celery's own names goes out.

docs/architecture.md gives the reason of each value. Limits of time do not exist here: Celery's
thread pool ignores them, so every call that can block has a timeout of its own.
"""

from __future__ import annotations

from typing import Any, Final

from celery.schedules import crontab

from scanner.redis_clients import redis_url
from scanner.redis_tls import tls_options
from scanner.settings import Settings

SCAN_QUEUE: Final = "scan"
CONTROL_QUEUE: Final = "control"

#: Seconds after which an unacknowledged message is delivered again; above any task's length.
VISIBILITY_TIMEOUT: Final = 300
_SOCKET: Final = {
    "socket_timeout": 15,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 25,
}


def celery_config(settings: Settings) -> dict[str, Any]:
    """Return the whole configuration of the Celery app."""
    return _broker(settings) | _results(settings) | _tasks() | _beat()


def _broker(settings: Settings) -> dict[str, Any]:
    return {
        "broker_url": redis_url(settings),
        "broker_use_ssl": tls_options(settings, redis_url(settings)) or None,
        "broker_transport_options": {
            "visibility_timeout": VISIBILITY_TIMEOUT,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "priority_steps": [0],
            **_SOCKET,
        },
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_channel_error_retry": True,
        "broker_pool_limit": 10,
        "broker_pool_acquire_timeout": 30,
    }


def _results(settings: Settings) -> dict[str, Any]:
    return {
        "result_backend": f"worker.backend:RetryingRedisBackend+{redis_url(settings)}",
        "redis_backend_use_ssl": tls_options(settings, redis_url(settings)) or None,
        "result_backend_transport_options": {
            "visibility_timeout": VISIBILITY_TIMEOUT,
            "result_chord_ordered": True,
            "retry_policy": {
                "max_retries": 10,
                "interval_start": 0,
                "interval_step": 0.5,
                "interval_max": 2,
            },
        },
        "result_backend_always_retry": True,
        "result_backend_max_retries": 30,
        "redis_socket_timeout": 15,
        "redis_socket_connect_timeout": 5,
        "redis_socket_keepalive": True,
        "redis_retry_on_timeout": True,
        "result_expires": 3_600,
        "result_chord_expires": 6 * 3_600,
        "result_chord_join_timeout": 30.0,
        "result_extended": False,
    }


def _tasks() -> dict[str, Any]:
    return {
        "task_serializer": "json",
        "result_serializer": "json",
        "event_serializer": "json",
        "accept_content": ["json"],
        "result_accept_content": ["json"],
        "task_acks_late": True,
        "worker_prefetch_multiplier": 1,
        "worker_deduplicate_successful_tasks": False,
        "task_ignore_result": True,
        "task_store_errors_even_if_ignored": True,
        "task_track_started": False,
        "task_send_sent_event": False,
        "worker_send_task_events": False,
        "task_create_missing_queues": False,
        "task_default_queue": CONTROL_QUEUE,
        "task_queues": {CONTROL_QUEUE: {}, SCAN_QUEUE: {}},
        "task_routes": {
            name: {"queue": SCAN_QUEUE}
            for name in ("scan_symbols", "fetch_session", "fetch_splits", "compare_sample")
        },
        "task_publish_retry_policy": {
            "max_retries": 5,
            "interval_start": 0,
            "interval_step": 0.2,
            "interval_max": 1,
        },
        "worker_consumer": "worker.consumer:CheckedConsumer",
        "worker_disable_rate_limits": True,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "include": ["worker.tasks"],
    }


def _beat() -> dict[str, Any]:
    return {
        "timezone": "America/New_York",
        "enable_utc": True,
        "beat_scheduler": "worker.redbeat:Scheduler",
        "beat_max_loop_interval": 2,
        "beat_cron_starting_deadline": 600,
        "beat_enable_remote_control": True,
        "beat_schedule": {
            "tick": {"task": "tick", "schedule": crontab(), "options": {"expires": 55}},
            "reconcile": {"task": "reconcile", "schedule": 15.0, "options": {"expires": 14}},
        },
        # The next beat waits for so long when one was killed: five of its loops.
        "redbeat_lock_timeout": 10,
        "redbeat_redis_options": {
            "retry_period": 60,
            "socket_timeout": 5,
            "socket_keepalive": True,
        },
    }
