"""One running service for the tests that only use it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from support.api_server import ApiServer, api_serving
from support.audio import encode, music_like
from support.commands import CommandLine
from support.hand_worker import Stage, stage
from support.page import Visits, browsing
from support.page_states import MEDLEY
from support.redis_server import redis_serving
from support.service import LIMITS, MAX_UPLOAD_BYTES, Service, serving

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
def medley() -> bytes:
    """A song of which a stage's worker says MEDLEY."""
    song = music_like(seconds=MEDLEY.duration_seconds, sample_rate=22_050)
    return encode(song, "mp3", sample_rate=22_050)


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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Of one module: Playwright has a loop of its own in this thread, and other modules have theirs."""
    with browsing() as browser:
        yield browser


@pytest.fixture
def visits(browser: Browser) -> Iterator[Visits]:
    """People who come to a page; what goes wrong in their browsers fails the test."""
    visits = Visits(browser)
    yield visits
    visits.end()


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """An api whose worker is the test."""
    with stage(tmp_path_factory.mktemp("stage"), GENREWIZ_MAX_UPLOAD_BYTES=str(MAX_UPLOAD_BYTES)) as staged:
        yield staged
