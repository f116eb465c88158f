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
        self._is_left = False
        self._changed = threading.Condition()
        self._watched: list[socket.socket] = []
        self._thread = threading.Thread(target=self._cut_off, name="deadline", daemon=True)

    def __enter__(self) -> Self:
        self._end = time.monotonic() + self._seconds
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._is_left = True
            self._changed.notify_all()
            while self._watched:
                self._watched.pop().close()

    @property
    def remaining_seconds(self) -> float:
        """How much is left: at least zero."""
        return max(0.0, self._end - time.monotonic())

    def shorten(self, seconds: float) -> None:
        """Bring the end nearer: so many seconds from now, if that is not later than it was."""
        with self._changed:
            self._end = min(self._end, time.monotonic() + seconds)
            self._changed.notify_all()

    def check(self) -> None:
        """FetchTimeout once the time is over: a connection that was shut down looks like one that ended."""
        if not self.remaining_seconds:
            raise FetchTimeout("The URL took longer than the limit.")

    def watch(self, connection: socket.socket) -> None:
        """Shut this connection down, too, when the time is over."""
        # A duplicate: TLS takes the original's descriptor away, and a closed number is soon another file's.
        with self._changed:
            self._watched.append(connection.dup())
            if not self.remaining_seconds:
                self._shut_down()

    def _cut_off(self) -> None:
        with self._changed:
            while not self._is_left and (seconds := self.remaining_seconds):
                self._changed.wait(seconds)
            if not self._is_left:
                self._shut_down()

    def _shut_down(self) -> None:
        for connection in self._watched:
            with contextlib.suppress(OSError):  # it has ended by itself
                connection.shutdown(socket.SHUT_RDWR)
