"""Receives an upload: streams the `file` part into the audio store and hashes it on the way.

Nothing of a file is held in memory, and limits are applied before more is read.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import IO

from flask import Request
from werkzeug.exceptions import ClientDisconnected

from api.multipart import Part, read_parts
from shared.errors import (
    InvalidRequest,
    MalformedRequest,
    UnsupportedFormat,
    UnsupportedMediaType,
    UploadTooLarge,
    Wrong,
)
from shared.job import Source
from shared.ports import AudioSink
from shared.shown import A_PLAYLIST, shown_name
from shared.sniff import HEAD_BYTES, looks_like_audio, looks_like_playlist

CHUNK_BYTES = 64 * 2**10
MAX_FIELD_BYTES = 64 * 2**10
ENVELOPE_BYTES = 2**20
"""What boundaries, headers and fields may add to a file in the length of a request."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A received upload: where the audio came from, and what else its parts say."""

    source: Source
    job_part: bytes | None
    fields: Mapping[str, str]  # the other parts that were allowed, by name


def least_bytes(request: Request, *, max_bytes: int) -> int:
    """How much audio an upload holds at least, by its headers; UploadTooLarge, UnsupportedMediaType.

    A body is longer than its file: by how much is known only when it was read.
    """
    length = request.content_length or 0
    if length > max_bytes + ENVELOPE_BYTES:
        raise UploadTooLarge(_too_large(max_bytes))
    refuse_encoded(request)
    return max(length - ENVELOPE_BYTES, 1)


def receive(request: Request, sink: AudioSink, *, max_bytes: int, fields: Collection[str] = ()) -> Upload:
    """Read a multipart body into the sink, which the caller commits or discards.

    fields: names of parts that may stand there beside `file` and `job`.

    Raises MalformedRequest, InvalidRequest, UploadTooLarge, UnsupportedFormat, and UploadTooSlow where the
    request's stream does.
    """
    boundary = request.mimetype_params.get("boundary", "").encode("ascii", "replace")
    if not boundary:
        raise MalformedRequest("The multipart body has no boundary.")
    parts = _Parts(sink, max_bytes=max_bytes, fields=fields)
    for event in read_parts(_pieces(request.stream), boundary):
        parts.take(event)
    return parts.upload()


def refuse_encoded(request: Request) -> None:
    """UnsupportedMediaType where the body is compressed: a bomb would be ours to undo."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("Send the body as it is: a Content-Encoding is not undone here.")


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    try:
        while piece := stream.read(CHUNK_BYTES):
            yield piece
    except ClientDisconnected as error:
        raise MalformedRequest("The upload ended before it was whole.") from error


class _Parts:
    """Sorts the parts of a body: `file` into the sink, text into memory, anything else refused."""

    def __init__(self, sink: AudioSink, *, max_bytes: int, fields: Collection[str]) -> None:
        self._file = _CheckedFile(sink, max_bytes=max_bytes)
        self._filename: str | None = None
        self._fields = fields
        self._texts: dict[str, bytearray] = {}
        self._seen: set[str] = set()
        self._take_data: Callable[[bytes], None] = self._file.write

    def take(self, event: Part | bytes) -> None:
        """A part begins, or more of its content is there."""
        if isinstance(event, Part):
            self._begin(event)
        else:
            self._take_data(event)

    def upload(self) -> Upload:
        """What was received, once all was read."""
        if "file" not in self._seen:
            raise InvalidRequest(
                "The upload has no file.", errors=(Wrong("pointer", "/file", "a file is required"),)
            )
        size, sha256 = self._file.finish()
        return Upload(
            source=Source(kind="upload", filename=self._filename, sha256=sha256, bytes=size),
            job_part=bytes(self._texts.pop("job")) if "job" in self._seen else None,
            fields={name: _text(name, text) for name, text in self._texts.items()},
        )

    def _begin(self, part: Part) -> None:
        name = part.name
        if name in self._seen:
            raise InvalidRequest(
                "A part stands twice.", errors=(Wrong("pointer", f"/{name}", "only one is allowed"),)
            )
        if name == "file" and part.filename is not None:
            self._filename = shown_name(part.filename)
            self._take_data = self._file.write
        elif name == "job" or name in self._fields:
            self._texts[name] = bytearray()
            self._take_data = partial(self._add_to_text, name)
        else:
            raise InvalidRequest(
                "The upload has a part that is not known here.",
                errors=(Wrong("pointer", "", self._known_parts()),),
            )
        self._seen.add(name)

    def _known_parts(self) -> str:
        others = "".join(f", `{name}`" for name in self._fields)
        return f"the parts are `file`, a file, and `job`, JSON{others and f'; or, as text{others}'}"

    def _add_to_text(self, name: str, data: bytes) -> None:
        if len(self._texts[name]) + len(data) > MAX_FIELD_BYTES:
            raise InvalidRequest(
                f"The {name} part is too long.",
                errors=(Wrong("pointer", f"/{name}", f"at most {MAX_FIELD_BYTES} bytes"),),
            )
        self._texts[name] += data


class _CheckedFile:
    """Counts, hashes and sniffs a file while it goes into the sink."""

    def __init__(self, sink: AudioSink, *, max_bytes: int) -> None:
        self._sink = sink
        self._max_bytes = max_bytes
        self._size = 0
        self._head = b""
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self._size += len(data)
        if len(self._head) < HEAD_BYTES:
            self._head += data[: HEAD_BYTES - len(self._head)]
            if len(self._head) == HEAD_BYTES:
                self._sniff()
        if self._size > self._max_bytes:
            raise UploadTooLarge(_too_large(self._max_bytes))
        self._hash.update(data)
        self._sink.write(data)

    def finish(self) -> tuple[int, str]:
        """Size and SHA-256."""
        if self._size == 0:
            raise InvalidRequest(
                "The file is empty.", errors=(Wrong("pointer", "/file", "the file has no bytes"),)
            )
        if len(self._head) < HEAD_BYTES:
            self._sniff()
        return self._size, self._hash.hexdigest()

    def _sniff(self) -> None:
        if not looks_like_audio(self._head):
            if looks_like_playlist(self._head):
                raise UnsupportedFormat(A_PLAYLIST)
            raise UnsupportedFormat("The file's first bytes are those of no audio format that we know.")


def _text(name: str, part: bytearray) -> str:
    try:
        return part.decode()
    except UnicodeDecodeError:
        raise InvalidRequest(
            f"The {name} part is no text.", errors=(Wrong("pointer", f"/{name}", "it must be UTF-8"),)
        ) from None


def _too_large(max_bytes: int) -> str:
    return f"The file is larger than {max_bytes} bytes."
