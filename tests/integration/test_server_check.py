"""Real servers that jobs are not entrusted to, or not without a word, and the processes that meet them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from redis import Redis
from structlog.testing import capture_logs

from genrewiz.serve.ports import free_port
from shared.errors import SetupError
from shared.redis_client import connect
from shared.server_check import check_server
from shared.settings import Settings
from support.api_server import CHECKOUT, GUNICORN_CONFIG
from support.redis_server import RedisServer, redis_serving
from support.service import genrewiz
from support.waiting import PATIENCE_SECONDS, eventually

WORKER = ["-m", "worker"]
DISPATCHER = ["-m", "worker.webhooks"]
API = ["-m", "gunicorn", "--config", str(GUNICORN_CONFIG)]
PROCESSES = {
    "worker": (WORKER, "WORKER_METRICS_PORT"),
    "dispatcher": (DISPATCHER, "DISPATCHER_METRICS_PORT"),
    "api": (API, "API_METRICS_PORT"),
}
"""Each with the setting of the port at which it tells how it is."""


@contextmanager
def client_of(directory, *lines: str) -> Iterator[Redis]:
    """A client of a server with these lines in its configuration."""
    with redis_serving(directory, *lines) as server, server.client() as client:
        yield client


def warnings_of(client: Redis) -> list[dict]:
    """What the check logs where it does not refuse."""
    with capture_logs() as logs:
        check_server(client)
    assert {line["log_level"] for line in logs} <= {"warning"}
    return logs


@contextmanager
def started(name: str, url: str, directory: Path) -> Iterator["Process"]:
    """A process of the service; killed at the end."""
    arguments, tells_at = PROCESSES[name]
    ports = {name: free_port() for name in ("PORT", *(port for _, port in PROCESSES.values()))}
    ours = {f"GENREWIZ_{name}": str(port) for name, port in ports.items()}
    log = directory / "process.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=CHECKOUT,
            env={
                **os.environ,
                **ours,
                "GENREWIZ_REDIS_URL": url,
                "GENREWIZ_AUDIO_DIR": str(directory / "audio"),
                "GENREWIZ_SOFT_STOP_SECONDS": "0",
            },
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Process(process, log, ports[tells_at])
    finally:
        process.terminate()
        process.wait()


@dataclass(frozen=True)
class Process:
    """What was started, what it says, and where it tells how it is."""

    process: "subprocess.Popen[bytes]"
    log: Path
    port: int

    def says(self, path: str) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", trust_env=False).status_code == 200


def test_nothing_is_said_of_the_embedded_server(redis):
    assert warnings_of(redis) == []


def test_a_server_that_evicts_is_refused(tmp_path):
    with client_of(tmp_path, "maxmemory-policy volatile-lru") as client, pytest.raises(SetupError) as caught:
        check_server(client)

    assert "maxmemory-policy volatile-lru to noeviction" in caught.value.detail


def test_a_cluster_is_refused(tmp_path):
    lines = ("cluster-enabled yes", "cluster-config-file nodes.conf", f"cluster-port {free_port()}")
    with client_of(tmp_path, *lines) as client, pytest.raises(SetupError, match="Redis Cluster"):
        check_server(client)


@pytest.mark.parametrize(
    ("line", "loses"), [("appendonly no", "a restart"), ("appendfsync everysec", "a power cut")]
)
def test_a_server_that_can_lose_jobs_at_a_fault_is_warned_of(tmp_path, line, loses):
    with client_of(tmp_path, line) as client:
        (warning,) = warnings_of(client)

    assert warning["event"] == "redis server can lose accepted jobs"
    assert warning["reason"].startswith(line)
    assert loses in warning["reason"]


@pytest.mark.parametrize(
    ("barred", "unseen"),
    [
        (("config",), ("appendfsync",)),
        (("info",), ("version",)),
        (
            ("info", "config"),
            ("version", "cluster-enabled", "maxmemory-policy", "appendonly", "appendfsync"),
        ),
    ],
)
def test_what_a_user_may_not_ask_is_a_warning(redis, settings, barred, unseen):
    rights = [f"-{command}" for command in barred]
    redis.execute_command("ACL", "SETUSER", "barred", "reset", "on", ">secret", "~*", "+@all", *rights)
    _, _, address = str(settings.redis_url).partition("@")

    with connect(Settings(redis_url=f"redis://barred:secret@{address}"), retries=0) as client:
        (warning,) = warnings_of(client)

    assert warning["unseen"] == unseen


@pytest.mark.parametrize(
    ("address", "names"),
    [("redis://:wrong@{}/0", "password"), ("redis://nobody:x@{}/0", "password"), ("{}/1", "database")],
)
def test_a_url_that_opens_nothing_there_is_refused_without_its_secrets(settings, address, names):
    url = str(settings.redis_url).removesuffix("/0")
    wrong = address.format(url.partition("@")[2] if "@" in address else url)

    with connect(Settings(redis_url=wrong), retries=0) as client, pytest.raises(SetupError) as caught:
        check_server(client)

    assert names in caught.value.detail
    assert "wrong" not in caught.value.detail


def test_a_command_that_is_renamed_away_is_a_warning(tmp_path):
    with client_of(tmp_path, 'rename-command CONFIG ""') as client:
        (warning,) = warnings_of(client)

    assert warning["unseen"] == ("appendfsync",)


def test_a_server_that_evicts_is_refused_also_where_info_may_not_be_asked(tmp_path):
    lines = ("maxmemory-policy allkeys-lru", 'rename-command INFO ""')
    with client_of(tmp_path, *lines) as client, pytest.raises(SetupError, match="allkeys-lru"):
        check_server(client)


def test_a_server_that_is_away_is_a_warning():
    with connect(Settings(redis_url=f"redis://127.0.0.1:{free_port()}/0"), retries=0) as client:
        (warning,) = warnings_of(client)

    assert warning["event"] == "redis server not checked: it is away"


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_does_not_start_on_a_server_that_evicts_and_says_so_in_one_line(tmp_path, name):
    with (
        redis_serving(tmp_path / "redis", "maxmemory-policy allkeys-lru") as server,
        started(name, server.url, tmp_path) as process,
    ):
        status = process.process.wait(PATIENCE_SECONDS)

    (line,) = process.log.read_text().splitlines()
    assert line.startswith(f"genrewiz {name}: The Redis server forgets")
    assert status == 1


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_that_starts_before_its_server_says_so_and_works_once_that_is_there(tmp_path, name):
    with (
        RedisServer(tmp_path / "redis") as server,
        started(name, server.url, tmp_path) as process,
    ):
        eventually(lambda: process.says("/livez"))
        assert "redis server not checked: it is away" in process.log.read_text()

        server.start()

        eventually(lambda: process.says("/readyz"))


def test_the_doctor_says_what_a_start_would(tmp_path):
    with redis_serving(tmp_path, "maxmemory-policy allkeys-lru", "appendfsync everysec") as server:
        done = genrewiz("doctor", GENREWIZ_REDIS_URL=server.url)

    (line,) = (line for line in done.stdout.splitlines() if "redis " in line)
    assert line.startswith("FAIL")
    assert "set maxmemory-policy allkeys-lru to noeviction" in line
    assert "a power cut" in line
    assert done.returncode == 1
