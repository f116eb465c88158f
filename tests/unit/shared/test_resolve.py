"""Names in the DNS, for no longer than a caller can wait."""

import socket
import threading
from collections.abc import Iterator

import pytest

from api.resolver import ResolverThreads
from shared.errors import FetchFailed
from shared.resolve import resolve


@pytest.fixture(params=["threads", "gevent"])
def resolver(request):
    return resolve if request.param == "threads" else ResolverThreads()


def test_the_addresses_of_a_name_are_found(resolver):
    assert "127.0.0.1" in resolver("localhost", 80, seconds=30)


@pytest.mark.parametrize("name", ["nowhere.invalid", "a" * 300])
def test_a_name_without_addresses_is_a_failed_fetch(resolver, name):
    with pytest.raises(FetchFailed, match="resolved"):
        resolver(name, 80, seconds=30)


@pytest.fixture
def hanging_dns(monkeypatch) -> Iterator[None]:
    done = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: done.wait(60) and [])
    yield
    done.set()


@pytest.mark.parametrize("make", [lambda: resolve, ResolverThreads], ids=["threads", "gevent"])
def test_a_name_that_is_never_answered_holds_nobody_for_longer_than_asked(hanging_dns, make):
    resolver = make()

    for _ in range(6):  # more names than there are threads for them
        with pytest.raises(FetchFailed):
            resolver("slow.example", 80, seconds=0.05)
