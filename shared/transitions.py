"""What the transitions of a job answer, as values.

It makes none: the scripts do (`lua/`), behind `redis_jobs.py`.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from shared.errors import TooManyAttempts
from shared.job import Job, JobId, JobStatus, Lease
from shared.trace import Origin


class Verdict(StrEnum):
    """What came of a claim."""

    CLAIMED = "claimed"
    LEASED = "leased"  # another worker is on it
    SUSPECT = "suspect"  # what is left is one attempt, for a worker that runs nothing else
    FINISHED = "finished"
    EXHAUSTED = "exhausted"  # no attempts were left: the job has failed now
    EXPIRED = "expired"  # its deadline has passed: it has ended now
    CANCELLED = "cancelled"  # that was asked of the worker it lost: it has ended now
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class End:
    """An end that a job comes to without a run."""

    status: JobStatus
    reason: str = ""


ENDS: Final = {
    Verdict.EXHAUSTED: End(status=JobStatus.FAILED, reason=TooManyAttempts.code),
    Verdict.EXPIRED: End(status=JobStatus.EXPIRED),
    Verdict.CANCELLED: End(status=JobStatus.CANCELLED),
}


class Fate(StrEnum):
    """What became of a job without its worker."""

    QUEUED = "queued"  # its worker was lost: it waits again
    RUNG = "rung"  # its doorbell was lost
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, kw_only=True)
class News:
    """What a log line says of a job that nobody has in hand."""

    job_id: JobId
    fate: Fate
    origin: Origin | None


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The answer to a claim; job and lease are there only when it was granted, news when it was an end."""

    verdict: Verdict
    job: Job | None = None
    lease: Lease | None = None
    news: News | None = None
    url: str | None = field(default=None, repr=False)  # where to fetch the song: the whole URL, a secret


class Hold(StrEnum):
    """What a worker learns when it speaks of a job that it runs."""

    KEPT = "kept"
    CANCEL = "cancel"  # still ours, and nobody wants it any more
    LOST = "lost"  # another's by now


@dataclass(frozen=True, kw_only=True)
class Change:
    """A job, and whether this call has changed it or an earlier one had."""

    job: Job
    is_new: bool


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """A job that is there no more, as it was."""

    job: Job
    was_waiting: bool  # it was cancelled with that


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where in a caller's list of jobs a page has ended; the job that stood there may be gone."""

    score: str  # as Redis writes it
    job_id: JobId


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some of a caller's jobs."""

    jobs: tuple[Job, ...]
    end: Place | None  # None where nothing is behind it


@dataclass(frozen=True, kw_only=True)
class Ring:
    """A doorbell that the caller of `reap` has to ring."""

    job_id: JobId
    broker_queue: str


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """What a sweep of the reaper found."""

    lapsed: int  # leases that had run out
    failed: int  # of these, jobs that had no attempts left
    cancelled: int  # of these, jobs that nobody wanted any more
    expired: int = 0  # jobs whose deadline passed while they waited
    rings: tuple[Ring, ...]
    news: tuple[News, ...] = ()  # of each job whose lot has changed

    @property
    def ends(self) -> tuple[tuple[End, int], ...]:
        """How jobs ended, and how many."""
        counts = {
            Verdict.EXHAUSTED: self.failed,
            Verdict.CANCELLED: self.cancelled,
            Verdict.EXPIRED: self.expired,
        }
        return tuple((ENDS[verdict], count) for verdict, count in counts.items() if count)


@dataclass(frozen=True, kw_only=True)
class Depths:
    """How much waits and runs."""

    queued: int
    running: int
    broker_messages: dict[str, int]  # by Celery queue
