"""Every operation of the API in words: what it does, what it takes, and every answer that it may give.

It knows no view: that a route is here, and nothing else is, `document.py` sees to.
"""

from typing import Final

from api.openapi.examples import stream
from api.openapi.forms import JSON, Answer, Errors, Operation
from api.openapi.webhook_operations import WEBHOOK_OPERATIONS
from shared import bodies
from shared.errors import (
    IdempotencyKeyReused,
    InvalidRequest,
    JobFinished,
    JobRunning,
    MalformedRequest,
    NoSpectrogram,
    QueueFull,
    QuotaExceeded,
    ResultGone,
    StoreUnavailable,
    TooManyWatchers,
    UnknownJob,
    UnknownModel,
    UnknownProblem,
    UnsupportedFormat,
    UnsupportedMediaType,
    UploadTooLarge,
    UploadTooSlow,
    UrlBlocked,
)
from shared.model_card import ModelCard

OF_A_JOB: Final[Errors] = (UnknownJob, ResultGone)
TO_A_JOB: Final = ("GetJob", "CancelJob", "DeleteJob", "WatchJob", "CreateEventsToken", "GetSpectrogram")

NOT_DESCRIBED: Final = frozenset(
    {
        "/",
        "/r/<job_id>",
        "/static/samples/<path:filename>",
        "/static/page/<path:filename>",
        "/docs",
        "/docs/<path:filename>",
    }
)
"""Rules for people and their browsers, and no part of the API."""

_SUBMIT_HEADERS: Final = ("Location", "RetryAfter", "PreferenceApplied")

OPERATIONS: Final[dict[tuple[str, str], Operation]] = {
    ("POST", "/jobs"): Operation(
        id="submitJob",
        tag="jobs",
        summary="Submit a song",
        description=(
            "Upload a file as `multipart/form-data`, or name its URL in JSON. From the answer on the job is "
            "never lost: poll it, watch its events, or have this very request wait with `Prefer: wait=N` "
            "(30 seconds at most). The same song, asked about in the same way, is answered at once from what "
            "was found before.\n\n`curl -F file=@song.mp3 -H 'Prefer: wait=10' HOST/jobs`"
        ),
        parameters=("IdempotencyKey", "Prefer"),
        takes_a_song=True,
        answers={
            200: Answer(
                description="The job has ended already: it was waited for, or the song is known.",
                body=bodies.Job,
                headers=_SUBMIT_HEADERS,
                examples="job",
                only=("succeeded", "failed"),
                links=TO_A_JOB,
            ),
            202: Answer(
                description="The job is accepted. Ask for it again after `Retry-After`.",
                body=bodies.Job,
                headers=_SUBMIT_HEADERS,
                examples="job",
                only=("queued", "running"),
                links=TO_A_JOB,
            ),
        },
        errors=(
            *JSON,
            MalformedRequest,
            UploadTooSlow,
            UploadTooLarge,
            UnsupportedMediaType,
            UnsupportedFormat,
            InvalidRequest,
            IdempotencyKeyReused,
            UrlBlocked,
            QuotaExceeded,
            QueueFull,
        ),
    ),
    ("GET", "/jobs"): Operation(
        id="listJobs",
        tag="jobs",
        summary="List your jobs",
        description="Your own jobs, the youngest first, a page at a time. Where there are no keys, they "
        "are those of your address.",
        parameters=("Status", "Limit", "Cursor"),
        answers={
            200: Answer(
                description="A page.",
                body=bodies.JobPage,
                headers=("Link", "CacheControl"),
                examples="page",
                links=("FirstJobListed",),
            )
        },
        errors=(*JSON, InvalidRequest),
    ),
    ("GET", "/jobs/<job_id>"): Operation(
        id="getJob",
        tag="jobs",
        summary="Get a job",
        description="The job as it is now; with `Prefer: wait=N` as soon as it has ended, or as it is after "
        "N seconds (25 at most).",
        parameters=("JobId", "Prefer", "IfNoneMatch"),
        answers={
            200: Answer(
                description="The job.",
                body=bodies.Job,
                headers=("ETag", "RetryAfter", "PreferenceApplied", "CacheControl"),
                examples="job",
                links=TO_A_JOB,
            ),
            304: Answer(
                description="It is as your `If-None-Match` says.",
                headers=("ETag", "RetryAfter", "PreferenceApplied", "CacheControl"),
            ),
        },
        errors=(*JSON, *OF_A_JOB),
    ),
    ("DELETE", "/jobs/<job_id>"): Operation(
        id="deleteJob",
        tag="jobs",
        summary="Delete a job",
        description="Removes the job with its result, audio and picture; one that waits is cancelled first. "
        "From then on it is 410, and deleting it again is no error.",
        parameters=("JobId",),
        answers={204: Answer(description="It is gone.", links=("GetDeletedJob",))},
        errors=(UnknownJob, JobRunning),
    ),
    ("POST", "/jobs/<job_id>/cancel"): Operation(
        id="cancelJob",
        tag="jobs",
        summary="Cancel a job",
        description="A job that waits is cancelled at once. One that runs is asked to stop, and is cancelled "
        "when it has.",
        parameters=("JobId",),
        answers={
            200: Answer(
                description="It is cancelled, now or before.",
                body=bodies.Job,
                headers=("Location",),
                examples="job",
                only=("cancelled",),
                links=TO_A_JOB,
            ),
            202: Answer(
                description="Its worker was asked to stop: `cancel_requested` is true.",
                body=bodies.Job,
                headers=("Location", "RetryAfter"),
                examples="job",
                only=("cancelling",),
                links=TO_A_JOB,
            ),
        },
        errors=(*JSON, *OF_A_JOB, JobFinished),
    ),
    ("GET", "/jobs/<job_id>/events"): Operation(
        id="watchJob",
        tag="events",
        summary="Watch a job",
        description=(
            "Server-sent events until the job has ended:\n\n"
            "- `snapshot`: the whole job, as it is when you come (`Job`)\n"
            "- `progress`: another status, stage or fraction (`ProgressEvent`)\n"
            "- `window`: an entry of the timeline, while the song is still being read (`WindowEvent`)\n"
            "- `finished`: the whole job, and the stream closes (`Job`)\n"
            "- `reset`: nobody knows what came since your `Last-Event-ID`: get the job anew\n\n"
            "A comment comes every 15 seconds, so that a broken connection is told from a slow song. "
            f"The whole of a short song:\n\n```\n{stream()}```"
        ),
        parameters=("JobId", "LastEventId", "Token"),
        answers={
            200: Answer(
                description="The events, as they happen: the schema is of one.",
                media={"text/event-stream": {"schema": {"$ref": "#/components/schemas/Event"}}},
                headers=("CacheControl",),
                examples="event",
            ),
            204: Answer(
                description="Your `Last-Event-ID` was the last of all: do not come again.",
                headers=("CacheControl",),
            ),
        },
        errors=(*JSON, *OF_A_JOB, TooManyWatchers),
    ),
    ("POST", "/jobs/<job_id>/events-token"): Operation(
        id="createEventsToken",
        tag="events",
        summary="Let a browser watch a job",
        description="A token for `?token=` of the event stream, for 60 seconds and this one job.",
        parameters=("JobId",),
        answers={
            200: Answer(
                description="The token.",
                body=bodies.EventsToken,
                headers=("CacheControl",),
                examples="token",
                links=("WatchJobByToken",),
            )
        },
        errors=(*JSON, *OF_A_JOB),
    ),
    ("GET", "/jobs/<job_id>/spectrogram.png"): Operation(
        id="getSpectrogram",
        tag="jobs",
        summary="See a song",
        description="The log-mel spectrogram of the whole song, one pixel a mel band, 2,000 columns at most, "
        "where the job was submitted with `options.spectrogram`.",
        parameters=("JobId", "IfNoneMatch"),
        answers={
            200: Answer(
                description="The picture, without axes.",
                media={"image/png": {"schema": {"type": "string", "contentMediaType": "image/png"}}},
                headers=("ETag", "CacheControl"),
            ),
            304: Answer(description="It is as your `If-None-Match` says.", headers=("ETag", "CacheControl")),
        },
        errors=(*OF_A_JOB, NoSpectrogram),
    ),
    ("GET", "/models"): Operation(
        id="listModels",
        tag="models",
        summary="List the models",
        description="What each model is, what it hears, and how good it was found to be.",
        parameters=("IfNoneMatch",),
        answers={
            200: Answer(
                description="All of them.",
                body=bodies.ModelList,
                headers=("ETag", "CacheControl"),
                examples="models",
            ),
            304: Answer(
                description="They are as your `If-None-Match` says.", headers=("ETag", "CacheControl")
            ),
        },
        errors=JSON,
    ),
    ("GET", "/models/<name>"): Operation(
        id="getModel",
        tag="models",
        summary="Get a model",
        description="Its genres, its window, its hash, and its measured accuracy and calibration.",
        parameters=("ModelName", "IfNoneMatch"),
        answers={
            200: Answer(
                description="The model.", body=ModelCard, headers=("ETag", "CacheControl"), examples="model"
            ),
            304: Answer(description="It is as your `If-None-Match` says.", headers=("ETag", "CacheControl")),
        },
        errors=(*JSON, UnknownModel),
    ),
    ("GET", "/problems/<code>"): Operation(
        id="getProblemType",
        tag="help",
        summary="Look a problem up",
        description="What a kind of problem means, and what to do. The `type` of every problem leads here.",
        parameters=("ProblemCode",),
        answers={200: Answer(description="The kind.", body=bodies.ProblemType, examples="problem_type")},
        errors=(*JSON, UnknownProblem),
    ),
    ("GET", "/openapi.json"): Operation(
        id="getOpenapi",
        tag="help",
        summary="Get this document",
        description="OpenAPI 3.1, as it is shown at `/docs`.",
        parameters=("IfNoneMatch",),
        answers={
            200: Answer(
                description="This document.",
                media={"application/json": {"schema": {"type": "object"}}},
                headers=("ETag", "CacheControl"),
            ),
            304: Answer(description="It is as your `If-None-Match` says.", headers=("ETag", "CacheControl")),
        },
        errors=JSON,
    ),
    ("GET", "/livez"): Operation(
        id="isAlive",
        tag="health",
        summary="Is the process alive?",
        description="It answers as long as it works, whatever else is away.",
        answers={200: Answer(description="It is.", body=bodies.Alive, examples="alive")},
        errors=JSON,
    ),
    ("GET", "/readyz"): Operation(
        id="isReady",
        tag="health",
        summary="Can the process take traffic?",
        description="503 while Redis or the audio store is away. Without workers it is ready: jobs wait.",
        answers={200: Answer(description="It can.", body=bodies.Ready, examples="ready")},
        errors=(*JSON, StoreUnavailable),
    ),
    **WEBHOOK_OPERATIONS,
}
