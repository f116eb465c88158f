"""What the core of the client wants done, and what came of it, as values.

Nothing here does anything: the core (`conversation.py`) yields an effect, a driver (`sync_client.py`,
`async_client.py`) carries it out and sends the outcome back in.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Generic, TypeAlias, TypeVar

from genrewiz.client.upload import Upload

STREAM: Final = "text/event-stream"

OnPause: TypeAlias = Callable[[Exception, float], None]
"""Told before each pause why a request must be repeated, as a ClientError, and in how many seconds it is."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request; the path stands behind the server's own URL."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: bytes | None = None  # the body, unless there is an upload
    upload: Upload | None = None  # beside which `fields` go
    fields: Mapping[str, str] = field(default_factory=dict)
    held_seconds: float = 0.0  # for so long the server may keep its answer to itself
    silence_seconds: float | None = None  # how long it may say nothing, where that is not the client's own
    is_idempotent: bool = True  # whether it comes to the same when it is heard twice
    left_seconds: float | None = None  # all the time that the caller has, where that is limited

    @property
    def can_be_repeated(self) -> bool:
        """Whether it would be the same once more."""
        return self.upload is None or self.upload.can_be_repeated


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the server said; header names in lower case. The body of a stream is not read yet."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def is_stream(self) -> bool:
        """Whether it is a stream of events."""
        return self.status == HTTPStatus.OK and self.headers.get("content-type", "").startswith(STREAM)


@dataclass(frozen=True, kw_only=True)
class Broken:
    """No answer came, or no more of a stream.

    is_final: it would be no different once more. is_unsent: not a byte of the request can have arrived.
    """

    reason: str
    cause: Exception | None = None
    is_final: bool = False
    is_unsent: bool = False


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One event of a stream, as it was sent."""

    name: str
    data: str
    id: str
    retry_milliseconds: int | None = None


@dataclass(frozen=True)
class Send:
    """Send the request; the outcome is an Answer, or Broken."""

    request: Request


@dataclass(frozen=True)
class Open:
    """The same, but a stream of events is left open, to be read from."""

    request: Request


@dataclass(frozen=True)
class Read:
    """The next Frame of the open stream; Broken, or None at its end."""


@dataclass(frozen=True)
class Sleep:
    """Do nothing for so many seconds. because: why a request must be repeated, where it must be."""

    seconds: float
    because: Exception | None = None


@dataclass(frozen=True)
class Give(Generic[T]):
    """Hand this to the caller, who may never ask for more."""

    item: T


Steps: TypeAlias = Generator[Send | Open | Sleep, Any, T]
"""A call that ends with a value."""
Items: TypeAlias = Generator[Send | Open | Read | Sleep | Give[T], Any, None]
"""A call that gives one value after another."""
