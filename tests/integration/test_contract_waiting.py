"""`Prefer: wait`, ETag and idempotency where they meet: many clients, one job."""

import json
from contextlib import ExitStack
from dataclasses import replace

import pytest

from shared.job import JobId
from shared.job_events import NO_WINDOWS
from shared.redis_keys import Keys
from support.api_server import END, WAV, ApiServer, file_part, upload
from support.jobs import failure, success
from support.waiting import eventually
from support.watching import claim, meanwhile, watchers

URL = {"url": "https://93.184.216.34/a.mp3"}
TWENTY = 20
PATIENCE_SECONDS = 12  # less than a heartbeat, and than any wait


def get(api: ApiServer, job_id: str, **headers: str):
    return api.http.get(f"/jobs/{job_id}", headers=headers)


def records(redis) -> list[str]:
    return [key.rpartition(":")[2] for key in redis.keys(Keys().job("*"))]


@pytest.mark.parametrize(
    "value", ["wait", "wait=", "wait=-1", "wait=1.5", "wait=soon", "respond-async", "", "="]
)
def test_a_wish_to_wait_that_cannot_be_read_is_ignored_and_not_said_to_be_applied(apis, redis, value):
    posted = apis[0].http.post("/jobs", json=URL, headers={"Prefer": value})
    shown = get(apis[0], posted.json()["id"], Prefer=value)

    assert (posted.status_code, shown.status_code) == (202, 200)
    for answer in (posted, shown):
        assert "Preference-Applied" not in answer.headers
        assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize(
    ("said", "of_post", "of_get"), [("7", 7, 7), ("27", 27, 25), ("31", 30, 25), ("9" * 40, 30, 25)]
)
def test_a_wait_is_cut_to_30_seconds_for_post_and_25_for_get_and_the_answer_says_so(
    apis, redis, jobs, said, of_post, of_get
):
    ask = {"Prefer": f"respond-async, wait={said}"}
    with meanwhile(lambda: apis[0].http.post("/jobs", json=URL, headers=ask)) as posted:
        (job_id,) = eventually(lambda: records(redis))
        with meanwhile(lambda: get(apis[1], job_id, **ask)) as shown:
            eventually(lambda: (watchers(apis[0]), watchers(apis[1])) == (1, 1))
            assert jobs.finish(claim(jobs, job_id), success())

    for answer, seconds in ((posted.result(), of_post), (shown.result(), of_get)):
        assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
        assert answer.headers["Preference-Applied"] == f"wait={seconds}"
        assert "Retry-After" not in answer.headers


def test_no_wait_is_asked_for_by_zero_and_the_answer_comes_at_once(apis, redis):
    posted = apis[0].http.post("/jobs", json=URL, headers={"Prefer": "wait=0"})

    assert (posted.status_code, posted.headers["Preference-Applied"]) == (202, "wait=0")


@pytest.mark.parametrize("outcome", [failure(), replace(success(), result=None)], ids=["failed", "cancelled"])
def test_a_wait_ends_with_any_end_of_the_job(apis, redis, jobs, outcome):
    with meanwhile(lambda: apis[0].http.post("/jobs", json=URL, headers={"Prefer": "wait=30"})) as posted:
        (job_id,) = eventually(lambda: records(redis))
        eventually(lambda: watchers(apis[0]) == 1)
        assert jobs.finish(claim(jobs, job_id), outcome)
        eventually(posted.done, seconds=PATIENCE_SECONDS)

    assert (posted.result().status_code, posted.result().json()["status"]) == (200, outcome.status)


def test_a_wait_that_finds_the_job_unchanged_is_304_and_one_that_sees_the_end_is_200(apis, redis, jobs):
    job_id = apis[0].http.post("/jobs", json=URL).json()["id"]
    etag = get(apis[0], job_id).headers["ETag"]

    unchanged = get(apis[0], job_id, Prefer="wait=1", **{"If-None-Match": etag})
    with meanwhile(lambda: get(apis[0], job_id, Prefer="wait=25", **{"If-None-Match": etag})) as changed:
        eventually(lambda: watchers(apis[0]) == 1)
        jobs.finish(claim(jobs, job_id), success())

    assert (unchanged.status_code, unchanged.headers["Preference-Applied"]) == (304, "wait=1")
    assert (changed.result().status_code, changed.result().json()["status"]) == (200, "succeeded")


def test_twenty_equal_requests_at_once_that_wait_get_one_job_and_all_its_end(apis, redis, jobs):
    body = file_part(WAV) + END
    headers = "Idempotency-Key: k\r\nPrefer: wait=30\r\n"
    with ExitStack() as stack:
        connections = [stack.enter_context(apis[number % 2].connect()) for number in range(TWENTY)]
        for connection in connections:
            connection.send(upload(length=len(body), headers=headers) + body[:-1])
        eventually(lambda: sum(len(api.files()) for api in apis) == TWENTY)
        for connection in connections:
            connection.send(body[-1:])
        eventually(lambda: sum(map(watchers, apis)) == TWENTY)
        (job_id,) = records(redis)
        assert [file for api in apis for file in api.files()] == [job_id]

        assert jobs.finish(claim(jobs, job_id), success())
        for connection in connections:
            connection.socket.settimeout(PATIENCE_SECONDS)
        answers = [connection.answer() for connection in connections]

    bodies = [json.loads(answer.body) for answer in answers]
    assert {answer.status for answer in answers} == {200}
    assert {answer.headers["preference-applied"] for answer in answers} == {"wait=30"}
    assert {(body["id"], body["status"]) for body in bodies} == {(job_id, "succeeded")}
    eventually(lambda: sum(map(watchers, apis)) == 0)


def test_twenty_equal_urls_at_once_make_one_job(apis, redis):
    body = json.dumps(URL).encode()
    request = (
        b"POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nIdempotency-Key: k\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    )
    with ExitStack() as stack:
        connections = [stack.enter_context(apis[number % 2].connect()) for number in range(TWENTY)]
        for connection in connections:
            connection.send(request + body[:-1])
        eventually(lambda: sum(api.in_flight() for api in apis) >= TWENTY)
        for connection in connections:
            connection.send(body[-1:])
        answers = [connection.answer() for connection in connections]

    assert {answer.status for answer in answers} == {202}
    assert {json.loads(answer.body)["id"] for answer in answers} == set(records(redis))
    assert len(records(redis)) == 1
    assert redis.llen("gw.fetch.standard") == 1


def test_the_etag_changes_with_every_change_that_can_be_seen_and_with_nothing_else(apis, redis, jobs):
    job_id = apis[0].http.post("/jobs", json=URL | {"metadata": {"a": 1}}).json()["id"]
    seen: list[tuple[str, dict]] = []

    def look() -> str:
        answers = [get(api, job_id) for api in apis]
        (etag,) = {answer.headers["ETag"] for answer in answers}  # the same at every api
        unchanged = get(apis[1], job_id, **{"If-None-Match": etag})
        assert (unchanged.status_code, unchanged.content, unchanged.headers["ETag"]) == (304, b"", etag)
        if seen:
            stale = get(apis[0], job_id, **{"If-None-Match": seen[-1][0]})
            assert stale.status_code == (304 if seen[-1][0] == etag else 200)
        seen.append((etag, answers[0].json()))
        return etag

    steps = [look()]
    lease = claim(jobs, job_id)
    steps.append(look())
    jobs.progress(lease, stage="decode", fraction=0.25)
    steps.append(look())
    jobs.progress(lease, stage="decode", fraction=0.5)
    steps.append(look())
    jobs.cancel(JobId(job_id))
    steps.append(look())
    assert jobs.finish(lease, success())
    steps.append(look())

    assert len(set(steps)) == len(steps)
    assert [body["status"] for _, body in seen] == ["queued", *["running"] * 4, "succeeded"]
    jobs.renew(lease, lease_seconds=60)
    jobs.progress(lease, stage="decode", fraction=0.75, windows=NO_WINDOWS)  # of a zombie
    assert look() == steps[-1]
