"""The worker process: joins the model, the stores and Celery, and runs until it is told to stop."""

import warnings
from collections.abc import Callable, Sequence
from functools import partial

import structlog
from celery import Celery
from celery.platforms import SecurityWarning
from celery.signals import worker_ready, worker_shutting_down

from shared.audio_caretaker import AudioCaretaker
from shared.audio_store import DirectoryAudioStore
from shared.celery_queue import CeleryDoorbell, make_celery
from shared.egress import make_guard
from shared.errors import SetupError
from shared.job import JobId
from shared.logs import configure_logs, is_json, refuse_to_start
from shared.names import CLASSIFY_TASK, broker_queues
from shared.picture_store import DirectoryPictureStore
from shared.pinned_http import make_http
from shared.reaper import Reaper
from shared.redis_client import connect
from shared.redis_jobs import RedisJobStore
from shared.redis_keys import Keys
from shared.resolve import resolve
from shared.server_check import check_server
from shared.settings import Settings, read_settings, wants_json_logs
from shared.strays import log_strays
from worker import celery_lines
from worker.activity import Activity
from worker.build import open_pipeline
from worker.classifier import Classifier
from worker.fetch import Fetcher
from worker.fetch_queue import FetchQueue
from worker.health import HealthServer
from worker.lease import LeaseKeeper
from worker.metrics import WorkerMetrics
from worker.runner import Runner
from worker.watchdog import Watchdog

FINISH_RETRIES = 10
"""Over some eight seconds: a result outlives a restart of Redis, and is no use once its lease has lapsed."""

log = structlog.get_logger(__name__)


def run_worker(settings: Settings) -> int:
    """Load the model, take messages until SIGTERM, finish what runs. Returns the exit status."""
    metrics = WorkerMetrics()
    health = HealthServer(
        host=settings.metrics_host, port=settings.worker_metrics_port, registry=metrics.registry
    )
    health.start()
    celery = make_celery(settings)
    jobs = RedisJobStore(connect(settings, retries=FINISH_RETRIES), Keys())
    audio = DirectoryAudioStore(settings.audio_dir)
    pictures = DirectoryPictureStore(settings.audio_dir)
    doorbell = CeleryDoorbell(celery)
    activity = Activity()
    reaper = Reaper(
        jobs=jobs,
        doorbell=doorbell,
        settings=settings,
        on_sweep=metrics.swept,
        caretaker=AudioCaretaker(jobs, audio, settings, pictures=pictures),
    )
    fetcher = Fetcher(guard=make_guard(settings, resolve), http=make_http(settings), settings=settings)
    with open_pipeline(settings, on_batch=metrics.batch) as pipeline:
        metrics.model_loaded(pipeline.identity)
        # Clients of their own, which give up soon: a heartbeat never waits behind a job's calls.
        leases = LeaseKeeper(jobs=_impatient(settings), model=pipeline.identity, settings=settings)
        watchdog = Watchdog(
            jobs=_impatient(settings),
            doorbell=doorbell,
            leases=leases,
            activity=activity,
            model=pipeline.identity,
            settings=settings,
        )
        runner = Runner(
            jobs=jobs,
            audio=audio,
            doorbell=doorbell,
            classifier=Classifier(
                audio=audio,
                pictures=pictures,
                fetcher=fetcher,
                pipeline=pipeline,
                keep_answers=settings.result_cache,
            ),
            leases=leases,
            activity=activity,
            metrics=metrics,
            settings=settings,
        )
        fetches = FetchQueue(celery, partial(runner.run, kind="url"), concurrency=settings.fetch_concurrency)
        reaper.start()
        try:
            return _consume(
                celery,
                partial(runner.run, kind="upload"),
                settings,
                on_ready=[leases.start, fetches.start, watchdog.start, health.ready],
                on_stop=[watchdog.begin_stop, runner.stop, fetches.stop],
            )
        finally:
            fetches.join()
            watchdog.end()
            reaper.stop()
            leases.stop()


def _impatient(settings: Settings) -> RedisJobStore:
    client = connect(settings, retries=1, timeout_seconds=settings.heartbeat_seconds)
    return RedisJobStore(client, Keys())


def _consume(
    celery: Celery,
    run: Callable[[JobId], None],
    settings: Settings,
    *,
    on_ready: Sequence[Callable[[], None]],
    on_stop: Sequence[Callable[[], None]],
) -> int:
    # Without shared=False Celery would give this function to every other application of the process.
    @celery.task(name=CLASSIFY_TASK, shared=False, Request="worker.doorbell_request:DoorbellRequest")
    def classify(job_id: str) -> None:
        run(JobId(job_id))

    def take_messages(**_: object) -> None:
        log.info("worker ready", concurrency=settings.concurrency)
        for call in on_ready:
            call()

    def stop(**_: object) -> None:
        for call in on_stop:
            call()

    worker_ready.connect(take_messages)
    worker_shutting_down.connect(stop)
    worker = celery.Worker(
        pool="threads",
        concurrency=settings.concurrency,
        queues=list(broker_queues("upload")),
        loglevel=settings.log_level.upper(),
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


def main() -> int:
    """The process's entry: one line on stderr where it cannot start."""
    try:
        settings = read_settings()
        configure_logs(settings.log_format, settings.log_level, process="worker")
        log_strays()
        if is_json(settings.log_format):
            celery_lines.print_json()
        # Celery warns a root user of pickled messages; ours are JSON and nothing else is accepted.
        warnings.filterwarnings("ignore", category=SecurityWarning)
        with connect(settings, retries=0) as redis:
            check_server(redis)
        return run_worker(settings)
    except SetupError as error:
        refuse_to_start("worker", error.detail, as_json=wants_json_logs())
        return 1
