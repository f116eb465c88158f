"""What makes two requests the same."""

from api.idempotency import idempotency
from shared.job import Source
from shared.wire import JobRequest

SOURCE = Source(kind="upload", filename="a.wav", sha256="a" * 64, bytes=1_000)


class NextRequest(JobRequest):
    """As a later version may have it."""

    tempo: bool = False


def test_a_request_is_the_same_to_an_api_that_knows_of_more():
    now, later = JobRequest(metadata={"a": 1}), NextRequest(metadata={"a": 1})

    assert idempotency("k", SOURCE, now) == idempotency("k", SOURCE, later)
    assert idempotency("k", SOURCE, now) != idempotency("k", SOURCE, NextRequest(tempo=True))


def test_a_request_without_a_key_is_like_no_other():
    assert idempotency(None, SOURCE, JobRequest()) is None
