"""What is sent of a delivery: one body, small, the same at every attempt."""

import json

from shared.classification import Classification, Prediction, TimelineEntry
from shared.job import JobOptions, Source
from shared.job_record import of_new_job, of_outcome
from shared.shown import shown_name
from shared.urls import MAX_URL_CHARACTERS
from shared.webhook_record import to_due_delivery
from shared.wire import MAX_METADATA_BYTES, dump
from support.jobs import new_job, success

MAX_BODY_BYTES = 20 * 2**10


def record_of(job: dict[str, str], **changes: str) -> dict[str, str]:
    """The hash of a delivery of this job's end."""
    flat = [part for pair in job.items() for part in pair]
    return {
        "id": "msg_" + "a" * 24 + "_1",
        "event": "job.succeeded",
        "job_id": "job_" + "a" * 24,
        "sequence": "1",
        "created_at": "1795000000.5",
        "claimed_at": "1795000001.0",
        "attempts": "0",
        "tries": "0",
        "destination": '{"url": "https://radio.example/hook", "secret": "whsec_one"}',
        "job": json.dumps(flat),
    } | changes


def ended_job(**changes) -> dict[str, str]:
    new = new_job(**changes)
    state = {
        "id": new.id,
        "status": "succeeded",
        "queue": "standard",
        "attempt": "1",
        "accepted_at": "1795000000.0",
    }
    # What the worker says of the source takes the place of what was known before.
    return state | of_outcome(success()) | of_new_job(new)


def due(record: dict[str, str]):
    return to_due_delivery(
        record, token=1, is_suspect=False, url="", secrets="", basic_auth="", instance_secrets=""
    )


def test_the_body_is_minified_json_without_the_timeline():
    body = due(record_of(ended_job(metadata={"media_id": "7"}))).body

    event = json.loads(body)
    assert body == json.dumps(event, separators=(",", ":")).encode()
    assert (event["type"], event["timestamp"]) == ("job.succeeded", "2026-11-18T11:06:40.500Z")
    assert event["data"]["metadata"] == {"media_id": "7"}
    assert "timeline" not in event["data"]["result"]


def test_the_largest_event_is_no_larger_than_twenty_kilobytes():
    metadata = {"m": "é" * ((MAX_METADATA_BYTES - 8) // 2)}  # six bytes each, as they are escaped
    name = shown_name("é" * 10_000)
    long = Source(
        kind="url", filename=name, url="https://h.example/".ljust(MAX_URL_CHARACTERS, "x"), sha256="a" * 64
    )
    ten = tuple(Prediction(genre=f"genre-{n}", probability=0.123456) for n in range(10))
    hours = tuple(
        TimelineEntry(start_seconds=n, end_seconds=n + 30.0, genre="rock", probabilities=(0.1,) * 10)
        for n in range(1_000)
    )
    result = Classification(predictions=ten, timeline=hours)
    job = ended_job(metadata=metadata, source=long)
    body = due(record_of(job | {"result": dump(result)})).body

    assert len(json.loads(body)["data"]["metadata"]["m"]) > 2_000
    assert len(body) <= MAX_BODY_BYTES


def test_what_was_sent_once_is_sent_as_it_was():
    record = record_of({}, body='{"type":"job.succeeded"}', attempts="1", retry_reason="timeout")
    del record["job"]

    again = due(record)

    assert (again.body, again.number, again.retry_reason) == (b'{"type":"job.succeeded"}', 2, "timeout")


def test_a_first_attempt_has_no_reason_though_it_was_asked_for_again():
    assert due(record_of(ended_job(), retry_reason="redelivery")).retry_reason is None


def test_the_answer_is_cut_as_the_job_has_asked_for():
    result = json.loads(due(record_of(ended_job(options=JobOptions(top=1)))).body)["data"]["result"]

    assert [each["genre"] for each in result["top"]] == ["rock"]
