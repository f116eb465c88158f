"""A chunked body (RFC 9112 section 7.1), read a buffer at a time: tiny chunks are not much dearer than large.

gunicorn's reader copies what is buffered for each chunk, and hands out each by itself. What it refuses is
refused here, too; beyond that, a body whose framing outweighs its content.
"""

import re
from typing import Any

from gunicorn.http.body import CHUNK_EXT_RE

FRAMING_BYTES = 64 * 2**10
"""Of sizes, extensions and trailers, beside as many bytes as the content has."""
CHUNKS_AT_ONCE = 1_000
"""Looked at in one read, about a millisecond's work; what follows them has to wait for the next."""
_PLAIN = re.compile(rb"\r\n([0-9A-Fa-f]{1,16})\r\n")
_SIZE = re.compile(rb"[0-9A-Fa-f]+")


class Chunks:
    """Gives the content of all chunks that have come; ValueError where it is no chunk."""

    def __init__(self, reader: Any, unreader: Any, *, receive_bytes: int) -> None:
        """reader: gunicorn's, which still reads the trailers."""
        self.is_read = False
        self._reader = reader
        self._reader.limit_trailer_section = FRAMING_BYTES
        self._unreader = unreader
        self._receive_bytes = receive_bytes
        self._held = b"\r\n"  # the line break that stands before every size but the first
        self._at = 0
        self._left = 0  # of the chunk's content
        self._framing = 0
        self._content = 0

    def read(self, size: int) -> bytes:
        """At least a byte and at most `size`, which is not 0; nothing at the end."""
        while not self.is_read:
            if data := self._of_held(size):
                return data
            if not self.is_read:
                self._receive()
        return b""

    def _of_held(self, size: int) -> bytes:
        pieces: list[bytes] = []
        for _ in range(CHUNKS_AT_ONCE):
            if self._left == 0 and not self._begin_chunk(may_end=not pieces):
                break
            piece = self._held[self._at : self._at + min(self._left, size)]
            if not piece:
                break
            pieces.append(piece)
            self._at += len(piece)
            self._left -= len(piece)
            size -= len(piece)
        data = b"".join(pieces)
        self._content += len(data)
        if self._framing > self._content + FRAMING_BYTES:
            raise ValueError("more framing than content")
        return data

    def _begin_chunk(self, *, may_end: bool) -> bool:
        """Whether a chunk's content begins; not where its size has not come yet, or it is the last."""
        if plain := _PLAIN.match(self._held, self._at):
            length, ends_at = int(plain[1], 16), plain.end()
        else:
            ends_at = self._end_of_line()
            if ends_at < 0:
                return False
            length = _size(self._held[self._at + 2 : ends_at - 2])
        if length == 0:
            if may_end:
                self._end(ends_at)
            return False
        self._framing += ends_at - self._at
        self._at, self._left = ends_at, length
        return True

    def _end_of_line(self) -> int:
        if not b"\r\n".startswith(self._held[self._at : self._at + 2]):
            raise ValueError("a chunk that is longer than its size")
        found = self._held.find(b"\r\n", self._at + 2)
        ends_at = found + 2 if found >= 0 else len(self._held)
        if ends_at - self._at > self._reader.limit_chunk_size_line:
            raise ValueError("a size without end")
        return ends_at if found >= 0 else -1

    def _end(self, ends_at: int) -> None:
        rest, self._held = self._held[ends_at:], b""
        self._reader.parse_trailers(self._unreader, rest)  # it puts back what stands behind them
        self.is_read = True

    def _receive(self) -> None:
        data = self._unreader.read(None, read_ahead=self._receive_bytes)
        if not data:
            raise ConnectionError("The client has hung up.")
        self._held = self._held[self._at :] + data
        self._at = 0


def _size(line: bytes) -> int:
    """The size in a line that may have extensions."""
    digits, semicolon, extensions = line.partition(b";")
    if semicolon:
        digits = digits.rstrip(b" \t")
    if not _SIZE.fullmatch(digits) or not CHUNK_EXT_RE.fullmatch(semicolon + extensions):
        raise ValueError("a chunk size that is none")
    return int(digits, 16)
