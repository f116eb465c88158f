"""What a long queue costs: a hundred thousand jobs wait, with their doorbells, and no worker comes.

Two servers, one with the long queue and one without, are asked in turns, so that a busy machine slows both.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from record import record
from redis import Redis

from shared.celery_queue import CeleryDoorbell, make_celery
from shared.job import JobId, NewJob, Source
from shared.logs import configure_logs
from shared.names import BROKER_QUEUES, broker_queue
from shared.reaper import Reaper
from shared.redis_jobs import RedisJobStore
from shared.redis_keys import Keys
from shared.settings import Settings
from support.jobs import new_job, success
from support.redis_server import RedisServer, redis_serving

JOBS = 100_000
SILENT = JOBS // 10  # of these the doorbell was lost
PAIRS = 1_000
SWEEPS = 200
PROCESSES = 4
OUTAGE_SECONDS = 600  # with a sweep a second in each process
QUEUE = "standard"


class CopiedDoorbell:
    """Rings by one message of Celery's for all jobs: nobody reads it here, but it is as long as any."""

    def __init__(self, redis: "Redis", message: str) -> None:
        self._redis = redis
        self._message = message

    def ring(self, job_id: JobId, broker_queue: str) -> None:
        self._redis.lpush(broker_queue, self._message)


def main() -> None:
    configure_logs("console", "error")  # a line for each sweep that rings would be thousands
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        directory = Path(name)
        full, empty = (stack.enter_context(redis_serving(directory / kind)) for kind in ("full", "empty"))
        redis = stack.enter_context(full.client())
        message = a_message(full, redis)
        record_bytes, doorbell_bytes = fill(redis, message)
        long, short = accept_seconds(redis, stack.enter_context(empty.client()))
        sweeps = sweep_seconds(redis, message, directory)
        doorbells = sit_out(redis, message, directory)
    record(
        "long_queue",
        {
            "waiting_jobs": JOBS,
            "accept_milliseconds_behind_none": 1_000 * short,
            "accept_milliseconds_behind_all": 1_000 * long,
            "accept_ratio": long / short,
            "sweep_milliseconds": 1_000 * statistics.median(sweeps),
            "sweep_milliseconds_at_most": 1_000 * max(sweeps),
            "record_bytes_per_job": record_bytes,
            "doorbell_bytes_per_job": doorbell_bytes,
            "bytes_per_job": record_bytes + doorbell_bytes,
            "doorbells_per_job_after_ten_minutes": doorbells,
        },
    )


def a_job(number: int) -> NewJob:
    """With a name, metadata and options as clients send them."""
    return new_job(
        number,
        queue=QUEUE,
        source=Source(
            kind="upload",
            filename=f"{number:06d} - The Fictional Quartet - Nocturne in Nine (live).mp3",
            sha256=f"{number:064x}",
            bytes=8_000_000 + number,
        ),
        metadata={"album": "Late, and Live", "customer": f"c-{number % 1_000:06d}", "track": number % 20},
    )


def a_message(server: RedisServer, redis: "Redis") -> str:
    """A doorbell as Celery writes it."""
    queue = broker_queue(QUEUE)
    with make_celery(Settings(redis_url=server.url)) as celery:
        CeleryDoorbell(celery).ring(a_job(1).id, queue)
    return redis.rpop(queue)


def fill(redis: "Redis", message: str) -> tuple[float, float]:
    """The long queue; bytes of memory that each job costs, and each doorbell."""
    jobs = RedisJobStore(redis, Keys())
    before = used_bytes(redis)
    with unsynced(redis):
        for number in range(JOBS):
            jobs.accept(a_job(number))
        with_records = used_bytes(redis)
        for size in batches(JOBS - SILENT):
            redis.lpush(broker_queue(QUEUE), *[message] * size)
    return (with_records - before) / JOBS, (used_bytes(redis) - with_records) / (JOBS - SILENT)


@contextmanager
def unsynced(redis: "Redis") -> Iterator[None]:
    """The server syncs nothing for as long as the queue is filled: what is measured comes later."""
    redis.config_set("appendfsync", "no")
    yield
    redis.config_set("appendfsync", "always")


def accept_seconds(long: "Redis", short: "Redis") -> tuple[float, float]:
    """Medians: behind the long queue, and behind nobody."""
    behind_all, behind_none = RedisJobStore(long, Keys()), RedisJobStore(short, Keys())
    seconds: tuple[list[float], list[float]] = [], []
    for number in range(JOBS, JOBS + PAIRS):
        seconds[0].append(timed(lambda number=number: behind_all.accept(a_job(number))))
        seconds[1].append(timed(lambda number=number: behind_none.accept(a_job(number))))
        lease = behind_none.claim(a_job(number).id, owner="w", lease_seconds=60).lease
        behind_none.finish(lease, success())
    return statistics.median(seconds[0]), statistics.median(seconds[1])


def sweep_seconds(redis: "Redis", message: str, directory: Path) -> list[float]:
    """Of sweeps that look at as many jobs as a sweep ever does, and ring nothing: all doorbells are there."""
    reaper = make_reaper(redis, message, directory)
    for size in batches(PAIRS + SILENT):
        redis.lpush(broker_queue(QUEUE), *[message] * size)
    seconds = [timed(reaper.sweep) for _ in range(SWEEPS)]
    redis.ltrim(broker_queue(QUEUE), PAIRS + SILENT, -1)
    return seconds


def sit_out(redis: "Redis", message: str, directory: Path) -> float:
    """Ten minutes in which no worker comes, each job always due: doorbells for every job that waits."""

    def process(_: int) -> None:
        reaper = make_reaper(redis, message, directory)
        for _ in range(OUTAGE_SECONDS):
            reaper.sweep()

    with unsynced(redis), ThreadPoolExecutor(PROCESSES) as processes:
        list(processes.map(process, range(PROCESSES)))
    doorbells = sum(redis.llen(queue) for queue in BROKER_QUEUES)
    return doorbells / RedisJobStore(redis, Keys()).depths().queued


def make_reaper(redis: "Redis", message: str, directory: Path) -> Reaper:
    settings = Settings(audio_dir=directory / "audio", rering_seconds=1e-6)
    return Reaper(
        jobs=RedisJobStore(redis, Keys()),
        doorbell=CopiedDoorbell(redis, message),
        settings=settings,
        on_sweep=lambda _: None,
    )


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def batches(number: int, size: int = 1_000) -> list[int]:
    return [size] * (number // size) + [number % size] * bool(number % size)


def used_bytes(redis: "Redis") -> int:
    return redis.info("memory")["used_memory"]


if __name__ == "__main__":
    main()
