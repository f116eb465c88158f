"""A request's body, read at a pace: whoever sends too slowly, or for too long, is not waited for.

Only the time that a client is waited for counts against its rate: a busy server is not its fault.
"""

import io
import time
from collections.abc import Callable
from typing import Protocol

from shared.errors import MalformedRequest, UploadTooSlow

WINDOW_SECONDS = 10.0
"""So long may the client take for the bytes that its least rate gives in that time."""
GRACE_SECONDS = 5.0
"""Added once, for the way from a request's header to its body."""


class Readable(Protocol):
    """What a server hands over as a request's body."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes, none at the end; OSError or ValueError where the body breaks off."""
        ...


class Within(Protocol):
    """Makes a call that waits for a client, and no longer than so many seconds."""

    def __call__(self, seconds: float, call: Callable[[], bytes], /) -> bytes:
        """What the call gave; TimeoutError where the time ran out first."""
        ...


class PacedBody(io.RawIOBase):
    """A body whose every window of time must bring its share of bytes.

    Reading raises UploadTooSlow, or MalformedRequest where the client breaks off.
    """

    def __init__(
        self,
        body: Readable,
        *,
        within: Within,
        turn: Callable[[], None],
        bytes_per_second: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """turn: returns when this body may keep the process busy.

        bytes_per_second: the least rate; seconds: for the whole body, from now on.
        """
        self._body = body
        self._within = within
        self._turn = turn
        self._clock = clock
        self._ends_at = clock() + seconds
        self._share = bytes_per_second * WINDOW_SECONDS
        self._missing = self._share
        self._patience = WINDOW_SECONDS + GRACE_SECONDS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]  # as werkzeug's LimitedStream
        self._turn()  # even where nothing has come: what has may come in the meantime
        began_at = self._clock()
        patience = min(self._patience, self._ends_at - began_at)
        if patience <= 0:
            raise UploadTooSlow("The upload takes too long, or comes too slowly.")
        data = self._read(len(buffer), patience)
        buffer[: len(data)] = data
        self._patience -= self._clock() - began_at
        self._missing -= len(data)
        if self._missing <= 0:
            self._missing, self._patience = self._share, WINDOW_SECONDS
        return len(data)

    def _read(self, size: int, patience: float) -> bytes:
        try:
            return self._within(patience, lambda: self._body.read(size))
        except TimeoutError as error:
            raise UploadTooSlow("The upload takes too long, or comes too slowly.") from error
        except ValueError as error:
            raise MalformedRequest("The chunks of the body cannot be read, or are far too small.") from error
        except OSError as error:
            raise MalformedRequest("The request ended before it was whole.") from error
