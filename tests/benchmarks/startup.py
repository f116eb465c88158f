"""How long the processes take from their start until they are ready, beside importing torch alone."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from record import record
from redis import Redis

from genrewiz.serve.embedded import prepare
from genrewiz.serve.ports import free_port
from genrewiz.serve.services import GUNICORN_CONFIG
from support.waiting import eventually

ROUNDS = 5
POLL_SECONDS = 0.01


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        server = prepare(Path(directory) / "redis")
        redis = subprocess.Popen(server.command)
        eventually(Redis.from_url(server.url).ping)
        environment = {
            **os.environ,
            "GENREWIZ_REDIS_URL": server.url,
            "GENREWIZ_AUDIO_DIR": f"{directory}/audio",
        }
        rounds = [
            (
                seconds_of_torch(),
                ready_seconds(["-m", "worker"], "WORKER_METRICS_PORT", environment),
                api(environment),
            )
            for _ in range(ROUNDS)
        ]
        redis.terminate()
        redis.wait()
    torch, worker, api_seconds = (statistics.median(column) for column in zip(*rounds, strict=True))
    record(
        "startup",
        {
            "api_seconds": api_seconds,
            "worker_seconds": worker,
            "importing_torch_seconds": torch,
            "worker_seconds_without_torch": worker - torch,
        },
    )


def seconds_of_torch() -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch"], check=True)
    return time.perf_counter() - start


def api(environment: dict[str, str]) -> float:
    return ready_seconds(["-m", "gunicorn", "--config", str(GUNICORN_CONFIG)], "PORT", environment)


def ready_seconds(arguments: list[str], port_variable: str, environment: dict[str, str]) -> float:
    port = free_port()
    ports = {
        "GENREWIZ_PORT": str(free_port()),
        "GENREWIZ_API_METRICS_PORT": str(free_port()),
        "GENREWIZ_WORKER_METRICS_PORT": str(free_port()),
        f"GENREWIZ_{port_variable}": str(port),
    }
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        env={**environment, **ports},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not answers(f"http://127.0.0.1:{port}/readyz"):
        time.sleep(POLL_SECONDS)
    seconds = time.perf_counter() - start
    process.terminate()
    process.wait()
    return seconds


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


if __name__ == "__main__":
    main()
