"""A receiver that costs little, in a process of its own: it answers 200 and keeps when each request came.

It verifies nothing; `tests/faults/receivers.py` does.
"""

import asyncio
import json
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
BLACK_HOLE = "127.0.2.1"


@dataclass(frozen=True)
class Arrival:
    """One request."""

    address: str  # at which it came
    at: float  # seconds since 1970
    lag_seconds: float | None  # since what it tells of


class Sink:
    """A sink that is up."""

    def __init__(self, port: int, ask: Connection) -> None:
        self.port = port
        self._ask = ask

    def count(self) -> int:
        """How many requests have come since it was emptied."""
        self._ask.send("count")
        return self._ask.recv()

    def empty(self) -> list[Arrival]:
        """All that have come since it was emptied last."""
        self._ask.send("empty")
        return [Arrival(*fields) for fields in self._ask.recv()]


@contextmanager
def sink_receiving(port: int, addresses: Sequence[str]) -> Iterator[Sink]:
    """At these addresses; at BLACK_HOLE connections are taken and nothing is said."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(port, list(addresses), theirs), daemon=True)
    process.start()
    theirs.close()  # so that its end is told
    try:
        assert ours.recv() == "up"
        yield Sink(port, ours)
    finally:
        process.kill()
        process.join()


class _Receiving(asyncio.Protocol):
    """One connection."""

    def __init__(self, arrivals: list[tuple[str, float, bytes]]) -> None:
        self._arrivals = arrivals
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._address = transport.get_extra_info("sockname")[0]

    def data_received(self, data: bytes) -> None:
        if self._address == BLACK_HOLE:
            return
        self._held += data
        while (at := self._held.find(b"\r\n\r\n")) >= 0:
            head, body = self._held[:at].lower(), self._held[at + 4 :]
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            if len(body) < length:
                return
            self._held = body[length:]
            self._arrivals.append((self._address, time.time(), body[:length]))
            self._transport.write(ANSWER)


def _run(port: int, addresses: list[str], ask: Connection) -> None:
    asyncio.run(_serve(port, addresses, ask))


async def _serve(port: int, addresses: list[str], ask: Connection) -> None:
    loop = asyncio.get_running_loop()
    arrivals: list[tuple[str, float, bytes]] = []
    for address in addresses:
        await loop.create_server(lambda: _Receiving(arrivals), address, port, backlog=1_024)

    def answer() -> None:
        if ask.recv() == "count":
            ask.send(len(arrivals))
        else:
            ask.send([(address, at, _lag(at, body)) for address, at, body in arrivals])
            arrivals.clear()

    loop.add_reader(ask.fileno(), answer)
    ask.send("up")
    await asyncio.Event().wait()


def _lag(at: float, body: bytes) -> float | None:
    try:
        return at - datetime.fromisoformat(json.loads(body)["timestamp"]).timestamp()
    except (ValueError, LookupError):
        return None
