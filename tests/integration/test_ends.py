"""Jobs that end without a run, as clients see it: cancelled, expired, gone. The reaper is that of the api."""

import json

import pytest

from shared.job import JobId, JobStatus, Outcome, Source, StageSeconds
from shared.redis_keys import Keys
from shared.transitions import Hold
from support.api_server import ApiServer, api_serving
from support.jobs import MODEL, failure, success
from support.waiting import eventually

QUICK = {"GENREWIZ_REAP_PERIOD_SECONDS": "0.1", "GENREWIZ_RERING_SECONDS": "600"}


@pytest.fixture(scope="module")
def api(redis_url, tmp_path_factory):
    with api_serving(tmp_path_factory.mktemp("api"), redis_url, **QUICK) as api:
        yield api


@pytest.fixture(autouse=True)
def empty(api: ApiServer, redis):
    """Each test begins with nothing in the store."""
    for path in api.audio.iterdir():
        path.unlink()


def claim(jobs, job_id: str):
    lease = jobs.claim(JobId(job_id), owner="w", lease_seconds=600).lease
    assert lease is not None
    return lease


def cancel(api: ApiServer, job_id: str):
    return api.http.post(f"/jobs/{job_id}/cancel")


def test_a_job_that_waits_is_cancelled_at_once_and_so_it_stays(api, redis):
    job_id = api.post().json()["id"]
    counted = api.metric("jobs_finished_total", status="cancelled")

    first, again = cancel(api, job_id), cancel(api, job_id)

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json()["status"] == "cancelled"
    assert first.json()["cancel_requested"] is False
    assert "Retry-After" not in first.headers
    assert again.json() == first.json() == api.http.get(f"/jobs/{job_id}").json()
    assert api.files() == []
    assert redis.exists(Keys().waiting, Keys().active, Keys().queued("standard"), Keys().rung) == 0
    assert api.metric("jobs_finished_total", status="cancelled") == counted + 1


def test_the_url_of_a_cancelled_job_is_forgotten(api, redis):
    job_id = api.post_url("https://93.184.216.34/a.mp3?sig=s3cret").json()["id"]

    assert cancel(api, job_id).status_code == 200

    assert "s3cret" not in str(redis.hgetall(Keys().job(job_id)))
    assert redis.zcard(Keys().queued("standard", "url")) == 0


def test_a_job_that_runs_is_asked_to_stop_and_cancelled_once_it_has(api, redis, jobs):
    job_id = api.post().json()["id"]
    lease = claim(jobs, job_id)

    for _ in range(2):
        asked = cancel(api, job_id)
        assert (asked.status_code, asked.json()["status"]) == (202, "running")
        assert asked.json()["cancel_requested"] is True
        assert asked.headers["Retry-After"] == "1"
    assert api.files() == [job_id]  # somebody reads it

    assert jobs.renew(lease, lease_seconds=600) is Hold.CANCEL
    source = Source(kind="upload", filename="a.wav")
    stopped = Outcome(source=source, model=MODEL, stage_seconds=StageSeconds())
    assert jobs.finish(lease, stopped)
    again = cancel(api, job_id)
    assert (again.status_code, again.json()["status"]) == (200, "cancelled")


@pytest.mark.parametrize("outcome", [success(), failure()], ids=["succeeded", "failed"])
def test_a_job_that_has_finished_otherwise_cannot_be_cancelled(api, redis, jobs, outcome):
    job_id = api.post().json()["id"]
    jobs.finish(claim(jobs, job_id), outcome)

    answer = cancel(api, job_id)

    assert (answer.status_code, answer.json()["code"]) == (409, "job_finished")
    assert jobs.get(JobId(job_id)).status is outcome.status


@pytest.mark.parametrize("job_id", ["job_none", "%00", "..%2f..%2fjob", "job_1%0a"])
def test_a_job_that_never_was_cannot_be_cancelled(api, redis, job_id):
    answer = cancel(api, job_id)

    assert answer.status_code == 404
    assert answer.json()["code"] in ("unknown_job", "not_found")
    assert redis.keys() == []


@pytest.mark.parametrize("by_url", [False, True], ids=["an upload", "a URL"])
def test_a_job_that_waits_beyond_its_deadline_expires(api, redis, jobs, by_url):
    counted = api.metric("jobs_finished_total", status="expired")
    submitted = api.post_url(deadline_seconds=1) if by_url else api.post(job={"deadline_seconds": 1})
    job_id = submitted.json()["id"]
    assert submitted.status_code == 202

    expired = eventually(
        lambda: (job := api.http.get(f"/jobs/{job_id}").json())["status"] != "queued" and job
    )

    assert expired["status"] == "expired"
    assert (expired["attempt"], expired["result"], expired["error"]) == (0, None, None)
    assert expired["finished_at"] > expired["created_at"]
    assert cancel(api, job_id).json()["code"] == "job_finished"
    assert redis.exists(Keys().waiting, Keys().active, Keys().deadlines, Keys().rung) == 0
    assert by_url or job_id in jobs.spent(older_seconds=0) or api.files() == []  # it is the sweep's now
    eventually(lambda: api.metric("jobs_finished_total", status="expired") == counted + 1)


def test_a_job_that_runs_by_its_deadline_does_not_expire(api, redis, jobs):
    job_id = api.post(job={"deadline_seconds": 600}).json()["id"]
    lease = claim(jobs, job_id)
    assert redis.zcard(Keys().deadlines) == 0

    redis.zadd(Keys().deadlines, {job_id: 1})  # as if the time had passed before it left
    eventually(lambda: redis.zcard(Keys().deadlines) == 0)

    assert jobs.get(job_id).status is JobStatus.RUNNING
    assert jobs.finish(lease, success())


@pytest.mark.parametrize("seconds", ["0", "-1", "604801", "1.5", '"5"', "true", "[]", "1e400"])
def test_a_deadline_that_is_none_is_refused_and_leaves_nothing(api, redis, seconds):
    part = f'{{"deadline_seconds": {seconds}}}'

    upload = api.http.post("/jobs", files={"file": ("a.wav", b"RIFF\x24\0\0\0WAVEfmt ")}, data={"job": part})
    url = api.http.post(
        "/jobs",
        content=part.replace("{", '{"url": "https://93.184.216.34/a.mp3", '),
        headers={"Content-Type": "application/json"},
    )

    for answer in (upload, url):
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
        assert [error["pointer"] for error in answer.json()["errors"]] == ["/deadline_seconds"]
    assert (api.files(), redis.keys()) == ([], [])


def test_the_longest_deadline_is_one(api, redis):
    assert api.post(job={"deadline_seconds": 604_800}).status_code == 202


def test_a_result_is_gone_when_its_time_is_over_and_unknown_when_that_of_its_tombstone_is(
    redis_url, redis, tmp_path
):
    kept = {"GENREWIZ_RESULT_TTL_SECONDS": "1", "GENREWIZ_TOMBSTONE_TTL_SECONDS": "500"}
    with api_serving(tmp_path, redis_url, **QUICK, **kept) as api:
        job_id = api.post(key="k").json()["id"]
        assert cancel(api, job_id).status_code == 200

        eventually(lambda: api.http.get(f"/jobs/{job_id}").status_code != 200)

        for answer in (api.http.get(f"/jobs/{job_id}"), cancel(api, job_id)):
            assert (answer.status_code, answer.json()["code"]) == (410, "result_gone")
            assert answer.json()["retryable"] is False
        assert 0 < redis.ttl(Keys().gone(job_id)) <= 501
        assert api.post(key="k").json()["id"] != job_id
        redis.pexpire(Keys().gone(job_id), 1)
        unknown = eventually(
            lambda: (answer := api.http.get(f"/jobs/{job_id}")).status_code == 404 and answer
        )
        assert unknown.json()["code"] == "unknown_job"
        assert cancel(api, job_id).status_code == 404


@pytest.mark.parametrize("queue", ["high", "standard", "batch"])
def test_a_job_is_rung_and_waits_in_the_queue_that_was_asked_for(api, redis, queue):
    upload = api.post(job={"queue": queue}).json()
    url = api.post_url(queue=queue).json()

    for kind, job, ring in (("upload", upload, f"gw.{queue}"), ("url", url, f"gw.fetch.{queue}")):
        assert (job["queue"], job["progress"]["queue_position"]) == (queue, 0)
        assert redis.zrange(Keys().queued(queue, kind), 0, -1) == [job["id"]]
        [message] = redis.lrange(ring, 0, -1)
        assert json.loads(message)["headers"]["argsrepr"] == f"['{job['id']}']"
    rung = {key for key in redis.keys("gw.*") if redis.type(key) == "list"}
    assert rung == {f"gw.{queue}", f"gw.fetch.{queue}"}
