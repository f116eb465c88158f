"""Jobs, events and pages as the client sees them."""

from datetime import UTC, datetime

import pytest

from genrewiz.client import Event, Job, JobPage, Prediction, Window
from shared.job import Job as ServersJob
from shared.job import JobId, JobOptions, JobStatus
from shared.job import Progress as ServersProgress
from shared.wire import job_body
from support.client_jobs import body
from support.jobs import MODEL, SOURCE, classification


def test_a_job_is_read_whole():
    job = Job.of(body("succeeded", metadata={"station": "fm4"}))

    assert (job.id, job.status, job.is_finished, job.attempt) == ("job_1", "succeeded", True, 1)
    assert job.finished_at == datetime(2026, 1, 2, 3, 4, 6, 500_000, tzinfo=UTC)
    assert job.result.genre == "rock"
    assert job.result.top == (Prediction(genre="rock", probability=0.75),)
    assert job.result.timeline == (
        Window(start_seconds=0.0, end_seconds=29.7, genre="rock", probabilities=(0.75, 0.25)),
    )
    assert job.source.filename == "a.mp3"
    assert job.model.name == "pcrnn"
    assert job.progress.stage == "predict"
    assert job.timings_seconds["total"] == 0.19
    assert job.metadata == {"station": "fm4"}
    assert job.links["self"] == "/jobs/job_1"
    assert job.raw == body("succeeded", metadata={"station": "fm4"})


def test_a_failed_job_says_why():
    error = Job.of(body("failed")).error

    assert (error.code, error.title, error.retryable) == ("corrupt_audio", "Corrupt audio", False)


def test_a_job_is_a_value():
    assert Job.of(body("running")) == Job.of(body("running"))
    assert len({Job.of(body("running")), Job.of(body("running"))}) == 1


def test_what_a_newer_server_says_besides_is_passed_over():
    newer = body("succeeded", mood="sad")
    for part in ("progress", "source", "model", "result", "links"):
        newer[part] = newer[part] | {"later": [1, {"x": None}]}
    newer["result"]["top"][0]["later"] = 1

    assert Job.of(newer).result == Job.of(body("succeeded")).result
    assert Job.of(newer).raw["mood"] == "sad"


def test_what_an_older_server_does_not_say_is_missing_and_no_error():
    job = Job.of({"id": "job_1", "status": "queued"})

    assert (job.result, job.error, job.model, job.created_at, job.queue) == (None,) * 5
    assert (job.progress.fraction, job.is_finished, job.metadata) == (0.0, False, {})


def test_a_status_that_is_not_known_here_is_an_end_where_the_job_has_ended():
    assert Job.of(body("succeeded") | {"status": "archived"}).is_finished
    assert not Job.of(body("running") | {"status": "paused"}).is_finished
    assert Job.of({"id": "job_1", "status": "expired"}).is_finished


def test_a_job_of_a_list_has_no_timeline():
    listed = body("succeeded")
    del listed["result"]["timeline"]

    assert Job.of(listed).result.timeline == ()


@pytest.mark.parametrize(
    "what",
    [
        None, [], "job", 1, {}, {"id": "job_1"},
        {"id": 1, "status": "queued"},
        {"id": "", "status": "queued"},
        {"id": "job_1", "status": "queued", "progress": "half"},
        {"id": "job_1", "status": "queued", "created_at": "yesterday"},
        {"id": "job_1", "status": "queued", "created_at": 7},
        {"id": "job_1", "status": "succeeded", "result": {"top": [{}]}},
    ],
)  # fmt: skip
def test_what_is_no_job_is_refused(what):
    with pytest.raises(ValueError):  # noqa: PT011  the client says what it means
        Job.of(what)


def test_whole_jobs_are_in_the_first_and_the_last_event_alone():
    assert Event.of("snapshot", body("running"), "1-0").job == Job.of(body("running"))
    assert Event.of("finished", body("failed"), "1-0").job.error.code == "corrupt_audio"
    assert Event.of("progress", {"fraction": 0.5}, None).job is None
    with pytest.raises(ValueError, match="object"):
        Event.of("progress", [1], None)


def test_a_page_leads_to_the_next_one():
    page = JobPage.of({"jobs": [body("queued")], "next_cursor": "abc"})

    assert ([job.id for job in page.jobs], page.next_cursor) == (["job_1"], "abc")
    for wrong in ({}, [], {"jobs": 1}, {"jobs": [{}]}):
        with pytest.raises(ValueError):  # noqa: PT011
            JobPage.of(wrong)


def test_every_part_of_a_job_that_the_server_writes_has_its_field():
    said = job_body(
        ServersJob(
            id=JobId("job_1"),
            status=JobStatus.SUCCEEDED,
            queue="standard",
            attempt=1,
            max_attempts=3,
            options=JobOptions(),
            source=SOURCE,
            metadata={},
            progress=ServersProgress(),
            accepted_at=1_700_000_000.125,
            finished_at=1_700_000_001.125,
            model=MODEL,
            result=classification(),
        )
    )
    job = Job.of(said)

    assert set(said) <= set(vars(job))
    for part in ("progress", "source", "model", "result"):
        assert set(said[part]) <= set(vars(getattr(job, part)))
