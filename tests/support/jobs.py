"""Jobs for tests."""

from typing import Any

from shared.classification import Classification, ModelIdentity, Prediction, TimelineEntry
from shared.errors import CorruptAudio
from shared.job import JobError, JobId, JobOptions, NewJob, Outcome, Source, StageSeconds

MODEL = ModelIdentity(name="pcrnn", version="1", sha256="0" * 64)
UNKNOWN = JobId("job_" + "0" * 24)  # none that a test makes
UNKNOWN_PATH = f"/jobs/{UNKNOWN}"
SOURCE = Source(kind="upload", filename="song.wav", sha256="a" * 64, bytes=1_000)


def new_job(number: int = 1, **changes: Any) -> NewJob:
    """A job nobody has seen yet."""
    fields: dict[str, Any] = {
        "id": JobId(f"job_{number:024x}"),
        "queue": "standard",
        "options": JobOptions(),
        "source": SOURCE,
        "caller": "192.0.2.1",
        "max_attempts": 3,
        "result_ttl_seconds": 3_600,
    }
    return NewJob(**(fields | changes))


def classification(first: str = "rock", second: str = "metal") -> Classification:
    """Two genres, one window."""
    return Classification(
        predictions=(Prediction(genre=first, probability=0.75), Prediction(genre=second, probability=0.25)),
        timeline=(
            TimelineEntry(start_seconds=0.0, end_seconds=29.7, genre=first, probabilities=(0.75, 0.25)),
        ),
    )


def success() -> Outcome:
    return Outcome(
        source=SOURCE, model=MODEL, stage_seconds=StageSeconds(decode=0.1), result=classification()
    )


def failure() -> Outcome:
    error = JobError.of(CorruptAudio("Nothing could be decoded."))
    return Outcome(source=SOURCE, model=MODEL, stage_seconds=StageSeconds(), error=error)
