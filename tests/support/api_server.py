"""The api alone on a real gunicorn, and clients that write their requests by hand."""

import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from redis import Redis

from genrewiz.serve.ports import free_port
from support.contract import check_http
from support.service import alive, children
from support.waiting import PATIENCE_SECONDS, eventually

CHECKOUT = Path(__file__).parents[2]
GUNICORN_CONFIG = CHECKOUT / "deploy" / "gunicorn.conf.py"
BOUNDARY = "x"
CALLER = "198.51.100.7"
SONG_URL = "https://93.184.216.34/a.mp3"
"""An address, so that no DNS is asked; nobody ever does fetch it."""
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(1_000)


def headers_of(key: str | None, caller: str = CALLER) -> dict[str, str]:
    """Of a request with this idempotency key, from behind a proxy."""
    headers = {"X-Forwarded-For": f"192.0.2.66, {caller}"}  # the first one is what a client made up
    return headers if key is None else headers | {"Idempotency-Key": key}


@dataclass(frozen=True)
class Answer:
    """What came back: the status, the headers with names in lower case, the body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str | None:
        """The problem's code."""
        is_problem = self.headers.get("content-type") == "application/problem+json"
        return json.loads(self.body)["code"] if is_problem else None


class Connection:
    """A socket to the api."""

    def __init__(self, port: int, *, receive_bytes: int | None = None) -> None:
        self.socket = socket.socket()
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(PATIENCE_SECONDS)
        self.socket.connect(("127.0.0.1", port))
        self._held = b""

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def drip(self, data: bytes = b"\0") -> bool:
        """Send a little; False where the api has hung up."""
        try:
            self.socket.sendall(data)
        except OSError:
            return False
        return True

    def reset(self) -> None:
        """Hang up as a crashed client would: with a RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def answer(self) -> Answer:
        """The next answer that is not a mere `100 Continue`."""
        while (answer := self.any_answer()).status == 100:
            pass
        return answer

    def any_answer(self) -> Answer:
        while b"\r\n\r\n" not in self._held:
            self._hold_more()
        head, _, self._held = self._held.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = int(headers.get("content-length", 0))
        while len(self._held) < length:
            self._hold_more()
        body, self._held = self._held[:length], self._held[length:]
        return Answer(int(status.split()[1]), headers, body)

    def is_closed(self) -> bool:
        """Whether the api has ended the connection; waits for it."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def is_gone(self) -> bool:
        """The same at once: False where nothing has come."""
        self.socket.settimeout(0)
        try:
            return self.is_closed()
        except BlockingIOError:
            return False

    def _hold_more(self) -> None:
        data = self.socket.recv(65_536)
        assert data, f"hung up after {self._held!r}"
        self._held += data


class ApiServer:
    """An api that is up, with its own audio directory."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, metrics_port: int, audio: Path) -> None:
        self.process = process
        self.port = port
        self.metrics_port = metrics_port
        self.audio = audio
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            timeout=60,
            trust_env=False,
            event_hooks={"response": [check_http]},
        )

    def connect(self, *, receive_bytes: int | None = None) -> Connection:
        return Connection(self.port, receive_bytes=receive_bytes)

    def ask(self, request: bytes) -> Answer:
        """Send it all, read the first answer."""
        with self.connect() as connection:
            connection.send(request)
            return connection.answer()

    def post(
        self,
        content: bytes = WAV,
        *,
        name: str = "a.wav",
        job: dict[str, Any] | None = None,
        key: str | None = None,
        caller: str = CALLER,
    ) -> httpx.Response:
        """Upload a song. caller: as a proxy in front says it; believed where the api trusts one."""
        return self.http.post(
            "/jobs",
            files={"file": (name, content)},
            data={"job": json.dumps(job)} if job is not None else {},
            headers=headers_of(key, caller),
        )

    def post_url(
        self, url: str = SONG_URL, *, key: str | None = None, caller: str = CALLER, **job: Any
    ) -> httpx.Response:
        """Submit the URL of a song."""
        return self.http.post("/jobs", json={"url": url, **job}, headers=headers_of(key, caller))

    def metric(self, name: str, **labels: str) -> float:
        """A counter of the api, over all its processes; 0 where it has not counted yet."""
        text = httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics", trust_env=False, verify=False).text
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        lines = [line for line in text.splitlines() if line.startswith(f"genrewiz_{name}{{")]
        return sum(float(line.rpartition(" ")[2]) for line in lines if all(label in line for label in wanted))

    def files(self) -> list[str]:
        """What is in the audio directory."""
        return sorted(path.name for path in self.audio.iterdir())

    def in_flight(self) -> int:
        """Requests that are being answered, by the metrics."""
        text = httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics", trust_env=False, verify=False).text
        found = re.findall(r"^genrewiz_http_requests_in_flight(?:\{.*\})? (\S+)$", text, re.MULTILINE)
        return int(sum(float(value) for value in found))

    def kill(self) -> None:
        """`kill -9`, all of it; the port is free afterwards."""
        processes = self.workers()
        self.process.kill()  # first, so that it starts no others
        for pid in processes:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        eventually(lambda: not any(map(alive, processes)))

    def workers(self) -> list[int]:
        """The processes that answer."""
        return children(self.process.pid)


@contextmanager
def api_serving(
    directory: Path,
    redis_url: str,
    *,
    file_bytes: int | None = None,
    open_files: int | None = None,
    app: str | None = None,
    port: int | None = None,
    **environment: str,
) -> Iterator[ApiServer]:
    """An api on free ports, or at this one; stopped at the end.

    file_bytes: what the disk takes of a file; open_files: how many files it may have open; app: another
    application in the api's place.
    """
    limits = {"fsize": file_bytes, "nofile": open_files}
    limited = ["prlimit", *(f"--{name}={most}" for name, most in limits.items() if most)]
    other = [app] if app else []
    port, metrics_port = port or free_port(), free_port()
    audio, log = directory / "audio", directory / "api.log"
    ours = {
        "GENREWIZ_REDIS_URL": redis_url,
        "GENREWIZ_AUDIO_DIR": str(audio),
        "GENREWIZ_PORT": str(port),
        "GENREWIZ_API_METRICS_PORT": str(metrics_port),
        "GENREWIZ_SOFT_STOP_SECONDS": "0",
        "GENREWIZ_RATE_LIMIT": "",  # tests ask often, and look at every key of Redis
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*limited, sys.executable, "-m", "gunicorn", "--config", str(GUNICORN_CONFIG), *other],
            env={**os.environ, **ours, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    server = ApiServer(process, port, metrics_port, audio)
    if app:
        server.http.event_hooks = {}  # docs/openapi.json is not of another's answers
    try:
        eventually(lambda: _is_ready(server))
        yield server
    except BaseException:
        print(log.read_text()[-20_000:])
        raise
    finally:
        process.terminate()
        process.wait()
        server.http.close()


def jobs_of(redis: Redis) -> list[bytes]:
    """The keys of jobs and doorbells: none where nothing was promised."""
    return list(redis.keys())


def upload(*, length: int | None = None, chunked: bool = False, headers: str = "") -> bytes:
    """The head of an upload whose body has this length."""
    lines = [f"POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n"]
    if length is not None:
        lines.append(f"Content-Length: {length}\r\n")
    if chunked:
        lines.append("Transfer-Encoding: chunked\r\n")
    return "".join([*lines, headers, "\r\n"]).encode()


def file_part(content: bytes, filename: bytes = b"a.wav") -> bytes:
    """A `file` part with the boundary before it."""
    return part(b'name="file"; filename="%s"' % filename, content)


def part(parameters: bytes, content: bytes, more: bytes = b"") -> bytes:
    """A part with the boundary before it and the line break behind it."""
    return (
        b"--x\r\nContent-Disposition: form-data; " + parameters + b"\r\n" + more + b"\r\n" + content + b"\r\n"
    )


END = b"--x--\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _is_ready(server: ApiServer) -> bool:
    assert server.process.poll() is None
    with suppress(httpx.HTTPError):
        return server.http.get("/readyz").status_code == 200
    return False
