"""Songs by URL, on the whole service: servers on the loopback address, which the operator has allowed."""

import json
import os
import signal
import socket
import threading
from pathlib import Path

import pytest
from redis import Redis

from support.service import FINISHED, Service, serving
from support.waiting import eventually
from support.web import Server, response

ALLOWED = {"GENREWIZ_EGRESS_HTTP": "true", "GENREWIZ_EGRESS_ALLOW": "127.0.0.0/8,::1/128"}
SLOW = {**ALLOWED, "GENREWIZ_FETCH_MIN_BYTES_PER_SECOND": "1"}


def submit(service: Service, url: str) -> str:
    answer = service.http.post("/jobs", json={"url": url})
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def redis_of(service: Service) -> Redis:
    environment = dict(
        pair.partition("=")[::2]
        for pair in Path(f"/proc/{service.pid_of('worker')}/environ").read_text().split("\0")
    )
    return Redis.from_url(environment["GENREWIZ_REDIS_URL"], decode_responses=True)


def there_or_not(audio: bytes):
    """A server that has every song but one."""

    def answer(connection: socket.socket, head: str) -> None:
        connection.sendall(response(b"", "404 Not Found") if "missing" in head else response(audio))

    return answer


class Dripping:
    """Sends a song by drops until it may send the rest."""

    def __init__(self, audio: bytes) -> None:
        self._audio = response(audio)
        self.may_end = threading.Event()
        self.server = Server(self._drip)

    def _drip(self, connection: socket.socket, _: str) -> None:
        sent = 200
        connection.sendall(self._audio[:sent])
        while not self.may_end.wait(0.1):
            connection.sendall(self._audio[sent : sent + 10])
            sent += 10
        connection.sendall(self._audio[sent:])


def test_a_song_by_url_gets_the_answer_of_its_upload_and_its_signature_is_seen_nowhere(tmp_path, sample):
    with (
        Server(there_or_not(sample)) as server,
        serving(tmp_path / "data", **ALLOWED, GENREWIZ_LOG_LEVEL="debug") as service,
    ):
        uploaded = service.classify("nightdrive.mp3", sample)
        url = f"http://localhost:{server.port}/nightdrive.mp3"  # a name, which api and worker resolve
        job = service.finished(submit(service, f"{url}?sig=s3cret#part"))
        unknown = submit(service, "http://nowhere.invalid/a.mp3?sig=s3cret")
        failed = service.finished(unknown)
        missing = service.finished(submit(service, server.url("/missing.mp3?sig=s3cret")))
        blocked = service.http.post("/jobs", json={"url": "http://10.0.0.1/a?sig=s3cret"})
        records = [redis_of(service).hgetall(f"gw:job:{ended['id']}") for ended in (job, missing)]
        queues = service.metrics("api")
        lines = "\n".join(service.lines)

    assert job["status"] == "succeeded", job["error"]
    assert job["result"] == uploaded["result"]
    assert {**job["source"], "kind": "upload", "url": None} == uploaded["source"]
    assert job["source"]["url"] == url
    assert failed["error"]["code"] == "fetch_failed"
    assert job["timings_seconds"]["fetch"] > 0
    assert missing["error"]["code"] == "fetch_failed"
    assert blocked.json()["code"] == "url_blocked"
    assert 'genrewiz_broker_messages{queue="gw.fetch.standard"} 0.0' in queues
    assert job["id"] in lines
    for text in (lines, json.dumps([job, missing]), str(records), blocked.text):
        assert "s3cret" not in text
    assert "sig=s3cret" in server.heads[0]


def test_uploads_go_on_while_sixteen_servers_drip(tmp_path, sample):
    dripping = Dripping(sample)
    with dripping.server as server, serving(tmp_path / "data", **SLOW) as service:
        slow = [submit(service, server.url(f"/{number}.mp3")) for number in range(16)]
        eventually(lambda: len(server.heads) >= 8)

        job = service.classify("song.mp3", sample)

        assert job["status"] == "succeeded"
        assert not [job_id for job_id in slow if service.get(job_id)["status"] in FINISHED]
        assert {service.get(job_id)["progress"]["stage"] for job_id in slow} == {"fetch", None}
        dripping.may_end.set()
        assert [service.finished(job_id)["status"] for job_id in slow] == ["succeeded"] * 16


def test_to_kill_the_worker_in_the_middle_of_a_fetch_loses_no_job(tmp_path, sample):
    dripping = Dripping(sample)
    quick = {"GENREWIZ_LEASE_SECONDS": "3", "GENREWIZ_HEARTBEAT_SECONDS": "1"}
    with dripping.server as server, serving(tmp_path / "data", **SLOW, **quick) as service:
        job_id = submit(service, server.url("/song.mp3?sig=s3cret"))
        eventually(lambda: server.heads)
        os.kill(service.pid_of("worker"), signal.SIGKILL)
        dripping.may_end.set()

        job = service.finished(job_id)

        assert job["status"] == "succeeded", job["error"]
        assert job["attempt"] == 2
        assert [path.name for path in (tmp_path / "data" / "audio").iterdir()] == []


@pytest.mark.parametrize("while_it_fetches", [True, False])
def test_a_stop_finishes_what_is_fetched_and_leaves_the_rest_for_the_next_start(
    tmp_path, sample, while_it_fetches
):
    dripping = Dripping(sample)
    with dripping.server as server:
        with serving(tmp_path / "data", **SLOW, GENREWIZ_FETCH_CONCURRENCY="1") as service:
            ids = [submit(service, server.url(f"/{number}.mp3")) for number in range(3)]
            eventually(lambda: server.heads)
            if not while_it_fetches:
                dripping.may_end.set()
                eventually(lambda: service.get(ids[0])["status"] in FINISHED)
            service.process.terminate()
            dripping.may_end.set()
            assert service.process.wait() == 0

        with serving(tmp_path / "data", **SLOW) as service:
            answers = [service.finished(job_id) for job_id in ids]

    assert [(job["status"], job["attempt"]) for job in answers] == [("succeeded", 1)] * 3
