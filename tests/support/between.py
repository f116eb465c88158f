"""Somebody between a process and Redis, who lets everything through but the call that a test names."""

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit

RECEIVE_BYTES = 65_536


class Between:
    """Forwards connections to Redis; at the marked call it keeps the call, or its reply, to itself.

    `met` is set once that has happened: the call came and did not go on, or its reply came and did not.
    """

    def __init__(self, redis_url: str) -> None:
        upstream = urlsplit(redis_url)
        self._upstream = (upstream.hostname, upstream.port)
        self._mark: bytes | None = None
        self._keeps_reply = False
        self._cuts = False
        self._guard = threading.Lock()
        self.met = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.url = redis_url.replace(f":{upstream.port}", f":{port}")

    def __enter__(self) -> "Between":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def keep_call(self, mark: str) -> None:
        """The next call that holds the mark never comes to Redis."""
        self._mark, self._keeps_reply, self._cuts = mark.encode(), False, False

    def keep_reply(self, mark: str, *, cut: bool = False) -> None:
        """The next call that holds the mark is done and nobody hears of it; cut: the connection ends, too."""
        self._mark, self._keeps_reply, self._cuts = mark.encode(), True, cut

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                process, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(process,), daemon=True).start()

    def _serve(self, process: socket.socket) -> None:
        with process, socket.create_connection(self._upstream) as redis:
            marked = threading.Event()
            threading.Thread(target=self._replies, args=(redis, process, marked), daemon=True).start()
            tail = b""
            with suppress(OSError):
                while data := process.recv(RECEIVE_BYTES):
                    if self._is_marked(tail + data):
                        marked.set()
                        if not self._keeps_reply:
                            self.met.set()
                    if self._keeps_reply or not marked.is_set():
                        redis.sendall(data)
                    tail = data[-100:]

    def _replies(self, redis: socket.socket, process: socket.socket, marked: threading.Event) -> None:
        with suppress(OSError):
            while data := redis.recv(RECEIVE_BYTES):
                if not marked.is_set():
                    process.sendall(data)
                    continue
                if self._cuts:
                    process.shutdown(socket.SHUT_RDWR)
                self.met.set()

    def _is_marked(self, data: bytes) -> bool:
        """Whether this is the call: only the first one is."""
        with self._guard:
            if self._mark is None or self._mark not in data:
                return False
            self._mark = None
            return True
