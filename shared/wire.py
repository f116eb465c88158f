"""The JSON of a job: what clients see, and what Redis keeps of it between processes.

The one module that knows it. It decides nothing: values in, JSON out, and back.
"""

import functools
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from shared.classification import Classification, ModelIdentity, Prediction, TimelineEntry
from shared.job import Job, JobError, JobOptions, Source, StageSeconds
from shared.job_events import ProgressEvent, WindowEvent
from shared.job_webhook_request import JobWebhookRequest
from shared.names import QueueName

MAX_METADATA_BYTES = 4 * 2**10
MAX_DEADLINE_SECONDS = 7 * 24 * 60 * 60
PROBABILITY_DIGITS = 6
SECONDS_DIGITS = 3
TOLD = (
    *("id", "status", "cached", "attempt", "created_at", "finished_at", "progress", "result", "error"),
    *("model", "source", "metadata", "links"),
)
"""What a webhook says of a job, in this order."""

T = TypeVar("T")


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)  # making one costs more than using it


def dump(value: object) -> str:
    """One part of a job as Redis keeps it."""
    kind: Any = type(value)
    text: bytes = _adapter(kind).dump_json(value)
    return text.decode()


def load(kind: type[T], text: str) -> T:
    """A part of a job as `dump` wrote it."""
    of_this: Any = kind
    # What a newer release has added is for its own processes: while both run, the older ones go on without.
    value: T = _adapter(of_this).validate_json(text, extra="ignore")
    return value


def _small_enough(metadata: dict[str, JsonValue]) -> dict[str, JsonValue]:
    try:
        text = json.dumps(metadata, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    except ValueError:  # though parsers take them
        raise ValueError("NaN and infinities are no JSON") from None
    if len(text.encode("utf-8", "replace")) > MAX_METADATA_BYTES:
        raise ValueError(f"metadata must be at most {MAX_METADATA_BYTES} bytes of JSON")
    return metadata


class JobRequest(BaseModel):
    """The `job` part of an upload: everything in it is optional, unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    options: JobOptions = JobOptions()
    queue: QueueName = Field(
        default="standard", description="`high` is served first, and needs the right `high`."
    )
    deadline_seconds: int | None = Field(
        default=None,
        ge=1,
        le=MAX_DEADLINE_SECONDS,
        description="A job that has not begun by then is not run any more: it is `expired`.",
    )
    metadata: Annotated[dict[str, JsonValue], AfterValidator(_small_enough)] = Field(
        default={},
        description=f"Yours: shown again wherever the job is. At most {MAX_METADATA_BYTES} bytes of JSON.",
    )
    webhook: JobWebhookRequest | None = Field(
        default=None, repr=False, description="Who is told how the job goes, by a signed `POST`."
    )


class UrlJobRequest(JobRequest):
    """A JSON body: the same, and the URL of the song."""

    url: str = Field(
        min_length=1,
        repr=False,
        description="Of the song, https. Only its path is ever shown: queries hold signatures.",
    )


def job_body(job: Job) -> dict[str, Any]:
    """A job as every route shows it."""
    return {
        "id": job.id,
        "status": job.status.value,
        "queue": job.queue,
        "cancel_requested": job.cancel_requested,
        "cached": job.cached,
        "attempt": job.attempt,
        "created_at": time_text(job.accepted_at),
        "started_at": time_text(job.started_at),
        "finished_at": time_text(job.finished_at),
        "expires_at": time_text(job.expires_at),
        "progress": {
            "stage": job.progress.stage,
            "fraction": round(job.progress.fraction, SECONDS_DIGITS),
            "queue_position": job.progress.queue_position,
            # A guess (`eta.py`), null where there is none: of a job that waits (queue_position + 1) over the
            # runs that ended in the last minute (ten at least), of one that runs by what its fraction took.
            "eta_seconds": 0 if job.is_finished else job.progress.eta_seconds,
        },
        "source": source_body(job.source),
        "model": model_body(job.model) if job.model else None,
        "result": result_body(job.result, job.options) if job.result else None,
        "timings_seconds": _timings_body(job),
        "error": error_body(job.error) if job.error else None,
        "metadata": dict(job.metadata),
        "links": {
            "self": f"/jobs/{job.id}",
            "events": f"/jobs/{job.id}/events",
            "cancel": f"/jobs/{job.id}/cancel",
            "spectrogram": f"/jobs/{job.id}/spectrogram.png" if job.options.spectrogram else None,
        },
    }


def jobs_body(jobs: Iterable[Job], *, next_cursor: str | None) -> dict[str, Any]:
    """A page of jobs, each as everywhere but without its timeline: that would be most of the page."""
    return {"jobs": [_without_timeline(job_body(job)) for job in jobs], "next_cursor": next_cursor}


def _without_timeline(body: dict[str, Any]) -> dict[str, Any]:
    if body["result"]:
        del body["result"]["timeline"]
    return body


def progress_event_body(event: ProgressEvent) -> dict[str, Any]:
    """How far a job is, as its watchers see it."""
    return {
        "status": event.status.value,
        "cancel_requested": event.cancel_requested,
        "attempt": event.attempt,
        "stage": event.stage,
        "fraction": round(event.fraction, SECONDS_DIGITS),
    }


def window_event_body(event: WindowEvent) -> dict[str, Any]:
    """An entry of the timeline, as its watchers see it, and of which attempt it is."""
    return {"attempt": event.attempt} | _timeline_body(event.entry)


def events_token_body(token: str, expires_at: float) -> dict[str, Any]:
    """What lets a browser watch a job."""
    return {"token": token, "expires_at": time_text(expires_at)}


def event_data_body(job: Job) -> dict[str, Any]:
    """What a webhook says of a job: a cut of what every route shows."""
    body = _without_timeline(job_body(job))
    body["progress"] = {name: body["progress"][name] for name in ("stage", "fraction")}
    return {name: body[name] for name in TOLD}


def result_body(result: Classification, options: JobOptions) -> dict[str, Any]:
    """The answer; under `min_confidence` it names no genre and says why."""
    first = result.predictions[0]
    sure = first.probability >= options.min_confidence
    return {
        "genre": first.genre if sure else None,
        "confidence": _probability(first.probability),
        "abstained_because": None if sure else "low_confidence",
        "top": [_prediction_body(prediction) for prediction in result.predictions[: options.top]],
        "timeline": [_timeline_body(entry) for entry in result.timeline],
    }


def source_body(source: Source) -> dict[str, Any]:
    """Where the audio came from and what it is."""
    return {
        "kind": source.kind,
        "filename": source.filename,
        "url": source.url,
        "sha256": source.sha256,
        "bytes": source.bytes,
        "duration_seconds": _seconds(source.duration_seconds),
        "sample_rate": source.sample_rate,
        "channels": source.channels,
        "codec": source.codec,
        "truncated": source.truncated,
    }


def model_body(model: ModelIdentity) -> dict[str, Any]:
    """Which model answered."""
    return {"name": model.name, "version": model.version, "sha256": model.sha256}


def error_body(error: JobError) -> dict[str, Any]:
    """Why a job failed: a problem (RFC 9457) less its HTTP parts."""
    return {
        "type": problem_type(error.code),
        "title": error.title,
        "detail": error.detail,
        "code": error.code,
        "retryable": error.retryable,
    }


def stages_body(stages: StageSeconds) -> dict[str, float | None]:
    """What each stage took."""
    return {
        "fetch": _seconds(stages.fetch),
        "decode": _seconds(stages.decode),
        "spectrogram": _seconds(stages.spectrogram),
        "predict": _seconds(stages.predict),
    }


def problem_type(code: str) -> str:
    """The `type` of a problem with this code."""
    return f"/problems/{code.replace('_', '-')}"


def time_text(seconds: float | None) -> str | None:
    """A moment as JSON says it: RFC 3339 in UTC."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _timings_body(job: Job) -> dict[str, float | None] | None:
    if job.started_at is None:
        return None
    total = None if job.finished_at is None else job.finished_at - job.accepted_at
    return {
        "queue": _seconds(job.started_at - job.accepted_at),
        **(stages_body(job.stage_seconds) if job.stage_seconds else {}),
        "total": _seconds(total),
    }


def _prediction_body(prediction: Prediction) -> dict[str, Any]:
    return {"genre": prediction.genre, "probability": _probability(prediction.probability)}


def _timeline_body(entry: TimelineEntry) -> dict[str, Any]:
    return {
        "start_seconds": _seconds(entry.start_seconds),
        "end_seconds": _seconds(entry.end_seconds),
        "genre": entry.genre,
        "probabilities": [_probability(probability) for probability in entry.probabilities],
    }


def _probability(value: float) -> float:
    return round(value, PROBABILITY_DIGITS)


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, SECONDS_DIGITS)
