"""The JSON that clients get, as types: what `docs/openapi.json` says of it.

It makes no JSON (`wire.py` does): tests hold every answer against these.
"""

from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from shared.job import JobStatus
from shared.model_card import ModelCard
from shared.names import QueueName, SourceKind

Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
JobIdText = Annotated[str, Field(pattern="^job_[0-9a-f]{24}$")]
StageName = Literal["fetch", "decode", "spectrogram", "predict"]


class Body(BaseModel):
    """JSON that a client gets."""

    model_config = ConfigDict(defer_build=True)  # a start does without them


class Progress(Body):
    """How far the job is."""

    stage: str | None = Field(description="What the worker does now; null before and between.")
    fraction: Share = Field(description="Of the whole.")
    queue_position: Count | None = Field(description="0 is next; null unless the job is queued.")
    eta_seconds: Count | None = Field(
        description="A guess at when it will have ended; null where there is none."
    )


class Source(Body):
    """Where the audio came from, and what the worker found it to be: null until it has looked."""

    kind: SourceKind
    filename: str | None = Field(description="As far as it can be shown safely. Nothing is done by it.")
    url: str | None = Field(description="Without its query, where signatures stand.")
    sha256: Sha256 | None
    bytes: Count | None
    duration_seconds: Seconds | None
    sample_rate: Count | None = Field(description="Hz, of the file itself.")
    channels: Count | None
    codec: str | None
    truncated: bool = Field(description="The file broke off: the answer is about what there was of it.")


class Model(Body):
    """Which model answered."""

    name: str
    version: str
    sha256: Sha256


class Prediction(Body):
    """A genre and how likely it is; probabilities are calibrated."""

    genre: str
    probability: Share


class TimelineEntry(Body):
    """What one window of the song says."""

    start_seconds: Seconds
    end_seconds: Seconds
    genre: str = Field(description="The likeliest of this window.")
    probabilities: list[Share] = Field(description="In the order of the model's `genres`.")


class Result(Body):
    """The answer."""

    genre: str | None = Field(description="The likeliest genre; null under `min_confidence`.")
    confidence: Share = Field(description="Its probability, also where it is not named.")
    abstained_because: Literal["low_confidence"] | None
    top: list[Prediction] = Field(description="As many as `options.top` asked for, likeliest first.")
    timeline: list[TimelineEntry] = Field(
        default=[], description="Window by window. A list of jobs leaves it out."
    )


class Timings(Body):
    """What each part took; a stage that was not reached is null."""

    queue: Seconds = Field(description="From its acceptance to its first run.")
    fetch: Seconds | None = None
    decode: Seconds | None = None
    spectrogram: Seconds | None = None
    predict: Seconds | None = None
    total: Seconds | None = Field(description="From its acceptance to its end; null until then.")


class JobError(Body):
    """Why the job failed."""

    type: str = Field(description="Leads to what it means and what to do.")
    title: str
    detail: str
    code: str
    retryable: bool = Field(description="Whether the same job, submitted again, may succeed.")


class Links(Body):
    """Where to go on, relative to this server."""

    self: str
    events: str
    cancel: str
    spectrogram: str | None = Field(description="null unless `options.spectrogram` asked for one.")


class Job(Body):
    """One song on its way to a genre. The same object wherever a job is shown."""

    id: JobIdText
    status: JobStatus = Field(
        description="`queued` and `running` go on; `succeeded`, `failed`, `cancelled`, `expired` are ends."
    )
    queue: QueueName
    cancel_requested: bool = Field(description="Its worker was asked to stop, and has not yet.")
    cached: bool = Field(description="The same song was answered before, and this is that answer.")
    attempt: Count = Field(description="Runs so far, this one included.")
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    expires_at: AwareDatetime | None = Field(description="Until then the result is kept.")
    progress: Progress
    source: Source
    model: Model | None
    result: Result | None = Field(description="null unless it succeeded.")
    timings_seconds: Timings | None = Field(description="null until it has run.")
    error: JobError | None = Field(description="null unless it failed.")
    metadata: dict[str, JsonValue] = Field(description="As it was submitted.")
    links: Links


class JobPage(Body):
    """A page of the caller's jobs, youngest first, each without its timeline."""

    jobs: list[Job]
    next_cursor: str | None = Field(description="The `cursor` of the next page; null on the last.")


class EventsToken(Body):
    """Lets a browser watch one job."""

    token: str
    expires_at: AwareDatetime


class ProgressEvent(Body):
    """The data of an event `progress`."""

    status: JobStatus
    cancel_requested: bool
    attempt: Count
    stage: str | None
    fraction: Share


_EVENT_DATA: Final[list[JsonValue]] = [
    {"$ref": "#/components/schemas/Job"},
    {"$ref": "#/components/schemas/ProgressEvent"},
    {"$ref": "#/components/schemas/WindowEvent"},
    {"type": "object", "maxProperties": 0},
]


class Event(Body):
    """One event of a stream, as `text/event-stream` writes it: its data is JSON, in one line."""

    event: Literal["snapshot", "progress", "window", "finished", "reset"]
    id: str | None = Field(default=None, description="For `Last-Event-ID`.")
    data: str = Field(
        json_schema_extra={
            "contentMediaType": "application/json",
            "contentSchema": {
                "anyOf": _EVENT_DATA,
            },
        }
    )


class WindowEvent(TimelineEntry):
    """The data of an event `window`: an entry of the timeline, as soon as it is known."""

    attempt: Count


class ModelList(Body):
    """The models that jobs can be asked of."""

    models: list[ModelCard]


class Alive(Body):
    """The process answers."""

    status: Literal["alive"]


class Ready(Body):
    """The process can take traffic."""

    status: Literal["ready"]
    workers_ready: Count = Field(description="Without any, jobs are accepted and wait.")


class FieldError(Body):
    """One thing that is wrong in the body."""

    pointer: str = Field(description="Which field or part, as a JSON pointer; empty: the whole body.")
    detail: str


class ParameterError(Body):
    """One thing that is wrong in the query."""

    parameter: str = Field(description="Its name.")
    detail: str


class HeaderError(Body):
    """One thing that is wrong in the headers."""

    header: str = Field(description="Its name.")
    detail: str


class Problem(Body):
    """Why a request was refused (RFC 9457). What was sent is never repeated."""

    type: str = Field(description="Leads to what it means and what to do: `GET` it.")
    title: str
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="A sentence for people.")
    code: str = Field(description="For programs. It never changes.")
    retryable: bool = Field(description="Whether the same request may succeed later.")
    request_id: str | None = Field(description="Names this request in our logs.")
    retry_after_seconds: Count = Field(
        default=0, description="The same as `Retry-After`, where there is one."
    )
    errors: list[FieldError | ParameterError | HeaderError] = Field(
        default=[], description="Everything that was found wrong, where it can be told."
    )


class ProblemType(Body):
    """What a kind of problem means, and what to do about it."""

    type: str
    code: str
    title: str
    status: int | None = Field(
        description="The status of answers with it; null where only jobs fail with it."
    )
    retryable: bool
    meaning: str
    what_to_do: str
