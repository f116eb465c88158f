"""Receives an upload: streams the `file` part into the audio store and hashes it on the way.

Nothing of a file is held in memory, and limits are applied before more is read.
"""

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from flask import Request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from shared.errors import InvalidRequest, MalformedRequest, UnsupportedFormat, UploadTooLarge
from shared.job import Source
from shared.ports import AudioSink
from shared.shown import A_PLAYLIST, shown_name
from shared.sniff import HEAD_BYTES, looks_like_audio, looks_like_playlist

CHUNK_BYTES = 64 * 2**10
YIELD_BYTES = 256 * 2**10
"""After so many bytes other requests get their turn: a body that has arrived is read without a pause."""
MAX_FIELD_BYTES = 64 * 2**10
MAX_PARTS = 8
ENVELOPE_BYTES = 2**20
"""What boundaries, headers and fields may add to a file in the length of a request."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A received upload: where the audio came from, and the text of the `job` part."""

    source: Source
    job_part: bytes | None


def receive(request: Request, sink: AudioSink, *, max_bytes: int) -> Upload:
    """Read a multipart body into the sink, which the caller commits or discards.

    Raises MalformedRequest, InvalidRequest, UploadTooLarge, UnsupportedFormat.
    """
    if request.content_length is not None and request.content_length > max_bytes + ENVELOPE_BYTES:
        raise UploadTooLarge(_too_large(max_bytes))
    boundary = request.mimetype_params.get("boundary", "").encode("ascii", "replace")
    if not boundary:
        raise MalformedRequest("The multipart body has no boundary.")
    parts = _Parts(sink, max_bytes=max_bytes)
    for event in _events(request.stream, boundary):
        parts.take(event)
    return parts.upload()


def _events(stream: IO[bytes], boundary: bytes) -> Iterator[Event]:
    decoder = MultipartDecoder(
        boundary, max_form_memory_size=CHUNK_BYTES + MAX_FIELD_BYTES, max_parts=MAX_PARTS
    )
    read = 0
    try:
        while True:
            event = decoder.next_event()
            while isinstance(event, NeedData):
                chunk = stream.read(CHUNK_BYTES)
                if read // YIELD_BYTES != (read + len(chunk)) // YIELD_BYTES:
                    time.sleep(0)
                read += len(chunk)
                decoder.receive_data(chunk or None)
                event = decoder.next_event()
            yield event
            if isinstance(event, Epilogue):
                return
    except ClientDisconnected as error:
        raise MalformedRequest("The upload ended before it was whole.") from error
    except RequestEntityTooLarge as error:
        raise MalformedRequest(
            "The multipart body has too many parts, or headers that are too long."
        ) from error
    except ValueError as error:
        raise MalformedRequest("The multipart body cannot be read.") from error


class _Parts:
    """Sorts the parts of a body: `file` into the sink, `job` into memory, anything else refused."""

    def __init__(self, sink: AudioSink, *, max_bytes: int) -> None:
        self._file = _CheckedFile(sink, max_bytes=max_bytes)
        self._filename: str | None = None
        self._job_part = bytearray()
        self._seen: set[str] = set()
        self._take_data: Callable[[bytes], None] = self._file.write

    def take(self, event: Event) -> None:
        """One event of the decoder."""
        if isinstance(event, Field | File):
            self._begin(event)
        elif isinstance(event, Data):
            self._take_data(event.data)

    def upload(self) -> Upload:
        """What was received, once all was read."""
        if "file" not in self._seen:
            raise InvalidRequest("The upload has no file.", errors=(("/file", "a file is required"),))
        size, sha256 = self._file.finish()
        return Upload(
            source=Source(kind="upload", filename=self._filename, sha256=sha256, bytes=size),
            job_part=bytes(self._job_part) if "job" in self._seen else None,
        )

    def _begin(self, part: Field | File) -> None:
        name = part.name or ""
        if name in self._seen:
            raise InvalidRequest("A part stands twice.", errors=((f"/{name}", "only one is allowed"),))
        if name == "file" and isinstance(part, File):
            self._filename = shown_name(part.filename)
            self._take_data = self._file.write
        elif name == "job":
            self._take_data = self._add_to_job
        else:
            raise InvalidRequest(
                "The upload has a part that is not known here.",
                errors=(("/", "the parts are `file`, a file, and `job`, JSON"),),
            )
        self._seen.add(name)

    def _add_to_job(self, data: bytes) -> None:
        if len(self._job_part) + len(data) > MAX_FIELD_BYTES:
            raise InvalidRequest(
                "The job part is too long.", errors=(("/job", f"at most {MAX_FIELD_BYTES} bytes"),)
            )
        self._job_part += data


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
        if self._size > self._max_bytes:
            raise UploadTooLarge(_too_large(self._max_bytes))
        if len(self._head) < HEAD_BYTES:
            self._head += data[: HEAD_BYTES - len(self._head)]
            if len(self._head) == HEAD_BYTES:
                self._sniff()
        self._hash.update(data)
        self._sink.write(data)

    def finish(self) -> tuple[int, str]:
        """Size and SHA-256."""
        if self._size == 0:
            raise InvalidRequest("The file is empty.", errors=(("/file", "the file has no bytes"),))
        if len(self._head) < HEAD_BYTES:
            self._sniff()
        return self._size, self._hash.hexdigest()

    def _sniff(self) -> None:
        if not looks_like_audio(self._head):
            if looks_like_playlist(self._head):
                raise UnsupportedFormat(A_PLAYLIST)
            raise UnsupportedFormat("The file's first bytes are those of no audio format that we know.")


def _too_large(max_bytes: int) -> str:
    return f"The file is larger than {max_bytes} bytes."
