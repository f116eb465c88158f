"""Real servers for the tests: started here, stopped here."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from flask.testing import FlaskClient
from redis import Redis

from genrewiz.serve.embedded import prepare
from shared.job import JobId
from shared.redis_client import connect
from shared.redis_jobs import RedisJobStore
from shared.redis_keys import Keys
from shared.settings import Settings
from support.api_server import ApiServer, api_serving
from support.contract import check_flask
from support.jobs import new_job
from support.waiting import eventually


@pytest.fixture(scope="session", autouse=True)
def _every_answer_is_as_described() -> Iterator[None]:
    """Whatever a test asks of the application, its answer is held against docs/openapi.json."""
    opened = FlaskClient.open

    def open_checked(self: FlaskClient, *args: Any, **kwargs: Any) -> Any:
        response = opened(self, *args, **kwargs)
        check_flask(response)
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FlaskClient, "open", open_checked)
        yield


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Valkey server with the embedded configuration."""
    server = prepare(tmp_path_factory.mktemp("redis"))
    process = subprocess.Popen(server.command, stdout=subprocess.DEVNULL)
    client = Redis.from_url(server.url)
    eventually(client.ping)
    yield server.url
    process.terminate()
    process.wait()


@pytest.fixture
def settings(redis_url: str, tmp_path) -> Settings:
    # Tests ask often, and look at every key of Redis: the limit of requests leaves some.
    return Settings(redis_url=redis_url, audio_dir=tmp_path / "audio", rate_limit="")


@pytest.fixture
def redis(settings: Settings) -> Iterator[Redis]:
    """A client of an empty server."""
    client = connect(settings)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def jobs(redis: Redis) -> RedisJobStore:
    return RedisJobStore(redis, Keys())


@pytest.fixture(scope="module")
def apis(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ApiServer]]:
    """Two apis of one process each."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                api_serving(tmp_path_factory.mktemp("api"), redis_url, GENREWIZ_API_WORKERS="1")
            )
            for _ in range(2)
        ]


@pytest.fixture
def job_id(jobs: RedisJobStore) -> JobId:
    """An accepted job."""
    new = new_job()
    jobs.accept(new)
    return new.id
