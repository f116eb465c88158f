"""`genrewiz get`, `watch`, `cancel`, `delete` and `list`, as a user runs them."""

import http.server
import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from redis import Redis

from shared.redis_api_keys import RedisApiKeys
from shared.redis_keys import Keys
from support.api_server import WAV, ApiServer, api_serving
from support.commands import CommandLine
from support.long_audio import long_mp3
from support.redis_server import redis_serving
from support.service import Service
from support.waiting import eventually

NOBODYS = "job_" + "0" * 24


def queued(api: ApiServer, name: str = "a.wav") -> str:
    return api.post(WAV, name=name).json()["id"]


def test_jobs_are_shown_as_the_server_has_them(genrewiz: CommandLine, service: Service, sample: bytes):
    job = service.classify("a.mp3", sample)

    as_json = genrewiz("get", job["id"], "--json")
    for_people = genrewiz("get", job["id"])

    assert (as_json.code, as_json.lines) == (0, [job])
    assert for_people.out.startswith(f"{job['id']}: {job['result']['genre']} ")


def test_a_job_that_failed_is_shown_and_one_that_is_not_there_fails(genrewiz: CommandLine, service: Service):
    failed = service.classify("a.wav", WAV)

    done = genrewiz("get", failed["id"], NOBODYS)
    as_json = genrewiz("get", NOBODYS, "--json")

    assert done.code == 3
    assert failed["error"]["code"] in done.out
    assert "unknown_job" in done.err
    assert as_json.code == 4
    assert as_json.lines == [{"id": NOBODYS, "status": None, "error": as_json.lines[0]["error"]}]


def test_a_job_is_watched_window_by_window_to_its_answer(genrewiz: CommandLine, service: Service):
    job_id = service.submit("long.mp3", long_mp3(hours=0.033))

    for_people = genrewiz("watch", job_id)
    as_json = genrewiz("watch", job_id, "--json")

    job = service.get(job_id)
    lines = for_people.out.splitlines()
    timeline = job["result"]["timeline"]
    assert for_people.code == as_json.code == 0
    assert len(timeline) > 3
    assert [line.split()[1] for line in lines[: len(timeline)]] == [each["genre"] for each in timeline]
    assert lines[len(timeline)].startswith(f"long.mp3: {job['result']['genre']}")
    assert as_json.lines[-1]["event"] == "finished"
    assert as_json.lines[-1]["data"] == job


def test_to_watch_a_job_that_fails_fails(genrewiz: CommandLine, service: Service):
    done = genrewiz("watch", service.submit("a.wav", WAV))

    assert done.code == 4
    assert "(" in done.out


def test_ctrl_c_ends_the_watching_and_not_the_job(silent: CommandLine, silent_api: ApiServer):
    job_id = queued(silent_api)
    with silent.start("watch", job_id, "--json") as process:
        assert json.loads(process.stdout.readline())["event"] == "snapshot"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()

    assert process.returncode == 130
    assert job_id in err
    assert silent_api.http.get(f"/jobs/{job_id}").json()["status"] == "queued"


def test_jobs_are_cancelled_one_by_one(silent: CommandLine, silent_api: ApiServer):
    first, second = queued(silent_api), queued(silent_api)

    done = silent("cancel", first, NOBODYS, second, "--json")

    assert done.code == 3
    assert [line["status"] for line in done.lines] == ["cancelled", None, "cancelled"]
    assert silent("cancel", first).code == 0  # it is what was asked for


def test_a_job_that_has_finished_is_not_cancelled(genrewiz: CommandLine, service: Service, sample: bytes):
    done = genrewiz("cancel", service.classify("a.mp3", sample)["id"])

    assert done.code == 4
    assert "job_finished" in done.err


def test_jobs_are_deleted_for_good(silent: CommandLine, silent_api: ApiServer):
    job_id = queued(silent_api)

    done = silent("delete", job_id, NOBODYS)

    assert (done.code, done.out) == (3, f"{job_id}\n")
    assert silent_api.http.get(f"/jobs/{job_id}").status_code == 410


def test_jobs_are_listed_the_newest_first_over_all_pages(silent: CommandLine, silent_api: ApiServer):
    ids = [queued(silent_api, f"{number}.wav") for number in range(105)]
    silent("cancel", ids[-1])

    newest = silent("list", "--limit", "3", "--json")
    many = silent("list", "--limit", "105", "--csv")
    waiting = silent("list", "--status", "queued", "--limit", "1")

    assert [line["id"] for line in newest.lines] == ids[:-4:-1]
    assert [row.split(",")[1] for row in many.out.splitlines()[1:]] == ids[::-1]
    assert waiting.out.startswith(ids[-2])


@pytest.mark.parametrize(
    "command", [("get", "x"), ("watch", "x"), ("cancel", "x"), ("delete", "x"), ("list",)]
)
def test_every_command_exits_with_5_where_no_server_answers(command):
    done = CommandLine("http://127.0.0.1:1")(*command)

    assert (done.code, done.out) == (5, "")
    assert "GENREWIZ_URL" in done.err


@pytest.mark.parametrize("command", [("get", "x"), ("list",), ("submit", "-")])
def test_something_else_that_answers_there_is_unexpected(command):
    with stranger(b"<h1>It works!</h1>") as url:
        done = CommandLine(url)(*command, stdin=WAV)

    assert done.code == 1
    assert url in done.err


def test_the_key_comes_from_the_environment_and_without_it_all_songs_fail_at_the_first(tmp_path):
    for number in range(20):
        (tmp_path / f"{number}.wav").write_bytes(WAV)
    with redis_serving(tmp_path / "redis") as redis, api_serving(tmp_path, redis.url) as api:
        _, key = RedisApiKeys(Redis.from_url(redis.url), Keys()).add("me", ["read", "submit"])
        url = f"http://127.0.0.1:{api.port}"
        eventually(lambda: httpx.get(f"{url}/jobs").status_code == 401)

        without = CommandLine(url)("submit", tmp_path, "--json")
        refused = CommandLine(url)("list")
        within = CommandLine(url, GENREWIZ_API_KEY=key)("submit", tmp_path, "--json")
        named = CommandLine(url)("list", "--api-key", key, "--limit", "100", "--json")

    assert (without.code, without.out, refused.code) == (4, "", 4)
    assert without.err.count("unauthorized") == 1
    assert within.code == named.code == 0
    assert len(named.lines) == 20
    assert key not in within.err + within.out + named.err + named.out


@contextmanager
def stranger(body: bytes) -> Iterator[str]:
    """A web server that says this to everything."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815  the library's name

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
