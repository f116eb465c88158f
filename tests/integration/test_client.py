"""Both clients against real gunicorn processes and a real Valkey; the test itself is the worker."""

import io
import json
import os
import re
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import anyio
import httpx
import pytest

from genrewiz.client import AsyncClient, Client, ClientError, Job, Problem, TimedOut, Unreachable
from genrewiz.serve.ports import free_port
from shared.api_keys import RIGHTS
from shared.job import JobId, Lease, Source
from shared.job_events import Windows
from shared.redis_api_keys import RedisApiKeys
from shared.redis_jobs import RedisJobStore
from shared.redis_keys import Keys
from support.api_server import WAV, ApiServer, api_serving
from support.client_jobs import body
from support.clients import KINDS, Making, clients
from support.jobs import classification, failure, new_job, success
from support.waiting import eventually
from support.web import Server, response

MIB = 2**20
PATIENT = {"max_attempts": 200}
SONG_URL = "https://93.184.216.34/a.mp3"


@pytest.fixture(scope="module")
def api(redis_url, tmp_path_factory) -> Iterator[ApiServer]:
    with api_serving(tmp_path_factory.mktemp("api"), redis_url, GENREWIZ_API_WORKERS="1") as api:
        yield api


@pytest.fixture(params=KINDS)
def make(request) -> Iterator[Making]:
    with clients(request.param) as make:
        yield make


@pytest.fixture
def client(make, api, redis) -> Any:
    """A client of either kind, and nothing in the store."""
    for path in api.audio.iterdir():
        path.unlink()
    return make(url(api))


def url(api: ApiServer) -> str:
    return f"http://127.0.0.1:{api.port}"


def claim(jobs: RedisJobStore, job_id: str) -> Lease:
    lease = jobs.claim(JobId(job_id), owner="worker-1", lease_seconds=600).lease
    assert lease is not None
    return lease


def windows(first: int, count: int) -> Windows:
    return Windows(first=first, entries=classification().timeline * count)


def watchers(api: ApiServer) -> float:
    text = httpx.get(f"http://127.0.0.1:{api.metrics_port}/metrics", trust_env=False).text
    return sum(map(float, re.findall(r"^genrewiz_watchers(?:\{.*\})? (\S+)$", text, re.MULTILINE)))


def in_thread(call: Callable[[], Any]) -> Callable[[], Any]:
    """Starts the call; what it returns waits for its end and gives its value, or raises its error."""
    came: list[Any] = []

    def run() -> None:
        try:
            came.append((call(), None))
        except (ClientError, AssertionError) as error:
            came.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()

    def join() -> Any:
        thread.join()
        value, error = came[0]
        if error:
            raise error
        return value

    return join


def problem_of(call: Callable[[], Any]) -> tuple[int, str]:
    with pytest.raises(Problem) as caught:
        call()
    assert caught.value.request_id
    return caught.value.status, caught.value.code


def test_a_song_is_submitted_waited_for_listed_and_deleted(client, jobs, api):
    job = client.submit(WAV, filename="ä.wav", metadata={"station": "fm4"}, options={"top": 1})
    assert (job.status, job.source.filename, job.metadata) == ("queued", "ä.wav", {"station": "fm4"})
    assert api.files() != []

    jobs.finish(claim(jobs, job.id), success())
    done = client.wait(job)

    assert done == client.get(job.id) == client.get(job)
    assert (done.status, done.result.genre, len(done.result.top)) == ("succeeded", "rock", 1)
    assert len(done.result.timeline) == 1
    assert done.raw == api.http.get(f"/jobs/{job.id}").json()
    assert [(each.id, each.result.timeline) for each in client.jobs()] == [(job.id, ())]
    assert client.delete(job) is None
    assert client.delete(job) is None
    assert problem_of(lambda: client.get(job)) == (410, "result_gone")


def test_a_url_is_submitted(client):
    job = client.submit_url(SONG_URL, queue="batch", deadline_seconds=60, metadata={"a": [1]})

    assert (job.source.kind, job.source.url, job.queue) == ("url", SONG_URL, "batch")


def test_a_failed_job_is_an_answer_and_no_exception(client, jobs, job_id):
    jobs.finish(claim(jobs, job_id), failure())

    assert client.wait(job_id).error.code == "corrupt_audio"


def test_a_job_is_cancelled_and_a_finished_one_is_not(client, jobs, job_id):
    assert client.cancel(job_id).status == "cancelled"
    assert client.cancel(job_id).status == "cancelled"
    other = new_job(2)
    jobs.accept(other)
    lease = claim(jobs, other.id)
    assert client.cancel(other.id).cancel_requested
    assert problem_of(lambda: client.delete(other.id)) == (409, "job_running")
    jobs.finish(lease, success())

    assert problem_of(lambda: client.cancel(other.id)) == (409, "job_finished")


def test_all_jobs_are_listed_over_all_pages(client, jobs):
    for number in range(1, 131):
        jobs.accept(new_job(number, caller="127.0.0.1"))
    jobs.finish(claim(jobs, new_job(7).id), success())

    newest_first = [new_job(number).id for number in range(130, 0, -1)]
    assert sorted(job.id for job in client.jobs()) == sorted(newest_first)
    assert [job.id for job in client.jobs(limit=120)] == [job.id for job in client.jobs()][:120]
    assert [job.id for job in client.jobs(status="succeeded")] == [new_job(7).id]
    page = client.jobs_page(limit=100)
    rest = client.jobs_page(limit=100, cursor=page.next_cursor)
    assert (len(page.jobs), len(rest.jobs), rest.next_cursor) == (100, 30, None)


NO: dict[str, tuple[Callable[[Any, str], Any], int, str]] = {
    "unknown job": (lambda client, _: client.get("job_none"), 404, "unknown_job"),
    "unknown job's events": (lambda client, _: list(client.events("job_none")), 404, "unknown_job"),
    "no picture": (lambda client, job_id: client.spectrogram(job_id), 404, "no_spectrogram"),
    "no audio": (lambda client, _: client.submit(b"text, no song"), 415, "unsupported_format"),
    "blocked": (lambda client, _: client.submit_url("http://127.0.0.1/a.mp3"), 422, "url_blocked"),
    "no such status": (lambda client, _: list(client.jobs(status="sad")), 422, "invalid_request"),
    "no cursor": (lambda client, _: client.jobs_page(cursor="?"), 422, "invalid_request"),
    "no key": (lambda client, _: client.submit(WAV, idempotency_key="x" * 300), 422, "invalid_request"),
}


@pytest.mark.parametrize("case", NO)
def test_what_the_server_refuses_is_a_problem_at_once(client, job_id, case):
    call, status, code = NO[case]

    assert problem_of(lambda: call(client, job_id)) == (status, code)


def test_the_models_are_described(client):
    (model,) = client.models()

    assert model == client.model(model["name"])
    assert len(model["genres"]) == 10
    assert problem_of(lambda: client.model("none")) == (404, "unknown_model")


def test_a_problem_names_what_is_wrong(client):
    with pytest.raises(Problem) as caught:
        client.submit(WAV, options={"top": 99, "mood": 1})

    assert {pointer for pointer, _ in caught.value.errors} == {"/options/top", "/options/mood"}


def test_a_key_lets_in(make, api, redis, redis_url, tmp_path):
    _, text = RedisApiKeys(redis, Keys()).add("radio", RIGHTS)
    with api_serving(tmp_path, redis_url, GENREWIZ_API_WORKERS="1") as locked:
        assert problem_of(lambda: make(url(locked)).submit(WAV)) == (401, "unauthorized")
        assert make(url(locked), api_key=text).submit(WAV).status == "queued"


def test_the_same_idempotency_key_is_the_same_job(client):
    one = client.submit(WAV, idempotency_key="night 1")

    assert client.submit(io.BytesIO(WAV), idempotency_key="night 1").id == one.id
    assert client.submit(WAV).id != one.id
    assert problem_of(lambda: client.submit(WAV + b"\0", idempotency_key="night 1")) == (
        422, "idempotency_key_reused"
    )  # fmt: skip


def test_a_song_whose_answer_was_lost_is_sent_again_and_is_one_job(make, api, redis, jobs):
    answers = iter([False, False, True])

    def forward(connection: socket.socket, head: str) -> None:
        """A proxy that loses the first answers once the server has given them."""
        length = int(re.search(r"content-length: (\d+)", head, re.IGNORECASE).group(1))
        body_ = _received(connection, head, length)
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        answer = api.http.post("/jobs", content=body_, headers=headers)
        if next(answers):
            connection.sendall(response(answer.content, "202 Accepted", "Content-Type: application/json"))

    with _Whole(forward) as proxy:
        job = make(proxy.url("")).submit(WAV * 100, filename="a.wav")

    assert proxy.accepted == 3
    assert jobs.get(JobId(job.id)).source.bytes == len(WAV) * 100
    assert len(redis.keys(Keys().job("*"))) == 1


class _Whole(Server):
    """A server that hands on all that came with the head, too."""

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(1)
            self.answer(connection, head.decode("latin-1"))


def _received(connection: socket.socket, _head: str, length: int) -> bytes:
    received = b""
    while len(received) < length:
        piece = connection.recv(65_536)
        assert piece
        received += piece
    return received


def test_an_upload_that_breaks_in_the_middle_is_sent_again_whole(make):
    lengths: list[int] = []

    def answer(connection: socket.socket, head: str) -> None:
        length = int(re.search(r"content-length: (\d+)", head, re.IGNORECASE).group(1))
        if not lengths:
            lengths.append(len(_received(connection, head, length // 2)))
            return
        lengths.append(len(_received(connection, head, length)))
        connection.sendall(response(json.dumps(body("queued")).encode(), "202 Accepted"))

    seen: list[int] = []
    with _Whole(answer) as server:
        job = make(server.url("")).submit(b"x" * 8 * MIB, on_bytes=lambda sent, _: seen.append(sent))

    assert job.status == "queued"
    assert lengths[1] > 8 * MIB
    assert seen[-1] == 8 * MIB
    assert seen.count(0) == 2


def test_a_pipe_that_was_sent_in_part_is_not_sent_again(make):
    def hang_up(connection: socket.socket, _head: str) -> None:
        connection.recv(1_000)

    reading, writing = os.pipe()
    os.write(writing, WAV)
    os.close(writing)
    with _Whole(hang_up) as server, os.fdopen(reading, "rb") as pipe, pytest.raises(Unreachable):
        make(server.url("")).submit(pipe)

    assert server.accepted == 1


def test_a_pipe_is_submitted(client, jobs):
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb") as file:
            for _ in range(100):
                file.write(WAV)

    join = in_thread(write)
    with os.fdopen(reading, "rb") as pipe:
        job = client.submit(pipe, filename="live.wav")
    join()

    assert (job.source.filename, job.source.bytes) == ("live.wav", 100 * len(WAV))


def test_a_server_that_is_full_is_asked_again_when_it_said_and_no_sooner(
    make, redis, redis_url, jobs, tmp_path
):
    for number in range(100, 130):  # so quickly jobs end now
        new = new_job(number)
        jobs.accept(new)
        jobs.finish(claim(jobs, new.id), success())
    full = new_job(1)
    jobs.accept(full)
    with api_serving(tmp_path, redis_url, GENREWIZ_API_WORKERS="1", GENREWIZ_MAX_WAITING_JOBS="1") as api:
        refused = lambda: api.metric("jobs_rejected_total", reason="queue_full")  # noqa: E731
        assert problem_of(lambda: make(url(api), max_attempts=1).submit(WAV)) == (503, "queue_full")
        with pytest.raises(Problem) as caught:
            make(url(api), max_pauses_seconds=0.9).submit(WAV)
        assert caught.value.retry_after_seconds == 1
        before, began = refused(), time.monotonic()

        join = in_thread(lambda: make(url(api), **PATIENT).submit(WAV))
        eventually(lambda: refused() >= before + 2)
        jobs.cancel(full.id)
        job = join()

        assert job.status == "queued"
        assert refused() - before <= time.monotonic() - began + 1


def test_an_upload_that_is_refused_unread_is_a_problem_and_no_broken_pipe(
    make, redis, redis_url, jobs, tmp_path
):
    jobs.accept(new_job(1))
    with api_serving(tmp_path, redis_url, GENREWIZ_API_WORKERS="1", GENREWIZ_MAX_WAITING_JOBS="1") as api:
        for _ in range(3):
            call = lambda: make(url(api), max_attempts=1).submit(WAV + bytes(20 * MIB))  # noqa: E731
            assert problem_of(call) == (503, "queue_full")


def test_who_asks_too_often_is_slowed_down_and_loses_nothing(make, redis, redis_url, tmp_path):
    with api_serving(tmp_path, redis_url, GENREWIZ_API_WORKERS="1", GENREWIZ_RATE_LIMIT="2/second") as api:
        client = make(url(api), **PATIENT)
        limited = make(url(api), max_attempts=1)
        job = client.submit(WAV)

        def is_limited() -> bool:
            with suppress(Problem):
                limited.get(job)
                return False
            return True

        for _ in range(3):
            eventually(is_limited)
            assert client.get(job).id == job.id


def test_a_wait_ends_in_time(client, job_id):
    with pytest.raises(TimedOut) as caught:
        client.wait(job_id, timeout_seconds=1.5)

    assert caught.value.job.status == "queued"


def test_a_wait_is_one_request_that_the_server_holds(client, jobs, job_id, api):
    join = in_thread(lambda: client.wait(job_id))
    eventually(lambda: watchers(api) == 1)
    lease = claim(jobs, job_id)
    jobs.finish(lease, success())

    assert join().status == "succeeded"


def test_a_wait_goes_on_through_the_death_of_the_server(make, redis, redis_url, jobs, job_id, tmp_path):
    port = free_port()
    with api_serving(tmp_path, redis_url, port=port, GENREWIZ_API_WORKERS="1") as api:
        join = in_thread(lambda: make(url(api), **PATIENT).wait(job_id))
        eventually(lambda: watchers(api) == 1)
        api.kill()
    with api_serving(tmp_path, redis_url, port=port, GENREWIZ_API_WORKERS="1") as api:
        eventually(lambda: watchers(api) == 1)
        jobs.finish(claim(jobs, job_id), success())

        assert join().status == "succeeded"


def test_events_go_on_through_the_death_of_the_server(make, redis, redis_url, jobs, job_id, tmp_path):
    port, seen = free_port(), []

    def watch() -> None:
        seen.extend([])
        for event in make(f"http://127.0.0.1:{port}", **PATIENT).events(job_id):
            seen.append(event)

    lease = claim(jobs, job_id)
    with api_serving(tmp_path, redis_url, port=port, GENREWIZ_API_WORKERS="1"):
        join = in_thread(watch)
        eventually(lambda: seen)
        jobs.progress(lease, stage="decode", fraction=0.25, windows=windows(0, 2))
        eventually(lambda: len(seen) == 4)
    with api_serving(tmp_path, redis_url, port=port, GENREWIZ_API_WORKERS="1") as api:
        jobs.progress(lease, stage="decode", fraction=0.5, windows=windows(2, 1))
        eventually(lambda: len(seen) == 6)
        api.kill()
    jobs.progress(lease, stage="decode", fraction=0.75, windows=windows(3, 1))
    jobs.finish(lease, success())
    with api_serving(tmp_path, redis_url, port=port, GENREWIZ_API_WORKERS="1"):
        join()

    assert [event.name for event in seen] == [
        "snapshot", "progress", "window", "window", "progress", "window", "progress", "window", "finished"
    ]  # fmt: skip
    assert [event.data["fraction"] for event in seen if event.name == "progress"] == [0.25, 0.5, 0.75]
    assert len({event.id for event in seen}) == len(seen)


def test_where_events_were_lost_the_whole_job_is_told_and_then_what_follows(client, jobs, job_id, redis):
    lease = claim(jobs, job_id)
    jobs.progress(lease, stage="decode", fraction=0.25, windows=windows(0, 2))

    events = client.events(job_id, last_event_id="1-1")
    first = [next(events) for _ in range(3)]
    jobs.finish(lease, success())
    rest = list(events)

    assert [event.name for event in first] == ["snapshot", "window", "window"]
    assert isinstance(first[0].job, Job)
    assert rest[-1].job.status == "succeeded"


def test_events_of_a_job_that_is_deleted_meanwhile_end_with_that(client, jobs, job_id):
    events = client.events(job_id)
    next(events)
    client.delete(job_id)

    assert problem_of(lambda: list(events)) == (410, "result_gone")


def test_behind_the_last_event_nothing_follows(client, jobs, job_id):
    jobs.finish(claim(jobs, job_id), success())
    *_, last = client.events(job_id, last_event_id="0-0")

    assert last.name == "finished"
    assert list(client.events(job_id, last_event_id=last.id)) == []


def test_who_stops_watching_leaves_nothing_behind(client, jobs, job_id, api, redis):
    events = client.events(job_id)
    next(events)
    assert eventually(lambda: watchers(api) == 1)

    events.close()

    eventually(lambda: watchers(api) == 0)
    eventually(lambda: redis.pubsub_channels() == [])
    assert client.get(job_id).status == "queued"


class Enough(Exception):
    """What a caller raises who has seen enough."""


def test_an_upload_that_its_caller_breaks_off_leaves_nothing_behind(client, api, redis):
    def stop(sent: int, _total: int | None) -> None:
        if sent > 4 * MIB:
            raise Enough

    with pytest.raises(Enough):
        client.submit(WAV + bytes(20 * MIB), on_bytes=stop)

    eventually(lambda: api.in_flight() <= 1)
    eventually(lambda: api.files() == [])
    assert redis.keys(Keys().job("*")) == []
    assert client.submit(WAV).status == "queued"


@pytest.mark.parametrize("what", ["wait", "events", "submit"])
def test_a_task_that_is_cancelled_leaves_nothing_behind(what, api, jobs, job_id, redis):
    for path in api.audio.iterdir():
        path.unlink()
    reading, writing = os.pipe()  # into which nobody writes as much as is read

    async def run() -> None:
        async with AsyncClient(url(api)) as client, anyio.create_task_group() as tasks:
            if what == "submit":
                os.write(writing, WAV)
                tasks.start_soon(client.submit, os.fdopen(reading, "rb", buffering=0))
                busy, idle = (lambda: api.files() != []), (lambda: api.files() == [])
            else:
                busy, idle = (lambda: watchers(api) == 1), (lambda: watchers(api) == 0)
                if what == "wait":
                    tasks.start_soon(client.wait, job_id)
                else:
                    tasks.start_soon(_all, client.events(job_id))
            await anyio.to_thread.run_sync(eventually, busy)
            tasks.cancel_scope.cancel()
        await anyio.to_thread.run_sync(eventually, idle)

    try:
        anyio.run(run)
    finally:
        os.close(writing)

    eventually(lambda: api.in_flight() <= 1)
    assert redis.keys(Keys().job("*")) == [Keys().job(job_id)]


async def _all(items: Any) -> None:
    async for _ in items:
        pass


def test_many_tasks_share_a_client(api, jobs, redis):
    async def run() -> list[Job]:
        done: list[Job] = []

        async def one(client: AsyncClient, number: int) -> None:
            job = await client.submit(WAV, metadata={"number": number})
            done.append(await client.wait(job))

        async with AsyncClient(url(api)) as client, anyio.create_task_group() as tasks:
            for number in range(50):
                tasks.start_soon(one, client, number)
            tasks.start_soon(anyio.to_thread.run_sync, finish_all)
        return done

    def finish_all() -> None:
        eventually(lambda: len(redis.keys(Keys().job("*"))) == 50)
        for key in redis.keys(Keys().job("*")):
            jobs.finish(claim(jobs, key.rpartition(":")[2]), success())

    done = anyio.run(run)

    assert sorted(job.metadata["number"] for job in done) == list(range(50))
    assert {job.status for job in done} == {"succeeded"}


def test_threads_share_a_client(api, jobs, redis):
    with Client(url(api)) as client:
        joins = [in_thread(lambda n=n: client.submit(WAV, metadata={"n": n})) for n in range(20)]
        submitted = [join() for join in joins]
        assert len({job.id for job in submitted}) == 20
        waits = [in_thread(lambda job=job: client.wait(job)) for job in submitted]
        for job in submitted:
            jobs.finish(claim(jobs, job.id), success())
        assert [join().metadata for join in waits] == [job.metadata for job in submitted]


UPLOADS = {
    "sync": "with Client(sys.argv[1]) as client: client.submit(sys.argv[2])",
    "async": (
        "import asyncio\n"
        "async def main():\n"
        "    async with AsyncClient(sys.argv[1]) as client: await client.submit(sys.argv[2])\n"
        "asyncio.run(main())"
    ),
}
MEASURED = """\
import resource, sys
from genrewiz.client import AsyncClient, Client
{upload}
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize("kind", KINDS)
def test_a_song_is_never_in_memory_as_a_whole(tmp_path, kind):
    path = tmp_path / "song.wav"

    def swallow(connection: socket.socket, head: str) -> None:
        left = int(re.search(r"content-length: (\d+)", head, re.IGNORECASE).group(1))
        while left > 0:
            left -= len(connection.recv(MIB))
        connection.sendall(response(json.dumps(body("queued")).encode(), "202 Accepted"))

    def peak_bytes(size: int) -> int:
        with path.open("wb") as file:
            file.truncate(size)
        with _Whole(swallow) as server:
            done = subprocess.run(
                [sys.executable, "-c", MEASURED.format(upload=UPLOADS[kind]), server.url(""), str(path)],
                capture_output=True,
                text=True,
                check=True,
            )
        return int(done.stdout) * resource.getpagesize() // 4  # it counts in kilobytes

    small, large = peak_bytes(MIB), peak_bytes(200 * MIB)

    assert large - small < 20 * MIB


def test_a_source_that_is_being_written_is_sent_as_long_as_it_was(client, jobs, tmp_path):
    path = tmp_path / "live.wav"
    path.write_bytes(WAV * 1_000)

    def grow(*_: object) -> None:
        with path.open("ab") as file:
            file.write(WAV)

    job = client.submit(path, on_bytes=grow)

    assert jobs.get(JobId(job.id)).source == Source(
        kind="upload",
        filename="live.wav",
        bytes=len(WAV) * 1_000,
        sha256=jobs.get(JobId(job.id)).source.sha256,
    )
