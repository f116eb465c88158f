"""Both clients with one face, so that one test asks both: calls block, events and jobs are iterators."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal

from genrewiz.client import AsyncClient, Client

STREAMS = ("events", "jobs", "deliveries")
KINDS = ("sync", "async")

Making = Callable[..., Any]
"""Makes a client of one kind, as `Client` is made."""


class Recorder:
    """A server that gives its answers one after another, and keeps what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = iter(answers)
        self.requests: list[httpx.Request] = []
        self.bodies: list[bytes] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.bodies.append(request.content)
        answer = next(self.answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Blocking:
    """An AsyncClient for who does not know of loops."""

    def __init__(self, portal: BlockingPortal, client: AsyncClient) -> None:
        self._portal = portal
        self._client = client

    def close(self) -> None:
        """As `Client` calls it."""
        self._portal.call(self._client.aclose)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)
        if name in STREAMS:
            return lambda *args, **options: _items(self._portal, method(*args, **options))
        return lambda *args, **options: self._portal.call(lambda: method(*args, **options))


def _items(portal: BlockingPortal, items: Any) -> Iterator[Any]:
    end = object()
    try:
        while (item := portal.call(anext, items, end)) is not end:
            yield item
    finally:
        with suppress(RuntimeError):  # the loop has ended before: that of a test which failed
            portal.call(items.aclose)


@contextmanager
def clients(kind: str) -> Iterator[Making]:
    """Makes clients of this kind; all are closed at the end. handler: answers in a server's stead."""
    if kind == "sync":
        made: list[Client] = []

        def make_sync(url: str = "http://server", *, handler: Any = None, **options: Any) -> Client:
            if handler:
                options["http"] = httpx.Client(transport=httpx.MockTransport(handler))
            made.append(Client(url, **options))
            return made[-1]

        yield make_sync
        for client in made:
            client.close()
        return
    with start_blocking_portal() as portal:
        made_async: list[AsyncClient] = []

        def make_async(url: str = "http://server", *, handler: Any = None, **options: Any) -> Blocking:
            def build() -> AsyncClient:  # within the loop
                if handler:
                    options["http"] = httpx.AsyncClient(transport=httpx.MockTransport(handler))
                return AsyncClient(url, **options)

            made_async.append(portal.call(build))
            return Blocking(portal, made_async[-1])

        yield make_async
        for each in made_async:
            portal.call(each.aclose)
