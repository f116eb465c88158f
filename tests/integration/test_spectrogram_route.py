"""The picture of a song over HTTP: the api on a real gunicorn, its worker played by hand."""

from dataclasses import replace

import pytest

from shared.job import JobId
from shared.picture_store import DirectoryPictureStore
from shared.redis_keys import Keys
from support.api_server import ApiServer, api_serving
from support.jobs import failure, success

PICTURE = b"\x89PNG and so on" * 10_000
DRAWN = {"options": {"spectrogram": True}}


@pytest.fixture(scope="module")
def api(redis_url, tmp_path_factory):
    with api_serving(tmp_path_factory.mktemp("api"), redis_url) as api:
        yield api


@pytest.fixture
def pictures(api: ApiServer, redis) -> DirectoryPictureStore:
    """Each test begins with nothing in the store."""
    for path in api.audio.iterdir():
        path.unlink()
    return DirectoryPictureStore(api.audio)


def submit(api: ApiServer, jobs, outcome=None, job=DRAWN) -> str:
    """A job that waits, or that has ended so."""
    body = api.post(job=job).json()
    if outcome:
        claimed = jobs.claim(JobId(body["id"]), owner="w", lease_seconds=60)
        assert jobs.finish(claimed.lease, replace(outcome, source=claimed.job.source))
    return body["id"]


def get(api: ApiServer, job_id: str, **headers: str):
    return api.http.get(f"/jobs/{job_id}/spectrogram.png", headers=headers)


def test_a_picture_is_given_whole_and_may_be_kept_by_its_client_alone(api, jobs, pictures):
    job_id = submit(api, jobs, success())
    pictures.put(JobId(job_id), PICTURE)

    link = api.http.get(f"/jobs/{job_id}").json()["links"]["spectrogram"]
    answer = api.http.get(link)

    assert (answer.status_code, answer.content) == (200, PICTURE)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Length"] == str(len(PICTURE))
    assert answer.headers["Cache-Control"] == "private, no-cache"
    head = api.http.head(link)
    assert (head.status_code, head.headers["ETag"]) == (200, answer.headers["ETag"])


def test_who_has_the_picture_already_is_told_so(api, jobs, pictures):
    job_id = submit(api, jobs, success())
    pictures.put(JobId(job_id), PICTURE)
    etag = get(api, job_id).headers["ETag"]

    again, other = get(api, job_id, **{"If-None-Match": etag}), get(api, job_id, **{"If-None-Match": '"x"'})

    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("outcome", "job", "says"),
    [
        (success(), None, "options.spectrogram"),
        (None, DRAWN, "not finished"),
        (failure(), DRAWN, "not succeeded"),
        (success(), DRAWN, "no longer"),
    ],
    ids=["not asked for", "not finished", "failed", "lost"],
)
def test_where_there_is_no_picture_the_problem_says_why(api, jobs, pictures, outcome, job, says):
    answer = get(api, submit(api, jobs, outcome, job))

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "no_spectrogram"
    assert says in answer.json()["detail"]


def test_a_picture_that_lies_there_is_not_shown_before_its_job_has_succeeded(api, jobs, pictures):
    waiting, failed = submit(api, jobs), submit(api, jobs, failure())
    for job_id in (waiting, failed):
        pictures.put(JobId(job_id), PICTURE)

    assert [get(api, job_id).status_code for job_id in (waiting, failed)] == [404, 404]


def test_an_unknown_job_and_one_that_is_gone_are_told_apart(api, jobs, redis, pictures):
    job_id = submit(api, jobs, success())
    pictures.put(JobId(job_id), PICTURE)
    redis.delete(Keys().job(job_id))

    unknown, gone = get(api, "job_0"), get(api, job_id)

    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_job")
    assert (gone.status_code, gone.json()["code"]) == (410, "result_gone")


def test_the_link_is_there_only_where_a_picture_was_asked_for(api, jobs, pictures):
    drawn, plain = api.post(job=DRAWN).json(), api.post().json()

    assert drawn["links"]["spectrogram"] == f"/jobs/{drawn['id']}/spectrogram.png"
    assert plain["links"]["spectrogram"] is None


def test_the_wish_is_yes_or_no(api, redis):
    answer = api.post(job={"options": {"spectrogram": "yes"}})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/options/spectrogram"
