"""A job, its events and pages of jobs, as frozen values made from the JSON of the server.

What a newer server says besides is passed over here (it stands in `raw`), and what an older one does not say
is None. What has no id or no status is no job: ValueError.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias

Json: TypeAlias = dict[str, Any]

FINISHED: Final = frozenset({"succeeded", "failed", "cancelled", "expired"})


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a job is: the stage, and the fraction of the whole from 0 to 1."""

    stage: str | None
    fraction: float
    queue_position: int | None  # 0 is next
    eta_seconds: float | None  # a guess

    @classmethod
    def of(cls, body: Json) -> "Progress":
        """From a job's `progress`."""
        return cls(
            stage=body.get("stage"),
            fraction=body.get("fraction") or 0.0,
            queue_position=body.get("queue_position"),
            eta_seconds=body.get("eta_seconds"),
        )


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the audio came from, and what it was found to be; None where that is not known (yet)."""

    kind: str | None  # "upload" or "url"
    filename: str | None
    url: str | None
    sha256: str | None
    bytes: int | None
    duration_seconds: float | None
    sample_rate: int | None  # Hz
    channels: int | None
    codec: str | None
    truncated: bool

    @classmethod
    def of(cls, body: Json) -> "Source":
        """From a job's `source`."""
        return cls(
            kind=body.get("kind"),
            filename=body.get("filename"),
            url=body.get("url"),
            sha256=body.get("sha256"),
            bytes=body.get("bytes"),
            duration_seconds=body.get("duration_seconds"),
            sample_rate=body.get("sample_rate"),
            channels=body.get("channels"),
            codec=body.get("codec"),
            truncated=bool(body.get("truncated")),
        )


@dataclass(frozen=True, kw_only=True)
class Model:
    """Which model answered."""

    name: str | None
    version: str | None
    sha256: str | None

    @classmethod
    def of(cls, body: Json) -> "Model":
        """From a job's `model`."""
        return cls(name=body.get("name"), version=body.get("version"), sha256=body.get("sha256"))


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A genre and its probability, from 0 to 1."""

    genre: str
    probability: float


@dataclass(frozen=True, kw_only=True)
class Window:
    """The answer for some seconds of a song; the probabilities stand in the model's order of genres."""

    start_seconds: float
    end_seconds: float
    genre: str
    probabilities: tuple[float, ...]

    @classmethod
    def of(cls, body: Json) -> "Window":
        """From an entry of a `timeline`, or the data of a `window` event."""
        return cls(
            start_seconds=body["start_seconds"],
            end_seconds=body["end_seconds"],
            genre=body["genre"],
            probabilities=tuple(body.get("probabilities") or ()),
        )


@dataclass(frozen=True, kw_only=True)
class Result:
    """The answer. `genre` is None where the model was not sure enough; `abstained_because` says why."""

    genre: str | None
    confidence: float | None
    abstained_because: str | None
    top: tuple[Prediction, ...]
    timeline: tuple[Window, ...]  # lists of jobs leave it out: ask for the job itself

    @classmethod
    def of(cls, body: Json) -> "Result":
        """From a job's `result`."""
        return cls(
            genre=body.get("genre"),
            confidence=body.get("confidence"),
            abstained_because=body.get("abstained_because"),
            top=tuple(
                Prediction(genre=each["genre"], probability=each["probability"])
                for each in body.get("top") or ()
            ),
            timeline=tuple(map(Window.of, body.get("timeline") or ())),
        )


@dataclass(frozen=True, kw_only=True)
class JobError:
    """Why a job failed: `code` is what a program looks at."""

    code: str
    title: str
    detail: str
    retryable: bool  # whether the same song may be heard if it is sent again

    @classmethod
    def of(cls, body: Json) -> "JobError":
        """From a job's `error`."""
        code = body.get("code") or "unknown"
        title = body.get("title") or code
        return cls(
            code=code,
            title=title,
            detail=body.get("detail") or title,
            retryable=bool(body.get("retryable")),
        )


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job as it was at one moment. To see a change, get it again.

    job = client.wait(job)
    if job.result:
        print(job.result.genre, job.result.confidence)
    elif job.error:
        print(job.error.detail)
    """

    id: str
    status: str  # queued, running, succeeded, failed, cancelled or expired
    queue: str | None
    cancel_requested: bool
    cached: bool  # answered at once, from an earlier job
    attempt: int
    created_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    progress: Progress
    source: Source
    model: Model | None
    result: Result | None
    timings_seconds: Mapping[str, float | None] = field(hash=False)
    error: JobError | None
    metadata: Mapping[str, Any] = field(hash=False)
    links: Mapping[str, str | None] = field(hash=False)
    raw: Json = field(repr=False, hash=False, compare=False)
    """The JSON as it came."""

    @property
    def is_finished(self) -> bool:
        """Whether this is its last word; by the time of its end also with a status unknown here."""
        return self.status in FINISHED or self.finished_at is not None

    @classmethod
    def of(cls, body: Any) -> "Job":
        """From the JSON of a job; ValueError."""
        try:
            return cls._of(body)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("this is not a job") from error

    @classmethod
    def _of(cls, body: Json) -> "Job":
        result, error, model = body.get("result"), body.get("error"), body.get("model")
        return cls(
            id=text_of(body["id"]),
            status=text_of(body["status"]),
            queue=body.get("queue"),
            cancel_requested=bool(body.get("cancel_requested")),
            cached=bool(body.get("cached")),
            attempt=body.get("attempt") or 0,
            created_at=time_of(body.get("created_at")),
            started_at=time_of(body.get("started_at")),
            finished_at=time_of(body.get("finished_at")),
            expires_at=time_of(body.get("expires_at")),
            progress=Progress.of(body.get("progress") or {}),
            source=Source.of(body.get("source") or {}),
            model=Model.of(model) if model else None,
            result=Result.of(result) if result else None,
            timings_seconds=dict(body.get("timings_seconds") or {}),
            error=JobError.of(error) if error else None,
            metadata=dict(body.get("metadata") or {}),
            links=dict(body.get("links") or {}),
            raw=body,
        )


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened to a job.

    name: `snapshot` (the job as it is now: forget what was known of it before), `progress`, `window` (the
    answer for some more seconds) or `finished`; a newer server may send others.
    """

    id: str | None  # from which on to watch again
    name: str
    data: Json = field(hash=False)
    job: Job | None  # of `snapshot` and `finished`

    @classmethod
    def of(cls, name: str, data: Any, event_id: str | None) -> "Event":
        """From what a stream said; ValueError."""
        if not isinstance(data, dict):
            raise ValueError("an event's data is an object")
        whole = name in ("snapshot", "finished")
        return cls(id=event_id, name=name, data=data, job=Job.of(data) if whole else None)


@dataclass(frozen=True, kw_only=True)
class JobPage:
    """Some of the caller's jobs, the newest first; without a cursor there are no more."""

    jobs: tuple[Job, ...]
    next_cursor: str | None

    @classmethod
    def of(cls, body: Any) -> "JobPage":
        """From the JSON of a list; ValueError."""
        try:
            return cls(jobs=tuple(map(Job.of, body["jobs"])), next_cursor=body.get("next_cursor"))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("this is no list of jobs") from error


def text_of(value: Any) -> str:
    """A text that must be there; TypeError."""
    if not isinstance(value, str) or not value:
        raise TypeError("this is no text")
    return value


def time_of(text: str | None) -> datetime | None:
    """A time as the server writes it; ValueError."""
    return None if text is None else datetime.fromisoformat(text)
