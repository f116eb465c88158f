"""Promise 7: the same idempotency key gives the same job, also at once and after a crash."""

import json
import os
import signal
import threading
from contextlib import ExitStack, suppress

import httpx
import pytest

from shared.audio_caretaker import AudioCaretaker
from shared.audio_store import DirectoryAudioStore
from shared.redis_keys import Keys
from support.api_server import (
    END,
    WAV,
    ApiServer,
    api_serving,
    file_part,
    upload,
)
from support.between import Between
from support.jobs import new_job
from support.waiting import eventually

PROXIED = {"GENREWIZ_TRUSTED_PROXIES": "1", "GENREWIZ_RERING_SECONDS": "600"}


@pytest.fixture(scope="module")
def api(redis_url, tmp_path_factory):
    with api_serving(tmp_path_factory.mktemp("api"), redis_url, **PROXIED) as api:
        yield api


@pytest.fixture(autouse=True)
def empty(api: ApiServer, redis):
    """Each test begins with nothing in the store."""
    for path in api.audio.iterdir():
        path.unlink()


def records(redis) -> list[str]:
    """The ids of all jobs that there are."""
    return sorted(key.rpartition(":")[2] for key in redis.keys(Keys().job("*")))


def test_twenty_equal_uploads_at_once_make_one_job_with_one_audio(api, redis):
    body = file_part(WAV) + END
    with ExitStack() as stack:
        connections = [stack.enter_context(api.connect()) for _ in range(20)]
        for connection in connections:
            connection.send(upload(length=len(body), headers="Idempotency-Key: k\r\n") + body[:-1])
        eventually(lambda: len(api.files()) == 20)  # none has been told that the key is known
        for connection in connections:
            connection.send(body[-1:])
        answers = [connection.answer() for connection in connections]

    ids = {json.loads(answer.body)["id"] for answer in answers}
    assert {answer.status for answer in answers} == {202}
    assert len(ids) == 1
    assert records(redis) == api.files() == list(ids)
    assert redis.llen("gw.standard") == 1


def test_a_request_that_is_sent_again_gets_the_job_that_it_made(api, redis, jobs):
    first = api.post(key="k", job={"metadata": {"a": 1, "b": 2}})
    again = api.post(key="k", job={"metadata": {"b": 2, "a": 1}, "queue": "standard"}, name="b.wav")

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
    assert again.headers["Location"] == first.headers["Location"]
    jobs.cancel(first.json()["id"])
    finished = api.post(key="k", job={"metadata": {"a": 1, "b": 2}})
    assert (finished.status_code, finished.json()["id"]) == (200, first.json()["id"])
    assert finished.headers["Location"] == f"/jobs/{first.json()['id']}"
    assert "Retry-After" not in finished.headers
    assert len(records(redis)) == 1


@pytest.mark.parametrize(
    "other",
    [{"content": WAV + b"\0"}, {"job": {"options": {"top": 1}}}, {"job": {"deadline_seconds": 60}}],
    ids=["another song", "other options", "a deadline"],
)
def test_another_request_under_the_same_key_is_refused_and_leaves_no_audio(api, redis, other):
    job_id = api.post(key="k").json()["id"]

    answer = api.post(**other, key="k")

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert answer.json()["retryable"] is False
    assert records(redis) == api.files() == [job_id]


def test_an_upload_and_a_url_are_different_requests(api, redis):
    api.post(key="k")

    assert api.post_url(key="k").json()["code"] == "idempotency_key_reused"


def test_keys_of_two_callers_do_not_meet(api, redis):
    one = api.post(key="k", caller="198.51.100.1")
    other = api.post(WAV + b"\0", key="k", caller="198.51.100.2")

    assert (one.status_code, other.status_code) == (202, 202)
    assert api.files() == sorted([one.json()["id"], other.json()["id"]])


def test_a_url_that_is_sent_again_makes_one_job(api, redis):
    first, again = api.post_url(key="k"), api.post_url(key="k")
    other = api.post_url("https://93.184.216.34/a.mp3?another", key="k")

    assert (first.status_code, again.status_code, other.status_code) == (202, 202, 422)
    assert records(redis) == [first.json()["id"]] == [again.json()["id"]]
    assert other.json()["code"] == "idempotency_key_reused"
    assert redis.llen("gw.fetch.standard") == 1


def test_a_key_lives_as_long_as_its_job(api, redis, jobs):
    first = api.post(key="k").json()["id"]
    assert redis.ttl(redis.keys(Keys().idempotency("*"))[0]) == -1
    jobs.cancel(first)
    ttl = redis.ttl(redis.keys(Keys().idempotency("*"))[0])
    assert 0 < ttl <= redis.ttl(Keys().job(first))

    redis.delete(Keys().job(first))  # its time is over, and that of the key a moment later
    second = api.post(WAV + b"\0", key="k")

    assert second.status_code == 202
    assert second.json()["id"] != first
    assert api.post(WAV + b"\0", key="k").json()["id"] == second.json()["id"]


@pytest.mark.parametrize(
    "value", [b"", b" ", b"k" * 256, "schlüssel".encode(), b"k\xff", b"a\tb", b"a,b"], ids=range(7)
)
def test_a_key_that_is_none_is_refused_by_name_before_anything_is_read(api, redis, value):
    with api.connect() as connection:
        connection.send(upload(length=1_000)[:-2] + b"Idempotency-Key: " + value + b"\r\n\r\n")
        answer = connection.answer()

    problem = json.loads(answer.body)
    assert (answer.status, answer.code) == (422, "invalid_request")
    assert [error["header"] for error in problem["errors"]] == ["Idempotency-Key"]
    assert "Idempotency-Key" in problem["detail"]
    assert (api.files(), redis.keys()) == ([], [])


@pytest.mark.parametrize("second", ["one", "another"])
def test_two_keys_are_refused_for_nobody_knows_which_is_meant(api, redis, second):
    with api.connect() as connection:
        keys = f"Idempotency-Key: one\r\nIdempotency-Key: {second}\r\n\r\n"
        connection.send(upload(length=1_000)[:-2] + keys.encode())
        answer = connection.answer()

    assert (answer.status, answer.code) == (422, "invalid_request")
    assert (api.files(), redis.keys()) == ([], [])


def test_the_longest_key_is_one(api, redis):
    assert api.post(key="~" * 255).status_code == 202


@pytest.fixture
def between(redis_url, jobs, redis):
    jobs.accept(new_job())  # so that the server knows the script, and it is called by its hash
    redis.flushall()
    with Between(redis_url) as between:
        yield between


def accept_script(jobs) -> str:
    """What marks a call of it on the wire."""
    return jobs._scripts["accept"].sha


def send_and_lose(api: ApiServer) -> None:
    """An upload whose client will hear nothing."""

    def send() -> None:
        with suppress(httpx.HTTPError):
            api.post(key="k")

    threading.Thread(target=send, daemon=True).start()


def sweep_orphans(api: ApiServer, jobs, settings) -> None:
    settings = settings.model_copy(update={"orphan_seconds": -1})
    AudioCaretaker(jobs, DirectoryAudioStore(api.audio), settings).sweep_orphans()


@pytest.mark.parametrize("moment", ["before it is accepted", "before it is answered"])
def test_a_request_that_is_sent_again_after_the_api_was_killed_makes_one_job(
    between, redis, jobs, settings, tmp_path, moment
):
    was_accepted = moment == "before it is answered"
    with api_serving(tmp_path, between.url, GENREWIZ_API_WORKERS="1", **PROXIED) as api:
        keep = between.keep_reply if was_accepted else between.keep_call
        keep(accept_script(jobs))
        send_and_lose(api)
        eventually(between.met.is_set)
        before = api.files()
        assert len(before) == 1
        assert records(redis) == (before if was_accepted else [])

        [worker] = api.workers()
        os.kill(worker, signal.SIGKILL)
        again = eventually(lambda: api.post(key="k"))

        job_id = again.json()["id"]
        assert again.status_code == 202
        assert records(redis) == [job_id]
        assert ([job_id] == before) == was_accepted
        assert set(api.files()) == {job_id, *before}
        sweep_orphans(api, jobs, settings)
        assert api.files() == [job_id]
        assert (api.audio / job_id).read_bytes() == WAV


def test_a_job_whose_acceptance_was_lost_on_the_way_back_is_accepted_once(between, redis, jobs, tmp_path):
    with api_serving(tmp_path, between.url, GENREWIZ_API_WORKERS="1", **PROXIED) as api:
        between.keep_reply(accept_script(jobs), cut=True)

        answer = api.post(key="k")

        assert between.met.is_set()
        assert answer.status_code == 202
        assert records(redis) == api.files() == [answer.json()["id"]]
        assert redis.zcard(Keys().active) == 1
        assert redis.hget(Keys().waiting, "jobs") == "1"
        assert redis.llen("gw.standard") == 1
        assert api.post(key="k").json() == answer.json()
