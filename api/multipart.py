"""A multipart body, in pieces of any size -> its parts (RFC 7578, RFC 2046 section 5.1).

The parts are the same wherever the pieces are cut. Lines end with CRLF; what else is not as it should be is
refused, never guessed at. Nothing of a part's content is kept here, and nothing of its headers is believed.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from werkzeug.http import parse_options_header

from shared.errors import MalformedRequest

MAX_HEADER_BYTES = 16 * 2**10
"""Of one part: room for a file name of 10,000 characters."""
MAX_MARGIN_BYTES = 16 * 2**10
"""Of what stands before the first part, and again behind the last."""
MAX_PADDING_BYTES = 256
"""Of blanks behind a boundary."""
_FOLD = re.compile(rb"\r\n[ \t]+")


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part begins; its content follows, as bytes. Both names are as the client wrote them."""

    name: str
    filename: str | None


def read_parts(pieces: Iterable[bytes], boundary: bytes) -> Iterator[Part | bytes]:
    """Each part and, behind it, its content in pieces; MalformedRequest where the body is not well formed."""
    mark = b"\r\n--" + boundary
    body = _Pieces(pieces, begin=b"\r\n")  # the line break that the first boundary may lack
    body.before(mark, limit=MAX_MARGIN_BYTES)
    while not body.starts_with(b"--"):
        if body.before(b"\r\n", limit=MAX_PADDING_BYTES).strip(b" \t"):
            raise MalformedRequest("A boundary of the multipart body has text behind it.")
        body.put_back(b"\r\n")  # so that a part without any header ends like the others
        yield _part(body.before(b"\r\n\r\n", limit=MAX_HEADER_BYTES))
        yield from _content(body, mark)
    body.skip_rest(limit=MAX_MARGIN_BYTES)


def _content(body: "_Pieces", mark: bytes) -> Iterator[bytes]:
    body.put_back(b"\r\n")  # where the part is empty, the blank line may be the boundary's line break, too
    if not body.starts_with(mark):
        body.starts_with(b"\r\n")
        yield from body.stream_before(mark)


def _part(block: bytes) -> Part:
    dispositions = [value for name, value in _headers(block) if name == "content-disposition"]
    if len(dispositions) != 1:
        raise MalformedRequest("A part of the multipart body has no Content-Disposition, or several.")
    kind, parameters = parse_options_header(dispositions[0])
    if kind.lower() != "form-data":
        raise MalformedRequest("A part of the multipart body is no form data.")
    return Part(name=parameters.get("name", ""), filename=parameters.get("filename"))


def _headers(block: bytes) -> Iterator[tuple[str, str]]:
    for line in _FOLD.sub(b" ", block).split(b"\r\n")[1:]:
        name, colon, value = line.decode("utf-8", "replace").partition(":")
        if not colon:
            raise MalformedRequest("A part of the multipart body has a header that cannot be read.")
        yield name.strip(" \t").lower(), value.strip(" \t")


class _Pieces:
    """Bytes that come in pieces, read as if they were one."""

    def __init__(self, pieces: Iterable[bytes], *, begin: bytes) -> None:
        self._pieces = iter(pieces)
        self._held = begin

    def put_back(self, data: bytes) -> None:
        self._held = data + self._held

    def starts_with(self, mark: bytes) -> bool:
        """Whether the mark comes next; it is taken if so."""
        while len(self._held) < len(mark):
            self._hold_more()
        if not self._held.startswith(mark):
            return False
        self._held = self._held[len(mark) :]
        return True

    def before(self, mark: bytes, *, limit: int) -> bytes:
        """What stands before the mark, at most `limit` bytes; the mark is taken, too."""
        while (at := self._held.find(mark, 0, limit + len(mark))) < 0:
            if len(self._held) >= limit + len(mark):
                raise MalformedRequest("The multipart body has headers or margins that are too long.")
            self._hold_more()
        found, self._held = self._held[:at], self._held[at + len(mark) :]
        return found

    def stream_before(self, mark: bytes) -> Iterator[bytes]:
        """The same without a limit, as it comes."""
        while (at := self._held.find(mark)) < 0:
            # The last bytes may be the beginning of the mark.
            sure = max(0, len(self._held) - len(mark) + 1)
            if sure:
                yield self._held[:sure]
                self._held = self._held[sure:]
            self._hold_more()
        if at:
            yield self._held[:at]
        self._held = self._held[at + len(mark) :]

    def skip_rest(self, *, limit: int) -> None:
        """Read to the end, at most `limit` bytes."""
        size = len(self._held)
        for piece in self._pieces:
            size += len(piece)
            if size > limit:
                break
        if size > limit:
            raise MalformedRequest("The multipart body has headers or margins that are too long.")

    def _hold_more(self) -> None:
        piece = next(self._pieces, b"")
        if not piece:
            raise MalformedRequest("The upload ended before it was whole.")
        self._held += piece
