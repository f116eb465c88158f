"""The core's values as httpx', and back: what both drivers share.

It sends nothing.
"""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import IO, Any, Final, cast
from urllib.parse import urlsplit

import httpx
from httpx_sse import ServerSentEvent

from genrewiz.client.effects import Answer, Broken, Frame, Request
from genrewiz.client.upload import Upload

DEFAULT_URL: Final = "http://127.0.0.1:8000"
GRACE_SECONDS: Final = 2.0
"""For so much longer than the caller's time an answer is waited for: it may be on its way."""
KEEP_SECONDS: Final = 3.0
"""The server ends idle connections after 5 seconds: one that is about to go must not be used."""
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

BROKEN: Final = httpx.RequestError
UNSENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""No connection was made, over which anything could have gone."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a server is, what it wants to know of us, and how long to wait for it."""

    base_url: str
    api_key: str | None
    timeout_seconds: float

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)  # a port that is none is a ValueError, too
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            raise ValueError("base_url is a URL with http:// or https:// and a host.")
        if parts.query or parts.fragment:
            raise ValueError("base_url is the server's: no query, and no fragment.")
        if self.api_key is not None and parts.username is not None:
            raise ValueError(
                "A name in base_url and an api_key would go into the same header: one is too many."
            )
        if self.api_key is not None and not (self.api_key.isascii() and self.api_key.isprintable()):
            raise ValueError("api_key holds characters that no key has.")
        if self.api_key == "":
            raise ValueError("api_key is empty: leave it out where the server asks for none.")
        if not self.timeout_seconds > 0:
            raise ValueError("timeout_seconds must be more than 0.")

    @property
    def shown(self) -> str:
        """The URL for people, without a password that may stand in it."""
        parts = urlsplit(self.base_url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    def options(self, *, keep: bool = True) -> dict[str, Any]:
        """How an httpx client of our own is made. keep: whether connections are used again."""
        return {
            # A proxy's way to a loopback address would lead to another machine.
            "trust_env": urlsplit(self.base_url).hostname not in LOOPBACK,
            "limits": httpx.Limits(
                max_connections=None,
                max_keepalive_connections=20 if keep else 0,
                keepalive_expiry=KEEP_SECONDS,
            ),
        }

    def parts(self, request: Request) -> dict[str, Any]:
        """What `build_request` of either httpx client takes."""
        body: dict[str, Any] = {}
        if request.upload is not None:
            # httpx reads it and asks for its end: it needs no more of a file.
            file = cast(IO[bytes], request.upload.begin())
            body = {"files": {"file": (request.upload.filename, file)}, "data": dict(request.fields)}
        elif request.json is not None:
            body = {"content": request.json}
        return {
            "method": request.method,
            "url": self.base_url.rstrip("/") + request.path,
            "params": dict(request.query) or None,
            "headers": self._headers(request),
            "timeout": httpx.Timeout(self.timeout_seconds, read=self._read_seconds(request)),
            **body,
        }

    def _headers(self, request: Request) -> dict[bytes, bytes]:
        agent = f"genrewiz/{version('genrewiz')} httpx/{httpx.__version__}"
        key = {} if self.api_key is None else {"authorization": f"Bearer {self.api_key}"}
        headers = {"accept": "application/json", "user-agent": agent, **key, **request.headers}
        # The id of an event, which is said again, is whatever the server has made it.
        return {name.encode(): value.encode() for name, value in headers.items()}

    def _read_seconds(self, request: Request) -> float:
        longest = self.timeout_seconds + request.held_seconds
        if request.silence_seconds is not None:
            return request.silence_seconds
        return longest if request.left_seconds is None else min(longest, request.left_seconds + GRACE_SECONDS)


def broken(error: Exception) -> Broken:
    """Why there is no answer."""
    # Neither a certificate nor a header that cannot be sent gets better by being tried again.
    return Broken(
        reason=str(error) or type(error).__name__,
        cause=error,
        is_final=isinstance(error, httpx.LocalProtocolError) or _is_untrusted(error),
        is_unsent=isinstance(error, UNSENT),
    )


def _is_untrusted(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def head_of(response: httpx.Response) -> Answer:
    """The answer without its body, of which nothing is read."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(status=response.status_code, headers=headers)


def answer_of(response: httpx.Response) -> Answer:
    """The answer; its body must have been read."""
    return replace(head_of(response), body=response.content)


def frame_of(event: ServerSentEvent) -> Frame:
    """An event as the core takes it."""
    return Frame(name=event.event, data=event.data, id=event.id, retry_milliseconds=event.retry)


class Body(httpx.SyncByteStream):
    """The body of an upload; whoever wants to hears how far it is."""

    def __init__(self, pieces: Any, upload: Upload) -> None:
        self._pieces = pieces
        self._upload = upload

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            yield piece
            self._upload.tell()
