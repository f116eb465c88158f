"""A worker without a model: it ends every job soon, in one of the ways in which jobs end."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from redis import Redis

from shared.errors import GenreWizError
from shared.job import JobId, Outcome, StageSeconds
from shared.job_events import Windows
from shared.redis_jobs import RedisJobStore
from shared.redis_keys import Keys
from shared.transitions import Hold
from support.jobs import MODEL, SOURCE, classification, failure, success

POLL_SECONDS = 0.02
LEASE_SECONDS = 30.0


def nobody_wants_it() -> Outcome:
    return Outcome(source=SOURCE, model=MODEL, stage_seconds=StageSeconds())


@contextmanager
def quick_worker(redis: Redis, *, seed: int = 0) -> Iterator[None]:
    """Works in a thread until the end of the block."""
    stop = threading.Event()
    thread = threading.Thread(target=_work, args=(redis, random.Random(seed), stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _work(redis: Redis, chance: random.Random, stop: threading.Event) -> None:
    keys = Keys()
    jobs = RedisJobStore(redis, keys)
    while not stop.wait(POLL_SECONDS):
        for job_id in redis.zrange(keys.active, 0, 100):
            with suppress(GenreWizError):
                _end(jobs, JobId(job_id), chance, stop)


def _end(jobs: RedisJobStore, job_id: JobId, chance: random.Random, stop: threading.Event) -> None:
    claim = jobs.claim(job_id, owner=f"quick-{job_id}", lease_seconds=LEASE_SECONDS)
    if claim.lease is None:
        return
    windows = Windows(first=0, entries=classification().timeline)
    jobs.progress(claim.lease, stage="predict", fraction=0.5, windows=windows)
    stop.wait(chance.choice((0, POLL_SECONDS, 10 * POLL_SECONDS)))  # so that some are met while they run
    held = jobs.renew(claim.lease, lease_seconds=LEASE_SECONDS)
    outcomes = (nobody_wants_it,) if held is Hold.CANCEL else (success, success, failure)
    jobs.finish(claim.lease, chance.choice(outcomes)())
