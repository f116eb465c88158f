"""A URL -> the song's bytes in a file, counted, hashed and sniffed on the way.

Each URL on the way, the first and those of redirects, is checked by the egress guard from scratch. Nothing
that the server says is believed, nothing is decompressed, and limits are applied before more is read.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final

from shared.deadline import Deadline
from shared.egress import EgressGuard
from shared.errors import FetchFailed, FetchTimeout, StoreUnavailable, UnsupportedFormat
from shared.pinned_http import Answer, NoHttp, PinnedHttp
from shared.settings import Settings
from shared.shown import A_PLAYLIST
from shared.sniff import HEAD_BYTES, looks_like_audio, looks_like_page, looks_like_playlist
from shared.urls import Url

MAX_REDIRECTS: Final = 3
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
MAY_HEAL: Final = frozenset({408, 425, 429})
"""Refusals of the 4xx kind that another try may not meet."""
READ_BYTES: Final = 64 * 2**10
RATE_SECONDS: Final = 10.0
"""The rate is that of each so many seconds."""

A_STREAM: Final = "The URL is a live stream, which never ends: give the URL of a recording."
PLAYLIST_TYPES: Final = frozenset(
    {
        "application/mpegurl",
        "application/pls+xml",
        "application/vnd.apple.mpegurl",
        "application/x-mpegurl",
        "application/xspf+xml",
        "audio/mpegurl",
        "audio/scpls",
        "audio/x-mpegurl",
        "audio/x-scpls",
        "video/x-ms-asx",
    }
)
"""A playlist of bare file names can be told by nothing else."""


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What came: its bytes are in the file that the caller gave."""

    bytes: int
    sha256: str


class Fetcher:
    """Fetches songs under the egress policy and the operator's limits, in any number of threads."""

    def __init__(self, *, guard: EgressGuard, http: PinnedHttp, settings: Settings) -> None:
        self._guard = guard
        self._http = http
        self._settings = settings

    def fetch(self, url: str, file: BinaryIO, *, on_step: Callable[[], None]) -> Fetched:
        """Fetch a URL into a file, which is at its beginning then.

        on_step is called before each piece is read; what it raises ends the fetch. Raises UrlBlocked,
        FetchFailed, FetchTimeout, UnsupportedFormat, and StoreUnavailable where the file takes no more.
        """
        with Deadline(self._settings.fetch_seconds) as deadline:
            for _ in range(1 + MAX_REDIRECTS):
                on_step()
                target = self._guard.check(url, seconds=deadline.remaining_seconds)
                deadline.check()
                try:
                    with self._http.ask(target, deadline) as answer:
                        if answer.status not in REDIRECTS:
                            return self._received(answer, file, on_step)
                        url = _next(target.url, answer)
                except NoHttp as error:
                    if error.first_line.startswith("ICY"):  # how SHOUTcast begins
                        raise UnsupportedFormat(A_STREAM) from None
                    raise
        raise FetchFailed(f"The URL redirects more than {MAX_REDIRECTS} times.", retryable=False)

    def _received(self, answer: Answer, file: BinaryIO, on_step: Callable[[], None]) -> Fetched:
        _check_status(answer.status)
        _check_header(answer.headers, max_bytes=self._settings.max_upload_bytes)
        body = _Body(
            file,
            media_type=_media_type(answer.headers),
            max_bytes=self._settings.max_upload_bytes,
            min_bytes_per_second=self._settings.fetch_min_bytes_per_second,
        )
        while data := answer.read(READ_BYTES):
            body.take(data)
            on_step()
        return body.finish()


class _Body:
    """Counts, times, hashes and sniffs a body while it goes into the file."""

    def __init__(
        self, file: BinaryIO, *, media_type: str, max_bytes: int, min_bytes_per_second: float
    ) -> None:
        self._file = file
        self._media_type = media_type
        self._max_bytes = max_bytes
        self._size = 0
        self._head = b""
        self._sniffed = False
        self._hash = hashlib.sha256()
        self._rate = _Rate(min_bytes_per_second)

    def take(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._max_bytes:
            raise _too_large(self._max_bytes)
        self._rate.add(len(data))
        if not self._sniffed:
            self._head = (self._head + data)[:HEAD_BYTES]
            if len(self._head) == HEAD_BYTES:
                self._sniff()
        self._hash.update(data)
        self._write(data)

    def finish(self) -> Fetched:
        if not self._size:
            raise FetchFailed("The URL's server answers with no bytes.", retryable=False)
        if not self._sniffed:
            self._sniff()
        self._write(b"")
        self._file.seek(0)
        return Fetched(bytes=self._size, sha256=self._hash.hexdigest())

    def _write(self, data: bytes) -> None:
        """Append; nothing is what makes the rest leave the buffer."""
        try:
            if data:
                self._file.write(data)
            else:
                self._file.flush()
        except OSError as error:
            raise StoreUnavailable("The audio store is full or cannot be written to.") from error

    def _sniff(self) -> None:
        self._sniffed = True
        if looks_like_audio(self._head):
            return
        if looks_like_playlist(self._head) or self._media_type in PLAYLIST_TYPES:
            raise UnsupportedFormat(A_PLAYLIST)
        if looks_like_page(self._head):
            raise UnsupportedFormat("The URL is a web page: give the URL of the audio itself.")
        raise UnsupportedFormat("The URL's first bytes are those of no audio format that we know.")


class _Rate:
    """Ends a body that comes too slowly, judged anew over each RATE_SECONDS."""

    def __init__(self, min_bytes_per_second: float) -> None:
        self._least = min_bytes_per_second
        self._since = time.monotonic()
        self._bytes = 0

    def add(self, count: int) -> None:
        self._bytes += count
        seconds = time.monotonic() - self._since
        if seconds < RATE_SECONDS:
            return
        if self._bytes < self._least * seconds:
            raise FetchTimeout(f"The URL's server sends less than {self._least} bytes a second.")
        self._since, self._bytes = time.monotonic(), 0


def _next(url: Url, answer: Answer) -> str:
    """Where a redirect leads."""
    location = answer.headers.get("Location")
    if not location:
        raise FetchFailed("The URL redirects to nowhere.", retryable=False)
    return url.joined(_as_text(location))


def _as_text(header: str) -> str:
    """A header as its server meant it: UTF-8, which http.client takes for Latin-1."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header


def _check_status(status: int) -> None:
    if status == 200:
        return
    refused = 400 <= status < 500 and status not in MAY_HEAL
    raise FetchFailed(
        f"The URL's server answers with status {status}.", retryable=not refused and not 200 < status < 400
    )


def _check_header(headers: Mapping[str, str], *, max_bytes: int) -> None:
    if any(name.lower().startswith("icy-") for name in headers):
        raise UnsupportedFormat(A_STREAM)
    if headers.get("Content-Encoding", "").strip().lower() not in ("", "identity"):
        raise FetchFailed("The URL's server compresses what was asked for as it is.", retryable=False)
    length = headers.get("Content-Length", "")
    if length.isdecimal() and int(length[:20]) > max_bytes:
        raise _too_large(max_bytes)


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _too_large(max_bytes: int) -> FetchFailed:
    return FetchFailed(f"The URL's file is larger than {max_bytes} bytes.", retryable=False)
