"""One running service for the tests that only use it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.api_server import ApiServer, api_serving
from support.commands import CommandLine
from support.redis_server import redis_serving
from support.service import LIMITS, Service, serving

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("service"), **LIMITS) as service:
        yield service


@pytest.fixture(scope="session")
def sample() -> bytes:
    """One of the bundled songs."""
    return (CHECKOUT / "api" / "static" / "samples" / "nightdrive.mp3").read_bytes()


@pytest.fixture(scope="session")
def genrewiz(service: Service) -> CommandLine:
    """The command line, which knows where that service is."""
    return CommandLine(service.url)


@pytest.fixture(scope="module")
def silent_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """An api without a worker: jobs wait for ever."""
    with (
        redis_serving(tmp_path_factory.mktemp("redis")) as redis,
        api_serving(tmp_path_factory.mktemp("api"), redis.url) as api,
    ):
        yield api


@pytest.fixture(scope="module")
def silent(silent_api: ApiServer) -> CommandLine:
    """The command line at that."""
    return CommandLine(f"http://127.0.0.1:{silent_api.port}")
