"""Jobs in Redis: the one face of the transitions, which are Lua scripts.

Every change of a job's status is one script, atomic, on Redis' clock. Nothing else writes a job's record.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import BusyLoadingError, OutOfMemoryError, ReadOnlyError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from shared import job_record
from shared.errors import StoreUnavailable, TooManyAttempts, UnknownJob
from shared.job import Job, JobError, JobId, Lease, NewJob, Outcome
from shared.names import BROKER_QUEUES
from shared.redis_keys import Keys
from shared.wire import dump

LUA = Path(__file__).with_name("lua")
SCRIPTS = ("accept", "claim", "renew", "progress", "finish", "reap", "snapshot", "alive", "workers")
JOBS_PER_SWEEP = 100

AWAY = (RedisConnectionError, RedisTimeoutError, ReadOnlyError, BusyLoadingError, OutOfMemoryError)
"""What redis-py raises where the server can do nothing for us, for now."""

REFUSALS = ("OOM", "MISCONF", "NOREPLICAS", "MASTERDOWN", "UNKILLABLE")
"""How a server begins its answer that has no memory, no disk or no replicas left to write to."""

_EXHAUSTED = dump(JobError.of(TooManyAttempts("The job's worker was lost on every attempt.")))


class Verdict(StrEnum):
    """What came of a claim."""

    CLAIMED = "claimed"
    LEASED = "leased"  # another worker is on it
    FINISHED = "finished"
    EXHAUSTED = "exhausted"  # no attempts were left: the job has failed now
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The answer to a claim; job and lease are there only when it was granted."""

    verdict: Verdict
    job: Job | None = None
    lease: Lease | None = None
    url: str | None = field(default=None, repr=False)  # where to fetch the song: the whole URL, a secret


@dataclass(frozen=True, kw_only=True)
class Ring:
    """A doorbell that the caller of `reap` has to ring."""

    job_id: JobId
    broker_queue: str


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """What a sweep of the reaper found."""

    lapsed: int  # leases that had run out
    failed: tuple[JobId, ...]  # of these, jobs that had no attempts left
    rings: tuple[Ring, ...]


@dataclass(frozen=True, kw_only=True)
class Depths:
    """How much waits and runs."""

    queued: int
    running: int
    broker_messages: dict[str, int]  # by Celery queue


class RedisJobStore:
    """Where jobs live from acceptance until they expire. StoreUnavailable where Redis is away."""

    def __init__(self, redis: "Redis", keys: Keys) -> None:
        self._redis = redis
        self._keys = keys
        prelude = f"{keys.lua()}\n{_source('common')}"
        self._scripts = {name: redis.register_script(f"{prelude}\n{_source(name)}") for name in SCRIPTS}

    def accept(self, new: NewJob) -> Job:
        """From here on the job is never lost. Its audio must be durable before."""
        record, place = self._run(
            "accept", new.id, new.source.kind, new.queue, *_flat(job_record.of_new_job(new))
        )
        return _job(record, place)

    def get(self, job_id: JobId) -> Job:
        """The job as it is now; UnknownJob."""
        record, place = self._run("snapshot", job_id)
        if not record:
            raise UnknownJob("There is no job with this id, or its result has expired.")
        return _job(record, place)

    def claim(self, job_id: JobId, *, owner: str, lease_seconds: float) -> Claim:
        """Take a job to run it. `owner` is unique to the call: a lost reply can be asked for again."""
        verdict, *rest = self._run("claim", job_id, owner, lease_seconds, _EXHAUSTED)
        if verdict != Verdict.CLAIMED:
            return Claim(verdict=Verdict(verdict))
        record = _record(rest[0])
        lease = Lease(job_id=job_id, token=int(record["token"]))
        return Claim(
            verdict=Verdict.CLAIMED, job=job_record.to_job(record), lease=lease, url=record.get("url")
        )

    def renew(self, lease: Lease, *, lease_seconds: float) -> bool:
        """Prolong a lease; False when the job is no longer ours."""
        return bool(self._run("renew", lease.job_id, lease.token, lease_seconds))

    def progress(self, lease: Lease, *, stage: str, fraction: float) -> bool:
        """Show how far a job is; False when it is no longer ours."""
        return bool(self._run("progress", lease.job_id, lease.token, stage, fraction))

    def finish(self, lease: Lease, outcome: Outcome) -> bool:
        """End a job; False when it is no longer ours, and then nothing has changed."""
        fields = _flat(job_record.of_outcome(outcome))
        return bool(self._run("finish", lease.job_id, lease.token, outcome.status.value, *fields))

    def reap(self, *, rering_seconds: float) -> Sweep:
        """Take jobs back from lost workers and find lost doorbells; the caller rings what it is given."""
        lapsed, failed, rings = self._run("reap", rering_seconds, JOBS_PER_SWEEP, _EXHAUSTED)
        return Sweep(
            lapsed=lapsed,
            failed=tuple(JobId(job_id) for job_id in failed),
            rings=tuple(
                Ring(job_id=JobId(job_id), broker_queue=queue)
                for job_id, queue in zip(rings[::2], rings[1::2], strict=True)
            ),
        )

    def depths(self) -> Depths:
        """How many jobs wait and run now, and how many doorbells wait with the broker."""
        pipe = self._redis.pipeline(transaction=True)
        pipe.zcard(self._keys.active)
        pipe.zcard(self._keys.running)
        for queue in BROKER_QUEUES:
            pipe.llen(queue)
        with _away_is_ours():
            active, running, *messages = pipe.execute()
        return Depths(
            queued=active - running,
            running=running,
            broker_messages=dict(zip(BROKER_QUEUES, messages, strict=True)),
        )

    def worker_alive(self, worker: str, *, seconds: float) -> None:
        """Count this worker among the ready ones for that long."""
        self._run("alive", worker, seconds)

    def workers_ready(self) -> int:
        """How many workers take messages."""
        return int(self._run("workers"))

    def ping(self) -> None:
        """StoreUnavailable unless Redis answers."""
        with _away_is_ours():
            self._redis.ping()

    def _run(self, script: str, *args: str | float) -> Any:
        with _away_is_ours():
            return self._scripts[script](args=args)


@contextmanager
def _away_is_ours() -> Iterator[None]:
    try:
        yield
    except AWAY as error:
        raise StoreUnavailable("Redis does not answer.") from error
    except ResponseError as error:
        if not str(error).startswith(REFUSALS):
            raise
        raise StoreUnavailable("Redis takes no writes now.") from error


def _job(record: Sequence[str], place: int) -> Job:
    return job_record.to_job(_record(record), queue_position=None if place < 0 else place)


def _source(script: str) -> str:
    return (LUA / f"{script}.lua").read_text()


def _flat(fields: dict[str, str]) -> list[str]:
    return [part for pair in fields.items() for part in pair]


def _record(flat: Sequence[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
