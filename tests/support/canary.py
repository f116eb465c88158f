"""Proof that nothing connected: every connect of the process is seen, and real servers wait to be reached."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from support.web import Server, response, saying, song

_watching: list["Canary"] = []


class Canary:
    """Listens on both loopback addresses, at one port each, and hears of each connect from this process."""

    def __init__(self, v4: Server, v6: Server) -> None:
        self.v4, self.v6 = v4, v6
        self.connects: list[Any] = []

    def is_quiet(self) -> bool:
        return self.v4.accepted == self.v6.accepted == 0 and not self.connects


@contextmanager
def canary() -> Iterator[Canary]:
    """A canary that hears of what is connected to inside the block."""
    with ExitStack() as stack:
        answer = saying(response(song(1.0)))
        servers = [stack.enter_context(Server(answer, host=host)) for host in ("127.0.0.1", "::1")]
        bird = Canary(*servers)
        _watching.append(bird)
        stack.callback(_watching.remove, bird)
        yield bird


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        for bird in _watching:
            bird.connects.append(arguments[1])


sys.addaudithook(_hook)  # there is no way to take one away again: it does nothing while nobody watches
