"""Names -> addresses by the system's resolver, for no longer than a caller can wait."""

import queue
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any

from shared.errors import FetchFailed

Addresses = tuple[str, ...]


def addresses_of(host: str, port: int, *, getaddrinfo: Callable[..., Any] | None = None) -> Addresses:
    """All addresses of a name; OSError. Blocks for as long as the system's resolver likes."""
    found = (getaddrinfo or socket.getaddrinfo)(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def resolve(host: str, port: int, *, seconds: float) -> Sequence[str]:
    """The addresses of a name; FetchFailed where there are none within so many seconds."""
    answers: queue.SimpleQueue[Addresses | None] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(addresses_of(host, port))
        except (OSError, UnicodeError):
            answers.put(None)

    # getaddrinfo knows no time-out: what hangs in it is left behind, and ends with the process.
    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        found = answers.get(timeout=max(0.0, seconds))
    except queue.Empty:
        raise not_resolved() from None
    if not found:
        raise not_resolved()
    return found


def not_resolved() -> FetchFailed:
    """What a name without an answer is."""
    return FetchFailed("The URL's host cannot be resolved.")
