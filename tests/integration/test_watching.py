"""Watching jobs through real gunicorn processes; the test itself is the worker."""

import signal
import threading
from contextlib import ExitStack

import httpx
import pytest

from api.app import create_api
from shared.job import JobId
from shared.redis_events import RedisEvents
from shared.redis_jobs import RedisJobStore
from shared.redis_keys import Keys
from shared.wire import job_body
from support.api_server import api_serving
from support.jobs import new_job, success
from support.redis_server import redis_serving
from support.sse import Watcher, events_in
from support.waiting import eventually
from support.watching import claim, names, watch, watchers, windows


def a_run(jobs: RedisJobStore, job_id: JobId) -> None:
    """A whole one: four events of progress, five windows, the end."""
    lease = claim(jobs, job_id)
    for number in range(3):
        jobs.progress(lease, stage="decode", fraction=(number + 1) / 4, windows=windows(number, 1))
    jobs.finish(lease, success(), windows=windows(3, 2))


STORY = ["progress", "progress", "window", "progress", "window", "progress", "window", "window", "window"]


def test_a_watcher_sees_the_whole_story_in_order_and_then_the_stream_ends(apis, jobs, job_id):
    with watch(apis[0], job_id) as watcher:
        first = watcher.until("snapshot")
        a_run(jobs, job_id)
        rest = list(watcher.events)

    assert watcher.response.headers["Content-Type"].startswith("text/event-stream")
    assert watcher.response.headers["Cache-Control"] == "no-store"
    assert watcher.response.headers["X-Accel-Buffering"] == "no"
    assert first[0].data["status"] == "queued"
    assert names(rest) == [*STORY, "finished"]
    assert rest[-1].data == job_body(jobs.get(job_id)) == apis[1].http.get(f"/jobs/{job_id}").json()
    assert rest[2].data == {"attempt": 1} | rest[-1].data["result"]["timeline"][0]
    assert [event.data["fraction"] for event in rest if event.name == "progress"] == [0, 0.25, 0.5, 0.75]


def test_each_event_comes_exactly_once_however_often_the_watcher_goes_elsewhere(apis, jobs, job_id):
    a_run(jobs, job_id)
    seen, last = [], "0-0"

    for number in range(len(STORY) + 1):
        with watch(apis[number % 2], job_id, last) as watcher:
            event = next(watcher.events)
        seen.append(event)
        last = event.id

    assert names(seen) == [*STORY, "finished"]
    assert len({event.id for event in seen}) == len(seen)
    with watch(apis[0], job_id, last) as watcher:
        assert watcher.response.status_code == 204


def test_who_comes_late_is_told_what_is_known_of_this_attempt_and_goes_on_from_there(apis, jobs, job_id):
    lease = claim(jobs, job_id)
    jobs.progress(lease, stage="decode", fraction=0.5, windows=windows(0, 3))

    with watch(apis[0], job_id) as watcher:
        known = [next(watcher.events) for _ in range(4)]
        jobs.finish(lease, success(), windows=windows(3, 1))
        rest = list(watcher.events)
    with watch(apis[1], job_id, known[0].id) as watcher:
        again = list(watcher.events)

    assert names(known) == ["snapshot", "window", "window", "window"]
    assert known[0].data["progress"]["fraction"] == 0.5
    assert names(rest) == ["window", "finished"]
    assert [event for event in again if event.name != "progress"] == [*known[1:], *rest]


def test_of_a_finished_job_there_is_the_end_alone(apis, jobs, job_id):
    a_run(jobs, job_id)

    with watch(apis[0], job_id) as watcher:
        events = list(watcher.events)

    assert names(events) == ["snapshot", "finished"]
    assert events[0].data == events[1].data


def test_a_job_that_is_cancelled_while_it_waits_ends_its_streams(apis, jobs, job_id):
    with watch(apis[0], job_id) as watcher:
        watcher.until("snapshot")
        apis[1].http.post(f"/jobs/{job_id}/cancel")
        rest = list(watcher.events)

    assert names(rest) == ["finished"]
    assert rest[0].data["status"] == "cancelled"


@pytest.mark.parametrize("last", ["1-1", "no id", "9999999999999999-0", ""])
def test_a_history_that_is_lost_is_a_reset_or_the_end_where_that_has_come(apis, jobs, job_id, last):
    lease = claim(jobs, job_id)
    with watch(apis[0], job_id, last) as watcher:
        running = list(watcher.events)
    jobs.finish(lease, success())
    with watch(apis[0], job_id, last) as watcher:
        finished = list(watcher.events)

    assert names(running) == ["reset"]
    assert names(finished) == ["finished"]


def test_what_cannot_be_watched_is_a_problem(apis, jobs, job_id, redis):
    api = apis[0]

    def code(method: str, path: str, **headers: str) -> tuple[int, str]:
        answer = api.http.request(method, path, headers=headers)
        return answer.status_code, answer.json()["code"] if answer.content else ""

    assert code("GET", "/jobs/job_none/events") == (404, "unknown_job")
    assert code("POST", "/jobs/job_none/events-token") == (404, "unknown_job")
    assert code("GET", f"/jobs/{job_id}/events", Accept="application/json") == (406, "not_acceptable")
    assert code("GET", f"/jobs/{job_id}/events", Accept="text/event-stream;q=0, */*")[0] == 406
    assert code("HEAD", f"/jobs/{job_id}/events") == (406, "")
    a_run(jobs, job_id)
    redis.delete(Keys().job(job_id))
    assert code("GET", f"/jobs/{job_id}/events") == (410, "result_gone")
    assert code("GET", f"/jobs/{job_id}/events", **{"Last-Event-ID": "0-0"}) == (410, "result_gone")
    eventually(lambda: watchers(api) == 0)


def test_all_watchers_of_a_process_share_one_connection(apis, jobs, job_id, redis):
    other = new_job(2)
    jobs.accept(other)

    with ExitStack() as stack:
        for each in [job_id, other.id] * 5:
            stack.enter_context(watch(apis[0], each)).until("snapshot")

        assert eventually(lambda: len(redis.pubsub_channels()) == 2)
        name = lambda client: client["addr"]  # noqa: E731
        subscribers = {name(client) for client in redis.client_list() if int(client["sub"]) == 2}
        assert len(subscribers) == 1
        assert watchers(apis[0]) == 10
    eventually(lambda: watchers(apis[0]) == 0)
    eventually(lambda: redis.pubsub_channels() == [])


@pytest.mark.parametrize("way", ["close", "reset"])
@pytest.mark.parametrize(
    "request_line",
    ["GET /jobs/{}/events HTTP/1.1\r\n", "GET /jobs/{} HTTP/1.1\r\nPrefer: wait=25\r\n"],
    ids=["stream", "wait"],
)
def test_a_client_that_hangs_up_leaves_nothing_behind(apis, jobs, job_id, redis, way, request_line):
    # Far sooner than a heartbeat or the end of the wait would find out.
    connection = apis[0].connect()
    connection.send(request_line.format(job_id).encode() + b"Host: x\r\n\r\n")
    eventually(lambda: watchers(apis[0]) == 1)
    eventually(lambda: redis.pubsub_channels() != [])

    connection.reset() if way == "reset" else connection.socket.close()

    eventually(lambda: watchers(apis[0]) == 0, seconds=12)
    eventually(lambda: redis.pubsub_channels() == [])
    eventually(lambda: apis[0].in_flight() <= 1)


def test_a_process_that_is_told_to_stop_lets_its_watchers_go_at_once(apis, jobs, job_id, redis_url, tmp_path):
    lease = claim(jobs, job_id)
    with api_serving(tmp_path, redis_url, GENREWIZ_SOFT_STOP_SECONDS="600") as api:
        waiting: list[httpx.Response] = []
        with watch(api, job_id) as watcher, httpx.Client(timeout=60, trust_env=False) as client:
            url = f"http://127.0.0.1:{api.port}/jobs/{job_id}"
            wait = threading.Thread(
                target=lambda: waiting.append(client.get(url, headers={"Prefer": "wait=25"}))
            )
            wait.start()
            eventually(lambda: watchers(api) == 2)
            (seen,) = watcher.until("snapshot")

            api.process.send_signal(signal.SIGTERM)
            assert list(watcher.events) == []
            assert api.process.wait(timeout=60) == 0
            wait.join()

    jobs.finish(lease, success(), windows=windows(0, 1))
    with watch(apis[1], job_id, seen.id) as watcher:
        assert names(list(watcher.events)) == ["window", "finished"]
    assert waiting[0].json()["status"] == "running"


def test_a_stream_goes_on_through_a_restart_of_redis(tmp_path):
    with redis_serving(tmp_path / "redis") as server, api_serving(tmp_path, server.url) as api:
        jobs, new = RedisJobStore(server.client(retries=10), Keys()), new_job()
        jobs.accept(new)
        lease = claim(jobs, new.id)
        with watch(api, new.id) as watcher:
            watcher.until("snapshot")
            server.kill()
            server.start()
            eventually(lambda: jobs.get(new.id))
            jobs.progress(lease, stage="decode", fraction=0.5, windows=windows(0, 2))
            jobs.finish(lease, success())
            rest = list(watcher.events)

    assert names(rest) == ["progress", "window", "window", "finished"]


def test_a_silent_stream_beats_and_finds_what_nobody_told_it_of(settings, redis, jobs, job_id):
    api = create_api(settings, heartbeat_seconds=0.05)
    response = api.app.test_client().get(f"/jobs/{job_id}/events", buffered=False)
    lines = (line for chunk in response.response for line in chunk.decode().split("\n")[:-1])
    heard = []
    while heard[-3:].count(":") < 1:
        heard.append(next(lines))

    api.hub._wake = lambda *_: None  # what Redis says is lost on the way
    a_run(jobs, job_id)

    assert heard[0] == "retry: 3000"
    assert names(list(events_in(lines)))[-1] == "finished"
    response.close()
    assert api.hub._watches == {}
    api.hub.stop()


def test_who_waits_for_the_end_gets_it_as_soon_as_it_is_there(apis, jobs, job_id):
    lease = claim(jobs, job_id)
    answers: list[httpx.Response] = []

    def ask() -> None:
        answers.append(apis[0].http.get(f"/jobs/{job_id}", headers={"Prefer": "wait=600"}))

    thread = threading.Thread(target=ask)
    thread.start()
    eventually(lambda: watchers(apis[0]) == 1)
    jobs.finish(lease, success())
    thread.join()

    assert answers[0].json()["status"] == "succeeded"
    assert answers[0].headers["Preference-Applied"] == "wait=25"
    assert "Retry-After" not in answers[0].headers


def test_a_wait_ends_with_its_time_and_with_the_job_as_it_is(apis, jobs):
    posted = apis[0].http.post(
        "/jobs", json={"url": "https://93.184.216.34/a.mp3"}, headers={"Prefer": "wait=1"}
    )

    assert posted.status_code == 202
    assert posted.headers["Preference-Applied"] == "wait=1"
    assert posted.json()["status"] == "queued"
    plain = apis[0].http.get(posted.headers["Location"], headers={"Prefer": "wait=soon"})
    assert plain.status_code == 200
    assert "Preference-Applied" not in plain.headers


def test_a_submitter_who_waits_gets_the_finished_job(apis, jobs):
    answers: list[httpx.Response] = []

    def post() -> None:
        answers.append(
            apis[0].http.post(
                "/jobs", json={"url": "https://93.184.216.34/a.mp3"}, headers={"Prefer": "wait=30"}
            )
        )

    thread = threading.Thread(target=post)
    thread.start()
    eventually(lambda: watchers(apis[0]) == 1)
    (key,) = jobs._redis.keys(Keys().job("*"))
    jobs.finish(claim(jobs, JobId(key.rpartition(":")[2])), success())
    thread.join()

    assert answers[0].status_code == 200
    assert answers[0].json()["status"] == "succeeded"
    assert answers[0].headers["Preference-Applied"] == "wait=30"


def test_one_who_waits_asks_redis_no_oftener_than_the_heart_beats(apis, jobs, job_id, redis):
    lease = claim(jobs, job_id)
    thread = threading.Thread(
        target=lambda: apis[0].http.get(f"/jobs/{job_id}", headers={"Prefer": "wait=25"})
    )
    thread.start()
    eventually(lambda: redis.pubsub_channels() != [])
    before = _snapshots(redis)
    for number in range(100):
        jobs.progress(lease, stage="decode", fraction=number / 100)
    jobs.finish(lease, success())
    thread.join()

    assert _snapshots(redis) - before < 50


def _snapshots(redis) -> int:
    """Records that were read as a whole."""
    return int(redis.info("commandstats").get("cmdstat_hgetall", {"calls": 0})["calls"])


def test_a_token_is_let_in_to_its_job_alone(settings, redis, jobs, job_id):
    client = create_api(settings).app.test_client()

    answer = client.post(f"/jobs/{job_id}/events-token")

    events = RedisEvents(redis, Keys())
    assert answer.status_code == 200
    assert set(answer.get_json()) == {"token", "expires_at"}
    token = answer.get_json()["token"]
    assert events.issued_to(token, job_id)
    assert not events.issued_to("x", job_id)
    assert not events.issued_to(token, JobId("job_other"))


def test_a_job_links_to_its_events(apis, jobs, job_id):
    body = apis[0].http.get(f"/jobs/{job_id}").json()

    with Watcher(f"http://127.0.0.1:{apis[0].port}{body['links']['events']}") as watcher:
        assert next(watcher.events).data["id"] == job_id
