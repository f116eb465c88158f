"""The api and the bare application, each on a gunicorn of its own, and clients that cost little.

Both get the same requests in turns, so that a busy machine slows both. What is compared is the CPU time of
the processes that answer.
"""

import selectors
import socket
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from processes import tree_seconds

from shared.redis_jobs import RedisJobStore
from shared.redis_keys import Keys
from shared.settings import Settings
from support.api_server import ApiServer, api_serving
from support.redis_server import RedisServer, redis_serving

CONCURRENCY = 8
PRODUCTION = {
    "GENREWIZ_API_WORKERS": "1",
    "GENREWIZ_LOG_FORMAT": "json",  # into a file
    "GENREWIZ_RATE_LIMIT": Settings.model_fields["rate_limit"].default,
    "GENREWIZ_TRUSTED_PROXIES": "1",  # so that each round can be another caller, and none reaches the limit
}


BOTH = selectors.EVENT_READ | selectors.EVENT_WRITE


@dataclass
class _Asker:
    """One connection: what is left to send of its request, and what has come of the answer."""

    connection: socket.socket
    left: memoryview = field(default_factory=lambda: memoryview(b""))
    answer: bytearray = field(default_factory=bytearray)
    began_at: float = 0.0


@dataclass(frozen=True)
class Servers:
    """The api, and its jobs."""

    api: ApiServer
    redis: RedisServer
    jobs: RedisJobStore
    directory: Path

    @contextmanager
    def bare(self, answer: bytes) -> Iterator[ApiServer]:
        """The bare application, which answers with this JSON."""
        directory = self.directory / "bare"
        directory.mkdir(exist_ok=True)
        file = directory / "answer.json"
        file.write_bytes(answer)
        with api_serving(
            directory,
            self.redis.url,
            app="benchmarks.http_bare:app",
            GENREWIZ_BARE_ANSWER=str(file),
            **PRODUCTION,
        ) as server:
            yield server


@contextmanager
def servers(directory: Path, **environment: str) -> Iterator[Servers]:
    """The api as in production, with one process."""
    with ExitStack() as stack:
        redis = stack.enter_context(redis_serving(directory / "redis"))
        ours = directory / "api"
        ours.mkdir()
        api = stack.enter_context(api_serving(ours, redis.url, **PRODUCTION | environment))
        client = stack.enter_context(redis.client())
        yield Servers(api, redis, RedisJobStore(client, Keys()), directory)


def cpu_seconds(server: ApiServer) -> float:
    """User and system time of the processes that answer."""
    return sum(map(tree_seconds, server.workers()))


def caller(number: int) -> str:
    """Another address for each number."""
    return f"198.18.{number // 250 % 250}.{number % 250 + 1}"


def ask(
    port: int,
    requests: Sequence[bytes],
    *,
    status: int,
    concurrency: int = CONCURRENCY,
    seconds: list[float] | None = None,
) -> None:
    """Send requests over connections that are kept; each sends the next one when it was answered.

    seconds: takes how long each answer took.
    """
    waiting = list(reversed(requests))
    with ExitStack() as stack, selectors.DefaultSelector() as selector:

        def send(asker: _Asker) -> None:
            asker.left = memoryview(waiting.pop())
            asker.began_at = time.perf_counter()
            selector.modify(asker.connection, BOTH, asker)

        for _ in range(min(concurrency, len(requests))):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setblocking(False)
            asker = _Asker(connection)
            selector.register(connection, BOTH, asker)
            send(asker)
        answered = 0
        while answered < len(requests):
            for key, ready in selector.select():
                asker = key.data
                if ready & selectors.EVENT_WRITE and asker.left:
                    asker.left = asker.left[asker.connection.send(asker.left) :]
                    if not asker.left:
                        selector.modify(asker.connection, selectors.EVENT_READ, asker)
                if not ready & selectors.EVENT_READ:
                    continue
                asker.answer += asker.connection.recv(65_536)
                if not _is_whole(asker.answer, status):
                    continue
                asker.answer.clear()
                answered += 1
                if seconds is not None:
                    seconds.append(time.perf_counter() - asker.began_at)
                if waiting:
                    send(asker)


def _is_whole(answer: bytearray, status: int) -> bool:
    head, blank, body = answer.partition(b"\r\n\r\n")
    if not blank:
        return False
    assert head.startswith(b"HTTP/1.1 %d " % status), bytes(answer[:2_000])
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return len(body) >= int(length)


def milliseconds_each(server: ApiServer, send: Callable[[int], None], count: int) -> float:
    """CPU milliseconds of a request, when so many are sent."""
    before = cpu_seconds(server)
    send(server.port)
    return 1_000 * (cpu_seconds(server) - before) / count


def median_ratio(pairs: list[tuple[float, float]]) -> float:
    """Of pairs that were measured side by side."""
    return statistics.median(ours / bare for ours, bare in pairs)
