"""Servers as strangers run them: they answer with raw bytes, as slowly and as wrongly as a test likes."""

import functools
import re
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from support.audio import encode, music_like


@dataclass
class Server:
    """A listening server; `answer` gets each connection and the head of its request, once that is whole."""

    answer: Callable[[socket.socket, str], None]
    host: str = "127.0.0.1"
    tls: ssl.SSLContext | None = None
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    accepted: int = 0

    def __enter__(self) -> "Server":
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.create_server((self.host, 0), family=family)
        self.port: int = self._listener.getsockname()[1]
        self._stop = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def url(self, path: str = "/song.wav") -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}{path}"

    def wait(self, seconds: float) -> bool:
        """A pause of the server's; True once the test is over."""
        return self._stop.wait(seconds)

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with connection:
                request = b""
                while not _is_whole(request):
                    data = connection.recv(65_536)
                    if not data:
                        return
                    request += data
                head, _, body = request.decode("latin-1").partition("\r\n\r\n")
                self.heads.append(f"{head}\r\n\r\n")
                self.bodies.append(body.encode("latin-1"))
                self.answer(connection, self.heads[-1])


def _is_whole(request: bytes) -> bool:
    """Who closes a connection before all has been read resets it, and its answer with it."""
    head, end, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *([0-9]+)", head)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


def response(body: bytes = b"", status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    """A whole answer; the length is the body's unless it lies."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def saying(data: bytes) -> Callable[[socket.socket, str], None]:
    """A server that always answers so."""
    return lambda connection, _: connection.sendall(data)


def redirecting(location: str, status: str = "302 Found") -> Callable[[socket.socket, str], None]:
    return saying(response(b"", status, f"Location: {location}"))


@functools.cache
def song(seconds: float = 4.0) -> bytes:
    """A WAV file that can be classified."""
    return encode(music_like(seconds=seconds, seed=5), "wav16")
