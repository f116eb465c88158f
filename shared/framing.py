"""What an answer of HTTP may cost beside its content: bytes of framing, interim answers, and waiting.

Framing is what `http.client` reads without giving it to its caller: header lines, interim answers, sizes of
chunks and their extensions. It knows limits for each line, but none for their number, and a server that sends
them without end holds the reader's thread, and with it the interpreter, for as long as it is let.
"""

import http.client
import io
import socket
import time
from typing import TYPE_CHECKING, Final

from shared.errors import FetchFailed, FetchTimeout

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

FRAMING_BYTES: Final = 64 * 2**10
"""Of one answer, whatever its content."""
CONTENT_BYTES_PER_FRAMING_BYTE: Final = 16
"""What buys more: chunks of about a hundred bytes each pay for themselves."""
MAX_INTERIM: Final = 2
"""Answers like `100 Continue` before the one that counts."""
INTERIM: Final = range(102, 200)
"""100 is passed over by `http.client`; 101 is no interim answer: what follows it is another protocol."""
PATIENCE_SECONDS: Final = 10.0
"""Spent in waiting for the whole header, and then for each next byte of content, unless more is given."""


class BadAnswer(FetchFailed):
    """What came is no answer in HTTP, or none that can be read to its end."""


class FramedResponse(http.client.HTTPResponse):
    """An answer that is read within those limits: BadAnswer, FetchTimeout beyond them."""

    def __init__(
        self,
        sock: socket.socket,
        debuglevel: int = 0,
        method: str | None = None,
        url: str | None = None,
        *,
        patience_seconds: float | None = None,
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self._wire = _Wire(
            self.fp.detach(), PATIENCE_SECONDS if patience_seconds is None else patience_seconds
        )
        self.fp = _Framed(self._wire)

    def begin(self) -> None:
        super().begin()
        while self.status in INTERIM:
            # http.client passes over 100 alone; it begins only what has no headers yet.
            self.headers = self.msg = None  # type: ignore[assignment]
            super().begin()
        self._wire.start_anew()

    def _read_and_discard_trailer(self) -> None:
        """Nothing: the content is whole with the last chunk, and the connection is not used again."""


class _Wire(io.RawIOBase):
    """A socket's bytes; measures how long it was waited for them without getting on."""

    def __init__(self, raw: io.RawIOBase, patience_seconds: float) -> None:
        self._raw = raw
        self._patience_seconds = patience_seconds
        self._waited_seconds = 0.0

    def start_anew(self) -> None:
        self._waited_seconds = 0.0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        # Only the waiting counts: how long we take between two reads is not the server's fault.
        begin = time.monotonic()
        count = self._raw.readinto(buffer)
        self._waited_seconds += time.monotonic() - begin
        if self._waited_seconds > self._patience_seconds:
            raise FetchTimeout("The URL's server does not get on with its answer.")
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Framed(io.BufferedReader):
    """Counts what `http.client` reads for itself: lines, ends of chunks. Content it reads by `read1`."""

    def __init__(self, wire: _Wire) -> None:
        super().__init__(wire)
        self._wire = wire
        self._left = FRAMING_BYTES
        self._content = 0
        self._answers = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        # For http.client a header may end with the connection; of what came before it, nothing is sure.
        if not line.endswith(b"\n") and (line or self._answers) and len(line) != size:
            raise BadAnswer("The URL's server broke off before its answer was whole.")
        if line.startswith(b"HTTP/"):
            self._answers += 1
        self._spend(len(line))
        return line

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self._spend(len(data))
        return data

    def read1(self, size: int = -1, /) -> bytes:
        data = super().read1(size)
        if data:
            self._content += len(data)
            self._wire.start_anew()
        return data

    def _spend(self, count: int) -> None:
        self._left -= count
        if self._left + self._content // CONTENT_BYTES_PER_FRAMING_BYTE < 0:
            raise BadAnswer("The URL's server sends more framing than content.", retryable=False)
        if self._answers > MAX_INTERIM + 1:
            raise BadAnswer("The URL's server does not come to its answer.", retryable=False)
