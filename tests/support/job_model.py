"""What the transitions of jobs should do, said once more in plain Python: what the scripts are compared with.

It keeps jobs and the keys that name one, and nothing else: what waits, runs or rings is looked up among the
jobs, where the scripts keep sets and counts that may go wrong. Its time is what the caller sets.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from shared.admission import Limits, retry_after_seconds
from shared.job import FINISHED, Lease, NewJob, Outcome
from shared.job_events import Windows
from shared.names import broker_queue, recovered_queue
from shared.redis_jobs import JOBS_PER_SWEEP


@dataclass(kw_only=True)
class ModelJob:
    """What the model knows of a job."""

    new: NewJob
    accepted_at: float
    rung_at: float
    status: str = "queued"
    attempt: int = 0
    token: int = 0
    owner: str = ""
    started_at: float | None = None
    lease_until: float = 0.0
    finished_at: float | None = None
    finished_by: int | None = None  # the token of the run that ended it
    error: str | None = None
    cancel_requested: bool = False
    is_cached: bool = False
    stage: str = ""
    fraction: float = 0.0
    windows: int = 0  # that were told of the attempt that runs, or ran last
    webhook_progress_at: float = float("-inf")
    events: list[tuple[str, ...]] = field(default_factory=list)

    def tell(self) -> None:
        """An event of progress: how the job is now."""
        wish = "1" if self.cancel_requested else ""
        self.events.append(
            ("progress", self.status, str(self.attempt), self.stage, f"{self.fraction:g}", wish)
        )

    @property
    def is_finished(self) -> bool:
        return self.status in FINISHED

    @property
    def size(self) -> int:
        return self.new.source.bytes or 0

    @property
    def deadline_at(self) -> float | None:
        return None if self.new.deadline_seconds is None else self.accepted_at + self.new.deadline_seconds

    @property
    def expires_at(self) -> float | None:
        """A deadline is for the beginning: what has begun does not expire."""
        return self.deadline_at if self.started_at is None else None


class JobModel:
    """Every method does what the transition of its name does, and says what that should answer."""

    def __init__(self, time: float) -> None:
        self.time = time
        self.jobs: dict[str, ModelJob] = {}  # with a record
        self.gone: set[str] = set()
        self.deleted: set[str] = set()
        self.spent: dict[str, float] = {}
        self.keys: dict[str, str] = {}
        self.answers: dict[tuple[str | None, str | None], str] = {}
        self.model: str | None = None
        self.drained: Counter[int] = Counter()
        self.served: dict[str, float] = {}
        self.webhooks: defaultdict[str, list[str]] = defaultdict(list)  # what was told, also of what is gone

    def accept(self, new: NewJob, limits: Limits) -> tuple[str, str | int]:
        """The verdict, with the id of the job that the caller is shown or the seconds to stay away."""
        key, answer = new.idempotency, (self.model, new.answer)
        if new.id in self.jobs:
            return "accepted", new.id
        if key and (first := self.jobs.get(self.keys.get(key.key, ""))):
            same = first.new.idempotency and first.new.idempotency.fingerprint == key.fingerprint
            return ("known", first.new.id) if same else ("reused", 0)
        is_answered = self.answers.get(answer) in self.jobs
        if not is_answered and (refusal := self.no_room(new.caller, new.source.bytes or 0, limits)):
            return refusal
        job = self.jobs[new.id] = ModelJob(new=new, accepted_at=self.time, rung_at=self.time)
        if key:
            self.keys[key.key] = new.id
        if is_answered:
            job.is_cached, self.answers[answer] = True, new.id
            self._end(job, "succeeded")
        return "accepted", new.id

    def no_room(self, caller: str, size: int, limits: Limits) -> tuple[str, int] | None:
        """The refusal of one more job, if it is refused."""
        waits = [job for job in self.jobs.values() if job.status == "queued"]
        of_caller = [job for job in waits if job.new.caller == caller]
        for verdict, jobs, max_jobs, max_bytes in (
            ("over_quota", of_caller, limits.caller_jobs, limits.caller_bytes),
            ("queue_full", waits, limits.jobs, limits.bytes),
        ):
            if len(jobs) >= max_jobs or sum(job.size for job in jobs) + size > max_bytes:
                drained = sum(self.drained[int(self.time // 10) - back] for back in range(7))
                return verdict, retry_after_seconds(waiting=len(waits), drained_in_a_minute=drained)
        return None

    def claim(  # noqa: PLR0911  as many as there are verdicts
        self, job_id: str, owner: str, lease_seconds: float, *, alone: bool = True
    ) -> str:
        job = self.jobs.get(job_id)
        if job is None or job.is_finished:
            return "finished" if job else "unknown"
        if job.status == "running" and (job.owner == owner or job.lease_until > self.time):
            return "claimed" if job.owner == owner else "leased"
        if job.cancel_requested:
            return self._end(job, "cancelled")
        if job.expires_at is not None and job.expires_at <= self.time:
            return self._end(job, "expired")
        if job.attempt >= job.new.max_attempts:
            self._end(job, "failed", error="too_many_attempts")
            return "exhausted"
        if not alone and 0 < job.attempt == job.new.max_attempts - 1:
            job.rung_at = self.time if job.status == "queued" else job.rung_at
            return "suspect"
        if job.started_at is None:
            row = _row(job)[0]
            self.served[row] = max(self.served.get(row, 0.0), job.accepted_at)
        job.status, job.owner, job.lease_until = "running", owner, self.time + lease_seconds
        job.attempt, job.token = job.attempt + 1, job.token + 1
        if job.started_at is None:
            job.started_at = self.time
            self._tell_webhook(job, "started")
        job.stage, job.fraction, job.windows = "fetch", 0.0, 0
        job.tell()
        return "claimed"

    def renew(self, lease: Lease, lease_seconds: float) -> str:
        job = self._running(lease)
        if job is None:
            return "lost"
        job.lease_until = self.time + lease_seconds
        return "cancel" if job.cancel_requested else "kept"

    def progress(self, lease: Lease, *, stage: str, fraction: float, windows: Windows) -> str:
        """It prolongs no lease."""
        job = self._running(lease)
        if job is None:
            return "lost"
        if (job.stage, job.fraction) != (stage, fraction):
            job.stage, job.fraction = stage, fraction
            job.tell()
            if self.time >= job.webhook_progress_at + 5:
                job.webhook_progress_at = self.time
                self._tell_webhook(job, "progress")
        for number in range(job.windows, windows.first + len(windows.entries)):
            job.events.append(("window", str(job.attempt), str(number)))
            job.windows = number + 1
        return "cancel" if job.cancel_requested else "kept"

    def windows_of(self, lease: Lease) -> int:
        """How many windows of this run were told."""
        job = self._running(lease)
        return job.windows if job else 0

    def finish(self, lease: Lease, outcome: Outcome) -> bool:
        job = self._newest(lease)
        if job is None or job.status != "running":
            return job is not None and (job.status, job.finished_by) == (outcome.status, lease.token)
        job.finished_by = lease.token
        self._end(job, outcome.status.value, error=outcome.error.code if outcome.error else None)
        self.drained[int(self.time // 10)] += 1
        if job.status == "succeeded" and outcome.answer:
            self.answers[outcome.model.sha256, outcome.answer] = job.new.id
        return True

    def release(self, lease: Lease) -> str | None:
        """Where to ring."""
        job = self._newest(lease)
        if job is None or job.is_finished:
            return None
        if job.status == "running" and job.cancel_requested:
            self._end(job, "cancelled")
            return None
        if job.status == "running":
            job.attempt -= 1
            self._requeue(job)
        return recovered_queue(job.new.source.kind)

    def cancel(self, job_id: str) -> str:
        job = self.jobs.get(job_id)
        if job is None:
            return "gone" if job_id in self.gone else "unknown"
        if job.is_finished:
            return "again" if job.status == "cancelled" else "finished"
        if job.status == "queued":
            return self._end(job, "cancelled")
        if not job.cancel_requested:
            job.cancel_requested = True
            job.tell()
        return "requested"

    def delete(self, job_id: str) -> str:
        job = self.jobs.get(job_id)
        if job is None:
            return "gone" if job_id in self.gone else "unknown"
        if job.status == "running":
            return "running"
        was_waiting = job.status == "queued"
        if was_waiting:
            self._end(job, "cancelled")
        self.keys = {key: of for key, of in self.keys.items() if of != job_id}
        self.lose_record(job_id)
        self.deleted.add(job_id)
        return "cancelled" if was_waiting else "deleted"

    def list_jobs(self, caller: str, status: str | None) -> list[str]:
        """The newest first."""
        found = [
            job for job in self.jobs.values() if job.new.caller == caller and status in (None, job.status)
        ]
        return [job.new.id for job in sorted(found, key=lambda job: (job.accepted_at, job.new.id))][::-1]

    def reap(
        self, rering_seconds: float, doorbells: Mapping[str, int]
    ) -> tuple[Counter[str], list[tuple[str, str]]]:
        """How the lapsed went on, and the rings. doorbells: how many wait in each Celery queue."""
        found: Counter[str] = Counter()
        rings = []
        for job in self._due("running", lambda job: job.lease_until, self.time):
            found["lapsed"] += 1
            if job.cancel_requested:
                found[self._end(job, "cancelled")] += 1
            elif job.attempt >= job.new.max_attempts:
                found[self._end(job, "failed", error="too_many_attempts")] += 1
            else:
                self._requeue(job)
                rings.append((job.new.id, recovered_queue(job.new.source.kind)))
        rows = Counter(_row(job) for job in self.jobs.values() if job.status == "queued")
        missing = {
            row: waiting - doorbells.get(row, 0) - doorbells.get(recovered, 0)
            for (row, recovered), waiting in rows.items()
        }
        for job in self._due("queued", lambda job: job.rung_at, self.time - rering_seconds):
            (row, recovered), job.rung_at = _row(job), self.time
            if job.accepted_at < self.served.get(row, 0.0) - rering_seconds and self.served[row] <= self.time:
                row = recovered
                missing.setdefault(row, JOBS_PER_SWEEP - doorbells.get(row, 0))
            if missing[row] > 0:
                missing[row] -= 1
                rings.append((job.new.id, row))
        return found, rings

    def expire(self) -> int:
        late = self._due("queued", lambda job: job.expires_at or float("inf"), self.time)
        return len([self._end(job, "expired") for job in late])

    def lose_record(self, job_id: str) -> None:
        """As its time to live would."""
        del self.jobs[job_id]
        self.gone.add(job_id)

    def place(self, job_id: str) -> int | None:
        """In its row, the oldest first."""
        job = self.jobs[job_id]
        row = [
            other
            for other in self._due("queued", lambda other: other.accepted_at)
            if _row(other) == _row(job)
        ]
        return row.index(job) if job in row else None

    def _newest(self, lease: Lease) -> ModelJob | None:
        job = self.jobs.get(lease.job_id)
        return job if job and job.token == lease.token else None

    def _running(self, lease: Lease) -> ModelJob | None:
        job = self._newest(lease)
        return job if job and job.status == "running" else None

    def _due(
        self, status: str, moment: Callable[[ModelJob], float], until: float = float("inf")
    ) -> list[ModelJob]:
        found = [job for job in self.jobs.values() if job.status == status and moment(job) <= until]
        return sorted(found, key=lambda job: (moment(job), job.new.id))

    def _requeue(self, job: ModelJob) -> None:
        job.status, job.owner, job.rung_at = "queued", "", self.time
        job.stage, job.fraction = "", 0.0
        job.tell()

    def _end(self, job: ModelJob, status: str, *, error: str | None = None) -> str:
        job.status, job.error, job.finished_at = status, error, self.time
        if job.events:  # what never ran has no stream
            job.events.append(("finished",))
        if job.new.source.kind == "upload":
            self.spent[job.new.id] = self.time
        self._tell_webhook(job, status)
        return status

    def _tell_webhook(self, job: ModelJob, what: str) -> None:
        webhook = job.new.webhook
        if webhook and f"job.{what}" in webhook.events:
            self.webhooks[job.new.id].append(f"job.{what}")


def _row(job: ModelJob) -> tuple[str, str]:
    kind = job.new.source.kind
    return broker_queue(job.new.queue, kind), recovered_queue(kind)
