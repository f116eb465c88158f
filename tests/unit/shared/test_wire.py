"""The JSON of a job."""

import json

import pytest
from pydantic import ValidationError

from shared.classification import Classification
from shared.job import Job, JobId, JobOptions, JobStatus, Progress, Source, StageSeconds
from shared.job_record import of_outcome, to_job
from shared.wire import JobRequest, dump, error_body, event_data_body, job_body, load, result_body
from support.jobs import MODEL, SOURCE, classification, failure, success


def make_job(**changes) -> Job:
    fields = {
        "id": JobId("job_1"),
        "status": JobStatus.QUEUED,
        "queue": "standard",
        "attempt": 0,
        "max_attempts": 3,
        "options": JobOptions(),
        "source": SOURCE,
        "metadata": {"station": "fm4"},
        "progress": Progress(queue_position=2),
        "accepted_at": 1_700_000_000.125,
    }
    return Job(**(fields | changes))


def test_a_queued_job_shows_its_place_and_no_answer():
    body = job_body(make_job())

    assert body["status"] == "queued"
    assert body["progress"] == {"stage": None, "fraction": 0.0, "queue_position": 2, "eta_seconds": None}
    assert body["created_at"] == "2023-11-14T22:13:20.125Z"
    assert body["metadata"] == {"station": "fm4"}
    assert [body[key] for key in ("started_at", "result", "error", "model", "timings_seconds")] == [None] * 5
    assert body["links"]["self"] == "/jobs/job_1"


def test_a_succeeded_job_shows_genre_top_timeline_timings_and_model():
    job = make_job(
        status=JobStatus.SUCCEEDED,
        started_at=1_700_000_001.125,
        finished_at=1_700_000_002.125,
        model=MODEL,
        result=classification(),
        stage_seconds=StageSeconds(decode=0.5),
    )

    body = job_body(job)

    assert body["result"]["genre"] == "rock"
    assert body["result"]["confidence"] == 0.75
    assert body["result"]["top"][1] == {"genre": "metal", "probability": 0.25}
    assert body["result"]["timeline"] == [
        {"start_seconds": 0.0, "end_seconds": 29.7, "genre": "rock", "probabilities": [0.75, 0.25]}
    ]
    assert body["timings_seconds"] == {
        "queue": 1.0,
        "fetch": None,
        "decode": 0.5,
        "spectrogram": None,
        "predict": None,
        "total": 2.0,
    }
    assert body["model"] == {"name": "pcrnn", "version": "1", "sha256": "0" * 64}
    json.dumps(body)


@pytest.mark.parametrize(("least", "genre", "reason"), [(0.75, "rock", None), (0.76, None, "low_confidence")])
def test_under_the_least_confidence_no_genre_is_named(least, genre, reason):
    body = result_body(classification(), JobOptions(min_confidence=least))

    assert body["genre"] == genre
    assert body["abstained_because"] == reason
    assert body["confidence"] == 0.75


def test_only_as_many_genres_are_shown_as_were_asked_for():
    assert len(result_body(classification(), JobOptions(top=1))["top"]) == 1


def test_a_failed_job_shows_a_problem_with_a_stable_code():
    body = error_body(failure().error)

    assert body == {
        "type": "/problems/corrupt-audio",
        "title": "Corrupt audio",
        "detail": "Nothing could be decoded.",
        "code": "corrupt_audio",
        "retryable": False,
    }


@pytest.mark.parametrize("value", [classification(), SOURCE, MODEL, StageSeconds(decode=0.25)])
def test_what_redis_keeps_of_a_job_comes_back_as_it_was(value):
    assert load(type(value), dump(value)) == value


@pytest.mark.parametrize("value", [JobOptions(top=3), SOURCE, MODEL])
def test_what_a_newer_release_has_added_does_not_keep_an_older_one_from_reading(value):
    newer = json.dumps(json.loads(dump(value)) | {"added_later": True})

    assert load(type(value), newer) == value


def test_the_record_of_an_outcome_reads_back_as_the_job():
    record = {
        "id": "job_1",
        "status": "succeeded",
        "queue": "high",
        "attempt": "1",
        "max_attempts": "3",
        "options": dump(JobOptions(top=3)),
        "metadata": "{}",
        "accepted_at": "1.5",
    } | of_outcome(success())

    job = to_job(record)

    assert job.result == classification()
    assert job.options.top == 3
    assert job.queue == "high"
    assert isinstance(job.source, Source)
    assert isinstance(job.result, Classification)


@pytest.mark.parametrize(
    "text",
    [
        '{"options": {"top": 0}}',
        '{"options": {"top": "5"}}',
        '{"options": {"windows": "some"}}',
        '{"options": {"min_confidence": 2}}',
        '{"options": {"genre": "rock"}}',
        '{"queue": "vip"}',
        '{"speed": "fast"}',
        '{"metadata": [1]}',
        '{"metadata": {"a": NaN}}',
        '{"metadata": {"a": 1e999}}',
        '{"metadata": {"note": "' + "x" * 5_000 + '"}}',
        "[]",
    ],
)
def test_a_job_part_that_asks_for_what_is_not_there_is_refused(text):
    with pytest.raises(ValidationError):
        JobRequest.model_validate_json(text)


def test_everything_in_a_job_part_is_optional():
    request = JobRequest.model_validate_json("{}")

    assert request.options == JobOptions(top=5, windows="all", min_confidence=0.0, model="pcrnn")
    assert request.queue == "standard"


def test_an_event_says_of_the_job_what_a_route_says_of_it():
    job = make_job(
        status=JobStatus.SUCCEEDED, started_at=1_795_000_001.0, finished_at=1_795_000_003.0, cached=True,
        attempt=2, result=classification(),
    )  # fmt: skip

    told, shown = event_data_body(job), job_body(job)

    assert (told["cached"], told["attempt"]) == (True, 2)
    for name in ("cached", "attempt", "created_at", "finished_at", "error", "source", "metadata", "links"):
        assert told[name] == shown[name]
