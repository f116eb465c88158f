"""Every code of `job.error`, as the client of a whole running service meets it; each row is a way to fail."""

import io
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

import av
import numpy as np
import pytest

import shared.errors
from shared.errors import JobFailure
from support.api_server import WAV
from support.audio import encode, music_like
from support.long_audio import long_mp3
from support.service import Service, children, command_line, serving
from support.waiting import eventually
from support.web import Server, response

LOCAL = {
    "GENREWIZ_EGRESS_HTTP": "true",
    "GENREWIZ_EGRESS_ALLOW": "127.0.0.0/8",
    "GENREWIZ_FETCH_MIN_BYTES_PER_SECOND": "1",
}
SONG_SECONDS = 8 * 60
PATIENT = LOCAL | {
    "GENREWIZ_FETCH_SECONDS": "3",
    "GENREWIZ_MAX_AUDIO_SECONDS": str(SONG_SECONDS + 10),
    "GENREWIZ_DECODE_SECONDS": "5",
}
HASTY = LOCAL | {  # one try, and three seconds for it
    "GENREWIZ_RUN_SECONDS": "3",
    "GENREWIZ_MAX_ATTEMPTS": "1",
    "GENREWIZ_LEASE_SECONDS": "2",
    "GENREWIZ_HEARTBEAT_SECONDS": "1",
}
FIELDS = {"type", "title", "detail", "code", "retryable"}
RETRYABLE = {
    "fetch_failed",
    "fetch_timeout",
    "decode_timeout",
    "deadline_exceeded",
    "too_many_attempts",
    "prediction_failed",
}
SENT = "5ent-by-the-client"


@dataclass
class Web:
    """A stranger's server: what it answers is in the path."""

    is_over: threading.Event = field(default_factory=threading.Event)

    def __call__(self, connection: socket.socket, head: str) -> None:
        if "/inside" in head:
            connection.sendall(
                b"HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/\r\nContent-Length: 0\r\n\r\n"
            )
        elif "/refuses" in head:
            connection.sendall(response(b"", "503 Service Unavailable"))
        elif "/text" in head:
            connection.sendall(response(f"Dear {SENT}, ".encode() * 50))
        else:  # by drops, without an end
            connection.sendall(response(WAV + bytes(10**6))[:300])
            while not self.is_over.wait(0.1):
                connection.sendall(bytes(10))


@dataclass(frozen=True)
class Ways:
    """A service of which one may ask too much, and a server that gives it what it should not have."""

    service: Service
    server: Server

    def uploaded(self, audio: bytes) -> dict:
        return self.service.classify(f"{SENT}.wav", audio)

    def fetched(self, path: str, meanwhile: Callable[[], None] = lambda: None) -> dict:
        known = len(self.server.heads)
        answer = self.service.http.post("/jobs", json={"url": self.server.url(f"/{path}?sig={SENT}")})
        assert answer.status_code == 202, answer.text
        eventually(lambda: len(self.server.heads) > known)
        meanwhile()
        return self.service.finished(answer.json()["id"])

    def hit_while_it_is_decoded(self, number: signal.Signals) -> dict:
        """A long song, whose decoder gets a signal; again where it was too quick."""
        (zygote,) = eventually(lambda: zygotes(self.service.pid_of("worker")))

        def try_it() -> dict | None:
            job_id = self.service.submit(f"{SENT}.mp3", long_mp3(hours=SONG_SECONDS / 3_600))
            eventually(lambda: children(zygote) or self.service.get(job_id)["finished_at"])
            for child in children(zygote):
                with suppress(ProcessLookupError):
                    os.kill(child, number)
            job = self.service.finished(job_id)
            return job if job["status"] != "succeeded" else None

        return eventually(try_it)

    def lost(self) -> None:
        os.kill(self.service.pid_of("worker"), signal.SIGKILL)


def zygotes(worker: int) -> list[int]:
    """The process that forks decoders: a child of the worker."""
    found = []
    for pid in children(worker):
        with suppress(OSError):
            if "worker.sandbox.zygote" in command_line(pid):
                found.append(pid)
    return found


def wav(seconds: float, level: float = 0.3) -> bytes:
    return encode(level * music_like(seconds=seconds, seed=5), "wav16")


def film() -> bytes:
    """A container with a picture in it and no sound."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=5, width=32, height=32, pix_fmt="yuv420p")
        frame = av.VideoFrame.from_ndarray(np.zeros((48, 32), np.uint8), format="yuv420p")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


FAILURES: dict[str, Callable[[Ways], dict]] = {
    "fetch_failed": lambda ways: ways.fetched("refuses"),
    "fetch_timeout": lambda ways: ways.fetched("drips"),
    "url_blocked": lambda ways: ways.fetched("inside"),
    "unsupported_format": lambda ways: ways.fetched("text"),
    "corrupt_audio": lambda ways: ways.uploaded(wav(10)[:60]),
    "no_audio_stream": lambda ways: ways.uploaded(film()),
    "audio_too_short": lambda ways: ways.uploaded(wav(2)),
    "audio_too_long": lambda ways: ways.uploaded(long_mp3(hours=(SONG_SECONDS + 30) / 3_600)),
    "audio_silent": lambda ways: ways.uploaded(wav(10, level=0.0)),
    "decode_crashed": lambda ways: ways.hit_while_it_is_decoded(signal.SIGSEGV),
    "decode_timeout": lambda ways: ways.hit_while_it_is_decoded(signal.SIGSTOP),
}
FAILURES_IN_HASTE: dict[str, Callable[[Ways], dict]] = {
    "deadline_exceeded": lambda ways: ways.fetched("drips"),
    "too_many_attempts": lambda ways: ways.fetched("drips", ways.lost),
}
ELSEWHERE = {"prediction_failed"}
"""What takes a fault of our own: `test_a_poison_song_ends_alone_and_all_innocents_beside_it_succeed`."""


def _ways(directory, settings: dict[str, str]) -> Iterator[Ways]:
    with ExitStack() as stack:
        web = Web()
        server = stack.enter_context(Server(web))
        yield Ways(stack.enter_context(serving(directory, **settings)), server)
        web.is_over.set()


@pytest.fixture(scope="module")
def patient(tmp_path_factory) -> Iterator[Ways]:
    yield from _ways(tmp_path_factory.mktemp("patient"), PATIENT)


@pytest.fixture(scope="module")
def hasty(tmp_path_factory) -> Iterator[Ways]:
    yield from _ways(tmp_path_factory.mktemp("hasty"), HASTY)


def check(job: dict, code: str) -> None:
    assert (job["status"], job["error"]["code"]) == ("failed", code), job["error"] or job["result"]
    assert set(job["error"]) == FIELDS
    assert job["error"]["type"] == f"/problems/{code.replace('_', '-')}"
    assert job["error"]["retryable"] is (code in RETRYABLE)
    assert job["result"] is None
    assert job["finished_at"] < job["expires_at"]
    assert job["progress"]["eta_seconds"] == 0
    assert SENT not in str(job["error"])
    assert "Traceback" not in str(job)


@pytest.mark.parametrize("code", FAILURES)
def test_a_job_that_fails_says_why_by_a_code_and_repeats_nothing(patient, code, sample):
    check(FAILURES[code](patient), code)
    assert patient.service.classify("after.mp3", sample)["status"] == "succeeded"


@pytest.mark.parametrize("code", FAILURES_IN_HASTE)
def test_a_job_that_takes_too_long_or_loses_its_workers_says_so_by_a_code(hasty, code):
    check(FAILURES_IN_HASTE[code](hasty), code)


def test_every_code_of_a_failed_job_has_a_way_to_it_that_is_tried():
    codes = {
        kind.code
        for kind in vars(shared.errors).values()
        if isinstance(kind, type) and issubclass(kind, JobFailure) and kind is not JobFailure
    }

    assert {*FAILURES, *FAILURES_IN_HASTE, *ELSEWHERE} == codes
