"""Jobs in Redis: the one face of the transitions, which are Lua scripts.

Every change of a job's status is one script, atomic, on Redis' clock. Nothing else writes a job's record.
"""

from collections.abc import Callable, Sequence
from typing import Any

from redis import Redis

from shared import job_record
from shared.admission import UNLIMITED, Limits, retry_after_seconds
from shared.errors import (
    IdempotencyKeyReused,
    JobFinished,
    JobRunning,
    QueueFull,
    QuotaExceeded,
    ResultGone,
    TooManyAttempts,
    UnknownJob,
)
from shared.job import Job, JobError, JobId, JobStatus, Lease, NewJob, Outcome, answer_key
from shared.job_events import NO_WINDOWS, Windows
from shared.names import BROKER_QUEUES, SourceKind, broker_queues
from shared.redis_keys import Keys
from shared.redis_scripts import away_is_ours, read_script, scripts
from shared.trace import kept_origin
from shared.transitions import (
    Change,
    Claim,
    Deletion,
    Depths,
    Fate,
    Hold,
    News,
    Page,
    Place,
    Ring,
    Sweep,
    Verdict,
)
from shared.wire import dump

SCRIPTS = (
    "accept",
    "room",
    "claim",
    "stand_by",
    "renew",
    "progress",
    "finish",
    "release",
    "cancel",
    "reap",
    "expire",
    "spent",
    "snapshot",
    "list",
    "delete",
    "alive",
    "workers",
)
JOBS_PER_SWEEP = 100
SPENT_PER_SWEEP = 500
LOOKS_PER_PAGE = 1_000
"""So many jobs are looked at for a page: where few have the status that is asked for, it is a short one."""

_EXHAUSTED = dump(JobError.of(TooManyAttempts("The job's worker was lost on every attempt.")))


class RedisJobStore:
    """Where jobs live from acceptance until they expire. StoreUnavailable where Redis is away."""

    def __init__(
        self, redis: "Redis", keys: Keys, *, read_script: Callable[[str], str] = read_script
    ) -> None:
        """read_script: gives the source of a script by its name."""
        self._redis = redis
        self._keys = keys
        self._scripts = scripts(redis, keys, SCRIPTS, read=read_script)

    def accept(self, new: NewJob, limits: Limits = UNLIMITED) -> Change:
        """From here on the job is never lost. Its audio must be durable before.

        Where the same audio was answered before, the job has succeeded already. Raises QuotaExceeded,
        QueueFull, IdempotencyKeyReused.
        """
        verdict, *rest = self._run(
            "accept",
            new.id,
            new.source.kind,
            new.queue,
            new.caller,
            new.source.bytes or 0,
            "" if new.deadline_seconds is None else new.deadline_seconds,
            new.idempotency.key if new.idempotency else "",
            new.idempotency.fingerprint if new.idempotency else "",
            new.answer or "",
            *_of_limits(limits),
            *_flat(job_record.of_new_job(new)),
        )
        if verdict == "reused":
            raise IdempotencyKeyReused("The idempotency key was used for another request.")
        _check_room(verdict, rest)
        [view] = rest
        return Change(job=_job(*view), is_new=verdict == "accepted")

    def check_room(self, *, caller: str, size: int, idempotency_key: str | None, limits: Limits) -> None:
        """QuotaExceeded or QueueFull where a job with `size` bytes of audio would be refused now."""
        verdict, *rest = self._run("room", caller, size, idempotency_key or "", *_of_limits(limits))
        _check_room(verdict, rest)

    def get(self, job_id: JobId) -> Job:
        """The job as it is now; UnknownJob, ResultGone."""
        view, was_there = self._run("snapshot", job_id)
        if view[0]:
            return _job(*view)
        if was_there:
            raise ResultGone("The job's result is kept no longer.")
        raise UnknownJob("There is no job with this id.")

    def owner_of(self, job_id: JobId) -> str | None:
        """The caller whose job it is, or was; "" where nobody wrote it down. None: there is no such job."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.hget(self._keys.job(job_id), "caller")
        pipe.get(self._keys.gone(job_id))
        with away_is_ours():
            of_record, of_tombstone = pipe.execute()
        owner: str | None = of_tombstone if of_record is None else of_record
        return owner

    def claim(self, job_id: JobId, *, owner: str, lease_seconds: float, alone: bool = True) -> Claim:
        """Take a job to run it. `owner` is unique to the call: a lost reply can be asked for again.

        alone: whether the worker runs nothing else; the last attempt of a suspect is given to no other.
        """
        verdict, *rest = self._run("claim", job_id, owner, lease_seconds, int(alone), _EXHAUSTED)
        if verdict != Verdict.CLAIMED:
            return Claim(verdict=Verdict(verdict), news=_news(rest[0]) if rest else None)
        record = job_record.read_record(rest[0])
        lease = Lease(job_id=job_id, token=int(record["token"]))
        return Claim(
            verdict=Verdict.CLAIMED, job=job_record.to_job(record), lease=lease, url=record.get("url")
        )

    def stand_by(self, job_id: JobId) -> bool:
        """Room is made for a suspect: nobody else need be rung for. False once it waits no more."""
        return bool(self._run("stand_by", job_id))

    def renew(self, lease: Lease, *, lease_seconds: float) -> Hold:
        """Prolong a lease."""
        return Hold(self._run("renew", lease.job_id, lease.token, lease_seconds))

    def progress(self, lease: Lease, *, stage: str, fraction: float, windows: Windows = NO_WINDOWS) -> Hold:
        """Show how far a job is, and windows whose answers are known by now."""
        texts = [dump(entry) for entry in windows.entries]
        return Hold(self._run("progress", lease.job_id, lease.token, stage, fraction, windows.first, *texts))

    def finish(self, lease: Lease, outcome: Outcome, *, windows: Windows = NO_WINDOWS) -> bool:
        """End a job; False when it is no longer ours, and then nothing has changed.

        windows: those that were not shown yet.
        """
        return bool(
            self._run(
                "finish",
                lease.job_id,
                lease.token,
                outcome.status.value,
                outcome.model.sha256,
                outcome.answer or "",
                windows.first,
                len(windows.entries),
                *(dump(entry) for entry in windows.entries),
                *_flat(job_record.of_outcome(outcome)),
            )
        )

    def release(self, lease: Lease) -> Ring | None:
        """Give a job back, its attempt not counted; the caller rings. None when it is no longer ours."""
        queue = self._run("release", lease.job_id, lease.token)
        return Ring(job_id=lease.job_id, broker_queue=queue) if queue else None

    def cancel(self, job_id: JobId) -> Change:
        """Cancel a job that waits, or have its worker stop it; UnknownJob, ResultGone, JobFinished."""
        verdict, record = self._run("cancel", job_id)
        if verdict == "unknown":
            return Change(job=self.get(job_id), is_new=False)  # which says why it is not there
        if verdict == "finished":
            raise JobFinished("The job has finished already.")
        return Change(job=_job(record), is_new=verdict != "again")

    def list_jobs(self, caller: str, *, status: JobStatus | None, limit: int, after: Place | None) -> Page:
        """A caller's jobs, the newest first, from behind the place at which another page has ended."""
        score, job_id, views = self._run(
            "list",
            caller,
            status or "",
            limit,
            LOOKS_PER_PAGE,
            *(("", "") if after is None else (after.score, after.job_id)),
        )
        return Page(
            jobs=tuple(_job(*view) for view in views),
            end=Place(score=score, job_id=JobId(job_id)) if job_id else None,
        )

    def delete(self, job_id: JobId) -> Deletion | None:
        """Remove a job that does not run, all but its tombstone; UnknownJob, JobRunning.

        None where it was removed before: nothing happens then.
        """
        try:
            job = self.get(job_id)
        except ResultGone:
            return None
        model, answer = "", ""
        if job.model and job.source.sha256:
            model, answer = job.model.sha256, answer_key(job.source.sha256, job.options)
        verdict = self._run("delete", job_id, model, answer)
        if verdict == "running":
            raise JobRunning("The job runs: cancel it first, and delete it once it has stopped.")
        return None if verdict == "unknown" else Deletion(job=job, was_waiting=verdict == "cancelled")

    def reap(self, *, rering_seconds: float) -> Sweep:
        """Take jobs back from lost workers and find lost doorbells; the caller rings what it is given."""
        lapsed, failed, cancelled, rings, news = self._run("reap", rering_seconds, JOBS_PER_SWEEP, _EXHAUSTED)
        return Sweep(
            lapsed=lapsed,
            failed=failed,
            cancelled=cancelled,
            rings=tuple(
                Ring(job_id=JobId(job_id), broker_queue=queue)
                for job_id, queue in zip(rings[::2], rings[1::2], strict=True)
            ),
            news=tuple(map(_news, news)),
        )

    def expire(self) -> tuple[News, ...]:
        """End jobs whose deadline passed while they waited; which."""
        return tuple(map(_news, self._run("expire", JOBS_PER_SWEEP)))

    def spent(self, *, older_seconds: float) -> tuple[JobId, ...]:
        """Jobs that finished so long ago and whose audio may still be there; some of them, oldest first."""
        return tuple(JobId(job_id) for job_id in self._run("spent", older_seconds, SPENT_PER_SWEEP))

    def forget_audio(self, job_ids: Sequence[JobId]) -> None:
        """The audio of these finished jobs is gone."""
        with away_is_ours():
            self._redis.zrem(self._keys.spent, *job_ids)

    def statuses(self, job_ids: Sequence[JobId]) -> tuple[JobStatus | None, ...]:
        """Where each job stands now; None for one that is not there."""
        pipe = self._redis.pipeline(transaction=False)
        for job_id in job_ids:
            pipe.hget(self._keys.job(job_id), "status")
        with away_is_ours():
            return tuple(JobStatus(status) if status else None for status in pipe.execute())

    def depths(self) -> Depths:
        """How many jobs wait and run now, and how many doorbells wait with the broker."""
        pipe = self._redis.pipeline(transaction=True)
        pipe.zcard(self._keys.active)
        pipe.zcard(self._keys.running)
        for queue in BROKER_QUEUES:
            pipe.llen(queue)
        with away_is_ours():
            active, running, *messages = pipe.execute()
        return Depths(
            queued=active - running,
            running=running,
            broker_messages=dict(zip(BROKER_QUEUES, messages, strict=True)),
        )

    def doorbells(self, kind: SourceKind) -> int:
        """How many doorbells wait for the workers of a kind."""
        pipe = self._redis.pipeline(transaction=False)
        for queue in broker_queues(kind):
            pipe.llen(queue)
        with away_is_ours():
            return sum(pipe.execute())

    def worker_alive(self, worker: str, *, model: str, seconds: float) -> None:
        """Count this worker, which holds the model of that SHA-256, among the ready ones for that long."""
        self._run("alive", worker, seconds, model)

    def workers_ready(self) -> int:
        """How many workers take messages."""
        return int(self._run("workers"))

    def ping(self) -> None:
        """StoreUnavailable unless Redis answers."""
        with away_is_ours():
            self._redis.ping()

    def _run(self, script: str, *args: str | float) -> Any:
        with away_is_ours():
            return self._scripts[script](args=args)


def _job(record: str, place: int = -1, drained: int = 0) -> Job:
    """Of what the scripts' `view` says."""
    return job_record.to_job(
        job_record.read_record(record),
        queue_position=None if place < 0 else place,
        drained_in_a_minute=drained,
    )


def _news(told: Sequence[str]) -> News:
    job_id, fate, request_id, traceparent = told
    return News(job_id=JobId(job_id), fate=Fate(fate), origin=kept_origin(request_id, traceparent))


def _check_room(verdict: str, rest: Sequence[int]) -> None:
    if verdict not in ("over_quota", "queue_full"):
        return
    waiting, drained = rest
    seconds = retry_after_seconds(waiting=waiting, drained_in_a_minute=drained)
    if verdict == "over_quota":
        raise QuotaExceeded(
            "Too many of your jobs, or too much of your audio, waits.", retry_after_seconds=seconds
        )
    raise QueueFull("Too many jobs, or too much audio, waits.", retry_after_seconds=seconds)


def _of_limits(limits: Limits) -> tuple[int, int, int, int]:
    return limits.jobs, limits.bytes, limits.caller_jobs, limits.caller_bytes


def _flat(fields: dict[str, str]) -> list[str]:
    return [part for pair in fields.items() for part in pair]
