"""A time limit on everything that a connection does, whoever is slow.

A socket's own time-out is one of each read: a server that sends a byte before each of them runs out holds its
reader for ever. This one is cut off from outside.
"""

import contextlib
import socket
import threading
import time
from types import TracebackType
from typing import Self

from shared.errors import FetchTimeout


class Deadline:
    """So many seconds from `with` on: then every watched connection is shut down, in whatever it waits."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = float("inf")
        self._lock = threading.Lock()
        self._watched: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._shut_down)
        self._timer.daemon = True
        self._timer.name = "deadline"

    def __enter__(self) -> Self:
        self._end = time.monotonic() + self._seconds
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            while self._watched:
                self._watched.pop().close()

    @property
    def remaining_seconds(self) -> float:
        """How much is left: at least zero."""
        return max(0.0, self._end - time.monotonic())

    def check(self) -> None:
        """FetchTimeout once the time is over: a connection that was shut down looks like one that ended."""
        if not self.remaining_seconds:
            raise FetchTimeout("The URL took longer than the limit.")

    def watch(self, connection: socket.socket) -> None:
        """Shut this connection down, too, when the time is over."""
        # A duplicate: TLS takes the original's descriptor away, and a closed number is soon another file's.
        with self._lock:
            self._watched.append(connection.dup())
        if not self.remaining_seconds:
            self._shut_down()

    def _shut_down(self) -> None:
        with self._lock:
            for connection in self._watched:
                with contextlib.suppress(OSError):  # it has ended by itself
                    connection.shutdown(socket.SHUT_RDWR)
