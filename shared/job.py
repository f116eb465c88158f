"""A job: one song on its way to a genre, as frozen values.

It changes nothing: transitions are Lua scripts on Redis (`redis_jobs.py`); this is what they leave behind.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NewType

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from shared.classification import Classification, ModelIdentity
from shared.errors import GenreWizError
from shared.job_webhook import JobWebhook
from shared.names import QueueName, SourceKind
from shared.trace import Origin

JobId = NewType("JobId", str)


class JobStatus(StrEnum):
    """Where a job stands; the last four never change again."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


FINISHED = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.EXPIRED})


class JobOptions(BaseModel):
    """What a client may ask of an answer."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    top: int = Field(default=5, ge=1, le=10, description="So many genres, likeliest first.")
    windows: Literal["all", "first"] = Field(
        default="all", description="The whole song, or its first half minute alone."
    )
    min_confidence: float = Field(
        default=0.0, ge=0.0, le=1.0, description="Below this probability no genre is named."
    )
    model: Literal["pcrnn"] = Field(default="pcrnn", description="Which model answers: `GET /models`.")
    spectrogram: bool = Field(
        default=False, description="Whether a picture of the song is drawn and kept, too."
    )


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the audio came from, and what the worker found it to be (None until it has looked)."""

    kind: SourceKind
    filename: str | None
    url: str | None = None  # without its query, where signatures stand
    sha256: str | None = None  # of a URL: None until it was fetched, like its size
    bytes: int | None = None
    duration_seconds: float | None = None
    sample_rate: int | None = None  # Hz, of the file itself
    channels: int | None = None
    codec: str | None = None
    truncated: bool = False


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a job is: the stage, and the fraction of the whole from 0 to 1."""

    stage: str | None = None
    fraction: float = 0.0
    queue_position: int | None = None  # 0 is next
    eta_seconds: int | None = None  # until it will have ended, where that can be guessed


@dataclass(frozen=True, kw_only=True)
class StageSeconds:
    """What each stage of the run that ended the job took; None for a stage that was not reached."""

    fetch: float | None = None
    decode: float | None = None
    spectrogram: float | None = None
    predict: float | None = None


@dataclass(frozen=True, kw_only=True)
class JobError:
    """Why a job failed."""

    code: str
    title: str
    detail: str
    retryable: bool

    @classmethod
    def of(cls, error: GenreWizError) -> "JobError":
        """The error as its job keeps it."""
        return cls(code=error.code, title=error.title, detail=error.detail, retryable=error.retryable)


@dataclass(frozen=True, kw_only=True)
class Idempotency:
    """A request that may come again: under the same key it makes one job, and only the same request may."""

    key: str  # unique among all callers
    fingerprint: str


def answer_key(sha256: str, options: JobOptions) -> str:
    """What an answer depends on, besides the model: the audio and how much of it is listened to."""
    return f"{options.model}:{options.windows}:{sha256}"


@dataclass(frozen=True, kw_only=True)
class NewJob:
    """What is known of a job when it is accepted."""

    id: JobId
    queue: QueueName
    options: JobOptions
    source: Source
    max_attempts: int
    result_ttl_seconds: int
    tombstone_ttl_seconds: int = 0  # for so long after that, its id is told from one that never was
    caller: str  # whose quota it counts for
    deadline_seconds: int | None = None  # it expires unless it runs by then
    idempotency: Idempotency | None = None
    answer: str | None = None  # the key under which an answer to the same question is looked for
    url: str | None = field(default=None, repr=False)  # the whole of it, a secret
    metadata: Mapping[str, JsonValue] = field(default_factory=dict)
    origin: Origin | None = None
    webhook: JobWebhook | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job as it was at one moment. To see a change, get it again. Times are seconds since 1970 by Redis."""

    id: JobId
    status: JobStatus
    queue: QueueName
    attempt: int  # runs so far, this one included
    max_attempts: int
    options: JobOptions
    source: Source
    metadata: Mapping[str, JsonValue]
    progress: Progress
    accepted_at: float
    started_at: float | None = None  # of the first run
    finished_at: float | None = None
    expires_at: float | None = None
    cancel_requested: bool = False
    cached: bool = False
    model: ModelIdentity | None = None
    result: Classification | None = None
    stage_seconds: StageSeconds | None = None
    error: JobError | None = None
    origin: Origin | None = None  # for logs alone: no route shows it

    @property
    def is_finished(self) -> bool:
        """Whether the job will never change again."""
        return self.status in FINISHED


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to finish a job. Only the newest token of a job counts: a zombie's finish is refused."""

    job_id: JobId
    token: int


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run ended: with a classification, with an error, or with neither because it was cancelled."""

    source: Source
    model: ModelIdentity
    stage_seconds: StageSeconds
    result: Classification | None = None
    error: JobError | None = None
    answer: str | None = None  # the key under which the result may be given again

    @property
    def status(self) -> JobStatus:
        """The status that the job ends in."""
        if self.result is not None:
            return JobStatus.SUCCEEDED
        return JobStatus.CANCELLED if self.error is None else JobStatus.FAILED
