"""How many may watch an api process at once, on a real gunicorn."""

import json
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from shared.job import JobId
from support.api_server import ApiServer, api_serving
from support.jobs import new_job, success
from support.sse import Watcher
from support.waiting import eventually

ONE_PROCESS = {"GENREWIZ_API_WORKERS": "1"}


@pytest.fixture(scope="module")
def api(redis_url, tmp_path_factory) -> Iterator[ApiServer]:
    """Two may watch it."""
    directory = tmp_path_factory.mktemp("api")
    with api_serving(directory, redis_url, GENREWIZ_MAX_WATCHERS="2", **ONE_PROCESS) as api:
        yield api


@pytest.fixture
def watched(api, job_id) -> Iterator[ExitStack]:
    """By two; leaving the stack lets both go."""
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(watch(api, job_id)).until("snapshot")
        yield stack


def watch(api: ApiServer, job_id: JobId, last_event_id: str | None = None) -> Watcher:
    return Watcher(f"http://127.0.0.1:{api.port}/jobs/{job_id}/events", last_event_id=last_event_id)


def test_a_stream_too_many_is_503_and_says_when_to_come_again(api, job_id, watched):
    for last_event_id in (None, "0-0"):
        with watch(api, job_id, last_event_id) as refused:
            problem = json.loads(refused.response.read())

        assert refused.response.status_code == 503
        assert (problem["code"], problem["retryable"]) == ("too_many_watchers", True)
        assert refused.response.headers["Retry-After"] == str(problem["retry_after_seconds"])

    assert api.http.get(f"/jobs/{job_id}").status_code == 200


def test_when_a_watcher_goes_the_next_one_is_let_in(api, job_id, watched):
    watched.close()

    def is_let_in() -> bool:
        with watch(api, job_id) as again:
            return again.response.status_code == 200

    eventually(is_let_in)


def test_a_refused_watcher_takes_no_room_from_the_next_one(api, jobs, job_id, watched):
    for _ in range(5):
        with watch(api, job_id):
            pass
    lease = jobs.claim(job_id, owner="w", lease_seconds=60).lease
    jobs.finish(lease, success())  # ends both streams

    def all_are_let_in() -> bool:
        with watch(api, job_id) as one, watch(api, job_id) as other:
            return one.response.status_code == other.response.status_code == 200

    eventually(all_are_let_in)


def test_who_would_wait_where_no_more_may_is_answered_at_once(api, job_id, watched):
    prefer = {"Prefer": "wait=25"}

    shown = api.http.get(f"/jobs/{job_id}", headers=prefer)
    made = api.http.post("/jobs", json={"url": "https://93.184.216.34/a.mp3"}, headers=prefer)

    assert (shown.status_code, made.status_code) == (200, 202)
    for answer in (shown, made):
        assert answer.json()["status"] == "queued"
        assert answer.headers["Retry-After"] == "1"
        assert "Preference-Applied" not in answer.headers


def test_those_who_wait_count_too(api, jobs, job_id):
    other = new_job(2)
    jobs.accept(other)
    with ExitStack() as stack:
        for _ in range(2):
            connection = stack.enter_context(api.connect())
            connection.send(f"GET /jobs/{job_id} HTTP/1.1\r\nHost: x\r\nPrefer: wait=25\r\n\r\n".encode())

        def is_refused() -> bool:
            with watch(api, other.id) as refused:
                return refused.response.status_code == 503

        eventually(is_refused)


def test_as_many_as_may_watch_by_default_leave_connections_for_others(redis_url, tmp_path, job_id):
    # 240 files are 20 connections, of which 15 may watch.
    with (
        api_serving(tmp_path, redis_url, open_files=240, **ONE_PROCESS) as api,
        ExitStack() as stack,
    ):
        for _ in range(15):
            stack.enter_context(watch(api, job_id)).until("snapshot")

        with watch(api, job_id) as refused:
            assert refused.response.status_code == 503
        assert api.http.get(f"/jobs/{job_id}").status_code == 200
