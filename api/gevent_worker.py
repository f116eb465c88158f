"""gunicorn's gevent worker, for clients that may be hostile: how bodies come in and how connections end.

It knows framing and nothing of songs. gunicorn itself bounds the wait for a header (by `keepalive`, in all).
"""

import struct
from fcntl import ioctl
from functools import partial
from termios import FIONREAD
from typing import Any

import gevent
import structlog
from gunicorn import util
from gunicorn.http.body import ChunkedReader
from gunicorn.http.errors import (
    InvalidHeader,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    ParseException,
)
from gunicorn.workers.ggevent import GeventWorker

from api.chunks import Chunks
from api.turns import Turns
from shared.trace import new_request_id

RECEIVE_BYTES = 64 * 2**10
"""Of a body, at once: what a connection may hold in memory."""
STALL_SECONDS = 30.0
"""So long a client may take nothing of an answer."""
LINGER_SECONDS = 2.0
LINGER_BYTES = 2**20
"""What is still read of a refused body: to close with bytes unread may take the answer from the client."""


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn has no types
    """One api process."""

    def init_process(self) -> None:
        self._pipelined = Turns()
        super().init_process()

    def handle_exit(self, sig: Any, frame: Any) -> None:
        """Stop gracefully: who only watches is let go at once, and goes on at another process."""
        super().handle_exit(sig, frame)
        # A worker that is still starting has nobody to let go; an error here would end the whole api with 1.
        if app := getattr(self, "wsgi", None):
            # In a greenlet of its own: a signal's handler may have interrupted whoever holds the lock.
            gevent.spawn(app.stop_watching)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> Any:
        """Answer; where part of the body was left unread, the answer says `close` and the connection ends.

        gunicorn would read such a body to its end, in steps of 1 KiB, and let nobody else have a turn.
        """
        if req.version >= (1, 1) and all(name != "HOST" for name, _ in req.headers):
            raise InvalidHeader("HOST")
        body = ArrivingBody(req, sock)
        req._expected_100_continue = False  # gunicorn would say it before anybody has looked at the request
        req.body = body
        req.should_close = partial(_should_close, req.should_close, body, self)
        sock.settimeout(STALL_SECONDS)
        try:
            super().handle_request(listener_name, req, sock, addr)
        except TimeoutError:
            self.log.info("A client has taken nothing of its answer for %g s", STALL_SECONDS)
            raise StopIteration from None
        except StopIteration:
            if not body.is_read:
                util.close_graceful(sock, LINGER_SECONDS, LINGER_BYTES)
            raise
        if _has_more(req.unreader, sock):  # gunicorn would go on at once, and never let go of the loop
            self._pipelined.wait()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """What is no HTTP gets a problem like any other: gunicorn's answer and log repeat what was sent."""
        if not isinstance(exc, ParseException) or isinstance(
            exc, InvalidResponseHeader | InvalidResponseHeaderName
        ):
            super().handle_error(req, client, addr, exc)
            return
        from api.errors import unreadable_request  # Flask must not be imported before gevent has patched

        request_id = new_request_id()  # one that the client sent cannot be read, either
        structlog.contextvars.clear_contextvars()  # the ids of the request before it on this connection
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            self.log.info("A request could not be read: %s", type(exc).__name__)
        try:
            client.settimeout(STALL_SECONDS)
            client.sendall(unreadable_request(request_id))
        except OSError:
            return
        util.close_graceful(client, LINGER_SECONDS, LINGER_BYTES)


def _should_close(asked_for: Any, body: "ArrivingBody", worker: Worker) -> bool:
    return asked_for() or not body.is_read or not worker.alive


def _has_more(unreader: Any, sock: Any) -> bool:
    """Whether the next request has begun to come."""
    if unreader.buf.getbuffer().nbytes:
        return True
    (waiting,) = struct.unpack("i", ioctl(sock.fileno(), FIONREAD, bytes(4)))
    return bool(waiting)


class ArrivingBody:
    """A body that gives what has come; gunicorn's own waits until all is there that was asked for.

    A client that waits for a `100 Continue` gets it at the first read.
    """

    def __init__(self, req: Any, sock: Any) -> None:
        self.failed = False  # gunicorn looks at it: where the next request begins is not known then
        self._reader = req.body.reader
        self._unreader = req.unreader
        self._unreader.max_body_chunk = RECEIVE_BYTES
        self._sock = sock
        self._is_waited_for = req._expected_100_continue
        self._chunks = (
            Chunks(self._reader, self._unreader, receive_bytes=RECEIVE_BYTES)
            if isinstance(self._reader, ChunkedReader)
            else None
        )

    @property
    def is_read(self) -> bool:
        """Whether nothing of it is left in the connection."""
        return self._chunks.is_read if self._chunks else bool(self._reader.length == 0)

    def read(self, size: int) -> bytes:
        """At least a byte and at most `size`, which is not 0; nothing at the end."""
        if self._is_waited_for:
            self._is_waited_for = False
            self._sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            return self._chunks.read(size) if self._chunks else self._of_length(size)
        except Exception:
            self.failed = True
            raise

    def _of_length(self, size: int) -> bytes:
        size = min(size, self._reader.length)
        if size == 0:
            return b""
        data: bytes = self._unreader.read(None, read_ahead=size)
        if len(data) > size:
            self._unreader.unread(data[size:])
            data = data[:size]
        self._reader.length -= len(data)
        if not data:
            raise ConnectionError("The client has hung up.")
        return data
