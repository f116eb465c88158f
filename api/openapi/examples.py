"""Examples for the OpenAPI document, made by what makes the real answers: they cannot fall behind.

It holds values alone, the same at every call.
"""

import json
from typing import Any, Final

from api.sse import HEARTBEAT, RETRY, frame
from shared.classification import Classification, ModelIdentity, Prediction, TimelineEntry
from shared.errors import CorruptAudio
from shared.job import Job, JobError, JobId, JobOptions, JobStatus, Progress, Source, StageSeconds
from shared.job_events import ProgressEvent, WindowEvent
from shared.model_card import ModelCard
from shared.wire import events_token_body, job_body, jobs_body, progress_event_body, window_event_body

JOB_ID: Final = JobId("job_5f1d7a9c3b2e4d6f8a0b1c2d")
SONG_URL: Final = "https://cdn.example/a.mp3"
HOOK_URL: Final = "https://radio.example/hook"
ACCEPTED_AT: Final = 1_795_000_000.0
_SHA256: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def requests() -> dict[str, Any]:
    """Bodies of a submission, by what they show."""
    return {
        "a_song_and_nothing_else": {"summary": "A song by its URL", "value": {"url": SONG_URL}},
        "everything": {
            "summary": "Everything that can be asked for",
            "value": {
                "url": SONG_URL,
                "options": {
                    "top": 3,
                    "windows": "all",
                    "min_confidence": 0.5,
                    "model": "pcrnn",
                    "spectrogram": True,
                },
                "deadline_seconds": 300,
                "queue": "standard",
                "metadata": {"station": "fm4", "media_id": "123"},
                "webhook": {"url": HOOK_URL, "events": ["job.succeeded", "job.failed"]},
            },
        },
    }


def job_part() -> dict[str, Any]:
    """What may stand beside a file."""
    return {"options": {"top": 3}, "metadata": {"media_id": "123"}}


def jobs() -> dict[str, Any]:
    """A job in each of the states that a client has to know."""
    return {
        "queued": {"summary": "It waits", "value": job_body(_queued())},
        "running": {"summary": "A worker hears it", "value": job_body(_running())},
        "succeeded": {"summary": "The answer", "value": job_body(_succeeded())},
        "failed": {"summary": "The song's own fault", "value": job_body(_failed())},
        "cancelling": {"summary": "Its worker was asked to stop", "value": job_body(_cancelling())},
        "cancelled": {"summary": "Nobody wants it any more", "value": job_body(_cancelled())},
    }


def job_at(state: str) -> Job:
    """The job of the examples as it is in a state that webhooks tell of."""
    return {
        "running": _running,
        "succeeded": _succeeded,
        "failed": _failed,
        "cancelled": _cancelled,
        "expired": _expired,
    }[state]()


def page() -> dict[str, Any]:
    """A page of a list that goes on."""
    return jobs_body([_succeeded()], next_cursor="MTc5NTAwMDAwMC4wIGpvYl81ZjFkN2E5YzNiMmU0ZDZmOGEwYjFjMmQ")


def token() -> dict[str, Any]:
    """A token for a browser."""
    return events_token_body("evt_4b7d0f6c9a1e4c3f8e2d5a7b9c0d1e2f", ACCEPTED_AT + 60)


def stream() -> str:
    """An event stream from its first byte to its last; whole jobs are cut, for people."""
    progress = ProgressEvent(
        id="1795000000300-0",
        status=JobStatus.RUNNING,
        attempt=1,
        stage="predict",
        fraction=0.5,
        cancel_requested=False,
    )
    return b"".join(
        [
            RETRY,
            frame("snapshot", _cut(_running()), "1795000000200-0"),
            frame("progress", progress_event_body(progress), progress.id),
            frame("window", window_event_body(_window()), _window().id),
            HEARTBEAT,
            frame("finished", _cut(_succeeded()), "1795000000500-0"),
        ]
    ).decode()


def event() -> dict[str, Any]:
    """One event, as a client reads it."""
    data = json.dumps(window_event_body(_window()), separators=(",", ":"))
    return {"event": "window", "id": _window().id, "data": data}


def card(released: ModelCard) -> dict[str, Any]:
    """A model as it is shown; the figures of single genres are left out here."""
    body = released.model_dump(mode="json")
    for each in body["measured"]["lists"] if body["measured"] else ():
        each["genres"] = each["genres"][:1]
    return body


def _window() -> WindowEvent:
    return WindowEvent(id="1795000000400-0", attempt=1, entry=_classification().timeline[0])


def _cut(job: Job) -> dict[str, Any]:
    return {"id": job.id, "status": job.status.value, "…": "…"}


def _queued() -> Job:
    return Job(
        id=JOB_ID,
        status=JobStatus.QUEUED,
        queue="standard",
        attempt=0,
        max_attempts=3,
        options=JobOptions(top=2),
        source=Source(kind="upload", filename="a.mp3", sha256=_SHA256, bytes=721_023),
        metadata={"media_id": "123"},
        progress=Progress(queue_position=0, eta_seconds=2),
        accepted_at=ACCEPTED_AT,
    )


def _running() -> Job:
    return Job(
        **_fields(_queued())
        | {
            "status": JobStatus.RUNNING,
            "attempt": 1,
            "progress": Progress(stage="decode", fraction=0.25, eta_seconds=1),
            "started_at": ACCEPTED_AT + 0.012,
        }
    )


def _succeeded() -> Job:
    return Job(
        **_fields(_running())
        | {
            "status": JobStatus.SUCCEEDED,
            "progress": Progress(fraction=1.0),
            "finished_at": ACCEPTED_AT + 0.19,
            "expires_at": ACCEPTED_AT + 604_800,
            "model": ModelIdentity(name="pcrnn", version="0.1.0", sha256=_SHA256),
            "source": Source(
                kind="upload",
                filename="a.mp3",
                sha256=_SHA256,
                bytes=721_023,
                duration_seconds=29.8,
                sample_rate=44_100,
                channels=2,
                codec="mp3",
            ),
            "result": _classification(),
            "stage_seconds": StageSeconds(fetch=0.0, decode=0.081, spectrogram=0.01, predict=0.008),
        }
    )


def _cancelling() -> Job:
    return Job(**_fields(_running()) | {"cancel_requested": True})


def _cancelled() -> Job:
    return Job(
        **_fields(_queued())
        | {
            "status": JobStatus.CANCELLED,
            "progress": Progress(),
            "finished_at": ACCEPTED_AT + 1,
            "expires_at": ACCEPTED_AT + 604_801,
        }
    )


def _expired() -> Job:
    return Job(**_fields(_cancelled()) | {"status": JobStatus.EXPIRED})


def _failed() -> Job:
    failure = CorruptAudio("Nothing of the file could be decoded.")
    return Job(
        **_fields(_running())
        | {
            "status": JobStatus.FAILED,
            "finished_at": ACCEPTED_AT + 0.1,
            "expires_at": ACCEPTED_AT + 604_800,
            "error": JobError.of(failure),
        }
    )


def _fields(job: Job) -> dict[str, Any]:
    return dict(vars(job))


def _classification() -> Classification:
    probabilities = (0.01, 0.01, 0.02, 0.01, 0.01, 0.01, 0.08, 0.01, 0.01, 0.83)
    return Classification(
        predictions=(
            Prediction(genre="rock", probability=0.83),
            Prediction(genre="metal", probability=0.08),
        ),
        timeline=(
            TimelineEntry(start_seconds=0.0, end_seconds=29.722, genre="rock", probabilities=probabilities),
        ),
    )
