"""The story of a job in the logs of real processes: one id finds it, whatever befalls them."""

import json
import os
import subprocess
import sys
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from support.api_server import GUNICORN_CONFIG
from support.lines import Speaking, about, speaking, story
from support.redis_server import RedisServer
from support.waiting import eventually
from support.web import Server, response, song

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
WORKER = ["-m", "worker"]
API = ["-m", "gunicorn", "--config", str(GUNICORN_CONFIG)]
SHORT_LEASES = {
    "GENREWIZ_LEASE_SECONDS": "3",
    "GENREWIZ_HEARTBEAT_SECONDS": "1",
    "GENREWIZ_RERING_SECONDS": "3",
}
LOCAL = {
    "GENREWIZ_EGRESS_HTTP": "true",
    "GENREWIZ_EGRESS_ALLOW": "127.0.0.0/8",
    "GENREWIZ_FETCH_MIN_BYTES_PER_SECOND": "1",
}
SECRETS = {
    "query": "s3cret-query",
    "user": "s3cret-user",
    "header": "s3cret-header",
    "metadata": "s3cret-metadata",
    "name": "s3cret-name",
    "idempotency": "s3cret-idempotency",
}


@dataclass
class Held:
    """A server that sends a song by drops until it is let go: so long a job is in hand."""

    is_free: threading.Event = field(default_factory=threading.Event)
    asked: int = 0

    def __call__(self, connection, _head: str) -> None:
        self.asked += 1
        left = response(song())
        while not self.is_free.wait(0.1):
            connection.sendall(left[:10])
            left = left[10:]
        connection.sendall(left)


def submit(both: Speaking, url: str, request_id: str = "mine", **more) -> str:
    headers = {"traceparent": TRACEPARENT, "X-Request-Id": request_id}
    answer = both.api.http.post("/jobs", json={"url": url, **more}, headers=headers)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def ended(both: Speaking, job_id: str, status: str = "succeeded") -> dict:
    return eventually(
        lambda: (job := both.api.http.get(f"/jobs/{job_id}").json())["status"] == status and job
    )


def test_one_id_finds_the_story_of_a_job_in_both_processes_in_order(tmp_path, sample):
    with speaking(tmp_path) as both:
        both.start_worker()
        sent = {"traceparent": TRACEPARENT, "X-Request-Id": "mine"}
        job_id = both.api.http.post("/jobs", files={"file": ("a.mp3", sample)}, headers=sent).json()["id"]
        again = both.api.http.post("/jobs", files={"file": ("b.mp3", sample)}).json()["id"]
        for each in (job_id, again):
            ended(both, each)
        both.stop()
        lines = both.lines()

    told = [("api", "job accepted"), ("worker", "job claimed"), ("worker", "job finished")]
    for fields in ({"job_id": job_id}, {"request_id": "mine"}, {"trace_id": TRACE}):
        assert story(lines, **fields) == told
    (answer,) = about(lines, request_id="mine", event="request answered")
    accepted, claimed, finished = (about(lines, trace_id=TRACE, event=event)[0] for _, event in told)
    assert answer["trace_id"] == TRACE
    assert accepted["span_id"] == answer["span_id"] != PARENT
    assert claimed["span_id"] == finished["span_id"] not in (PARENT, accepted["span_id"])
    assert finished["status"] == "succeeded"
    assert not {line["trace_id"] for line in about(lines, job_id=again) if "trace_id" in line} & {TRACE}
    assert {line["process"] for line in lines} == {"api", "worker"}


def test_the_story_goes_on_after_its_worker_was_killed(tmp_path):
    held = Held()
    with Server(held) as server, speaking(tmp_path, **SHORT_LEASES, **LOCAL) as both:
        first = both.start_worker()
        job_id = submit(both, server.url())
        eventually(lambda: held.asked == 1)

        both.kill(first)

        second = both.start_worker()
        eventually(lambda: held.asked == 2)
        held.is_free.set()
        ended(both, job_id)
        both.stop()
        lines = both.lines()

    told = [
        "job accepted",
        "job claimed",
        "job recovered: its worker was lost",
        "job claimed",
        "job finished",
    ]
    for fields in ({"job_id": job_id}, {"request_id": "mine"}, {"trace_id": TRACE}):
        assert [event for _, event in story(lines, **fields)] == told
    one, other = about(lines, job_id=job_id, event="job claimed")
    assert (one["pid"], other["pid"]) == (first.pid, second.pid)
    assert (one["attempt"], other["attempt"]) == (1, 2)
    assert one["span_id"] != other["span_id"]


def test_the_story_of_a_job_tells_its_cancelling_and_its_giving_back(tmp_path):
    held = Held()
    with Server(held) as server, speaking(tmp_path, **LOCAL, GENREWIZ_WORKER_STOP_SECONDS="0") as both:
        worker = both.start_worker()
        job_id = submit(both, server.url())
        eventually(lambda: held.asked == 1)
        worker.terminate()
        worker.wait()
        both.api.http.post(f"/jobs/{job_id}/cancel", headers={"X-Request-Id": "cancels"})
        ended(both, job_id, "cancelled")
        held.is_free.set()
        lines = both.lines()

    told = ["job accepted", "job claimed", "job given back", "job finished"]
    # The thread that ran it may hear of that before it ends with its process, and says so.
    events = [event for _, event in story(lines, trace_id=TRACE)]
    assert [event for event in events if event != "job given up: its lease was lost"] == told
    (last,) = about(lines, event="job finished")
    assert (last["status"], last["by_request_id"]) == ("cancelled", "cancels")


def test_a_job_that_expires_is_told_of_by_whoever_found_it(tmp_path):
    with speaking(tmp_path, **LOCAL) as both:
        job_id = submit(both, "http://127.0.0.1:1/a.mp3", deadline_seconds=1)
        ended(both, job_id, "expired")
        (line,) = eventually(lambda: about(both.lines(), event="job finished", trace_id=TRACE))

    assert (line["job_id"], line["status"], line["request_id"]) == (job_id, "expired", "mine")


def test_every_line_is_json_and_holds_no_secret_whatever_breaks(tmp_path, sample):
    with ExitStack() as stack:
        redis = stack.enter_context(RedisServer(tmp_path / "redis"))
        redis.start()
        server = stack.enter_context(Server(lambda connection, _: connection.sendall(response(song()))))
        settings = {**SHORT_LEASES, **LOCAL, "GENREWIZ_LOG_LEVEL": "debug"}
        both = stack.enter_context(speaking(tmp_path, redis.url, **settings))
        both.start_worker()
        http = both.api.http
        fetched = submit(both, server.url(f"/{SECRETS['name']}.wav?sig={SECRETS['query']}"))
        unreachable = submit(
            both,
            f"http://127.0.0.1:1/a.mp3?{SECRETS['query']}",
            metadata={"of": SECRETS["metadata"]},
        )
        for job_id, status in ((fetched, "succeeded"), (unreachable, "failed")):
            ended(both, job_id, status)
        bad = http.post(
            f"/jobs?token={SECRETS['query']}",
            files={"file": (f"{SECRETS['name']}.flac", b"fLaC" + bytes(500))},
            data={"job": json.dumps({"metadata": {"of": SECRETS["metadata"]}})},
            headers={
                "Authorization": f"Bearer gw_ab_{SECRETS['header']}",
                "Cookie": SECRETS["header"],
                "Idempotency-Key": SECRETS["idempotency"],
            },
        ).json()["id"]
        ended(both, bad, "failed")
        http.get(f"/{SECRETS['name']}?{SECRETS['query']}", auth=(SECRETS["user"], SECRETS["header"]))
        http.post("/jobs", json={"url": f"http://{SECRETS['user']}:x@10.0.0.1/{SECRETS['query']}"})
        http.post(
            "/jobs", content=f'{{"url": "{SECRETS["query"]}"', headers={"Content-Type": "application/json"}
        )
        both.api.ask(f"GET /{SECRETS['query']} HTTP/1.1\r\n{SECRETS['header']}\r\n\r\n".encode())
        with both.api.connect() as connection:  # hangs up in the middle
            connection.send(b"POST /jobs?" + SECRETS["query"].encode() + b" HTTP/1.1\r\nHost: x\r\n")
            connection.send(
                b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 900\r\n\r\n--x\r\n"
            )
            connection.reset()
        redis.kill()
        assert http.post("/jobs", files={"file": ("a.mp3", sample)}).status_code == 503
        eventually(lambda: about(both.lines(), event="heartbeat cannot reach redis"))
        redis.start()
        eventually(lambda: http.get("/readyz").status_code == 200)
        both.kill_gunicorn_workers()
        eventually(lambda: http.get("/readyz").status_code == 200)
        after = eventually(lambda: http.post("/jobs", files={"file": ("a.mp3", sample)}).json()["id"])
        ended(both, after)
        both.stop()
        lines, text = both.lines(), both.text()

    assert {line["process"] for line in lines} == {"api", "worker"}
    assert {line["logger"] for line in lines} >= {"gunicorn.error", "celery.apps.worker", "api.request_log"}
    assert about(lines, job_id=bad, event="job finished")[0]["status"] == "failed"
    for kind, secret in SECRETS.items():
        assert secret not in text, kind


@pytest.mark.parametrize("arguments", [WORKER, API], ids=["worker", "api"])
def test_a_process_that_cannot_start_says_so_in_json_where_that_was_asked_for(arguments):
    wrong = {"GENREWIZ_DEVICE": "abacus", "GENREWIZ_LOG_FORMAT": "json"}
    done = subprocess.run(
        [sys.executable, *arguments], env={**os.environ, **wrong}, capture_output=True, text=True, check=False
    )

    line = json.loads(done.stderr)
    assert (done.returncode, done.stdout) == (1, "")
    assert line["event"] == "cannot start"
    assert "GENREWIZ_DEVICE" in line["error"]
