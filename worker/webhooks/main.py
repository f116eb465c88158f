"""The dispatcher's process: joins outbox, sender and metrics, and runs until it is told to stop."""

import signal
from importlib.metadata import version

from shared.egress import make_guard
from shared.errors import SetupError
from shared.logs import configure_logs, refuse_to_start
from shared.pinned_http import make_http
from shared.redis_client import connect
from shared.redis_keys import Keys
from shared.redis_outbox import RedisOutbox, outbox_policy
from shared.resolve import resolve
from shared.server_check import check_server
from shared.settings import Settings, read_settings, wants_json_logs
from shared.strays import log_strays
from worker.health import HealthServer
from worker.webhooks.dispatcher import Dispatcher
from worker.webhooks.metrics import DispatcherMetrics
from worker.webhooks.sending import Sender

PATIENCE_SECONDS = 5.0
"""With Redis, at each call: what could not be written is tried again by the dispatcher itself."""


def run_dispatcher(settings: Settings) -> int:
    """Send what is due until SIGTERM, finish what is in flight. Returns the exit status."""
    metrics = DispatcherMetrics()
    health = HealthServer(
        host=settings.metrics_host,
        port=settings.dispatcher_metrics_port,
        registry=metrics.registry,
        setting="GENREWIZ_DISPATCHER_METRICS_PORT",
    )
    health.start()
    policy = outbox_policy(settings)
    outbox = RedisOutbox(
        connect(settings, retries=0, timeout_seconds=PATIENCE_SECONDS),
        Keys(),
        policy,
        on_disabled=metrics.disabled,
    )
    metrics.watch(outbox.depth)
    sender = Sender(
        guard=make_guard(settings, resolve),
        http=make_http(settings),
        seconds=settings.webhook_seconds,
        user_agent=f"GenreWiz/{version('genrewiz')}",
    )
    dispatcher = Dispatcher(
        outbox=outbox,
        send=sender.send,
        metrics=metrics,
        schedule=settings.webhook_retry_seconds,
        concurrency=settings.webhook_concurrency,
        lease_seconds=policy.lease_seconds,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: dispatcher.stop())
    dispatcher.run(on_reached=health.ready)
    return 0


def main() -> int:
    """The process's entry: one line on stderr where it cannot start."""
    try:
        settings = read_settings()
        configure_logs(settings.log_format, settings.log_level, process="dispatcher")
        log_strays()
        with connect(settings, retries=0) as redis:
            check_server(redis)
        return run_dispatcher(settings)
    except SetupError as error:
        refuse_to_start("dispatcher", error.detail, as_json=wants_json_logs())
        return 1
