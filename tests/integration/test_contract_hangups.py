"""Clients that hang up in the middle of whatever they do, in every way: nothing of them is left behind."""

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from shared.job import JobId
from shared.redis_keys import Keys
from support.api_server import (
    END,
    WAV,
    ApiServer,
    Connection,
    api_serving,
    chunk,
    file_part,
    upload,
)
from support.jobs import new_job, success
from support.waiting import eventually
from support.watching import claim, watchers, windows

PATIENCE_SECONDS = 12  # less than a heartbeat, at which a stream would find out, and than any wait
TIMES = 3
URL = json.dumps({"url": "https://93.184.216.34/a.mp3"}).encode()
BODY = file_part(WAV + bytes(100_000))


@pytest.fixture(scope="module")
def api(redis_url, tmp_path_factory):
    """One process, so that all that could be left behind is in one place."""
    with api_serving(
        tmp_path_factory.mktemp("api"),
        redis_url,
        GENREWIZ_API_WORKERS="1",
        GENREWIZ_REAP_PERIOD_SECONDS="600",
    ) as api:
        yield api


@pytest.fixture(autouse=True)
def empty(api: ApiServer, redis):
    for path in api.audio.iterdir():
        path.unlink()


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A request as far as its client sends it, and how it is seen that the api is in the middle of it."""

    sent: bytes
    begins: Callable[[ApiServer], object]
    makes_jobs: bool = False  # it was whole: its job is a promise, whoever hears of it


def _json(length: int, *headers: str) -> bytes:
    lines = ["POST /jobs HTTP/1.1", "Host: x", "Content-Type: application/json", f"Content-Length: {length}"]
    return "\r\n".join([*lines, *headers, "\r\n"]).encode()


def _get(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET /jobs/{new_job().id}{path} HTTP/1.1", "Host: x", *headers, "\r\n"]).encode()


def _has_file(api: ApiServer) -> object:
    return api.files()


def _has_watcher(api: ApiServer) -> object:
    return watchers(api)


def _is_answering(api: ApiServer) -> object:
    return api.in_flight()


WAITS = "Prefer: wait=30\r\nIdempotency-Key: k\r\n"
WHOLE = file_part(WAV) + END
PHASES = {
    "an upload": Phase(sent=upload(length=10**7) + BODY, begins=_has_file),
    "an upload in chunks": Phase(sent=upload(chunked=True) + chunk(BODY), begins=_has_file),
    "an upload between two chunks' bytes": Phase(
        sent=upload(chunked=True) + chunk(BODY) + b"fff\r\nab", begins=_has_file
    ),
    "an upload behind its file": Phase(
        sent=upload(length=10**7) + BODY + b'--x\r\nContent-Disposition: form-data; name="job"\r\n\r\n{',
        begins=_has_file,
    ),
    "an upload that would wait": Phase(sent=upload(length=10**7, headers=WAITS) + BODY, begins=_has_file),
    "a JSON body": Phase(sent=_json(len(URL)) + URL[:-1], begins=_is_answering),
    "a wait for what it uploaded": Phase(
        sent=upload(length=len(WHOLE), headers=WAITS) + WHOLE, begins=_has_watcher, makes_jobs=True
    ),
    "a wait for its URL": Phase(
        sent=_json(len(URL), "Prefer: wait=30", "Idempotency-Key: k") + URL,
        begins=_has_watcher,
        makes_jobs=True,
    ),
    "a wait": Phase(sent=_get("", "Prefer: wait=25"), begins=_has_watcher),
    "a stream": Phase(sent=_get("/events"), begins=_has_watcher),
    "a stream that goes on": Phase(sent=_get("/events", "Last-Event-ID: 0-0"), begins=_has_watcher),
}


def closes(connection: Connection) -> None:
    connection.socket.close()


def resets(connection: Connection) -> None:
    connection.reset()


def half_closes(connection: Connection) -> None:
    """It says that it sends no more, and listens on."""
    connection.socket.shutdown(socket.SHUT_WR)


def descriptors(api: ApiServer, redis_port: int) -> int:
    """Files and sockets that the process holds, but for those to Redis, which it keeps for later."""
    (pid,) = api.workers()
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    kept = {f"socket:[{row[9]}]" for row in rows if int(row[2].partition(":")[2], 16) == redis_port}
    held = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed just now
            held.append(str(link.readlink()))
    return len([name for name in held if name not in kept])


@pytest.mark.parametrize("way", [closes, resets, half_closes], ids=lambda way: way.__name__)
@pytest.mark.parametrize("name", PHASES)
def test_a_client_that_hangs_up_in_the_middle_of_anything_leaves_nothing_behind(
    api, redis, redis_url, jobs, name, way
):
    phase, redis_port = PHASES[name], urlsplit(redis_url).port
    jobs.accept(new_job())
    jobs.progress(claim(jobs, new_job().id), stage="decode", fraction=0.5, windows=windows(0, 1))
    before = set(redis.scan_iter())

    def hang_up() -> None:
        with api.connect() as connection:
            connection.send(phase.sent)
            eventually(lambda: phase.begins(api))
            way(connection)
            if way is half_closes:
                connection.socket.settimeout(PATIENCE_SECONDS)
                assert connection.socket.recv(1) or name.startswith("a stream")  # an answer, or the end
            eventually(is_over, seconds=PATIENCE_SECONDS)

    def is_over() -> bool:
        return (watchers(api), api.in_flight(), redis.pubsub_channels()) == (0, 0, [])

    hang_up()
    held = descriptors(api, redis_port)
    for _ in range(TIMES):
        hang_up()

    eventually(lambda: descriptors(api, redis_port) <= held, seconds=PATIENCE_SECONDS)
    made = {key.rpartition(":")[2] for key in redis.scan_iter(Keys().job("*"))} - {new_job().id}
    assert len(made) == phase.makes_jobs  # one, by its idempotency key
    assert api.files() == (sorted(made) if "upload" in name else [])
    if not phase.makes_jobs:
        assert set(redis.scan_iter()) == before
    for job_id in made:  # what was promised goes its way, though nobody waits for it
        assert jobs.finish(claim(jobs, job_id), success())
        assert api.http.get(f"/jobs/{job_id}").json()["status"] == "succeeded"
    jobs.get(JobId(new_job().id))


def test_others_who_watch_and_wait_notice_nothing_of_one_who_hangs_up(api, redis, jobs):
    job_id = new_job().id
    jobs.accept(new_job())
    lease = claim(jobs, job_id)
    with api.connect() as leaves, api.connect() as stays, api.connect() as waits:
        for connection, phase in ((leaves, "a stream"), (stays, "a stream"), (waits, "a wait")):
            connection.send(PHASES[phase].sent)
        eventually(lambda: watchers(api) == 3)

        leaves.reset()
        eventually(lambda: watchers(api) == 2, seconds=PATIENCE_SECONDS)
        assert redis.pubsub_numsub(Keys().events(job_id))[0][1] == 1
        assert jobs.finish(lease, success())

        assert json.loads(waits.answer().body)["status"] == "succeeded"
        heard = b""
        while b"event: finished" not in heard:
            heard += stays.socket.recv(65_536)
    eventually(lambda: (watchers(api), redis.pubsub_channels()) == (0, []))
