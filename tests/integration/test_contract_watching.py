"""The event stream as api.md promises it: its bytes, its tokens, and what it lives through."""

import json
import signal
from collections.abc import Iterator
from dataclasses import replace

import pytest
from redis import Redis

from api.watching import HEARTBEAT_SECONDS
from shared.api_keys import RIGHTS
from shared.job import JobId
from shared.redis_api_keys import RedisApiKeys
from shared.redis_events import TOKEN_SECONDS
from shared.redis_jobs import RedisJobStore
from shared.redis_keys import Keys
from support.api_server import ApiServer, api_serving
from support.jobs import new_job, success
from support.redis_server import redis_serving
from support.sse import Watcher
from support.waiting import eventually
from support.watching import claim, meanwhile, names, watch, watchers, windows

PATIENCE_SECONDS = 12  # less than a heartbeat, at which everybody looks for himself


def is_heard_of(redis: "Redis", job_id: JobId, times: int = 1) -> bool:
    """Whether so many apis have subscribed to the job."""
    return redis.pubsub_numsub(Keys().events(job_id))[0][1] == times


def test_a_stream_is_text_of_ids_names_and_one_line_of_json_and_says_when_to_come_again(apis, jobs, job_id):
    lease = claim(jobs, job_id)
    jobs.finish(lease, success(), windows=windows(0, 1))

    answer = apis[0].http.get(f"/jobs/{job_id}/events", headers={"Last-Event-ID": "0-0"})

    assert answer.headers["Content-Type"].partition(";")[0] == "text/event-stream"
    retry, *frames = answer.text.removesuffix("\n\n").split("\n\n")
    assert retry == "retry: 3000"
    fields = [dict(line.split(": ", 1) for line in frame.split("\n")) for frame in frames]
    assert [frame["event"] for frame in fields] == ["progress", "window", "finished"]
    assert all(list(frame) == ["id", "event", "data"] for frame in fields)
    progress, window, finished = (json.loads(frame["data"]) for frame in fields)
    assert progress == {
        "status": "running",
        "cancel_requested": False,
        "attempt": 1,
        "stage": "fetch",
        "fraction": 0.0,
    }
    assert set(window) == {"attempt", "start_seconds", "end_seconds", "genre", "probabilities"}
    assert finished == apis[1].http.get(f"/jobs/{job_id}").json()


def test_a_silent_stream_beats_every_fifteen_seconds_and_a_token_lives_for_sixty():
    assert (HEARTBEAT_SECONDS, TOKEN_SECONDS) == (15, 60)


def test_the_wish_to_cancel_is_an_event_and_so_is_the_end_it_leads_to(apis, jobs, job_id, redis):
    lease = claim(jobs, job_id)
    with watch(apis[0], job_id) as watcher:
        watcher.until("snapshot")
        eventually(lambda: is_heard_of(redis, job_id))

        asked = [apis[1].http.post(f"/jobs/{job_id}/cancel") for _ in range(2)]
        jobs.finish(lease, replace(success(), result=None))
        told, *rest = watcher.events

    assert [(answer.status_code, answer.json()["cancel_requested"]) for answer in asked] == [(202, True)] * 2
    assert (told.name, told.data["cancel_requested"], told.data["status"]) == ("progress", True, "running")
    assert names(rest) == ["finished"]
    assert rest[0].data["status"] == "cancelled"
    assert apis[0].http.post(f"/jobs/{job_id}/cancel").status_code == 200


def test_who_is_let_go_by_a_process_that_stops_goes_on_at_another_without_a_gap(
    apis, jobs, job_id, redis, redis_url, tmp_path
):
    lease = claim(jobs, job_id)
    late = {"GENREWIZ_SOFT_STOP_SECONDS": "40"}  # so long a stop would wait for streams that are not let go
    with api_serving(tmp_path, redis_url, GENREWIZ_API_WORKERS="1", **late) as stops:
        with watch(stops, job_id) as watcher:
            seen = watcher.until("snapshot")
            eventually(lambda: is_heard_of(redis, job_id))
            jobs.progress(lease, stage="decode", fraction=0.25, windows=windows(0, 2))
            seen += [next(watcher.events) for _ in range(3)]

            stops.process.send_signal(signal.SIGTERM)
            assert [line for line in watcher.lines if line] == []  # nor a heartbeat: it was let go at once
        jobs.progress(lease, stage="decode", fraction=0.5, windows=windows(2, 1))
        assert stops.process.wait(timeout=60) == 0

    with watch(apis[1], job_id, seen[-1].id) as watcher:
        seen += [next(watcher.events) for _ in range(2)]
        jobs.finish(lease, success(), windows=windows(3, 1))
        seen += list(watcher.events)

    assert names(seen) == [
        "snapshot", "progress", "window", "window", "progress", "window", "window", "finished",
    ]  # fmt: skip
    assert len({event.id for event in seen}) == len(seen)


def test_streams_and_waits_are_woken_by_the_next_event_after_a_restart_of_redis(tmp_path):
    with (
        redis_serving(tmp_path / "redis") as server,
        api_serving(tmp_path, server.url, GENREWIZ_API_WORKERS="1") as api,
    ):
        redis = server.client(retries=10)
        jobs, new = RedisJobStore(redis, Keys()), new_job()
        jobs.accept(new)
        lease = claim(jobs, new.id)
        wait = {"Prefer": "wait=25"}
        with (
            watch(api, new.id) as watcher,
            meanwhile(lambda: api.http.get(f"/jobs/{new.id}", headers=wait)) as waited,
        ):
            watcher.until("snapshot")
            eventually(lambda: watchers(api) == 2)
            server.kill()
            server.start()

            eventually(lambda: is_heard_of(redis, new.id), seconds=PATIENCE_SECONDS)
            jobs.progress(lease, stage="decode", fraction=0.5, windows=windows(0, 1))
            told = [next(watcher.events) for _ in range(2)]
            jobs.finish(lease, success())
            rest = list(watcher.events)
            eventually(waited.done, seconds=PATIENCE_SECONDS)

        assert names([*told, *rest]) == ["progress", "window", "finished"]
        assert waited.result().json()["status"] == "succeeded"
        eventually(lambda: redis.pubsub_channels() == [])


@pytest.fixture
def closed(tmp_path) -> Iterator[tuple[ApiServer, "Redis", RedisApiKeys]]:
    """An api that asks for keys, its server, and where keys are made."""
    with redis_serving(tmp_path / "redis") as server:
        redis = server.client()
        keys = RedisApiKeys(redis, Keys())
        keys.add("first", RIGHTS)
        with api_serving(tmp_path, server.url, GENREWIZ_API_WORKERS="1", GENREWIZ_LOG_FORMAT="json") as api:
            yield api, redis, keys


def test_a_token_opens_the_events_of_its_job_to_who_has_no_key_and_opens_nothing_else(closed, tmp_path):
    api, redis, keys = closed
    mine, other = ({"Authorization": f"Bearer {keys.add(name, RIGHTS)[1]}"} for name in ("me", "you"))
    jobs = RedisJobStore(redis, Keys())
    url = {"url": "https://93.184.216.34/a.mp3"}
    job_id, second = (api.http.post("/jobs", json=url, headers=mine).json()["id"] for _ in range(2))
    issued = api.http.post(f"/jobs/{job_id}/events-token", headers=mine)
    token = issued.json()["token"]

    def status(path: str, method: str = "GET", given: str = token, **headers: str) -> int:
        """What one gets at once; a stream that begins is left again."""
        with api.http.stream(method, path, params={"token": given}, headers=headers) as answer:
            return answer.status_code

    assert (issued.status_code, issued.headers["Cache-Control"]) == (200, "no-store")
    assert set(issued.json()) == {"token", "expires_at"}
    assert status(f"/jobs/{job_id}/events") == 200
    assert status(f"/jobs/{second}/events") == 401
    assert status(f"/jobs/{new_job(9).id}/events") == 401
    assert status(f"/jobs/{job_id}/events", given=token[:-1]) == 401
    assert status(f"/jobs/{job_id}/events", given="") == 401
    for method, behind in (("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("POST", "/events-token")):
        assert status(f"/jobs/{job_id}{behind}", method) == 401, (method, behind)
    assert status("/jobs") == 401
    assert status(f"/jobs/{job_id}/events-token", "POST", **other) == 404
    assert status(f"/jobs/{job_id}/events", given=token, **other) == 404  # a key counts for more than a token

    with watch(api, job_id, query=f"?token={token}") as watcher:
        watcher.until("snapshot")
        jobs.finish(claim(jobs, job_id), success(), windows=windows(0, 1))
        rest = list(watcher.events)
    assert names(rest) == ["progress", "window", "finished"]
    assert rest[-1].data == api.http.get(f"/jobs/{job_id}", headers=mine).json()
    assert token not in (tmp_path / "api.log").read_text()


def test_a_token_that_has_expired_opens_nothing_and_what_it_opened_goes_on(closed):
    api, redis, keys = closed
    mine = {"Authorization": f"Bearer {keys.add('me', RIGHTS)[1]}"}
    jobs = RedisJobStore(redis, Keys())
    job_id = api.http.post("/jobs", json={"url": "https://93.184.216.34/a.mp3"}, headers=mine).json()["id"]
    token = api.http.post(f"/jobs/{job_id}/events-token", headers=mine).json()["token"]
    (key,) = redis.keys(Keys().events_token("*"))
    assert 0 < redis.ttl(key) <= TOKEN_SECONDS

    with watch(api, job_id, query=f"?token={token}") as watcher:
        watcher.until("snapshot")
        redis.pexpire(key, 1)
        eventually(lambda: not redis.exists(key))
        with watch(api, job_id, query=f"?token={token}") as late:
            assert late.response.status_code == 401
        jobs.finish(claim(jobs, job_id), success())
        assert names(list(watcher.events))[-1] == "finished"


def test_an_open_service_needs_no_token_and_minds_none(apis, jobs, job_id):
    for query in ("", "?token=", "?token=made-up"):
        with Watcher(f"http://127.0.0.1:{apis[0].port}/jobs/{job_id}/events{query}") as watcher:
            assert names(watcher.until("snapshot")) == ["snapshot"]
