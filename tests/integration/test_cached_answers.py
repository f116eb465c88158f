"""The same song again: answered at once, while an answer of the model that the workers hold is kept."""

import hashlib
from dataclasses import replace

import pytest

from shared.admission import UNLIMITED
from shared.classification import ModelIdentity
from shared.errors import QueueFull
from shared.job import Job, JobId, JobOptions, answer_key
from shared.redis_jobs import RedisJobStore
from shared.redis_keys import Keys
from support.api_server import WAV, ApiServer, api_serving
from support.jobs import MODEL, failure, new_job, success


@pytest.fixture(scope="module")
def api(redis_url, tmp_path_factory):
    with api_serving(tmp_path_factory.mktemp("api"), redis_url) as api:
        yield api


@pytest.fixture(autouse=True)
def empty(api: ApiServer, redis):
    """Each test begins with nothing in the store."""
    for path in api.audio.iterdir():
        path.unlink()


def hear(jobs: RedisJobStore, audio, job_id: str, model: ModelIdentity = MODEL) -> Job:
    """Do as a worker does."""
    jobs.worker_alive("w", model=model.sha256, seconds=600)
    claimed = jobs.claim(JobId(job_id), owner="w", lease_seconds=60)
    assert claimed.job is not None
    assert claimed.lease is not None
    job = claimed.job
    heard = replace(
        job.source, duration_seconds=33.0, sample_rate=44_100, channels=2, codec="mp3", truncated=True
    )
    heard = replace(heard, sha256=job.source.sha256 or hashlib.sha256(WAV).hexdigest())
    key = answer_key(str(heard.sha256), job.options)
    assert jobs.finish(claimed.lease, replace(success(), source=heard, model=model, answer=key))
    (audio / job_id).unlink(missing_ok=True)
    return jobs.get(JobId(job_id))


def test_a_song_that_was_answered_is_answered_at_once_under_its_own_name(api, redis, jobs):
    first = api.post(name="first.wav", job={"metadata": {"mine": 1}}).json()["id"]
    hear(jobs, api.audio, first)
    rung, accepted = redis.llen("gw.standard"), api.metric("jobs_accepted_total", queue="standard")

    answer = api.post(name="second.wav", job={"metadata": {"mine": 2}, "options": {"top": 1}})

    body, original = answer.json(), api.http.get(f"/jobs/{first}").json()
    assert answer.status_code == 200
    assert answer.headers["Location"] == f"/jobs/{body['id']}" != f"/jobs/{first}"
    assert "Retry-After" not in answer.headers
    assert (body["status"], body["cached"], original["cached"]) == ("succeeded", True, False)
    assert body["metadata"] == {"mine": 2}
    assert body["source"] == original["source"] | {"filename": "second.wav"}
    assert body["source"]["duration_seconds"] == 33.0
    assert body["model"] == original["model"]
    assert body["result"]["genre"] == original["result"]["genre"]
    assert body["result"]["timeline"] == original["result"]["timeline"] != []
    assert (len(body["result"]["top"]), len(original["result"]["top"])) == (1, 2)
    assert body["progress"]["fraction"] == 1
    assert body["expires_at"] >= original["expires_at"]
    assert api.http.get(body["links"]["self"]).json() == body
    assert "first.wav" not in answer.text
    assert api.files() == []
    assert redis.llen("gw.standard") == rung
    assert redis.exists(Keys().waiting, Keys().active, Keys().queued("standard")) == 0
    assert api.metric("jobs_accepted_total", queue="standard") == accepted + 1


def test_a_cached_answer_is_shown_as_its_own_job_wants_it(api, redis, jobs):
    hear(jobs, api.audio, api.post().json()["id"])

    unsure = api.post(job={"options": {"min_confidence": 0.9}})

    assert unsure.status_code == 200
    assert unsure.json()["result"]["genre"] is None
    assert unsure.json()["result"]["abstained_because"] == "low_confidence"


def test_what_a_url_led_to_answers_an_upload_of_the_same_bytes(api, redis, jobs):
    api.post_url()
    [url_job] = redis.zrange(Keys().active, 0, -1)
    hear(jobs, api.audio, url_job)

    answer = api.post(name="mine.wav")

    assert (answer.status_code, answer.json()["cached"]) == (200, True)
    assert (answer.json()["source"]["kind"], answer.json()["source"]["url"]) == ("upload", None)
    assert answer.json()["source"]["filename"] == "mine.wav"


def test_an_answer_is_given_again_under_an_idempotency_key_and_stays_the_same_job(api, redis, jobs):
    hear(jobs, api.audio, api.post().json()["id"])

    first, again = api.post(key="k"), api.post(key="k")

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    assert redis.ttl(redis.keys(Keys().idempotency("*"))[0]) > 0


def test_an_answer_outlives_the_job_that_found_it_as_long_as_another_holds_it(api, redis, jobs):
    first = api.post().json()["id"]
    hear(jobs, api.audio, first)
    second = api.post().json()["id"]

    redis.delete(Keys().job(first))

    assert api.post().status_code == 200
    redis.delete(*redis.keys(Keys().job("*")))
    assert (second != first, api.post().status_code) == (True, 202)


def test_a_song_whose_answer_is_kept_no_longer_needs_room_like_any_other(api, redis, jobs):
    first = api.post().json()["id"]
    answer = answer_key(str(hear(jobs, api.audio, first).source.sha256), JobOptions())
    full = replace(UNLIMITED, jobs=0)
    assert jobs.accept(new_job(1, answer=answer), full).job.cached

    redis.delete(*redis.keys(Keys().job("*")))

    with pytest.raises(QueueFull):
        jobs.accept(new_job(2, answer=answer), full)


def test_another_reading_of_the_song_is_heard_anew(api, redis, jobs):
    hear(jobs, api.audio, api.post().json()["id"])

    answer = api.post(job={"options": {"windows": "first"}})

    assert (answer.status_code, answer.json()["cached"]) == (202, False)
    assert api.files() == [answer.json()["id"]]


def test_a_song_that_is_to_be_drawn_is_heard_anew_each_time_and_answers_those_that_are_not(api, redis, jobs):
    drawn = {"options": {"spectrogram": True}}
    hear(jobs, api.audio, api.post(job=drawn).json()["id"])

    again, plain = api.post(job=drawn), api.post()

    assert (again.status_code, again.json()["cached"]) == (202, False)
    assert (plain.status_code, plain.json()["cached"]) == (200, True)
    assert plain.json()["links"]["spectrogram"] is None


def test_other_bytes_are_heard_anew(api, redis, jobs):
    hear(jobs, api.audio, api.post().json()["id"])

    assert api.post(WAV + b"\0").status_code == 202


def test_workers_with_another_model_hear_a_song_anew(api, redis, jobs):
    hear(jobs, api.audio, api.post().json()["id"])
    other = replace(MODEL, version="2", sha256="1" * 64)

    jobs.worker_alive("w", model=other.sha256, seconds=600)
    answer = api.post()

    assert answer.status_code == 202
    hear(jobs, api.audio, answer.json()["id"], other)
    assert api.post().json()["model"]["sha256"] == other.sha256


def test_without_the_cache_every_song_is_heard_anew(redis_url, redis, jobs, tmp_path):
    with api_serving(tmp_path, redis_url, GENREWIZ_RESULT_CACHE="false") as api:
        hear(jobs, api.audio, api.post().json()["id"])

        assert api.post().status_code == 202


def test_a_song_that_failed_is_heard_anew(api, redis, jobs):
    first = jobs.claim(JobId(api.post().json()["id"]), owner="w", lease_seconds=60)
    jobs.worker_alive("w", model=MODEL.sha256, seconds=600)
    key = answer_key(str(first.job.source.sha256), first.job.options)
    jobs.finish(first.lease, replace(failure(), source=first.job.source, answer=key))

    assert api.post().status_code == 202
