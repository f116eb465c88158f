"""What it costs to lose no job: CPU per job of leases, progress, fenced ends and sweeps, the server's too.

Beside it a bare queue, which takes a message and keeps nothing: what no queue could do without. The songs are
left out, and so is their acceptance, which both kinds of queue need.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from processes import tree_seconds
from record import record
from redis import Redis

from shared.logs import configure_logs
from shared.reaper import Reaper
from shared.redis_jobs import RedisJobStore
from shared.redis_keys import Keys
from shared.settings import Settings
from support.jobs import new_job, success
from support.redis_server import RedisServer, redis_serving

ROUNDS = 3
JOBS = 2_000  # a round
STAGES = ("decode", "predict")  # an upload of 30 s reports these two, and is done before it may report again
JOBS_PER_RENEWAL = 10  # a heartbeat is due every 5 s, and a job in hand runs for less than half a second
JOBS_PER_SWEEPS = 10
PROCESSES = 3  # one worker and two of the api, each with a sweep a second, while ten jobs end
LIST = "bare"

Cost = tuple[float, float]
"""CPU seconds of a job: ours, and the server's."""


class NoDoorbell:
    """Nothing is lost here: nobody rings."""

    def ring(self, job_id: str, broker_queue: str) -> None:
        raise AssertionError(f"{job_id} was rung on {broker_queue}")


def main() -> None:
    configure_logs("console", "error")
    with (
        tempfile.TemporaryDirectory() as directory,
        redis_serving(Path(directory)) as server,
        server.client() as redis,
    ):
        rounds = [
            (recovering(server, redis, Path(directory), number), bare(server, redis))
            for number in range(ROUNDS)
        ]
    ours, servers = (1_000 * statistics.median(cost[who] for cost, _ in rounds) for who in (0, 1))
    floor = 1_000 * statistics.median(sum(cost) for _, cost in rounds)
    record(
        "recovery",
        {
            "cpu_milliseconds_per_job": ours + servers,
            "process_cpu_milliseconds_per_job": ours,
            "server_cpu_milliseconds_per_job": servers,
            "bare_queue_cpu_milliseconds_per_job": floor,
            "added_cpu_milliseconds_per_job": ours + servers - floor,
        },
    )


def recovering(server: RedisServer, redis: "Redis", directory: Path, round_number: int) -> Cost:
    """Jobs that wait already are claimed, reported on, renewed and finished, and swept over meanwhile."""
    jobs = RedisJobStore(redis, Keys())
    reaper = make_reaper(jobs, directory)
    new = [new_job(round_number * JOBS + number) for number in range(JOBS)]
    for job in new:
        jobs.accept(job)

    def run() -> None:
        for number, job in enumerate(new):
            lease = jobs.claim(job.id, owner=f"{number}", lease_seconds=60).lease
            for stage in STAGES:
                jobs.progress(lease, stage=stage, fraction=0.5)
            if number % JOBS_PER_RENEWAL == 0:
                jobs.renew(lease, lease_seconds=60)
            if number % JOBS_PER_SWEEPS == 0:
                for _ in range(PROCESSES):
                    reaper.sweep()
            assert jobs.finish(lease, success())

    return cost_of(server, run)


def bare(server: RedisServer, redis: "Redis") -> Cost:
    """Messages that wait already are taken, and nothing is kept of them."""
    for job in range(JOBS):
        redis.lpush(LIST, f"{job}")

    def run() -> None:
        for _ in range(JOBS):
            redis.brpop(LIST, timeout=1)

    return cost_of(server, run)


def cost_of(server: RedisServer, run: Callable[[], None]) -> Cost:
    ours, servers = time.process_time(), tree_seconds(server.pid)
    run()
    return (time.process_time() - ours) / JOBS, (tree_seconds(server.pid) - servers) / JOBS


def make_reaper(jobs: RedisJobStore, directory: Path) -> Reaper:
    settings = Settings(audio_dir=directory / "audio", rering_seconds=3_600)
    return Reaper(
        jobs=jobs,
        doorbell=NoDoorbell(),
        settings=settings,
        on_sweep=lambda _: None,
    )


if __name__ == "__main__":
    main()
